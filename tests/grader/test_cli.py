"""The command line and pytest as its other face: exit codes, files, the same score."""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import answers

from grader.cli import OUR_FAULT, REJECTED, WRITTEN, main
from grader.stages.pipeline import Grader
from tools.examples import build, load_examples

PROJECT = Path(__file__).parents[2]
NAME = "01_kl_divergence"


@pytest.fixture(autouse=True)
def _one_sandbox(monkeypatch: pytest.MonkeyPatch, grader: Grader) -> Iterator[None]:
    """Lend the session's grader to the command line: its own would take seconds to start."""

    monkeypatch.setattr(
        "grader.classes.batch.sandboxes.grader", lambda settings, seat: _lent(grader, settings.notebook)
    )
    yield
    grader.notebook = None


def _lent(grader: Grader, notebook: str | None) -> Grader:
    grader.notebook = notebook
    return grader


def _example(name: str, folder: Path) -> Path:
    file_name, data = build(next(example for example in load_examples() if example.student == name))
    (folder / file_name).write_bytes(data)
    return folder / file_name


def test_a_graded_submission_has_its_files_and_exit_code_0(tmp_path: Path) -> None:
    path = _example("chiara_three_slips", tmp_path)
    assert main(["grade", str(path), "--out", str(tmp_path / "out")]) == WRITTEN
    results = json.loads((tmp_path / "out" / "chiara_three_slips" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == sum(test.get("score", 0) for test in results["tests"])
    assert "mean" in (tmp_path / "out" / "chiara_three_slips" / "feedback.html").read_text(encoding="utf-8")
    with (tmp_path / "out" / "grades.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["score"]) == results["score"]
    assert row["max_score"] == "35"
    assert float(row["kl.log_prob"]) == 5
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["submissions"] == 1


def test_a_rejected_submission_has_a_report_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _example("jonas_pdf", tmp_path)
    assert main(["grade", str(path), "--out", str(tmp_path / "out")]) == REJECTED
    results = json.loads((tmp_path / "out" / "jonas_pdf" / "results.json").read_text(encoding="utf-8"))
    assert "is a PDF" in results["output"]
    assert "is a PDF" in (tmp_path / "out" / "jonas_pdf" / "feedback.html").read_text(encoding="utf-8")
    assert "is a PDF" in capsys.readouterr().out


def test_a_class_with_a_rejected_submission_ends_with_0(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    for name in ("jonas_pdf", "dmitri_untouched"):
        _example(name, tmp_path / "class")
    assert (
        main(["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--min-tier", "E", "--workers", "0"])
        == WRITTEN
    )


def test_a_fault_of_ours_is_no_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grader: Grader) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("our own mistake")

    monkeypatch.setattr("grader.stages.pipeline.compare", broken)
    path = _example("ada_all_right", tmp_path)
    assert main(["grade", str(path), "--out", str(tmp_path / "out")]) == OUR_FAULT
    results = json.loads((tmp_path / "out" / "ada_all_right" / "results.json").read_text(encoding="utf-8"))
    assert "score" not in results
    assert [test["extra_data"]["status"] for test in results["tests"]] == ["grader_error"]
    assert all("score" not in test for test in results["tests"])
    assert "our own mistake" not in json.dumps(results["tests"]) + results["output"]
    fault = results["extra_data"]["fault"]  # the place alone: a message may hold what was sent by then
    assert fault.startswith("RuntimeError in test_cli.py, line ")
    assert "our own mistake" not in fault
    assert "our own mistake" not in (tmp_path / "out" / "ada_all_right" / "feedback.html").read_text(encoding="utf-8")
    with (tmp_path / "out" / "grades.csv").open(encoding="utf-8") as file:
        assert next(csv.DictReader(file))["score"] == ""


def test_the_wrong_assignment_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.ipynb").write_bytes(answers(NAME))
    other = "04_cifar_dcgan"
    pytest.importorskip("utils.assignments").load_assignment(NAME)
    from utils.assignments import assignment_names

    if other not in assignment_names():
        pytest.skip("notebook 4 is not there")
    assert main(["grade", str(tmp_path / "a.ipynb"), "--notebook", other, "--out", str(tmp_path / "out")]) == REJECTED
    assert f"This is the notebook {NAME}, expected {other}" in capsys.readouterr().out


def test_a_path_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(tmp_path / "nowhere")]) == REJECTED
    assert "does not exist" in capsys.readouterr().err


def test_weak_isolation_is_refused_for_a_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "class").mkdir()
    for name in ("jonas_pdf", "dmitri_untouched"):
        _example(name, tmp_path / "class")
    monkeypatch.setattr("grader.stages.pipeline.Grader.tier", property(lambda self: "D"))
    assert main(["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--workers", "0"]) == OUR_FAULT
    assert "--min-tier D" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("[!.]*"))


@pytest.mark.parametrize("name", ["chiara_three_slips", "jonas_pdf"])
def test_pytest_gives_the_same_score(grader: Grader, tmp_path: Path, name: str) -> None:
    path = _example(name, tmp_path)
    report = grader.grade(path)
    command = [sys.executable, "-m", "pytest", "grader", "--submission", str(path), "-p", "no:cacheprovider", "-vv"]
    shown = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, encoding="utf-8").stdout
    score = re.search(r"score: ([\d.]+) of ([\d.]+) points", shown)
    assert score, shown
    assert float(score[1]) == sum(verdict.points for verdict in report.verdicts)
    if report.rejection:
        assert report.rejection in shown
    for verdict in report.verdicts:
        outcome = {"passed": "PASSED", "manual": "SKIPPED"}.get(verdict.status, "FAILED")
        assert re.search(rf"\[{re.escape(verdict.check)}\] {outcome}", shown), verdict.check


def test_nothing_is_loaded_of_notebooks_that_nobody_handed_in(tmp_path: Path) -> None:
    path = _example("chiara_three_slips", tmp_path)
    script = (
        "import sys\nfrom grader.classes.batch import sandboxes\nfrom grader.cli import main\nmain(sys.argv[1:])\n"
        "print([one.box.assignments for one in sandboxes._graders.values()])\n"
        "print({name.split('.')[1] for name in sys.modules if name.startswith('assignments.')})"
    )
    command = [sys.executable, "-c", script, "grade", str(path), "--out", str(tmp_path / "out"), "--min-tier", "E"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT, encoding="utf-8")
    assert done.stdout.endswith("[['01_kl_divergence']]\n{'kl_divergence'}\n")
