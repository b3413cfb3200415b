"""Pictures of notebook 1: what a KL divergence costs, how estimates of it scatter, what samples look like.

Each function draws one figure from numbers the notebook has computed, and returns nothing. Colours are those of Okabe
and Ito with line styles of their own, so that a figure reads in grey.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.axes
import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

_BLUE, _RED, _GREEN, _GREY = "#0072b2", "#d55e00", "#009e73", "#888888"


def plot_price(mus: Tensor, kl_of_mu: Tensor, logvars: Tensor, kl_of_logvar: Tensor) -> None:
    """Draw what a scalar posterior pays for leaving N(0, 1), one parameter at a time.

    Args:
        mus: Means, shape (M,), at variance 1.
        kl_of_mu: KL to N(0, 1) in nats, shape (M,).
        logvars: Log variances, shape (L,), at mean 0.
        kl_of_logvar: KL to N(0, 1) in nats, shape (L,).
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
    left.plot(mus, kl_of_mu, color=_BLUE)
    left.set(xlabel="mu (logvar = 0)", ylabel="KL to N(0, 1) (nats)", title="Moving away: a parabola")
    right.plot(logvars, kl_of_logvar, color=_RED)
    right.set(xlabel="logvar (mu = 0)", title="Too wide costs more than too narrow")
    for axis in (left, right):
        axis.grid(alpha=0.3)


def plot_asymmetry(
    sigmas: Tensor, forward: Tensor, reverse: Tensor, grid: Tensor, target: Tensor, fits: Mapping[str, Tensor]
) -> None:
    """Draw both directions of the KL side by side, and what minimising each makes of a target with two modes.

    Args:
        sigmas: Standard deviations of the second Gaussian, shape (S,).
        forward: D_KL(N(0, 1) || N(0, sigma^2)), shape (S,), nats.
        reverse: D_KL(N(0, sigma^2) || N(0, 1)), shape (S,), nats.
        grid: Where densities are given, shape (G,).
        target: Density of the target on the grid, shape (G,).
        fits: From a label to the density of a fitted Gaussian, shape (G,); at most two.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    left.plot(sigmas, forward, color=_BLUE, label="D_KL(N(0, 1) || N(0, σ²))")
    left.plot(sigmas, reverse, "--", color=_RED, label="D_KL(N(0, σ²) || N(0, 1))")
    left.set(xlabel="σ", ylabel="KL (nats)", title="Two arguments, two prices", xscale="log", ylim=(0, 8))
    right.fill_between(grid, target, color=_GREY, alpha=0.35, label="target p")
    for (label, density), colour, style in zip(fits.items(), (_BLUE, _RED), ("-", "--"), strict=False):
        right.plot(grid, density, style, color=colour, label=label)
    right.set(xlabel="z", ylabel="density", title="The best single Gaussian, by each direction")
    for axis in (left, right):
        axis.legend(fontsize=8)


def plot_error_against_samples(counts: Tensor, errors: Tensor, error_of_one: float) -> None:
    """Draw the error of a Monte Carlo estimate against its number of samples, as bars on two log scales.

    Args:
        counts: Numbers of samples, shape (C,), evenly spaced in their logarithm.
        errors: Absolute errors of repeated estimates, shape (R, C), nats.
        error_of_one: The mean absolute error of one sample, nats; the law of 1/sqrt(N) is drawn from it.
    """
    _, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
    mean = errors.mean(0)
    whiskers = np.stack([mean - errors.amin(0), errors.amax(0) - mean])
    axis.bar(counts, mean, 0.25 * counts, yerr=whiskers, color=_BLUE, alpha=0.6, capsize=3, label="mean of the repeats")
    dense = np.arange(1, int(counts[-1]) + 1)
    axis.plot(dense, error_of_one / np.sqrt(dense), "--", color=_RED, label="law of 1/√N")
    axis.set(xlabel="samples N", ylabel="|Monte Carlo - exact| (nats)", xscale="log", yscale="log")
    axis.set_title(
        f"A hundred times the samples, a tenth of the error ({len(errors)} repeats; whiskers: best and worst)"
    )
    axis.legend()


def plot_clouds(samples: Tensor, params: Tensor) -> None:
    """Draw samples of two-dimensional isotropic Gaussians, with circles at one and two standard deviations.

    Args:
        samples: Shape (B, N, 2).
        params: Means and log standard deviation, shape (B, 3).
    """
    _, axis = plt.subplots(figsize=(5, 4.2), layout="constrained")
    for cloud, (x, y, log_sigma), colour, marker in zip(samples, params, (_BLUE, _RED, _GREEN), "o^s", strict=False):
        axis.scatter(cloud[:, 0], cloud[:, 1], s=8, alpha=0.4, color=colour, marker=marker)
        for radius in (1, 2):
            circle = plt.Circle((float(x), float(y)), radius * float(log_sigma.exp()), fill=False, color="black")
            axis.add_patch(circle)
    axis.set(xlabel="$z_1$", ylabel="$z_2$", title="Each cloud fills its own circles (1 and 2 sigma)", aspect="equal")


def plot_fits(grid: Tensor, target: Tensor, fits: Mapping[str, Tensor]) -> None:
    """Draw fitted densities over one target, one panel each.

    Args:
        grid: Where densities are given, shape (G,).
        target: Density of the target, shape (G,).
        fits: From a panel's title to the fitted density, shape (G,).
    """
    _, axes = plt.subplots(1, len(fits), figsize=(3.3 * len(fits), 2.8), sharey=True, layout="constrained")
    for axis, (title, density) in zip(axes, fits.items(), strict=True):
        axis.fill_between(grid, target, color=_GREY, alpha=0.35, label="target p")
        axis.plot(grid, density, color=_BLUE, label="fitted q")
        axis.set(xlabel="z", title=title, ylim=(0, 1.6 * float(target.max())))
    axes[0].set_ylabel("density")
    axes[0].legend(fontsize=8)


def plot_bound(distances: Tensor, losses: Tensor, exact: float, counts: list[int], estimates: Tensor) -> None:
    """Draw the negative ELBO above -log p(x): against the posterior's place, and against the number of samples.

    Args:
        distances: How far the mean of q is from the true posterior's, shape (S,).
        losses: Negative ELBO there, shape (S,), nats.
        exact: -log p(x), nats.
        counts: Numbers of samples of the right panel.
        estimates: Repeated estimates with the true posterior moved a little, shape (len(counts), R), nats.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.plot(distances, losses, color=_BLUE, label="-ELBO")
    left.fill_between(distances, exact, losses, color=_BLUE, alpha=0.15, label="gap = D_KL(q || p(z | x))")
    left.set(xlabel="distance of q's mean from the posterior's", ylabel="nats", title="The gap closes at the posterior")
    right.boxplot(list(estimates), tick_labels=[str(count) for count in counts], whis=(0, 100))
    right.set(xlabel="samples N of each estimate (whiskers: all)", title="More samples: less noise, the same bound")
    for axis in (left, right):
        axis.axhline(exact, linestyle="--", color=_RED, label="-log p(x)")
    left.legend(fontsize=8)


def plot_toy_vaes(data: Tensor, rows: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    """Draw what VAEs with different beta reconstruct and generate, one column each.

    Args:
        data: Points of the data, shape (N, 2).
        rows: From a column's title to (reconstructions, samples), shape (N, 2) each.
    """
    figure, axes = plt.subplots(
        2, len(rows), figsize=(3.1 * len(rows), 6), sharex=True, sharey=True, layout="constrained"
    )
    for column, (title, (x_hat, samples)) in enumerate(rows.items()):
        _scatter(axes[0, column], data, x_hat, _BLUE)
        _scatter(axes[1, column], data, samples, _RED)
        axes[0, column].set_title(title)
    axes[0, 0].set_ylabel("reconstructions of the data")
    axes[1, 0].set_ylabel("samples from the prior")
    figure.suptitle("Grey: the data. Blue: reconstructed. Orange: generated.")


def _scatter(axis: matplotlib.axes.Axes, data: Tensor, points: Tensor, colour: str) -> None:
    axis.scatter(data[:, 0], data[:, 1], s=3, color=_GREY, alpha=0.25)
    axis.scatter(points[:, 0], points[:, 1], s=4, color=colour, alpha=0.5)
    axis.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal", xticks=[], yticks=[])
