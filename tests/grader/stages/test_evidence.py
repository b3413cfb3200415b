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
from tests.near_misses import cases
from tests.support import answers

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
    passing = sum(
        judged(check, values, reference, inputs, is_public=False) is None for (_, values), (inputs, reference) in pairs
    )
    assert passing <= len(pairs) / 2  # two draws of a few small numbers may be the same


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_no_answer_that_is_empty_passes(right, name: str, check: Check) -> None:
    for inputs, values in right(name, check)[:1]:
        for kind in (bool, np.float32, np.int64):
            empty = {key: np.empty(0, kind) for key in values}
            assert judged(check, empty, values, inputs, is_public=False) is not None


@pytest.mark.parametrize("name", graded_assignments())
def test_what_a_public_case_is_asked_besides_has_to_come_back(right, grader, name: str) -> None:
    """A judge without reference values knows by itself, and not by what comes back, whether more was asked."""
    kept: dict[str, list[bool]] = {}
    for case in cases(grader.box, name):
        drawn = {key for _, values in right(name, case.check) for key in values}
        if not case.check.uses_reference and (more := case.values.keys() - drawn):
            values = {key: value for key, value in case.values.items() if key not in more}
            symptom = judged(case.check, values, case.reference, case.call.inputs)
            kept.setdefault(f"{case.check.probe.function} {case.call.name.split('#')[1]}", []).append(symptom is None)
    assert not [where for where, passes in kept.items() if all(passes)], "a check of each probe minds"


@pytest.mark.parametrize("names", [("any", "all"), ("equal", "allclose", "array_equal"), ("is_grad_enabled",)])
def test_an_answer_that_replaces_comparisons_costs_no_others_their_contract(grader, names):
    """What watches calls runs where the answers run, and holds fast what it compares with."""
    patched = f"""
builtins, numpy = (torch.sys.modules["importlib"].import_module(name) for name in ("builtins", "numpy"))
for module in (builtins, numpy, torch):
    for name in {names!r}:
        if hasattr(module, name):
            setattr(module, name, lambda *args, **kwargs: True)
def D_KL(mu, logvar):
    return mu.mean()
"""
    report = grader.grade_bytes(answers("01_kl_divergence", {"kl.D_KL": patched}), "a.ipynb", "eve")
    points = sum(verdict.points for verdict in report.verdicts)
    assert (points, [v.sentence for v in report.verdicts if v.status == "partial"]) == (30, [])


def test_what_a_probe_that_raised_has_left_is_not_charged_to_the_next(grader):
    odd = """
class Odd(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, kinds, args=(), kwargs=None):
        return True
def D_KL(mu, logvar):
    return torch.zeros(()).as_subclass(Odd)
"""
    report = grader.grade_bytes(answers("01_kl_divergence", {"kl.D_KL": odd}), "a.ipynb", "eve")
    assert [v.check for v in report.verdicts if v.points < v.max_points and v.status != "manual"] == [
        "kl.D_KL.values",
        "kl.D_KL.gradient",
    ]
