"""Inputs and weights lie four bytes off the places where torch puts them, so that kernels begin and end elsewhere."""

import torch
from torch import Tensor, nn

from grader.probe_kit import stand_ins
from tests.machines.zygotes import begin

_from_numpy, _fill = torch.from_numpy, stand_ins.fill


def moved(values: Tensor) -> Tensor:
    """The same values, four bytes further on."""
    if values.dtype != torch.float32:
        return values
    place = torch.empty(values.numel() + 1)[1:].reshape(values.shape)
    return place.copy_(values)


def _fill_moved(module: nn.Module, seed: int) -> nn.Module:
    for parameter in _fill(module, seed).parameters():
        parameter.data = moved(parameter.data)
    return module


if __name__ == "__main__":
    torch.from_numpy = lambda array: moved(_from_numpy(array))
    stand_ins.fill = _fill_moved
    begin()
