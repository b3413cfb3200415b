"""Guesses are read from text, and only a letter that the assignment names is one."""

import random
from dataclasses import replace

import pytest

from utils.assignments import Assignment, Prediction, load_assignment
from utils.notebook.cells import Cell, Notebook
from utils.notebook.guesses import read_guesses

ASKED = tuple(Prediction(name, "1.1", f"Which {name}?", {"A": "this", "B": "that"}, "A") for name in ("swap", "far"))


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return replace(load_assignment("01_kl_divergence"), predictions=ASKED)


def guesses(assignment, *sources, kind="code"):
    return read_guesses(Notebook(tuple(Cell(n, kind, source) for n, source in enumerate(sources, 1))), assignment)


@pytest.mark.parametrize(
    "source",
    [
        'predict("B", "swap", "AB")', "predict('b', 'swap', 'AB')", 'predict(" B. ", "swap")',
        'predict(guess="B", question="swap", choices="AB")', '# mine\npredict(\n    "B",  # why\n    "swap", "AB")',
        '%%time\npredict("B", "swap", "AB")', 'predict("A", "swap", "AB")\npredict("B", "swap", "AB")',
    ],
)  # fmt: skip
def test_a_guess_is_found_however_its_cell_is_written(assignment, source):
    assert guesses(assignment, source) == {"swap": "B"}


@pytest.mark.parametrize(
    "source",
    [
        'predict("", "swap", "AB")', 'predict("C", "swap", "AB")', 'predict(3, "swap", "AB")', 'predict("B")',
        'predict("B", "other", "AB")', 'predict("<b>B</b>", "swap", "AB")', 'predict("B" * 9**9, "swap", "AB")',
        'predict(__import__("os").getcwd(), "swap", "AB")', 'model.predict("B", "swap", "AB")', "predict(", "predict(*x, **y)",
        f'predict("{"B" * 10**6}", "swap", "AB")', "predict(" * 500, 'predict("B\\x00", "swap", "AB")', "predict\x00",
    ],
)  # fmt: skip
def test_anything_else_is_none_and_harmless(assignment, source):
    assert guesses(assignment, source) == {}


def test_the_last_guess_counts_and_a_cleared_one_does_not_undo_another(assignment):
    assert guesses(assignment, 'predict("A", "far", "AB")', 'predict("B", "far", "AB")') == {"far": "B"}
    assert guesses(assignment, 'predict("A", "far", "AB")', 'predict("x", "far", "AB")') == {"far": "A"}


def test_text_cells_hold_none(assignment):
    assert guesses(assignment, 'predict("B", "swap", "AB")', kind="markdown") == {}


def test_damaged_cells_never_give_more_than_a_letter(assignment):
    chance, whole = random.Random(1), 'predict("B", "swap", "AB")'
    for _ in range(500):
        text = list(whole)
        for _ in range(chance.randrange(1, 5)):
            text[chance.randrange(len(text))] = chance.choice('"(),ABX\\\n\x00<{😀')
        assert set(guesses(assignment, "".join(text)).items()) <= {
            ("swap", "A"),
            ("swap", "B"),
            ("far", "A"),
            ("far", "B"),
        }
