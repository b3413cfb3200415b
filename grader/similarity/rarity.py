"""Rarity: how much two students share of what few write.

A fragment that half of all students write weighs nothing; one that two of n write weighs log(n / 4). What counts is the
sum of the weights of what a pair shares, against what each of the two has written that anybody else has too.
"""

from collections.abc import Sequence, Set

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer


def shared_weights(fragments: Sequence[Set[str]], floor: float = 1.0) -> np.ndarray:
    """How much of rare fragments every pair shares.

    Args:
        fragments: Of each student, those of earlier years included.
        floor: Weight below which a student's fragments are taken to weigh this much: little in common is little.

    Returns:
        Symmetric, float32, shape (n, n), at least 0; the diagonal means nothing.
    """
    n = len(fragments)
    counter = CountVectorizer(analyzer=sorted, binary=True, min_df=2, dtype=np.float32)
    try:
        present = counter.fit_transform(fragments).tocsr()
    except ValueError:  # nothing is written by two
        return np.zeros((n, n), np.float32)
    count = np.asarray(present.sum(axis=0)).ravel()
    weight = np.maximum(np.log(n / (2 * count)), 0).astype(np.float32)
    weighted = present.multiply(weight).tocsr()
    shared = (weighted @ present.T).toarray()
    own = np.maximum(np.asarray(weighted.sum(axis=1)).ravel(), floor)
    return (shared / np.sqrt(np.sqrt(own[:, None] * own[None, :]))).astype(np.float32)
