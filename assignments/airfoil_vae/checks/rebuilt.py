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
_FIT_STEPS, _STEP = 12, 1e-5
Decode = Callable[[Tensor], Tensor]  # codes (B, 10) to heights (B, 200), float64

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
        decode = partial(_decoded, layers, activation)
        made = run(decode, trial_codes())
        if np.isfinite(made).all() and np.abs(made - said).max() < 1e-2 * spread:
            return decode
    return None


def run(decode: Decode, codes: np.ndarray) -> np.ndarray:
    """What a decoder makes of codes (B, 10): float64, (B, 200)."""
    with torch.no_grad():
        return decode(torch.from_numpy(codes.astype(np.float64))).numpy()


def nearest_made(decode: Decode, heights: np.ndarray) -> np.ndarray:
    """The nearest to some profiles that a decoder can make, found by Levenberg and Marquardt's method from code 0.

    Args:
        decode: A decoder.
        heights: Profiles (B, 200).

    Returns:
        float64, (B, 200).
    """
    y = torch.from_numpy(heights.astype(np.float64))
    z, eye = torch.zeros(len(y), LATENT, dtype=y.dtype), torch.eye(LATENT, dtype=y.dtype)
    damping = torch.full((len(y), 1, 1), 1e-2, dtype=y.dtype)
    with torch.no_grad():
        error = (decode(z) - y).pow(2).sum(1)
        for _ in range(_FIT_STEPS):
            slopes = _slopes(decode, z)
            squares = slopes.transpose(1, 2) @ slopes
            scale = squares.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] + 1e-12
            downhill = slopes.transpose(1, 2) @ (decode(z) - y)[:, :, None]
            tried = z - torch.linalg.solve(squares + damping * scale * eye, downhill)[:, :, 0]
            tried_error = (decode(tried) - y).pow(2).sum(1)
            is_better = tried_error < error
            z, error = torch.where(is_better[:, None], tried, z), torch.where(is_better, tried_error, error)
            damping = torch.where(is_better[:, None, None], 0.3 * damping, 5 * damping)
        return decode(z).numpy()


def _slopes(decode: Decode, z: Tensor) -> Tensor:
    """By differences, which double precision allows: (B, 200, 10)."""
    moved = z[:, None, :] + _STEP * torch.eye(LATENT, dtype=z.dtype)
    return ((decode(moved.flatten(0, 1)).unflatten(0, (-1, LATENT)) - decode(z)[:, None, :]) / _STEP).transpose(1, 2)


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


def _decoded(layers: list[tuple[Tensor, Tensor | None]], activation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    for n, (weight, bias) in enumerate(layers):
        x = x @ weight + (0 if bias is None else bias)
        x = activation(x) if n < len(layers) - 1 else x
    return x
