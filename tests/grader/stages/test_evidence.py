"""A check passes by evidence that belongs to its inputs: what is right for one draw is not right for another.

Flags, counts and shapes that the student's process worked out are the same for every right answer. Whoever knew one could
send them again; so the right answers to other draws are handed to each judge, and it must refuse them.
"""

from itertools import permutations

import numpy as np
import pytest

from grader.authoring.check import Check
from grader.authoring.judges import judged
from grader.rubric import load_rubric
from grader.stages.pipeline import Grader, graded_assignments

DRAWS = (1, 2, 3, 4)
CHECKS = [
    pytest.param(name, check, id=check.name) for name in graded_assignments() for check in load_rubric(name).checks
]


@pytest.fixture(scope="module")
def right(grader: Grader):
    """The inputs and the reference solution's answers for several draws, by check."""

    def of(name: str, check: Check) -> list:
        found = []
        for seed in DRAWS:
            asked, answered = grader.fresh.of(load_rubric(name), seed)
            found += [(call.inputs, answered[call.name]) for call in asked if call.name.split("#")[0] == check.name]
        return found

    return of


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_the_right_answer_to_another_draw_is_refused(right, name: str, check: Check) -> None:
    cases = right(name, check)
    assert len(cases) >= len(DRAWS), "no inputs are drawn for this check"
    pairs = list(permutations(cases, 2))
    passing = sum(judged(check, values, reference, inputs) is None for (_, values), (inputs, reference) in pairs)
    assert passing <= len(pairs) / 2  # two draws of a few small numbers may be the same


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_no_answer_that_is_empty_passes(right, name: str, check: Check) -> None:
    for inputs, values in right(name, check)[:1]:
        for kind in (bool, np.float32, np.int64):
            empty = {key: np.empty(0, kind) for key in values}
            assert judged(check, empty, values, inputs) is not None
