"""Airfoil profiles, side by side."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray

_COLUMNS = 4


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


def _to_array(values: Any) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
    elif isinstance(values, list | tuple):
        values = [_to_array(value) for value in values]
    return np.asarray(values, dtype=np.float64)
