"""A GAN's training in pictures: the two losses, and what the tracked codes become."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, TypeAlias

import matplotlib.axes
import matplotlib.figure  # not pyplot: a live picture must not become the notebook's current figure
import matplotlib.pyplot as plt
import matplotlib.ticker
import torch

from utils.plotting.curves import smooth
from utils.plotting.images import draw_grid, tile

Run: TypeAlias = Any  # a `GAN_Tracker`, or whatever else has its `d_losses`, `g_losses` and `pictures`

_LOSSES = (("d_losses", "d_loss, discriminator", "#0072b2", "-"), ("g_losses", "g_loss, generator", "#d55e00", "--"))


def draw_progress(tracker: Run, title: str = "") -> bytes:
    """Draw the losses so far beside the newest picture of the tracked codes.

    Args:
        tracker: What has been recorded.
        title: Above both.

    Returns:
        PNG.
    """
    figure = matplotlib.figure.Figure(figsize=(8.2, 3.4))
    left, right = figure.subplots(1, 2, gridspec_kw={"left": 0.08, "right": 0.99, "bottom": 0.14, "top": 0.84})
    _draw_losses(left, tracker)
    right.axis("off")
    if tracker.pictures:
        newest = max(tracker.pictures)
        draw_grid(right, _grid(tracker, newest), f"tracked codes, epoch {newest}")
    figure.suptitle(title, fontsize=9)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    return picture.getvalue()


def plot_gan_losses(runs: Mapping[str, Run], title: str = "") -> None:
    """Draw the losses of one or more runs, a panel each and two beside each other, on common axes.

    Args:
        runs: From a run's name to its tracker.
        title: What to look at.
    """
    columns, rows = min(2, len(runs)), -(-len(runs) // 2)
    size = (4.4 * columns, 2.9 * rows)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True, layout="constrained"
    )
    for axis in axes.flat[len(runs) :]:
        axis.remove()
    for axis, (name, tracker) in zip(axes.flat, runs.items(), strict=False):
        _draw_losses(axis, tracker)
        axis.set_title(name, fontsize=10)
    figure.suptitle(title, fontsize=10)


def plot_film(tracker: Run, codes: int = 10, frames: int = 5, title: str = "") -> None:
    """Draw what the same codes became in the course of the training, a row an epoch.

    Args:
        tracker: A run with pictures.
        codes: How many of the tracked codes.
        frames: Rows at most, spread evenly over the kept epochs; the last one is among them.
        title: What to look at.

    Raises:
        ValueError: If the tracker has kept no picture.
    """
    epochs = sorted(tracker.pictures)
    if not epochs:
        raise ValueError("plot_film: the tracker has no picture yet; train at least one epoch with it.")
    chosen = sorted({epochs[round(i)] for i in torch.linspace(0, len(epochs) - 1, min(frames, len(epochs))).tolist()})
    images = torch.cat([tracker.pictures[epoch][:codes] for epoch in chosen]).float() / 255
    figure, axis = plt.subplots(figsize=(0.6 * codes + 0.8, 0.6 * len(chosen) + 0.4), layout="constrained")
    draw_grid(axis, tile(images, codes))
    axis.axis("on")
    axis.set(xticks=[], yticks=[33 * row + 16 for row in range(len(chosen))])
    axis.set_yticklabels([f"epoch {epoch}" for epoch in chosen], fontsize=9)
    axis.tick_params(length=0)
    figure.suptitle(title, fontsize=10)


def _draw_losses(axis: matplotlib.axes.Axes, tracker: Run) -> None:
    for name, label, colour, style in _LOSSES:
        losses = getattr(tracker, name)
        steps = range(1, len(losses) + 1)
        axis.plot(steps, losses, color=colour, linewidth=0.4, alpha=0.3)
        axis.plot(steps, smooth(losses), style, color=colour, linewidth=1.5, label=label)
    axis.set(xlabel="step", ylabel="loss (nats)")
    axis.set_ylim(0, None)
    axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))  # there is no step 2.5
    axis.legend(fontsize=8)


def _grid(tracker: Run, epoch: int) -> torch.Tensor:
    images = tracker.pictures[epoch].float() / 255
    return tile(images, round(len(images) ** 0.5) or 1)
