"""`predict` and `reveal`: whatever a student writes is answered in one line, and nothing is ever raised."""

import ast
import random
import string
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from utils.exercise import predictions
from utils.exercise.predictions import predict, reveal


@pytest.fixture(autouse=True)
def nobody_has_guessed(monkeypatch):
    monkeypatch.setattr(predictions, "_guesses", {})
    monkeypatch.setattr(predictions, "_revealed", set())


class Rude:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("guess", ["A", "a", " b ", "C.", "(B)"])
def test_a_letter_is_understood_however_it_is_written(guess, capsys):
    predict(guess, "swap", "ABC")
    letter = next(c for c in guess.upper() if c.isalpha())
    assert capsys.readouterr().out == f"Your guess is {letter}. The experiment below decides.\n"


HOSTILE = [
    "E",
    3,
    None,
    2.5,
    ["A"],
    "AB",
    "Α",
    "B" * 10**6,
    "<script>",
    "A\n\nB",
    b"A",
    True,
    torch.zeros(3),
    Rude(),
    predict,
]


@pytest.mark.parametrize("guess", HOSTILE, ids=lambda guess: type(guess).__name__)
def test_what_is_no_choice_is_answered_in_one_friendly_line(guess, capsys):
    predict(guess, "swap", "ABC")
    said = capsys.readouterr().out
    assert "A, B or C" in said
    assert said.count("\n") == 1
    assert len(said) < 200
    assert predictions._guesses == {}


def test_random_strings_raise_nothing_and_are_kept_only_when_they_are_a_letter(capsys):
    chance = random.Random(0)
    for _ in range(300):
        guess = "".join(chance.choices(string.printable, k=chance.randrange(6)))
        predictions._guesses.clear()
        predict(guess, "swap", "AB")
        assert predictions._guesses.get("swap", "") in ("", "A", "B")
        assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("lost", [("A",), ("A", 3), ("A", "")])
def test_a_cell_that_lost_its_name_says_so(lost, capsys):
    predict(*lost)
    assert "undo" in capsys.readouterr().out


def test_the_last_guess_counts_and_a_change_is_said(capsys):
    predict("A", "swap", "ABC")
    predict("A", "swap", "ABC")
    assert "before" not in capsys.readouterr().out
    predict("C", "swap", "ABC")
    assert "(before: A)" in capsys.readouterr().out
    reveal("swap", {"A": False, "B": False, "C": True})
    assert "shows C, as you guessed" in capsys.readouterr().out
    predict("B", "swap", "ABC")
    assert "you have seen the experiment" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ({"A": True, "B": False}, "this run shows A, as you guessed"), ({"A": False, "B": True}, "this run shows B. You guessed A"),
        ({"A": False, "B": False}, "decides nothing. You guessed A"), ({"A": True, "B": True}, "decides nothing"),
        ({"A": torch.tensor(False), "B": torch.ones(1) > 0}, "shows B"),
    ],
)  # fmt: skip
def test_what_the_run_shows(shown, said, capsys):
    predict("A", "swap", "AB")
    reveal("swap", shown)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("shown", [{"A": True, "B": False}, {"A": False, "B": True}, {"A": False, "B": False}])
def test_a_short_run_has_not_the_last_word(shown, capsys):
    predict("A", "swap", "AB")
    reveal("swap", shown, short=True)
    said = capsys.readouterr().out
    assert "this run is short and" in said
    assert "full runs" in said
    assert "as you guessed" not in said


@pytest.mark.parametrize("short", [False, True])
def test_a_run_on_a_stand_in_says_that_it_is_one_and_not_that_it_is_short(short, capsys):
    predict("A", "swap", "AB")
    reveal("swap", {"A": True, "B": False}, short=short, stand_in=True)
    said = capsys.readouterr().out
    assert "is on a stand-in and shows A. You guessed A." in said
    assert ("is short" in said) == short
    assert said.endswith("\n  The text below says what runs on the real data show.\n")


def test_without_a_guess_the_run_still_says_what_it_shows(capsys):
    reveal("swap", {"A": True, "B": False})
    assert "shows A. You made no guess." in capsys.readouterr().out


def test_they_work_in_a_script_without_torch_or_jupyter():
    code = (
        'import sys; from utils import predict, reveal; predict("B", "swap", "AB"); reveal("swap", {"A": 0, "B": 1});'
    )
    code += 'assert not {"torch", "IPython", "ipywidgets"} & set(sys.modules)'
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert "as you guessed" in done.stdout


def test_the_module_only_prints():
    tree = ast.parse(Path(predictions.__file__).read_text(encoding="utf-8"))
    assert not any(isinstance(node, ast.Raise) for node in ast.walk(tree))
