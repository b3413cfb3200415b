"""Before and after: who moved, on which check, and why; the class page links it."""

import copy
import json
from pathlib import Path

import pytest

from grader.classes.diff import compare
from grader.cli import REJECTED, WRITTEN, main
from grader.records import Report, Verdict
from grader.report import results_json, write_class

VERSIONS = {"version": "1", "rubric": "r1", "torch": "2", "numpy": "2"}


def _results(student: str, status: str = "passed", slip: str = "") -> dict:
    verdict = Verdict(
        check="kl.D_KL.values",
        task="kl.D_KL",
        title="a title",
        number="1.3",
        status=status,
        points=5 if status == "passed" else 0,
        max_points=5,
        sentence="a sentence",
        slip=slip,
    )
    return results_json(
        Report(
            student=student,
            file_name=f"{student}.zip",
            notebook="01_kl_divergence",
            submission_sha256="0" * 64,
            tier="A",
            verdicts=(verdict,),
            draw="d1",
            grader=VERSIONS,
        )
    )


def _changed(results: dict, status: str, **extra) -> dict:
    new = _results(results["extra_data"]["student"], status)
    new["extra_data"] |= copy.deepcopy(extra)
    return new


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"submission_sha256": "1" * 64}, "another submission"),
        ({"grader": VERSIONS | {"rubric": "r2"}}, "the rubric changed (r1 to r2)"),
        ({"grader": VERSIONS | {"version": "2"}}, "the grader changed (1 to 2)"),
        ({"draw": "d2"}, "the salt changed"),
        ({}, "nothing recorded"),
    ],
)
def test_a_change_has_its_reason(extra: dict, reason: str) -> None:
    old = _results("ada")
    (change,) = compare({"ada": old}, {"ada": _changed(old, "wrong", **extra)})
    assert reason in "; ".join(change.reasons)
    assert (change.before, change.after) == (5, 0)
    (check,) = change.checks
    assert (check.check, check.before, check.after, check.points) == ("kl.D_KL.values", "passed", "wrong", -5)


def test_a_fault_that_was_mended_is_a_reason() -> None:
    old, new = _results("ada", "grader_error"), _results("ada")
    (change,) = compare({"ada": old}, {"ada": new})
    assert change.before is None
    assert "a fault of ours, mended" in change.reasons


def test_another_slip_is_a_change_even_with_the_same_score() -> None:
    (change,) = compare({"ada": _results("ada", "wrong")}, {"ada": _results("ada", "wrong", "sum_for_mean")})
    assert (change.checks[0].after, change.checks[0].points) == ("wrong (sum_for_mean)", 0)


def test_who_is_in_one_only_is_named() -> None:
    changes = compare({"ada": _results("ada")}, {"bob": _results("bob")})
    assert {(c.student, c.reasons[0]) for c in changes} == {
        ("ada", "not in the new results"),
        ("bob", "not in the old results"),
    }


def test_the_same_results_have_no_changes() -> None:
    assert compare({"ada": _results("ada")}, {"ada": _results("ada")}) == []


def _written(folder: Path, results: list[dict]) -> Path:
    for result in results:
        path = folder / result["extra_data"]["student"] / "results.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(result), encoding="utf-8")
    facts = {
        "command": ["grade", "x"],
        "notebook": None,
        "is_class": True,
        "found": [],
        "absent": [],
        "wall_seconds": 1.0,
    }
    write_class(folder, results, facts)
    return folder


def test_the_command_prints_it_and_links_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "<script>x</script>"
    old = _written(tmp_path / "old", [_results("ada"), _results("bob", "wrong"), _results("same")])
    new = _written(tmp_path / "new", [_results("ada", "wrong", hostile), _results("bob"), _results("same")])
    assert "diff.html" not in (new / "class.html").read_text(encoding="utf-8")
    assert main(["diff", str(old), str(new)]) == WRITTEN
    shown = capsys.readouterr().out
    assert shown.index("ada: 5 -> 0") < shown.index("bob: 0 -> 5"), "losses first"
    assert "2 students changed, 2 in their score; 3 are in both" in shown
    assert 'href="diff.html"' in (new / "class.html").read_text(encoding="utf-8")
    assert "ada" in (new / "diff.html").read_text(encoding="utf-8")
    assert "<script>" not in (new / "diff.html").read_text(encoding="utf-8")


def test_a_folder_without_results_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(tmp_path), str(tmp_path)]) == REJECTED
    assert "holds no results" in capsys.readouterr().err
