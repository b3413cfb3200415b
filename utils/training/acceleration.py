"""Faster training on the machine at hand, around code that knows nothing of it.

Two changes that leave the mathematics alone: the memory format (`channels_last`, colours of a pixel side by side) and
the number format of the matrix products (bfloat16 instead of float32; weights, sums and updates stay float32). Neither
pays everywhere, so each device gets what was measured to pay on it, per training step of notebook 4's networks:

    CPU with matrix units for bfloat16 (Intel AMX)   bfloat16, channels_last     2.2 times as fast as plain float32
    CPU without them                                 float32, channels_last      1.2 times; bfloat16 would lose
    CUDA, MPS                                        as they are                 not measured

ACCELERATE=0 in the environment, or `accelerated(..., enabled=False)`, switches it off; ACCELERATE=float32 keeps the numbers of other
processors on one that has matrix units.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Acceleration:
    """How to compute.

    Attributes:
        is_bfloat16: Matrix products and convolutions in bfloat16, by autocast.
        is_channels_last: Weights of convolutions, and with them the images, in channels_last order.
    """

    is_bfloat16: bool = False
    is_channels_last: bool = False

    def __str__(self) -> str:
        numbers = "bfloat16" if self.is_bfloat16 else "float32"
        return f"{numbers}, channels_last" if self.is_channels_last else numbers


PLAIN = Acceleration()


def choose_acceleration(device: torch.device) -> Acceleration:
    """What pays on a device.

    Args:
        device: Where the training runs.

    Returns:
        The choice; always the same one on one machine, so that a resumed run goes on as it began.
    """
    wanted = os.environ.get("ACCELERATE")
    if wanted == "0" or device.type != "cpu":
        return PLAIN
    return Acceleration(is_bfloat16=wanted != "float32" and _has_bfloat16_units(), is_channels_last=True)


@contextlib.contextmanager
def accelerated(
    *modules: nn.Module, enabled: bool = True, choice: Acceleration | None = None
) -> Iterator[Acceleration]:
    """Whatever runs inside, runs as fast as this machine can.

    Args:
        modules: The networks that are trained inside, all on one device. They are changed in place, so optimizers made
            before go on working, and are given back in the usual memory format.
        enabled: False for plain float32.
        choice: Another choice than the machine's own, for measurements.

    Yields:
        What was chosen.

    Raises:
        ValueError: If no module is given, or a module without parameters.
    """
    device = _device_of(modules)
    chosen = (choice or choose_acceleration(device)) if enabled else PLAIN
    if chosen.is_channels_last:
        _set_format(modules, torch.channels_last)
    # No cache of cast weights: it is emptied at the end of the block only, and inside it the weights change.
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=chosen.is_bfloat16, cache_enabled=False)
    try:
        with autocast:
            yield chosen
    finally:
        _set_format(modules, torch.contiguous_format)


def _device_of(modules: tuple[nn.Module, ...]) -> torch.device:
    parameters = [next(module.parameters(), None) for module in modules]
    if not parameters or parameters[0] is None:
        raise ValueError(
            "accelerated: give it the networks that are trained, e.g. accelerated(generator, discriminator)."
        )
    return parameters[0].device


def _set_format(modules: tuple[nn.Module, ...], memory_format: torch.memory_format) -> None:
    for module in modules:
        module.to(memory_format=memory_format)  # type: ignore[call-overload]


def _has_bfloat16_units() -> bool:
    """Intel's AMX. Without it bfloat16 exists (AVX-512) but was slower than float32 where it was measured."""
    capabilities: dict = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16"))
