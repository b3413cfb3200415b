"""The grader's weights in a student's network: what comes out then shows which layers there are and in which order."""

import torch
from torch import Tensor, nn


def write(model: nn.Module, weights: list[Tensor], bias: Tensor) -> int:
    """Put each weight into the matrix of its size, whichever way that lies, and the bias behind the last one.

    Two matrices of half the last weight's height take its halves. Other biases become 0.5, other scales 0.75 (with 1
    a PReLU were no activation): the same number for all units of a layer.

    Args:
        model: Any network.
        weights: In the order of the layers, (outputs, inputs) each; no two of the same sizes.
        bias: Of the last layer, (outputs,).

    Returns:
        How many matrices hold the last weight: 1, 2, or 0 if there is none for it.
    """
    named = list(model.named_parameters())
    is_cut = not any(_fits(parameter, weights[-1]) for _, parameter in named)
    last = list(weights[-1].chunk(2)) if is_cut else [weights[-1]]
    waiting = [*weights[:-1], *last, *(bias.chunk(2) if is_cut else [bias])]
    with torch.no_grad():
        for name, parameter in named:
            found = next((weight for weight in waiting if _fits(parameter, weight)), None)
            if found is not None:
                waiting = [weight for weight in waiting if weight is not found]
                parameter.copy_(found if found.shape == parameter.shape else found.T)
            elif parameter.ndim == 1:
                parameter.fill_(0.75 if name.endswith("weight") else 0.5)
    return 0 if any(weight is other for weight in waiting for other in last) else len(last)


def _fits(parameter: Tensor, weight: Tensor) -> bool:
    return parameter.shape in (weight.shape, weight.shape[::-1])
