"""How a loss falls: every step faintly, a smoothed line to read."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import matplotlib.ticker
import numpy as np
from numpy.typing import NDArray

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito: told apart by colour-blind readers
_STYLES = ("-", "--", "-.", ":")  # and in grey


def smooth(values: Sequence[float], weight: float = 0.95) -> NDArray[np.float64]:
    """Exponential moving average without the pull towards zero at its start.

    The running mean is m_t = weight * m_{t-1} + (1 - weight) * v_t from m_0 = 0; dividing by 1 - weight^t corrects the
    bias of the first steps, as Adam does for its moments.

    Args:
        values: One number a step.
        weight: How much of the past is kept, from 0 (nothing: the values themselves) to below 1.

    Returns:
        float64, shape (len(values),).

    Raises:
        ValueError: If `weight` lies outside [0, 1).

    Source:
        Kingma and Ba (2015), arXiv:1412.6980, section 3.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"smooth: weight is {weight}, expected a number from 0 to below 1; 0.95 is usual.")
    smoothed = np.empty(len(values))
    mean = 0.0
    for step, value in enumerate(values):
        mean = weight * mean + (1 - weight) * float(value)
        smoothed[step] = mean / (1 - weight ** (step + 1))
    return smoothed


def plot_loss_terms(history: Mapping[str, Sequence[float]], title: str = "", weight: float = 0.95) -> None:
    """Draw each term of a loss in its own panel, side by side: they live on different scales.

    Args:
        history: From a term's name, such as "rec_loss", to its value at every step.
        title: Above the panels.
        weight: Smoothing of the line; see `smooth`.
    """
    figure, axes = plt.subplots(1, len(history), figsize=(4.2 * len(history), 2.8), squeeze=False, layout="constrained")
    for axis, (name, values), colour in zip(axes[0], history.items(), _COLOURS * len(history), strict=False):
        axis.plot(values, color=colour, alpha=0.25, linewidth=0.8)
        axis.plot(smooth(values, weight), color=colour, linewidth=1.6)
        axis.set(xlabel="step", title=f"{name}, last {smooth(values, weight)[-1]:.4g}" if len(values) else name)
    figure.suptitle(title)


def compare_curves(curves: Mapping[str, Sequence[float]], ylabel: str, xlabel: str = "epoch", title: str = "") -> None:
    """Draw several runs of one quantity in one panel.

    Args:
        curves: From a run's name to its values, one a step or epoch.
        ylabel: What is measured, with its unit.
        xlabel: What is counted.
        title: What to look at.
    """
    _, axis = plt.subplots(figsize=(5.5, 3), layout="constrained")
    for (name, values), colour, style in zip(curves.items(), _COLOURS, _STYLES, strict=False):
        axis.plot(range(1, len(values) + 1), values, style, color=colour, label=name, marker=".")
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axis.legend()
