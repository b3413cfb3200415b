"""docs/validity.md says what the files say, every explanation has its mutant, and a sample of the mutants is graded."""

import hashlib
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from grader.authoring.slips import load_slips
from grader.records import Verdict
from grader.stages.pipeline import Grader, graded_assignments
from tests import mutants
from tests.explanations import explanations
from tests.mutants import Outcome
from tests.mutator import Mutant
from tests.validity import (
    REFERENCE,
    Tried,
    document,
    heading,
    mutants_line,
    right_answers,
    right_line,
    survivor_line,
)
from utils.assignments import Task, load_assignment

_SAMPLED = 4  # mutants a notebook; all of them are `python -m tests.mutants NAME`
_MAY_LOOP = (
    "statement left out",
    "comparison",
)  # left out of the sample: an endless loop ends at a limit, seconds later

DOCUMENT = Path(__file__).parents[2] / "docs" / "validity.md"
_MANY = "make it anew with `python -m tests.validity`"


def _tasks() -> list:
    return [
        pytest.param(name, task, id=task.id) for name in graded_assignments() for task in load_assignment(name).tasks
    ]


@cache
def _mutants(name: str) -> list[Mutant]:
    return mutants.all_mutants(name)


@cache
def _section(task: Task) -> list[str]:
    """The document's lines below a question's heading."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert heading(task) in text.splitlines(), f"{DOCUMENT.name} has no {task.id}: {_MANY}"
    return re.split(r"\n##+ ", text.split(heading(task) + "\n", 1)[1])[0].splitlines()


@pytest.mark.parametrize(("name", "task"), _tasks())
def test_the_document_lists_the_answers_that_there_are(name: str, task: Task) -> None:
    right = [variant.name for variant in right_answers(name) if variant.task == task.id]
    wrong = [slip.name for slip in load_slips(name) if slip.task == task.id]
    assert right_line([REFERENCE, *right], []) in _section(task), _MANY
    rows = [line.split("|") for line in _section(task) if line.startswith("| `")]
    assert [cells[1].strip(" `") for cells in rows] == wrong, _MANY
    assert [cells[4].strip() for cells in rows] == ["yes"] * len(wrong)
    assert "**passed**" not in {cells[2].strip() for cells in rows}


@pytest.mark.parametrize(("name", "task"), _tasks())
def test_the_document_lists_the_mutants_that_there_are(name: str, task: Task) -> None:
    own = [mutant for mutant in _mutants(name) if mutant.task == task.id]
    explained = [one for one in explanations(name) if one.task == task.id]
    assert mutants_line(len(own), len(own) - len(explained), len(explained)) in _section(task), _MANY
    assert [line for line in _section(task) if line.startswith("- ")] == [survivor_line(one) for one in explained], (
        _MANY
    )


def test_the_totals_are_the_sums_of_the_sections() -> None:
    names = graded_assignments()
    tasks = [task for name in names for task in load_assignment(name).tasks]
    right = len(tasks) + sum(len(right_answers(name)) for name in names)
    wrong = sum(len(load_slips(name)) for name in names)
    everything = sum(len(_mutants(name)) for name in names)
    explained = sum(len(explanations(name)) for name in names)
    row = next(line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| **all**"))
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        str(len(tasks)),
        f"{right} of {right}",
        f"{wrong} of {wrong}",
        f"{wrong} of {wrong}",
        f"{everything - explained} of {everything}",
        f"{explained} of {explained}",
    ], _MANY
    assert wrong >= 150


def test_a_notebook_tried_alone_leaves_the_others_as_they_were() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert document({}, text) == text


def test_what_went_wrong_is_said_and_shown() -> None:
    task = load_assignment("01_kl_divergence").tasks[0]
    refused = [
        Verdict(
            check="kl.D_KL.values",
            task=task.id,
            title="",
            number="1",
            status="wrong",
            points=0.0,
            max_points=4.0,
            sentence="It is twice too large.",
            slip="missing_half",
        )
    ]
    one = Tried(task, {REFERENCE: [], "own": refused}, {"missing_half": refused, "sum": refused, "swapped": []}, [], [])
    assert one.faults == [
        "kl.D_KL: the right answer own is refused: It is twice too large.",
        "kl.D_KL: the wrong answer swapped gets full marks",
        "kl.D_KL: the slip sum is not named",
    ]
    mutant = Mutant(task=task.id, kind="sign", was="return -a", becomes="return a", nth=1, source="")
    text = document({"01_kl_divergence": [replace(one, mutants=[Outcome(mutant, "", "passed")])]})
    assert "| 1 | 1 of 2 | 2 of 3 | 1 of 3 | 0 of 1 | 0 of 1 |" in text
    assert "Right, own is refused" in text
    assert "| `swapped` | **passed** |  | **no** |" in text


@pytest.mark.parametrize("name", graded_assignments())
def test_every_explanation_has_its_mutant(name: str) -> None:
    keys = {mutant.key for mutant in _mutants(name)}
    assert [one.key for one in explanations(name) if one.key not in keys] == []


def _sample() -> list:
    found = []
    for name in graded_assignments():
        explained = {one.key for one in explanations(name)}
        quick = [mutant for mutant in _mutants(name) if mutant.kind not in _MAY_LOOP and mutant.key not in explained]
        chosen = sorted(quick, key=lambda mutant: hashlib.sha256(repr(mutant.key).encode()).digest())[:_SAMPLED]
        found += [pytest.param(name, mutant, id=f"{mutant.task}-{n}") for n, mutant in enumerate(chosen)]
    return found


@pytest.mark.parametrize(("name", "mutant"), _sample())
def test_a_mutant_gets_no_full_marks(
    grader: Grader, monkeypatch: pytest.MonkeyPatch, name: str, mutant: Mutant
) -> None:
    monkeypatch.setattr(grader, "notebook", name)  # one task is too little to tell notebooks 2 and 3 apart by
    failed = mutants.failed_checks(grader, name, mutant.task, mutant.source)
    assert failed, f"`{mutant.was}` -> `{mutant.becomes}` got full marks"


@pytest.mark.parametrize("name", graded_assignments())
def test_an_answer_beside_the_cells_it_builds_on_passes(
    grader: Grader, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Else every mutant would be killed."""
    monkeypatch.setattr(grader, "notebook", name)
    task = list(mutants.solution_of(name))[-1]
    assert mutants.failed_checks(grader, name, task, "") == []
