"""One question graded again: its tests are the new ones, and everything else is the same byte for byte."""

import copy
import json
import random
from pathlib import Path

import pytest

from grader.classes import regrade
from grader.classes.batch import Settings, Work, is_sealed, seal_of, sealed
from grader.classes.diff import compare
from grader.classes.regrade import NoQuestion, Regrade
from grader.classes.results_folder import ResultsFolder
from grader.cli import main
from grader.platforms import HandIn
from grader.report import write_atomically
from grader.report.files import folder_name
from tests.large_class import made_up
from utils.assignments import load_assignment

SETTINGS = Settings(None, "a secret")


def _changed(result: dict, chance: random.Random) -> dict:
    """The same hand-in graded by another rubric: any check may come out otherwise, one may be new, one gone."""
    new = copy.deepcopy(result)
    for test in new["tests"]:
        if "score" in test and chance.random() < 0.5:
            test["score"] = test["max_score"] - test["score"]
            test["extra_data"]["status"] = "passed" if test["score"] else "wrong"
            test["output"] += " anew"
    tests = [test for test in new["tests"] if "score" in test]
    extra_test = copy.deepcopy(chance.choice(tests))
    extra_test["extra_data"]["check"] += ".more"
    new["tests"].insert(chance.randrange(len(new["tests"])), extra_test)
    new["tests"].remove(chance.choice([t for t in new["tests"] if "score" in t]))
    new["score"] = sum(test.get("score", 0) for test in new["tests"])
    new["extra_data"]["grader"] = {"rubric": "r2"}
    new["execution_time"], new["extra_data"]["draw"] = 99.0, "other"
    return new


@pytest.mark.parametrize("seed", range(25))
def test_only_the_question_changes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    old = next(r for r in made_up(60, pictures=False)[seed:] if not r["extra_data"]["rejection"])
    new = _changed(old, chance)
    student, notebook = old["extra_data"]["student"], old["extra_data"]["notebook"]
    write_atomically(tmp_path / folder_name(student) / "results.json", sealed(old, SETTINGS))
    question = chance.choice(load_assignment(notebook).questions)
    own = {question.id, *(task.id for task in question.tasks)}
    monkeypatch.setattr(regrade, "work_of", lambda hand_in: (Work(student, "a.zip", b"x"), ""))
    run = Regrade.of(question.id, [HandIn(student, (), ())], SETTINGS, ResultsFolder(tmp_path))
    data = run.merge(json.dumps(new).encode())
    merged = json.loads(data)

    def others(results: dict) -> list[str]:
        return [json.dumps(t) for t in results["tests"] if t["extra_data"]["task"] not in own]

    def mine(results: dict) -> dict[str, dict]:
        return {t["extra_data"]["check"]: t for t in results["tests"] if t["extra_data"]["task"] in own}

    assert others(merged) == others(old)
    assert mine(merged) == mine(new)
    assert merged["score"] == sum(test.get("score", 0) for test in merged["tests"])
    moved = {"score", "tests", "output", "extra_data"}
    assert {k: v for k, v in merged.items() if k not in moved} == {k: v for k, v in old.items() if k not in moved}
    changing = {"key", "seal", "status", "pending_points", "written", "regraded"}
    extra, before = merged["extra_data"], old["extra_data"]
    assert {k: v for k, v in extra.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert extra["regraded"] == {question.id: "r2"}
    assert extra["seal"] == seal_of(merged, SETTINGS), "a later run keeps it"
    changes = compare({student: old}, {student: merged})
    assert all(check.check in {*mine(new), *mine(old)} for change in changes for check in change.checks)
    assert all(f"{question.id} was graded again" in change.reasons for change in changes)
    assert "graded again for 1 hand-ins" in run.said()


def test_another_hand_in_and_a_fault_are_left_and_named(tmp_path: Path) -> None:
    (old,) = made_up(1, pictures=False)
    student = old["extra_data"]["student"]
    path = tmp_path / folder_name(student) / "results.json"
    write_atomically(path, sealed(old, SETTINGS))
    question = load_assignment(old["extra_data"]["notebook"]).questions[0].id
    run = Regrade.of(question, [HandIn(student, (), ())], SETTINGS, ResultsFolder(tmp_path))
    for change in ({"submission_sha256": "1" * 64}, {"rejection": "no zip"}):
        new = copy.deepcopy(old)
        new["extra_data"] |= change
        assert run.merge(json.dumps(new).encode()) == path.read_bytes()
    assert run.count == 0
    assert student in run.said()


EDITS = {
    "score": lambda result: result.update(score=99.0),
    "a check": lambda result: result["tests"][0].update(score=99.0),
    "another notebook": lambda result: result["extra_data"].update(notebook="another"),
    "rejected": lambda result: result["extra_data"].update(rejection="no zip"),
    "another's seal": lambda result: result["extra_data"].update(seal="0" * 64),
}


@pytest.mark.parametrize("name", EDITS)
def test_results_that_were_edited_are_neither_kept_nor_sealed(name: str, tmp_path: Path) -> None:
    """Else one question graded again would make an edited score hold for good."""
    (old,) = made_up(1, pictures=False)
    student, question = old["extra_data"]["student"], load_assignment(old["extra_data"]["notebook"]).questions[0].id
    new = sealed(copy.deepcopy(old), SETTINGS)
    edited = json.loads(new)
    EDITS[name](edited)
    write_atomically(tmp_path / folder_name(student) / "results.json", json.dumps(edited))
    run = Regrade.of(question, [HandIn(student, (), ())], SETTINGS, ResultsFolder(tmp_path))
    assert run.untouched() == {}
    assert run.merge(new) == new
    assert is_sealed(json.loads(new), SETTINGS)
    assert not is_sealed(edited, SETTINGS)
    assert f"with a seal of this course: {student}" in run.said()


def test_a_question_that_nobody_asks_or_nobody_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoQuestion, match=r"No notebook asks 'kl\.nothing'; there is kl\."):
        Regrade.of("kl.nothing", [], Settings("01_kl_divergence"), ResultsFolder(tmp_path))
    write_atomically(tmp_path / "in" / "a.pdf", b"%PDF")
    assert main(["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--question", "kl.D_KL"]) == 1
    assert "holds no results: grade once without --question" in capsys.readouterr().err
