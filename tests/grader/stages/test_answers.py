"""Every autograded question is itself tested: right answers written differently pass, wrong ones fail and are named."""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from types import SimpleNamespace

import numpy as np
import pytest
from support import answers

from grader.authoring.judges import close
from grader.authoring.slips import Variant, load_slips
from grader.records import Report
from grader.stages.compare import _is_near, _slip
from grader.stages.pipeline import Grader, graded_assignments
from tests.mutants import solution_of
from tests.validity import right_answers
from utils.assignments import load_assignment
from utils.notebook.cell_code import names_read

Batch = tuple[Variant, ...]  # answers to different tasks that are handed in together


def _apart(name: str) -> list[list[str]]:
    """The tasks in lists of which none calls another's answer, nor through a third: there each fails by a fault of its own."""
    cells, tasks = solution_of(name), load_assignment(name).tasks
    calls = {task: {other.id for other in tasks if names_read(cells[task]) & {*other.defines}} for task in cells}
    for _ in cells:
        calls = {task: some.union(*(calls[other] for other in some)) for task, some in calls.items()}
    lists: list[list[str]] = []
    for task in cells:
        free = (some for some in lists if not any(task in calls[other] or other in calls[task] for other in some))
        found = next(free, None)
        if found is None:
            lists.append(found := [])
        found.append(task)
    return lists


def _together(variants: Sequence[Variant], lists: Iterable[Sequence[str]]) -> list[Batch]:
    """One answer to each task of a list, and the next to each, until all have been handed in."""
    own = [[[one for one in variants if one.task == task] for task in tasks] for tasks in lists]
    rows = (row for some in own for row in zip_longest(*some))
    return [tuple(one for one in row if one) for row in rows]


def _params(variants_of: Callable, lists_of: Callable) -> list:
    return [
        pytest.param(name, one, batch, id=f"{one.task}-{one.name}")
        for name in graded_assignments()
        for batch in _together(variants_of(name), lists_of(name))
        for one in batch
    ]


RIGHT = _params(right_answers, lambda name: [list(solution_of(name))])
SLIPS = _params(load_slips, _apart)
_REPORTS: dict[tuple[str, Batch], Report] = {}  # several tests look at the same one


def _graded(grader: Grader, name: str, batch: Batch) -> Report:
    if (name, batch) not in _REPORTS:
        cells = solution_of(name)
        data = answers(name, {one.task: one.cell(cells[one.task]) for one in batch})
        report = _REPORTS[name, batch] = grader.grade_bytes(data, "answers.ipynb", "student")
        assert not report.rejection
        assert not report.fault
    return _REPORTS[name, batch]


def test_every_answer_is_handed_in_and_none_beside_one_it_is_called_by() -> None:
    for name in graded_assignments():
        assert sorted(task for tasks in _apart(name) for task in tasks) == sorted(solution_of(name))
    for params, variants_of in ((SLIPS, load_slips), (RIGHT, right_answers)):
        given = {(name, one) for name in graded_assignments() for one in variants_of(name)}
        assert {(name, one) for name, one, _ in (param.values for param in params)} == given
    together = [{one.task for one in param.values[2]} for param in SLIPS]
    assert not [
        tasks for tasks in together if "kl.elbo" in tasks and tasks & {"kl.rsample", "kl.exact", "kl.gaussians"}
    ]


@pytest.mark.parametrize("name", graded_assignments())
def test_the_reference_solution_gets_full_marks(grader: Grader, name: str) -> None:
    report = grader.grade_bytes(answers(name), "solved.ipynb", "student")
    automatic = [verdict for verdict in report.verdicts if verdict.status != "manual"]
    assert [verdict.sentence for verdict in automatic if verdict.status != "passed"] == []
    assert sum(verdict.points for verdict in automatic) == load_assignment(name).auto_points


@pytest.mark.parametrize(("name", "variant", "batch"), RIGHT)
def test_a_right_answer_written_differently_passes(grader: Grader, name: str, variant: Variant, batch: Batch) -> None:
    own = [verdict for verdict in _graded(grader, name, batch).verdicts if verdict.task == variant.task]
    assert [verdict.sentence for verdict in own if verdict.status not in ("passed", "manual")] == []


@pytest.mark.parametrize(("name", "slip", "batch"), SLIPS)
def test_a_slip_fails_and_is_named(grader: Grader, name: str, slip: Variant, batch: Batch) -> None:
    own = [verdict for verdict in _graded(grader, name, batch).verdicts if verdict.task == slip.task]
    failed = [verdict for verdict in own if verdict.status != "passed"]
    assert failed, "a wrong answer got full marks"
    assert slip.name in {verdict.slip for verdict in failed}, [verdict.sentence for verdict in failed]


@pytest.mark.parametrize(("name", "slip", "batch"), SLIPS)
def test_a_slip_costs_no_other_question(grader: Grader, name: str, slip: Variant, batch: Batch) -> None:
    """Whoever of the batch is to blame; `python -m tests.one_price` hands each in alone."""
    tasks = {one.task for one in batch}
    others = [v for v in _graded(grader, name, batch).verdicts if v.task not in tasks and v.status != "manual"]
    assert [verdict.sentence for verdict in others if verdict.status != "passed"] == []


@pytest.mark.parametrize("name", graded_assignments())
def test_every_task_has_enough_right_and_wrong_answers(name: str) -> None:
    slips, right = load_slips(name), right_answers(name)
    for task in load_assignment(name).tasks:
        assert sum(slip.task == task.id for slip in slips) >= 3, f"{task.id} needs three slips"
        assert sum(variant.task == task.id for variant in right) >= 2, f"{task.id} needs two more right answers"


@pytest.mark.parametrize(
    ("said", "is_named"),
    [
        ("", True),
        ('    "of both, as D_KL(a, b) is"\n', True),
        ("    # not D_KL(mu1, mu2)\n", True),
        ("    D_KL(mu1, mu2)\n", False),
        ("    other = D_KL\n", False),
        ("    list(map(D_KL, (), ()))\n", False),
    ],
)
def test_an_answer_that_mentions_another_builds_not_on_it(grader: Grader, said: str, is_named: bool) -> None:
    """A slip beside one of another task: its name is told, unless what it returns may be the other's fault."""
    name, cells = "01_kl_divergence", solution_of("01_kl_divergence")
    slips = {one.task: one for one in load_slips(name) if one.name in ("wrong_sign", "missing_square")}
    given = {task: slip.cell(cells[task]) for task, slip in slips.items()}
    head = next(line for line in given["kl.gaussians"].splitlines(keepends=True) if line.startswith("def "))
    given["kl.gaussians"] = given["kl.gaussians"].replace(head, head + said)
    report = grader.grade_bytes(answers(name, given), "answers.ipynb", "student")
    told = {verdict.task: verdict.slip for verdict in report.verdicts if verdict.check.endswith(".values")}
    assert told["kl.D_KL"] == "wrong_sign"
    assert told["kl.gaussians"] == ("missing_square" if is_named else "")


@pytest.mark.parametrize(("failed", "is_named"), [("t.one#public0", True), ("t.two#public0", False)])
def test_a_slip_explains_no_call_in_which_it_is_right(failed: str, is_named: bool) -> None:
    right, wrong = {"value": np.ones(2)}, {"value": np.full(2, 3.0)}
    slip = SimpleNamespace(name="doubled", task="t", outputs={"t.one#public0": wrong, "t.two#public0": right})
    rubric = SimpleNamespace(
        checks_of=lambda task: [SimpleNamespace(name=name, judge=close(), unsteady=()) for name in ("t.one", "t.two")],
        references=SimpleNamespace(
            slips_of=lambda task: [slip], outputs={"t.one#public0": right, "t.two#public0": right}
        ),
    )
    run = SimpleNamespace(
        runs={"t.one#public0": SimpleNamespace(values=wrong), "t.two#public0": SimpleNamespace(values=wrong)}
    )
    assert (_slip("t", rubric, run, failed) is slip) is is_named


@pytest.mark.parametrize(("unsteady", "is_same"), [((), False), (("late",), True), (("first",), False)])
def test_what_rounding_decides_is_no_matter_to_a_slip(unsteady: tuple[str, ...], is_same: bool) -> None:
    right, slip = ({"first": np.ones(2) * first, "late": np.ones(2)} for first in (1, 3))
    check = SimpleNamespace(judge=close(), unsteady=unsteady)
    is_made = _is_near(slip | {"late": np.zeros(2)}, slip, check) and not _is_near(slip, right, check)
    assert is_made is is_same
