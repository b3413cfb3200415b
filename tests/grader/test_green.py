"""The visible tests of notebook 1 beside the grader; all four notebooks, and more mutants, by `python -m tests.green`."""

import os

import pytest

from tests.green.both import GREEN, Answer, Seen, answers_of, seen
from tests.green.page import COLUMNS, column, table
from tests.mutants import solution_of

NAME = "01_kl_divergence"


@pytest.fixture(scope="module")
def outcomes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAST", "1")
        patch.setenv("MPLBACKEND", "Agg")
        here = os.getcwd()
        found = list(seen(NAME, answers_of(NAME, 3)))
        assert os.getcwd() == here
    return found


def test_green_means_green(outcomes):
    assert [(one.answer.name, one.notebook, one.public) for one in outcomes if one.disagreement] == []
    right = [one for one in outcomes if one.answer.kind == "right"]
    slips = [one for one in outcomes if one.answer.kind == "slip"]
    assert len(right) >= 14
    assert all(one.notebook == GREEN for one in right)
    assert len(slips) >= 40
    assert all(one.notebook != GREEN for one in slips)


def test_a_visible_test_that_is_too_weak_is_found():
    task = "kl.D_KL"
    silent = solution_of(NAME)[task].replace("return kl.mean()", "return kl.mean().detach()")
    weak = Seen(Answer(task, "mutant", "detached", silent), GREEN, public="no gradient")
    assert weak.disagreement == "green, and loses points on public inputs"
    strict = Seen(Answer(task, "right", "other words", silent), "ExpectationError: no")
    assert strict.disagreement == "red, and full marks"


@pytest.mark.parametrize(
    ("notebook", "public", "drawn", "acted", "expected"),
    [
        (GREEN, "", "", True, COLUMNS[0]),
        (GREEN, "", "", False, ""),
        ("no", "lost", "", True, COLUMNS[1]),
        ("no", "", "lost", True, COLUMNS[1]),
        (GREEN, "", "lost", True, COLUMNS[2]),
        ("no", "", "", True, COLUMNS[3]),
        (GREEN, "lost", "", True, COLUMNS[4]),
    ],
)
def test_each_outcome_has_its_column(notebook, public, drawn, acted, expected):
    assert column([NAME, "kl.D_KL", "mutant", "m", notebook, public, drawn, acted]) == expected


def test_the_table_counts_each_answer_once():
    row = [NAME, "kl.D_KL", "slip", "s", "no", "lost", "", True]
    assert "| `kl.D_KL` | 0 | 1 | 0 | 0 | 0 |" in table([row, row])
