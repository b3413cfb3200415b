"""The quick form of `python -m tests.machines`: the two settings that differ most, over a sample of answers."""

import platform
from pathlib import Path

import pytest

from grader.authoring.lines import SAMPLED
from tests.machines.__main__ import run
from tests.machines.document import differences, document, margins
from tests.machines.settings import QUICK, SETTINGS, setting
from tools.references import ROUNDING


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    kept: Path = tmp_path_factory.mktemp("machines")
    return {name: run(setting(name), True, kept) for name in QUICK}


def test_no_verdict_and_no_name_differs(told: dict[str, dict]) -> None:
    assert differences(told, QUICK[0]) == []


def test_weights_are_worth_the_same(told: dict[str, dict]) -> None:
    """Good ones, weak ones and forgeries; a difference in one of them shows as a difference of verdicts."""
    first, second = QUICK
    models = told[second]["models"]
    assert {points for verdicts in models.values() for _, _, points, _ in verdicts} >= {0, 1, 2, 6}
    for key, verdicts in models.items():
        if key.endswith("trained well"):
            assert not [words for *_, words in verdicts if "not measured" in words], (
                "what nobody measures is the same everywhere"
            )
        other = [[check, status, points + 1, words] for check, status, points, words in verdicts]
        changed = told | {second: told[second] | {"models": models | {key: other}}}
        assert any(f"weights, {key}" in text for text in differences(changed, first))


def test_rounding_takes_no_more_of_a_tolerance_than_it_may(told: dict[str, dict]) -> None:
    worst = {
        machine: max((r["excess"], r["where"]) for r in one["references"].values()) for machine, one in told.items()
    }
    assert all(excess <= ROUNDING for excess, _ in worst.values()), worst


def test_the_settings_reach_the_process_that_works_out_the_answers(told: dict[str, dict]) -> None:
    bits = [one["references"]["03_mnist_vae"]["bits"] for one in told.values()]
    assert bits[0] != bits[1]
    if platform.machine() == "x86_64":
        assert told["oldest"]["machine"].startswith("DEFAULT")


def test_right_answers_stay_within_their_lines(told: dict[str, dict]) -> None:
    assert [line for line in margins(told) if line.right > (1 if line.kind == SAMPLED else 1 / 3)] == []


def test_the_page_tells_what_differs(told: dict[str, dict]) -> None:
    first, second = QUICK
    answers = dict(told[second]["answers"])
    key = next(key for key in answers if " right " in key)
    answers[key] = answers[key] | {"refused": {"some.check": ["wrong", ""]}}
    changed = told | {second: told[second] | {"answers": answers}}
    assert any("a right answer is refused" in text for text in differences(changed, first))
    page = document(changed, {one.name: one.says for one in SETTINGS}, first, "a processor", "")
    assert "Verdicts or names that differ: **2**" in page
