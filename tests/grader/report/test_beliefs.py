"""What the class believed: from the letter in a notebook, through the hand-in and the grader, to the page of the class."""

import json
import random
import zipfile
from collections import Counter
from dataclasses import replace

import nbformat
import pytest

from grader.records import Guess, Report
from grader.report import class_page, results_json
from grader.report.results import is_results
from grader.report.statistics import beliefs
from grader.stages.intake import take_in_bytes
from grader.stages.notebook import read
from tests.marking.browser import WHY_NOT, chromium
from tests.support import one_verdict
from tools.notebooks import student_notebook
from utils.assignments import assignment_names, load_assignment
from utils.submission.archive import pack
from utils.submission.check import check_notebook

HOSTILE = [
    'predict("<script>alert(1)</script>", "{}", "ABC")', 'predict("{}" * 10**9, "{}", "ABC")', "predict(open('/etc/passwd').read(), '{}')",
    'predict("' + "B" * 100_000 + '", "{}", "ABC")', "predict(3, '{}', 'ABC')", 'predict(["A"], "{}", "ABC")',
    'raise SystemExit  # predict("A", "{}")',
]  # fmt: skip


def handed_in(name, guesses, tmp_path, hostile=""):
    """A student's notebook with guesses written where they belong, packed by the hand-in and read by the grader."""
    notebook = student_notebook(name)
    for cell in notebook.cells:
        for asked, letter in guesses.items():
            if cell.cell_type == "code" and cell.source.startswith(f'predict("", "{asked}"'):
                cell.source = hostile.replace("{}", asked) or cell.source.replace('""', f'"{letter}"', 1)
    path = tmp_path / f"{name}.ipynb"
    nbformat.write(notebook, path)
    receipt = pack(path, check_notebook(path))
    assert zipfile.ZipFile(receipt.path).testzip() is None
    return read(take_in_bytes(receipt.path.read_bytes(), receipt.path.name, "Ada"), name)


def results_of(reading, student="Ada"):
    report = Report(student, "a.zip", reading.assignment.notebook, "0", "A", (one_verdict(),), guesses=reading.guesses)
    return json.loads(json.dumps(results_json(report)))


@pytest.mark.parametrize("name", assignment_names())
def test_guesses_survive_the_hand_in(name, tmp_path):
    chance = random.Random(name)
    predictions = load_assignment(name).predictions
    given = {one.id: chance.choice(list(one.choices)) for one in predictions if chance.random() < 0.7}
    reading = handed_in(name, given, tmp_path)
    assert {guess.prediction.id: guess.letter for guess in reading.guesses if guess.letter} == given
    assert len(reading.guesses) == len(predictions)
    counted = {belief["prediction"]: belief for belief in beliefs([results_of(reading)])}
    assert all(counted[asked]["counts"][letter] == 1 for asked, letter in given.items())
    assert not any("predict(" in part.text for part in reading.written), "and it is no answer in words"
    assert not any("predict(" in source.source for source in reading.sources.values()), "what is graded holds no guess"
    assert not any("predict(" in cell for cell in reading.assignment.prelude), "and nothing that runs before it"


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_guess_is_none(hostile, tmp_path):
    name = assignment_names()[0]
    reading = handed_in(name, {one.id: "A" for one in load_assignment(name).predictions}, tmp_path, hostile)
    assert not any(
        guess.letter for guess in reading.guesses if guess.prediction.id in hostile or "raise" not in hostile
    )
    page = class_page([results_of(reading)], [], [])
    assert page.count("<script") == 1
    assert "alert(1)" not in page
    assert len(page) < 300_000


def _class(name, size, seed=0):
    chance, predictions = random.Random(seed), load_assignment(name).predictions
    said, everybody = [], []
    for n in range(size):
        letters = [chance.choice([*one.choices, ""]) for one in predictions]
        said.append(letters)
        guesses = tuple(Guess(one, letter) for one, letter in zip(predictions, letters, strict=True))
        everybody.append(results_json(Report(f"s{n}", "a", name, "0", "A", (one_verdict(),), guesses=guesses)))
    return predictions, list(zip(*said, strict=True)), everybody


def test_the_page_counts_what_was_said():
    predictions, said, everybody = _class("01_kl_divergence", 40)
    for belief, one, letters in zip(beliefs(everybody), predictions, said, strict=True):
        counts = Counter(letters)
        assert belief["counts"] == {letter: counts[letter] for letter in one.choices}
        assert (belief["silent"], belief["said"]) == (counts[""], 40 - counts[""])


def test_where_nobody_guessed_nothing_is_shown():
    predictions, _, _ = _class("01_kl_divergence", 0)
    silent = results_json(
        Report(
            "a", "a", "01_kl_divergence", "0", "A", (one_verdict(),), guesses=tuple(Guess(p, "") for p in predictions)
        )
    )
    assert "What the class believed" not in class_page([silent], [], [])


def test_results_of_before_and_damaged_ones():
    (_, _, (results, *_)) = _class("01_kl_divergence", 1)
    assert is_results(results)
    older = results | {"extra_data": {k: v for k, v in results["extra_data"].items() if k != "guesses"}}
    assert is_results(older)
    assert beliefs([older]) == []
    for wrong in (
        3,
        "A",
        {"swap": "A"},
        [3],
        [{"prediction": "swap"}],
        [results["extra_data"]["guesses"][0] | {"choices": {"A": 3}}],
    ):
        assert not is_results(results | {"extra_data": results["extra_data"] | {"guesses": wrong}})


def test_our_own_words_are_escaped_too():
    predictions, _, _ = _class("01_kl_divergence", 0)
    rude = replace(predictions[0], question="<b>Which</b> $a<b$?", choices={"A": "<i>this</i>", "B": "that"}, right="A")
    results = results_json(
        Report("a", "a", "01_kl_divergence", "0", "A", (one_verdict(),), guesses=(Guess(rude, "A"),))
    )
    page = class_page([results], [], [])
    assert "<b>Which" not in page
    assert "<i>this" not in page


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_the_page_in_a_browser(tmp_path):
    _, said, everybody = _class("01_kl_divergence", 40)
    path = tmp_path / "class.html"
    path.write_text(class_page(everybody, [], []), encoding="utf-8")
    with chromium() as browser:
        for width, scheme in ((1280, "light"), (390, "dark")):
            tab = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}).new_page()
            tab.goto(path.as_uri())
            rows = tab.evaluate(
                "[...document.querySelectorAll('.beliefs tr')].map(r => [r.cells[0].textContent.trim()[0], +r.cells[2].textContent])"
            )
            assert sum(count for _, count in rows) == sum(bool(letter) for letters in said for letter in letters)
            bars = tab.evaluate(
                "[...document.querySelectorAll('.beliefs .bar i')].map("
                "b => b.getBoundingClientRect().width / b.parentElement.getBoundingClientRect().width)"
            )
            shares = tab.evaluate(
                "[...document.querySelectorAll('.beliefs tr')].map(r => parseFloat(r.cells[3].textContent) / 100)"
            )
            assert max(abs(bar - share) for bar, share in zip(bars, shares, strict=True)) < 0.02
            assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
            tab.locator(".beliefs").first.screenshot(path=tmp_path / f"{width}.png")
