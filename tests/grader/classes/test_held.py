"""What a folder of results holds, and what git would commit: said before anything is replaced or given away."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.classes import batch
from grader.classes.tracked import would_be_committed
from grader.cli import REJECTED, WRITTEN, main
from tests.downloads.troubles import ONE, OTHER, untouched, work, zipped
from tests.fuzz.stand_in import grader_with


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    grader = grader_with(random.Random(0), 0)

    def of_settings(settings: batch.Settings, seat: object) -> object:
        grader.notebook, grader.salt = settings.notebook, settings.salt
        return grader

    monkeypatch.setattr(batch.sandboxes, "grader", of_settings)
    monkeypatch.setenv("GRADER_SALT", "one secret")


def _class(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def _grade(source: Path, out: Path, *options: str) -> int:
    return main(["grade", str(source), "--out", str(out), "--workers", "0", "--min-tier", "E", *options])


def _scores(out: Path) -> dict[str, float]:
    return {
        path.parent.relative_to(out).as_posix(): json.loads(path.read_text(encoding="utf-8"))["score"]
        for path in out.rglob("results.json")
    }


BOTH = {"ada.ipynb": work(ONE, 2), "bob.zip": zipped({"a.ipynb": work(ONE, 3), "b.ipynb": work(OTHER, 3)})}


def test_each_notebook_has_a_folder_and_there_is_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = _class(tmp_path / "class", BOTH | {"cid.pdf": b"%PDF-1.7", "dan.ipynb": untouched(OTHER)})
    assert _grade(source, tmp_path / "out") == WRITTEN
    assert set(_scores(tmp_path / "out")) == {
        *(f"{ONE}/{name}" for name in ("ada", "bob", "cid")),
        *(f"{OTHER}/{name}" for name in ("bob", "cid", "dan")),
    }
    page = (tmp_path / "out" / "class.html").read_text(encoding="utf-8")
    assert f'href="{ONE}/class.html"' in page
    assert f'href="{OTHER}/class.html"' in page
    assert (tmp_path / "out" / ONE / "class.html").exists()
    rows = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 7
    assert "<notebook>/<student>/feedback.html" in capsys.readouterr().out
    assert main(["diff", str(tmp_path / "out"), str(tmp_path / "out")]) == REJECTED
    assert f"holds a folder of results for each notebook: give one of them, such as {tmp_path / 'out' / ONE}." in (
        capsys.readouterr().err
    )


def test_one_notebook_of_several_is_graded_again_and_the_others_stay(tmp_path: Path) -> None:
    source, out = _class(tmp_path / "class", BOTH), tmp_path / "out"
    assert _grade(source, out) == WRITTEN
    kept = {path: path.read_bytes() for path in (out / OTHER).rglob("*.json")}
    assert _grade(source, out, "--notebook", ONE, "--fresh") == WRITTEN
    assert {path: path.read_bytes() for path in (out / OTHER).rglob("*.json")} == kept
    assert f'href="{OTHER}/class.html"' in (out / "class.html").read_text(encoding="utf-8")


def test_a_second_run_keeps_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = _class(tmp_path / "class", BOTH), tmp_path / "out"
    _grade(source, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("results.json")}
    capsys.readouterr()
    assert _grade(source, out) == WRITTEN
    assert {path: path.stat().st_mtime_ns for path in out.rglob("results.json")} == before
    assert capsys.readouterr().out.count("0 graded") == 2


@pytest.mark.parametrize(("first", "second"), [(ONE, OTHER), (OTHER, ONE)])
def test_results_of_another_notebook_are_not_replaced(
    first: str, second: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _grade(_class(tmp_path / "a", {"ada.ipynb": work(first, 2), "bob.ipynb": work(first, 1)}), out)
    before = _scores(out)
    assert _grade(_class(tmp_path / "b", {"ada.ipynb": work(second, 2), "bob.ipynb": work(second, 1)}), out) == REJECTED
    assert f"holds results of {first}, and this is {second}: choose another --out" in capsys.readouterr().err
    assert _grade(_class(tmp_path / "c", BOTH), out) == REJECTED
    assert "choose one of them with --notebook" in capsys.readouterr().err
    assert _scores(out) == before


def test_another_secret_regrades_nobody_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = _class(tmp_path / "class", {"ada.ipynb": work(ONE, 2), "bob.ipynb": work(ONE, 3)}), tmp_path / "out"
    _grade(source, out)
    before = {path: path.read_bytes() for path in out.rglob("results.json")}
    for salt in ("another secret", ""):
        monkeypatch.setenv("GRADER_SALT", salt)
        assert _grade(source, out) == REJECTED
        assert "were drawn with another secret" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in out.rglob("results.json")} == before
    assert _grade(source, out, "--fresh") == WRITTEN
    assert "one secret" not in (out / "run.json").read_text(encoding="utf-8")


def test_what_git_would_commit_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    source = _class(tmp_path / "class", {"ada.ipynb": work(ONE, 2), "bob.ipynb": work(ONE, 3)})
    (tmp_path / ".gitignore").write_text("out/\n", encoding="utf-8")
    _grade(source, tmp_path / "out")
    said = capsys.readouterr().err
    assert f"{source} lies in a git repository that would commit it" in said
    assert "out lies in a git repository" not in said
    (tmp_path / ".gitignore").write_text("out/\nclass/\n", encoding="utf-8")
    assert would_be_committed([source, tmp_path / "out"]) == []


def test_a_folder_outside_of_any_repository_is_not_git_s(tmp_path: Path) -> None:
    assert would_be_committed([tmp_path / "class"]) == []
