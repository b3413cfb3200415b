"""Airfoil profiles, side by side."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib.figure  # not pyplot's: what sliders and films draw must not become the current figure
import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray

_COLUMNS = 4
_LETTERS = 44  # of a title, that fit above one wing of `draw_airfoils`


def plot_airfoils(x: Any, ys: Any, names: Sequence[str] | None = None, title: str = "") -> None:
    """Draw profiles in a grid, one a panel; heights are exaggerated, by the same factor in all of them.

    Args:
        x: Positions, array or tensor, shape (200,), in chord lengths.
        ys: Heights, array, tensor or list of them, shape (N, 200) or (200,); any one unit for all profiles.
        names: A title for each panel, if given N of them.
        title: Above the panels: what to look at.

    Raises:
        ValueError: If the shapes do not fit together, or `names` is not one a profile.
    """
    positions, heights = _to_array(x), np.atleast_2d(_to_array(ys))
    if heights.ndim != 2 or positions.shape != heights.shape[1:] or len(heights) == 0:
        raise ValueError(
            f"plot_airfoils: x has shape {positions.shape} and ys {heights.shape}, expected (200,) and (N, 200)."
        )
    if names is not None and len(names) != len(heights):
        raise ValueError(f"plot_airfoils: {len(names)} names for {len(heights)} profiles, expected one a profile.")
    columns = min(_COLUMNS, len(heights))
    rows = math.ceil(len(heights) / columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(2.4 * columns, (0.8 if names is None else 1.0) * rows + 0.4),
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, y) in enumerate(zip(axes.flat, heights, strict=False)):
        axis.fill(positions, y, facecolor="#0072b2", alpha=0.15)
        axis.plot(positions, y, color="#0072b2", linewidth=1)
        if names is not None:
            axis.set_title(names[index], fontsize=8, pad=2)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()


def draw_airfoils(x: Any, ys: Any, title: str = "", behind: Any = None) -> matplotlib.figure.Figure:
    """Draw profiles into one panel, two a row, for a picture that moves: its axes stay as they are.

    Args:
        x: Positions, shape (200,), in chord lengths.
        ys: Heights, shape (N, 200), scaled such that the data's largest is 1.
        title: Above, in as many lines as it needs.
        behind: One more profile, shape (200,), drawn behind each, to compare with.

    Returns:
        The figure; its lines are the profiles in their order.
    """
    positions, heights = _to_array(x), np.atleast_2d(_to_array(ys))
    columns = min(2, len(heights))
    rows = math.ceil(len(heights) / columns)
    lines = textwrap.wrap(title, _LETTERS * columns)
    figure = matplotlib.figure.Figure(
        figsize=(3.4 * columns, 1.05 * rows + 0.35 + 0.15 * max(1, len(lines))), layout="constrained"
    )
    axis = figure.subplots()
    for index, y in enumerate(heights):
        right, down = 1.12 * (index % columns), -1.5 * (index // columns)
        if behind is not None:
            axis.fill(positions + right, _to_array(behind) + down, facecolor="none", edgecolor="0.6", linestyle=":")
        axis.fill(positions + right, y + down, facecolor="#0072b2", alpha=0.15)
        axis.plot(positions + right, y + down, color="#0072b2", linewidth=1.2)
    axis.set(xlim=(-0.04, 1.12 * columns - 0.08), ylim=(-1.5 * rows + 0.65, 0.85))
    axis.axis("off")
    axis.set_title("\n".join(lines), fontsize=10)
    return figure


def _to_array(values: Any) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
    elif isinstance(values, list | tuple):
        values = [_to_array(value) for value in values]
    return np.asarray(values, dtype=np.float64)
