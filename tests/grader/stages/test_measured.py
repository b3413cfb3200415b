"""What models are worth becomes verdicts, and a fault that has been paid for is not paid for again."""

from itertools import product

import pytest

from grader.authoring.slips import load_slips
from grader.records import STATUSES, Measured, Verdict
from grader.stages.measured import add_measured
from grader.stages.pipeline import Grader
from tests.attacks.weights import fresh
from tests.mutants import solution_of
from tests.support import answers
from tests.trained import hand_in, of_ours, weights_file
from utils.assignments import load_assignment

NAME, CHECK = "03_mnist_vae", "cvae.samples.quality"


def _verdict(task: str, status: str) -> Verdict:
    return Verdict(f"{task}.values", task, "", "1", status, float(status == "passed"), 1.0, f"{task}: said.")


@pytest.mark.parametrize(("of_task", "found"), [*product(STATUSES, (*STATUSES, Measured.TOLD))])
def test_a_fault_is_paid_for_once_and_points_that_are_earned_stay(of_task: str, found: str) -> None:
    verdicts = (_verdict("a", of_task), _verdict("b", "passed"), _verdict("model", "manual"))
    points = 2.0 if found == "passed" else 1.0 if found == "partial" else 0.0
    for made_with in ((), ("b",), ("b", "a")):
        one = Measured("model.values", found, "seen", points, made_with=made_with)
        *others, judged = add_measured(verdicts, [one, Measured("elsewhere", "wrong", "")])
        assert tuple(others) == verdicts[:2]
        is_paid = "a" in made_with and of_task not in ("passed", "manual", "missing")
        if found == Measured.TOLD:
            assert (judged.status, judged.points, judged.sentence) == ("manual", 0, "model: said. Seen.")
        elif is_paid and found not in ("passed", "manual", "missing"):
            assert (judged.status, judged.points) == ("manual", 0)
            assert "trained with a," in judged.sentence
        else:
            assert (judged.status, judged.points, judged.sentence) == (found, points, "model: seen.")


@pytest.fixture(scope="module")
def grader(nursery):
    with Grader(NAME, "tests", nursery=nursery.requests) as one:
        yield one


def _tasks() -> tuple[str, ...]:
    declared = load_assignment(NAME).about.weights
    assert declared is not None
    return declared.models["cvae"].tasks


def _with_slip(task: str) -> bytes:
    slip = next(one for one in load_slips(NAME) if one.task == task)
    return answers(NAME, {task: slip.cell(solution_of(NAME)[task])})


@pytest.mark.parametrize("task", _tasks())
def test_what_a_paid_fault_may_have_spoilt_is_a_persons_to_settle(grader: Grader, task: str) -> None:
    """Every answer that the conditional model is trained with, each with its first slip; weights that are worth nothing."""
    data = _with_slip(task)
    report = grader.grade_bytes(
        hand_in(NAME, weights_file(NAME, {"cvae": fresh("cvae")}, data=data), data), "a.zip", "a"
    )
    assert any(v.task == task and v.status == "wrong" for v in report.verdicts), (
        "a slip that costs nothing says nothing here"
    )
    (verdict,) = [v for v in report.verdicts if v.check == CHECK]
    assert (verdict.status, verdict.points) == ("manual", 0)


def test_a_model_that_is_good_all_the_same_earns_its_points(grader: Grader) -> None:
    data = _with_slip("fc.loss")
    weights = weights_file(NAME, {"cvae": of_ours(NAME, "digits_cvae")}, data=data)
    report = grader.grade_bytes(hand_in(NAME, weights, data), "a.zip", "a")
    (verdict,) = [v for v in report.verdicts if v.check == CHECK]
    assert (verdict.status, verdict.points) == ("passed", 6)
