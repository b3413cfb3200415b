"""The curves of a VAE's loss and its two terms, as the bytes of a picture that a running cell can show."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import matplotlib.axes
import matplotlib.figure  # not pyplot: a live picture must not become the notebook's current figure

from utils.plotting.curves import smooth

_POINTS = 700  # of a curve, about as many as the panel has pixels: more would only take longer


def draw_losses(
    rec: Sequence[float], prior: Sequence[float], total: Sequence[float], n_iters: int, title: str = ""
) -> bytes:
    """Draw the losses of the iterations so far.

    Args:
        rec: Reconstruction loss of each iteration.
        prior: KL to the prior of each iteration, in nats.
        total: The loss that is minimised, of each iteration.
        n_iters: How many iterations there will be: where the axis ends.
        title: Above the panels.

    Returns:
        PNG: on the left the total and the reconstruction loss on a log scale, on the right the KL to the prior.
    """
    figure = matplotlib.figure.Figure(figsize=(8, 2.6))
    left, right = figure.subplots(1, 2, gridspec_kw={"left": 0.08, "right": 0.97, "bottom": 0.18, "top": 0.88})
    _draw_curve(left, total, "total", "#0072b2", "-")
    _draw_curve(left, rec, "reconstruction", "#d55e00", "--")
    _draw_curve(right, prior, "KL to the prior", "#009e73", "-")
    if any(0 < loss < math.inf for loss in rec):
        left.set_yscale("log")
        left.minorticks_off()  # eight ticks a decade cost a third of the drawing
    left.set(xlabel="iteration", ylabel="loss", xlim=(0, n_iters))
    right.set(xlabel="iteration", ylabel="KL to the prior (nats)", xlim=(0, n_iters))
    left.legend(fontsize=8)
    figure.suptitle(title, fontsize=9)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    return picture.getvalue()


def _draw_curve(axis: matplotlib.axes.Axes, losses: Sequence[float], label: str, colour: str, style: str) -> None:
    kept = slice(None, None, max(1, len(losses) // _POINTS))
    iterations = range(1, len(losses) + 1)[kept]
    axis.plot(iterations, losses[kept], color=colour, linewidth=0.4, alpha=0.35)
    axis.plot(iterations, smooth(losses)[kept], style, color=colour, linewidth=1.4, label=label)
