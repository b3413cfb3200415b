"""A few hundred spoilt inputs of every kind: each gets a sentence or a report. `python -m tests.fuzz` runs thousands."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.stages.pipeline import Grader
from tests.fuzz import KINDS, close, costs, run_case
from tests.fuzz.changes import changed_bytes, changed_json, changed_text
from tests.fuzz.channels import run_spoilt_answer

SEED = 1
COUNTS = {
    "notebooks": 40, "zips": 30, "configs": 50, "answers": 15, "frames": 100, "children": 25, "rosters": 50, "gradebooks": 50,
    "classes": 15,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _tidy() -> Iterator[None]:
    yield
    close()


@pytest.mark.parametrize("kind", COUNTS)
def test_spoilt_inputs_are_answered(kind: str) -> None:
    outcomes = [run_case(kind, SEED, number) for number in range(COUNTS[kind])]
    assert [trouble for _, trouble in outcomes if trouble] == []
    assert len({ended for ended, _ in outcomes}) > 1, "all ended alike: the inputs are not what they should be"


def test_spoilt_answers_run_in_the_real_sandbox(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grader.box, "step_seconds", 1.0)
    rng = random.Random(SEED)
    endings = {run_spoilt_answer(rng, grader) for _ in range(10)}
    assert "partial" in endings


def test_every_kind_of_input_is_tried_here_or_above() -> None:
    assert COUNTS.keys() == KINDS.keys() - {"sandboxed"}
    assert sum(kind.share for kind in KINDS.values()) == 100


def test_a_case_follows_from_its_number_alone() -> None:
    for change, given in (
        (changed_bytes, b"abc" * 50),
        (changed_text, "abc\n" * 50),
        (changed_json, {"a": [1, {"b": "c"}]}),
    ):
        first, second, other = (change(random.Random(seed), given) for seed in (1, 1, 2))
        assert first == second != other


def test_a_broken_promise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.stages.notebook.recognise", lambda notebook: 1 / 0)
    ended, trouble = run_case("answers", SEED, 0)
    assert ended == "ZeroDivisionError"
    assert "division by zero" in trouble


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("kind", costs.CASES)
def test_reading_and_judging_stay_cheap(kind: str) -> None:
    """`python -m tests.fuzz.costs` tries hundreds, up to 64 MB."""
    costs.warm_up()
    found = [costs.run_case(kind, SEED, number, 8 * costs.MB) for number in range(8)]
    assert [wrong for wrong, *_ in found if wrong] == []
    assert max(mib for _, _, mib, _ in found) > 3, "nothing was read: the hand-ins are not what they should be"


def test_what_costs_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "SECONDS", 0.0)
    assert "it took" in costs.run_case("read", SEED, 0, costs.MB)[0]
    monkeypatch.setattr("grader.stages.notebook.recognise", lambda notebook: 1 / 0)
    assert "division by zero" in costs.run_case("judge", SEED, 0, costs.MB)[0]
