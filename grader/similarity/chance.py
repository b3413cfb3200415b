"""Chance: how often would two students who know nothing of each other be as alike as this? The class itself tells.

A topic's surprise is minus the logarithm of the share of the class's pairs that are at least as alike there. A pair's total
is the sum over topics. To learn which totals come about by chance, the students are shuffled topic by topic, so that nobody's
answers are one person's any more, and the totals are counted again. People have habits, which run through all their answers, so
real totals spread wider than shuffled ones; the shuffled totals are widened until they reach as far as the real ones do at
several quantiles. Only the highest totals, where copies are, are not looked at for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_TOTALS = 400_000  # shuffled totals that are wanted
_MOST_SHUFFLES = 400
_LEVELS = (0.9, 0.95, 0.99, 0.998)  # quantiles up to which real pairs are taken for independent
_LEFT_OUT = 20  # at least so many of the most alike pairs never are
_TAIL = 0.002  # of the shuffled totals: from there on the tail is taken for exponential


def surprise(alike: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Minus the log of the share of pairs that are at least as alike.

    Args:
        alike: Of every pair, any shape; 0 where nothing is shared.
        pairs: Which pairs are compared, bool, the same shape.

    Returns:
        float32, the same shape, at least 0; 0 where nothing is shared.
    """
    values = alike[pairs]
    positive = np.sort(values[values > 0])
    out = np.zeros(alike.shape, np.float32)
    where = alike > 0
    at_least = len(positive) - np.searchsorted(positive, alike[where] * (1 - 1e-5), side="left")
    out[where] = np.maximum(-np.log(np.maximum(at_least, 1) / max(1, len(values))), 0)
    return out


@dataclass(frozen=True)
class Chance:
    """What totals come about by chance."""

    shuffled: np.ndarray  # sorted
    middle: float  # of the shuffled totals
    real_middle: float
    widening: float  # at least 1
    tail_from: float
    tail_mean: float  # of what lies above `tail_from`

    def probability(self, totals: np.ndarray) -> np.ndarray:
        """The share of independent pairs with at least this total.

        Args:
            totals: Any shape.

        Returns:
            Probabilities, the same shape.
        """
        at = (totals - self.real_middle) / self.widening + self.middle
        seen = 1 - np.searchsorted(self.shuffled, at, side="left") / len(self.shuffled)
        beyond = _TAIL * np.exp(-np.maximum(at - self.tail_from, 0) / self.tail_mean)
        return np.where(at > self.tail_from, beyond, np.maximum(seen, _TAIL))


def chance(topics: Sequence[np.ndarray], seed: int = 0) -> Chance:
    """Learn from a class what totals independent pairs have.

    Args:
        topics: Surprise of every pair of the class, shape (n, n) each, n at least 2.
        seed: Of the shuffling: the same class gives the same figures.
    """
    n = len(topics[0])
    one, other = np.triu_indices(n, 1)
    real = np.zeros(len(one), np.float32)
    for topic in topics:
        real += topic[one, other]
    shuffled = np.sort(_shuffled(topics, one, other, np.random.default_rng(seed)))
    middle, real_middle = float(np.median(shuffled)), float(np.median(real))
    tail_from = float(np.quantile(shuffled, 1 - _TAIL))
    above = shuffled[shuffled > tail_from] - tail_from
    return Chance(
        shuffled=shuffled, middle=middle, real_middle=real_middle, widening=_widening(shuffled - middle, real - real_middle), tail_from=tail_from,
        tail_mean=max(float(above.mean()) if len(above) else 1.0, 1e-6),
    )  # fmt: skip


def _shuffled(
    topics: Sequence[np.ndarray], one: np.ndarray, other: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    drawn = []
    for _ in range(int(np.clip(np.ceil(_TOTALS / len(one)), 2, _MOST_SHUFFLES))):
        total = np.zeros(len(one), np.float32)
        for topic in topics:
            order = generator.permutation(len(topic))
            total += topic[order[one], order[other]]
        drawn.append(total)
    return np.concatenate(drawn)


def _widening(shuffled: np.ndarray, real: np.ndarray) -> float:
    """How much further real totals reach than shuffled ones, both from their middle."""
    highest = 1 - _LEFT_OUT / len(real)
    levels = [level for level in _LEVELS if level < highest] or [max(0.5, highest)]
    reach = np.quantile(shuffled, levels)
    ratios = np.quantile(real, levels)[reach > 0] / reach[reach > 0]
    return float(max([1.0, *ratios]))
