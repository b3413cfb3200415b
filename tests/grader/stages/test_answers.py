"""Every autograded question is itself tested: right answers written differently pass, wrong ones fail and are named."""

from types import SimpleNamespace

import numpy as np
import pytest
from support import answers

from grader.authoring.judges import close
from grader.authoring.slips import Variant, load_slips
from grader.records import Report
from grader.stages.compare import _slip
from grader.stages.pipeline import Grader, graded_assignments
from tests.validity import right_answers
from tools.references import solution_cells
from utils.assignments import load_assignment


def _slips() -> list:
    return [
        pytest.param(n, slip, id=f"{slip.task}-{slip.name}") for n in graded_assignments() for slip in load_slips(n)
    ]


def _right() -> list:
    found = [(name, variant) for name in graded_assignments() for variant in right_answers(name)]
    return [pytest.param(name, variant, id=f"{variant.task}-{variant.name}") for name, variant in found]


_REPORTS: dict[tuple[str, Variant], Report] = {}  # several tests look at the same one


def _graded(grader: Grader, name: str, variant: Variant) -> Report:
    if (name, variant) not in _REPORTS:
        _REPORTS[name, variant] = _report(grader, name, variant)
    return _REPORTS[name, variant]


def _report(grader: Grader, name: str, variant: Variant) -> Report:
    cells = {task: cell.source for cell in solution_cells(load_assignment(name)) for task in cell.tasks}
    data = answers(name, {variant.task: variant.cell(cells[variant.task])})
    report = grader.grade_bytes(data, "answers.ipynb", "student")
    assert not report.rejection
    assert not report.fault
    return report


@pytest.mark.parametrize("name", graded_assignments())
def test_the_reference_solution_gets_full_marks(grader: Grader, name: str) -> None:
    report = grader.grade_bytes(answers(name), "solved.ipynb", "student")
    automatic = [verdict for verdict in report.verdicts if verdict.status != "manual"]
    assert [verdict.sentence for verdict in automatic if verdict.status != "passed"] == []
    assert sum(verdict.points for verdict in automatic) == load_assignment(name).auto_points


@pytest.mark.parametrize(("name", "variant"), _right())
def test_a_right_answer_written_differently_passes(grader: Grader, name: str, variant: Variant) -> None:
    failed = [
        verdict for verdict in _graded(grader, name, variant).verdicts if verdict.status not in ("passed", "manual")
    ]
    assert [verdict.sentence for verdict in failed] == []


@pytest.mark.parametrize(("name", "slip"), _slips())
def test_a_slip_fails_and_is_named(grader: Grader, name: str, slip: Variant) -> None:
    own = [verdict for verdict in _graded(grader, name, slip).verdicts if verdict.task == slip.task]
    failed = [verdict for verdict in own if verdict.status != "passed"]
    assert failed, "a wrong answer got full marks"
    assert slip.name in {verdict.slip for verdict in failed}, [verdict.sentence for verdict in failed]


@pytest.mark.parametrize(("name", "slip"), _slips())
def test_a_slip_costs_no_other_question(grader: Grader, name: str, slip: Variant) -> None:
    others = [v for v in _graded(grader, name, slip).verdicts if v.task != slip.task and v.status != "manual"]
    assert [verdict.sentence for verdict in others if verdict.status != "passed"] == []


@pytest.mark.parametrize("name", graded_assignments())
def test_every_task_has_enough_right_and_wrong_answers(name: str) -> None:
    slips, right = load_slips(name), right_answers(name)
    for task in load_assignment(name).tasks:
        assert sum(slip.task == task.id for slip in slips) >= 3, f"{task.id} needs three slips"
        assert sum(variant.task == task.id for variant in right) >= 2, f"{task.id} needs two more right answers"


@pytest.mark.parametrize(("failed", "is_named"), [("t.one#public0", True), ("t.two#public0", False)])
def test_a_slip_explains_no_call_in_which_it_is_right(failed: str, is_named: bool) -> None:
    right, wrong = {"value": np.ones(2)}, {"value": np.full(2, 3.0)}
    slip = SimpleNamespace(name="doubled", outputs={"t.one#public0": wrong, "t.two#public0": right})
    rubric = SimpleNamespace(
        checks_of=lambda task: [SimpleNamespace(name=name, judge=close()) for name in ("t.one", "t.two")],
        references=SimpleNamespace(
            slips_of=lambda task: [slip], outputs={"t.one#public0": right, "t.two#public0": right}
        ),
    )
    run = SimpleNamespace(
        runs={"t.one#public0": SimpleNamespace(values=wrong), "t.two#public0": SimpleNamespace(values=wrong)}
    )
    assert (_slip("t", rubric, run, failed) is slip) is is_named
