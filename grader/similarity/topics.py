"""Topics: what a pair of students is compared by, one for each question and part, and three for what lies around them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from grader.similarity.answers import Answers
from grader.similarity.chance import surprise
from grader.similarity.given import given
from grader.similarity.rarity import Shared, shared
from grader.similarity.structure import structure
from grader.similarity.surface import surface, words
from utils.assignments import Assignment

STRUCTURE, SURFACE, WORDS, PICTURES, SLIPS, QUIET = "structure", "surface", "words", "pictures", "slips", "quiet"
WEIGHTS = {STRUCTURE: 1.0, SURFACE: 0.5, WORDS: 1.0, PICTURES: 0.5, SLIPS: 1.0, QUIET: 0.5}
WRONG_WEIGHT = 1.5  # of an answer that is wrong with both: right ones are alike by nature


@dataclass(frozen=True)
class Topic:
    """One thing a pair is compared by."""

    id: str  # the task, the part, "slips" or "quiet"
    number: str  # of the question, "" for what is of the whole notebook
    title: str
    layers: dict[str, Shared]  # by kind
    surprise: np.ndarray  # (students of the class, all), float32


def topics(assignment: Assignment, students: Sequence[Answers], pairs: np.ndarray) -> Iterator[Topic]:
    """Compare all pairs, topic by topic.

    Args:
        assignment: The notebook's.
        students: This class's first, then those of earlier years.
        pairs: Which pairs are compared, bool, shape (students of the class, all).
    """
    common = given(assignment)
    reads: dict[str, Callable[[str], frozenset[str]]] = {
        kind: lru_cache(maxsize=4096)(lambda text, read=read: frozenset(read(text).keys() - common))
        for kind, read in ((STRUCTURE, structure), (SURFACE, surface), (WORDS, words))
    }
    for question in assignment.questions:
        for task in question.tasks:
            code = [student.code.get(task.id, "") for student in students]
            layers = {kind: shared([reads[kind](text) for text in code]) for kind in (STRUCTURE, SURFACE)}
            both_wrong = _both(np.array([task.id in student.wrong for student in students]), len(pairs))
            factor = np.where(both_wrong, np.float32(WRONG_WEIGHT), np.float32(1))
            yield _topic(task.id, question.number, question.title, layers, pairs, factor)
        for part in sorted({key for student in students for key in (*student.words, *student.pictures)}):
            if part.rpartition(".")[0] == question.id:
                written = shared([reads[WORDS](student.words.get(part, "")) for student in students])
                pictures = shared([student.pictures.get(part, frozenset()) for student in students])
                yield _topic(part, question.number, question.title, {WORDS: written, PICTURES: pictures}, pairs)
    yield _topic("slips", "", "The same slips", {SLIPS: shared([student.slips for student in students])}, pairs)
    quiet = shared([student.quiet for student in students])
    yield _topic("quiet", "", "Around the answers", {QUIET: quiet}, pairs)


def _both(flags: np.ndarray, rows: int) -> np.ndarray:
    return flags[:rows, None] & flags[None, :]


def _topic(
    name: str, number: str, title: str, layers: dict[str, Shared], pairs: np.ndarray, factor: np.ndarray | float = 1.0
) -> Topic:
    total = np.zeros(pairs.shape, np.float32)
    for kind, layer in layers.items():
        if layer.fragments:
            total += np.float32(WEIGHTS[kind]) * surprise(layer.alike(len(pairs)), pairs)
    return Topic(name, number, title, layers, total * factor)
