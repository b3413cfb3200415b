"""A student's trained decoder, built again in the grader from its weights: they come back as data, and only numbers count.

Which activation stands between the layers is found by what the student's own process says the decoder makes of codes that
everybody may know. Where no usual one fits, or there are other parameters than those of linear layers, nothing is rebuilt, and
a person has to look.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from grader.authoring.check import Arrays

CHUNK = 2**20  # numbers of a weight that travel in one piece
MOST = 12 * 2**20  # numbers of all weights: what a process may send
N_TRIAL, LATENT = 16, 10
Decode = Callable[[np.ndarray], np.ndarray]

_ACTIVATIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    F.leaky_relu, F.relu, torch.tanh, F.elu, F.gelu, F.silu, F.softplus, torch.sigmoid, F.selu, F.relu6, F.hardswish, F.mish,
    *(lambda x, slope=slope: F.leaky_relu(x, slope) for slope in (0.05, 0.1, 0.15, 0.2, 0.3)),
    lambda x: F.gelu(x, approximate="tanh"),
)  # fmt: skip


def trial_codes() -> np.ndarray:
    """Codes that tell one activation from another; public."""
    return np.random.default_rng(16).normal(size=(N_TRIAL, LATENT)).astype(np.float32)


def decoder_of(values: Arrays) -> Decode | None:
    """The decoder that these weights make; None where it cannot be rebuilt."""
    layers = _layers(values)
    said = values.get("trial", np.empty(0))
    if not layers or said.shape != (N_TRIAL, 200) or said.dtype.kind != "f" or not np.isfinite(said).all():
        return None
    spread = float(said.std()) + 1e-6
    for activation in _ACTIVATIONS:
        with torch.no_grad():
            made = _decoded(layers, activation, trial_codes())
        if np.isfinite(made).all() and np.abs(made - said).max() < 1e-2 * spread:
            return partial(_decoded, layers, activation)
    return None


def _layers(values: Arrays) -> list[tuple[Tensor, Tensor | None]]:
    """Weight and bias of each linear layer, in their order; empty if the numbers are of anything else."""
    shapes = values.get("shapes", np.empty(0))
    if shapes.ndim != 2 or shapes.shape[1] != 2 or not 0 < len(shapes) <= 64 or shapes.dtype.kind != "i":
        return []
    layers: list[tuple[Tensor, Tensor | None]] = []
    width = LATENT
    for n, (rows, columns) in enumerate(shapes.tolist()):
        numbers = _numbers(values, n, rows * max(columns, 1))
        if numbers is None:
            return []
        if columns == 0 and layers and layers[-1][1] is None and rows == width:
            layers[-1] = layers[-1][0], numbers
        elif columns == width:  # (out, in), as nn.Linear has it
            layers.append((numbers.reshape(rows, columns).T, None))
            width = rows
        elif rows == width and columns:
            layers.append((numbers.reshape(rows, columns), None))
            width = columns
        else:
            return []
    return layers if width == 200 else []


def _numbers(values: Arrays, n: int, count: int) -> Tensor | None:
    if not 0 < count <= MOST:
        return None
    pieces = [values.get(f"weight_{n}_{k}", np.empty(0)) for k in range(-(-count // CHUNK))]
    if any(piece.ndim != 1 or piece.dtype.kind != "f" for piece in pieces) or sum(map(len, pieces)) != count:
        return None
    numbers = np.concatenate(pieces).astype(np.float64)
    return torch.from_numpy(numbers) if np.isfinite(numbers).all() else None


def _decoded(
    layers: list[tuple[Tensor, Tensor | None]], activation: Callable[[Tensor], Tensor], codes: np.ndarray
) -> np.ndarray:
    x = torch.from_numpy(codes.astype(np.float64))
    for n, (weight, bias) in enumerate(layers):
        x = x @ weight + (0 if bias is None else bias)
        x = activation(x) if n < len(layers) - 1 else x
    return x.numpy()
