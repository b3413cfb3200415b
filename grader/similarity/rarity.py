"""Rarity: how much two students share of what few write.

A fragment that half of all students write weighs nothing; one that k of n write weighs log(n / 2k). Two students are as
alike as the weight of what they share is large beside how many fragments each of them has in common with anybody: long answers
are not more alike than short ones, and the same answer says more the fewer give it.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

_FEWEST = 3  # fragments: a student who has fewer is taken to have these, since little in common is little


@dataclass(frozen=True)
class Shared:
    """Which fragments every student has, of those that at least two have."""

    present: csr_matrix  # (n, fragments), 0 or 1
    fragments: tuple[str, ...]
    counts: np.ndarray  # students that have each

    @property
    def weights(self) -> np.ndarray:
        return np.maximum(np.log(self.present.shape[0] / (2 * np.maximum(self.counts, 1))), 0).astype(np.float32)

    def alike(self, rows: int) -> np.ndarray:
        """How alike the first `rows` students are to everybody.

        Args:
            rows: Students of this class; those of earlier years stand behind them.

        Returns:
            float32, shape (rows, n), from 0 (nothing rare in common) to log(n / 4).
        """
        common = (self.present[:rows].multiply(self.weights).tocsr() @ self.present.T).toarray()
        own = np.maximum(np.asarray(self.present.sum(axis=1)).ravel(), _FEWEST)
        return (common / np.sqrt(own[:rows, None] * own[None, :])).astype(np.float32)

    def common(self, first: int, second: int) -> dict[str, int]:
        """What two students share, with how many have it; without what half of all have."""
        columns = np.intersect1d(self.present[first].indices, self.present[second].indices)
        weights = self.weights
        return {self.fragments[column]: int(self.counts[column]) for column in columns if weights[column] > 0}


def shared(fragments: Sequence[Set[str]]) -> Shared:
    """Count the fragments of all students, this class's first."""
    counter = CountVectorizer(analyzer=sorted, binary=True, min_df=2, dtype=np.float32)
    try:
        present = csr_matrix(counter.fit_transform(fragments))
    except ValueError:  # nothing is written by two
        return Shared(csr_matrix((len(fragments), 0), dtype=np.float32), (), np.zeros(0, np.float32))
    return Shared(present, tuple(counter.get_feature_names_out()), np.asarray(present.sum(axis=0)).ravel())
