"""From answers to pairs: who is more alike than chance explains, by what, and which of them hang together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from grader.similarity.answers import Answers
from grader.similarity.chance import Chance, chance
from grader.similarity.topics import Topic, topics
from utils.assignments import load_assignment

FEWEST = 4  # students: below that a class says nothing about chance
STANDS_OUT = 0.1  # pairs as alike expected by chance in the whole class, at most, for a pair to stand out
LISTED = 1.0  # the same, to be listed at all
MOST_LISTED = 60


@dataclass(frozen=True)
class Pair:
    """Two students and how alike they are. `second` may be of an earlier year."""

    first: int
    second: int
    probability: float  # that independent students are at least as alike
    expected: float  # pairs as alike by chance among all that were compared
    by_topic: tuple[float, ...]  # surprise, in the order of the topics


@dataclass(frozen=True)
class Comparison:
    """A class compared with itself and with earlier years."""

    notebook: str
    students: tuple[Answers, ...]  # the class first
    size: int  # of the class
    n_pairs: int
    topics: tuple[Topic, ...]
    pairs: tuple[Pair, ...]  # listed, the most alike first
    clusters: tuple[tuple[int, ...], ...]  # students joined by pairs that stand out, two and more
    chance: Chance | None = None
    totals: np.ndarray | None = None  # (class, all)


def compare(notebook: str, students: Sequence[Answers]) -> Comparison:
    """Compare every pair of a class, and the class with earlier years.

    Args:
        notebook: The assignment's name.
        students: Of one assignment; `is_earlier` says who is of an earlier year.

    Returns:
        The pairs that chance does not explain; none where the class is too small to tell.
    """
    ordered = [s for s in students if not s.is_earlier] + [s for s in students if s.is_earlier]
    size = sum(not student.is_earlier for student in ordered)
    if size < FEWEST:
        return Comparison(
            notebook=notebook, students=tuple(ordered), size=size, n_pairs=0, topics=(), pairs=(), clusters=()
        )
    pairs = np.triu(np.ones((size, len(ordered)), bool), 1)
    found = tuple(topics(load_assignment(notebook), ordered, pairs))
    known = chance([topic.surprise[:, :size] for topic in found])
    totals = np.sum([topic.surprise for topic in found], axis=0)
    probability = np.where(pairs, known.probability(totals), 1.0)
    listed = _listed(probability, int(pairs.sum()), found)
    return Comparison(
        notebook=notebook,
        students=tuple(ordered),
        size=size,
        n_pairs=int(pairs.sum()),
        topics=found,
        pairs=listed,
        clusters=_clusters(listed, len(ordered)),
        chance=known,
        totals=totals,
    )


def _listed(probability: np.ndarray, n_pairs: int, found: Sequence[Topic]) -> tuple[Pair, ...]:
    rows, columns = np.nonzero(probability * n_pairs <= LISTED)
    order = np.argsort(probability[rows, columns], kind="stable")[:MOST_LISTED]
    return tuple(
        Pair(
            int(rows[k]), int(columns[k]), float(probability[rows[k], columns[k]]),
            float(probability[rows[k], columns[k]] * n_pairs),
            tuple(float(topic.surprise[rows[k], columns[k]]) for topic in found),
        )
        for k in order
    )  # fmt: skip


def _clusters(pairs: Sequence[Pair], n: int) -> tuple[tuple[int, ...], ...]:
    edges = [(pair.first, pair.second) for pair in pairs if pair.expected <= STANDS_OUT]
    if not edges:
        return ()
    rows, columns = zip(*edges, strict=True)
    labels = connected_components(coo_matrix((np.ones(len(edges)), (rows, columns)), shape=(n, n)), directed=False)[1]
    groups: dict[int, list[int]] = {}
    for student in sorted({*rows, *columns}):
        groups.setdefault(int(labels[student]), []).append(student)
    return tuple(tuple(group) for group in sorted(groups.values(), key=len, reverse=True))
