"""Chance: how often would two students who know nothing of each other be as alike as this? The class itself tells.

A question's surprise is the share of the class's pairs that are at least as alike there, as minus its logarithm. A pair's
total is the sum over questions. To know which totals come about by chance, the students are shuffled question by question,
so that nobody's answers are one person's any more, and the totals are counted again. Students differ: one who likes short
answers likes them everywhere, so real totals spread wider than shuffled ones. The spread of the bulk of the real pairs is
measured, and the shuffled totals are widened to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_TOTALS = 400_000  # shuffled totals that are wanted
_MOST_SHUFFLES = 400
_BULK = (0.5, 0.95)  # quantiles of the real pairs that are taken for independent
_TAIL = 0.002  # of the shuffled totals, from which on the tail is taken for exponential


def surprise(alike: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Minus the log of the share of pairs that are at least as alike.

    Args:
        alike: Of every pair, shape (n, n); 0 where nothing is shared.
        pairs: Which pairs are compared, bool, shape (n, n).

    Returns:
        float32, shape (n, n), at least 0; 0 where nothing is shared.
    """
    values = np.sort(alike[pairs])
    total = len(values)
    positive = values[np.searchsorted(values, 0, side="right") :]
    out = np.zeros(alike.shape, np.float32)
    if not len(positive):
        return out
    where = alike > 0
    at_least = len(positive) - np.searchsorted(positive, alike[where] * (1 - 1e-6), side="left")
    out[where] = -np.log(np.maximum(at_least, 1) / total)
    return out


@dataclass(frozen=True)
class Chance:
    """What totals come about by chance."""

    shuffled: np.ndarray  # sorted
    centre: float  # of the real totals
    widening: float  # real over shuffled spread, at least 1
    threshold: float
    excess: float  # mean, above the threshold

    def probability(self, totals: np.ndarray) -> np.ndarray:
        """The share of independent pairs with at least this total.

        Args:
            totals: Any shape.

        Returns:
            Probabilities, the same shape; beyond what was seen, along an exponential tail.
        """
        middle = np.quantile(self.shuffled, _BULK[0])
        at = np.maximum((totals - self.centre) / self.widening + middle, np.minimum(totals, middle))
        seen = 1 - np.searchsorted(self.shuffled, at, side="left") / len(self.shuffled)
        beyond = _TAIL * np.exp(-(at - self.threshold) / self.excess)
        return np.where(at > self.threshold, beyond, np.maximum(seen, _TAIL))


def chance(questions: Sequence[np.ndarray], seed: int = 0) -> Chance:
    """Learn from a class what totals independent pairs have.

    Args:
        questions: Surprise of every pair of the class for each question, shape (n, n) each.
        seed: Of the shuffling.
    """
    n = len(questions[0])
    upper = np.triu_indices(n, 1)
    real = sum(question[upper] for question in questions)
    generator = np.random.default_rng(seed)
    shuffles = int(np.clip(np.ceil(_TOTALS / len(upper[0])), 2, _MOST_SHUFFLES))
    drawn = []
    for _ in range(shuffles):
        total = np.zeros(len(upper[0]), np.float32)
        for question in questions:
            order = generator.permutation(n)
            total += question[order[upper[0]], order[upper[1]]]
        drawn.append(total)
    shuffled = np.sort(np.concatenate(drawn))
    low, high = np.quantile(shuffled, _BULK)
    real_low, real_high = np.quantile(real, _BULK)
    widening = max(1.0, (real_high - real_low) / max(high - low, 1e-6))
    threshold = float(np.quantile(shuffled, 1 - _TAIL))
    above = shuffled[shuffled > threshold] - threshold
    return Chance(shuffled, float(real_low), float(widening), threshold, float(above.mean()) if len(above) else 1.0)
