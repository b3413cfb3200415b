"""Every judge of every check, given whatever a stranger's process can send: it says what is wrong, and never raises.

The values start from the reference solution's own answers; then one after another, or all at once, they are replaced.
"""

from functools import cache

import numpy as np
import pytest

from grader.authoring.check import Arrays, Check
from grader.authoring.judges import judged as judge_strange
from grader.rubric import load_rubric
from grader.stages.pipeline import Grader, graded_assignments
from tests.near_misses import cases

NOTEBOOKS = graded_assignments()
CHECKS = [pytest.param(name, check, id=check.name) for name in NOTEBOOKS for check in load_rubric(name).checks]


def strange_values(shape: tuple[int, ...]) -> list[np.ndarray]:
    """The right shape, and numbers or kinds of numbers that are not."""
    values = [np.nan, np.inf, -np.inf, 1.7e308, 5e-324, 1e200]
    jumping = np.where(np.indices(shape).sum(0) % 2, 1.7e308, -1.7e308) if shape else np.array(-1.7e308)
    return [
        *(np.full(shape, value) for value in values),
        *(np.full(shape, value, np.float16) for value in (6.5e4, np.nan, 6e-8)),
        *(np.full(shape, np.iinfo(kind).max, kind) for kind in (np.int64, np.int8, np.uint8)),
        np.full(shape, np.iinfo(np.int64).min),
        np.full(shape, 3.4e38, np.float32),
        jumping,
    ]


def strange_shapes(shape: tuple[int, ...]) -> list[np.ndarray]:
    shapes = [
        (),
        (0,),
        (1,),
        (1, 1),
        (*shape, 1),
        (1, *shape),
        shape[1:],
        (0, *shape),
        (2**21, 0),  # the longest that a frame may have
        (0, 2**21),
        (1,) * 8,
    ]
    return [np.full(other, 0.5, np.float32) for other in shapes if other != shape]


@pytest.fixture(scope="module")
def right(grader: Grader):
    """The reference solution's inputs and answers to one draw, by check, and to the public ones of checks without reference values:
    there a probe may ask more."""

    def of(name: str, check: Check) -> list[tuple[Arrays, Arrays, bool]]:
        asked, answered = grader.fresh.of(load_rubric(name), 1)
        drawn = [(call.inputs, answered[call.name], False) for call in asked if call.name.split("#")[0] == check.name]
        return drawn if check.uses_reference else [*drawn, *public(name)[check.name]]

    @cache
    def public(name: str) -> dict[str, list[tuple[Arrays, Arrays, bool]]]:
        found: dict[str, list[tuple[Arrays, Arrays, bool]]] = {}
        for case in cases(grader.box, name):
            found.setdefault(case.check.name, []).append((case.call.inputs, case.values, True))
        return found

    return of


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_no_judge_raises_or_believes(right, name: str, check: Check):
    for inputs, values, is_public in right(name, check):
        reference = values if check.uses_reference else {}

        def judged(got: Arrays, inputs=inputs, reference=reference, is_public=is_public) -> bool:
            symptom = judge_strange(check, got, reference, inputs, is_public)
            assert symptom is None or (symptom.text.isprintable() and len(symptom.text) < 600)
            return symptom is None

        assert judged(values), "the reference itself holds"
        assert not judged({})
        assert not judged({"status": np.ones(()), "points": np.full((), 5.0)})
        for name_of_value, value in values.items():
            judged({key: kept for key, kept in values.items() if key != name_of_value})
            for strange in (*strange_values(value.shape), *strange_shapes(value.shape)):
                judged({**values, name_of_value: strange})
        if not (check.uses_reference or name == "01_kl_divergence"):
            continue  # some of the others judge shapes alone
        for n in range(len(strange_values(()))):
            assert not judged({key: strange_values(value.shape)[n] for key, value in values.items()})
        assert not judged({key: np.zeros((0, *value.shape), value.dtype) for key, value in values.items()})
