"""Gradients through draws z = mu + sigma * eps, judged with the draws that were made.

The gradient of the mean square of z follows from the draws themselves, whatever their noise. So noise that is shared, or
of another law, costs the check of the noise and not this one; and where mean or width of the draws are not those asked
for, which is that check's to say as well, their gradients are not looked at. But where no draw at all has its mean, nothing
is proven, and so nothing passes.
"""

from dataclasses import dataclass

import numpy as np

from grader.authoring.check import Arrays
from grader.authoring.lines import within

_SIGMAS = 6.0
_FARTHEST = 1e3  # from mu, in units of 1 + |mu| + sigma: beyond it there are no draws, whatever the slip
_TOLERANCE = 0.02  # of the gradient's spread over single draws; float32 leaves a thousandth


@dataclass(frozen=True)
class Draws:
    """What is known of draws: `mean` of z and `shifted`, the mean of z (z - mu), each for every mu and sigma; n draws each."""

    mean: np.ndarray
    shifted: np.ndarray
    mu: np.ndarray
    sigma: np.ndarray
    n: int

    def has_mean(self) -> np.ndarray:
        return np.abs(self.mean - self.mu) <= _SIGMAS * self.sigma / np.sqrt(self.n)

    def has_width(self) -> np.ndarray:
        variance = self.shifted + self.mu * self.mean - self.mean**2
        std = np.sqrt(np.maximum(variance, 0))
        return self.has_mean() & (np.abs(std - self.sigma) <= _SIGMAS * self.sigma / np.sqrt(self.n))

    def wrong_for_mu(self, got: np.ndarray) -> bool:
        """Whether the gradient of the mean square with respect to mu is not that of these draws."""
        asked = self.has_mean()
        return not asked.any() or not within(
            np.abs(got - 2 * self.mean)[asked], (2 * _TOLERANCE * self.sigma)[asked], "gradient for mu"
        )

    def is_twice_the_mean(self, got: np.ndarray) -> bool:
        """Whether this is the gradient with respect to what is added to the noise, be it mu or not.

        Of draws around 0 it is 0, as that of anything is which has none: those prove nothing.
        """
        allowed = 2 * _TOLERANCE * np.maximum(self.sigma, 0.1 * np.abs(self.mean))
        is_telling = bool((np.abs(2 * self.mean) > allowed).any())
        return (
            is_telling
            and got.shape == self.mean.shape
            and within(np.abs(got - 2 * self.mean), allowed, "twice the mean")
        )

    def wrong_for_width(self, got: np.ndarray, per_log: float = 1.0, shared: bool = False) -> bool:
        """The same for log sigma, or with `per_log` 0.5 for the log variance; `shared`: one for all columns of a row."""
        expected = 2 * per_log * self.shifted
        spread = 2 * per_log * np.sqrt((self.mu * self.sigma) ** 2 + 2 * self.sigma**4)
        is_asked = self.has_width()
        if shared:
            expected, spread = expected.sum(axis=1), np.sqrt(np.square(spread).sum(axis=1))
            is_asked = np.asarray(is_asked.all(axis=1))
        error, allowed = np.abs(got - expected)[is_asked], (_TOLERANCE * spread)[is_asked]
        return not within(error, allowed, "gradient for the width")


def draws_in(values: Arrays, mu: np.ndarray, sigma: np.ndarray, n: int) -> Draws | None:
    """The draws that a probe tells of as `mean` and `shifted`; None if they are no numbers of mu's shape that draws could have."""
    sent = [values.get(name, np.empty(0)) for name in ("mean", "shifted")]
    if any(array.shape != mu.shape or not np.isfinite(array).all() for array in sent):
        return None
    mean, shifted = (array.astype(float) for array in sent)
    if (np.abs(mean - mu) > _FARTHEST * (1 + np.abs(mu) + sigma)).any():
        return None
    return Draws(mean, shifted, mu, np.broadcast_to(sigma, mu.shape), n)
