"""A full disk is a pause: whatever is being written, it waits, says so, and goes on."""

import errno
import os
from pathlib import Path

import pytest

from grader.cli import OUR_FAULT, WRITTEN, main
from grader.report import files
from tests.support import answers

NOTEBOOK = "01_kl_divergence"


class Disk:
    """Refuses every file of a name that ends so, for a while."""

    def __init__(self, full_for: int, code: int, ending: str = "") -> None:
        self.left: dict[str, int] = {}
        self._full_for, self._code, self._ending, self._open = full_for, code, ending, os.open

    def open(self, path, flags, *rest, **options) -> int:
        name = str(path)
        if name.endswith(".partial") and self._ending in name:
            left = self.left.setdefault(name, self._full_for)
            self.left[name] = left - 1
            if left > 0:
                raise OSError(self._code, os.strerror(self._code), name)
        return self._open(path, flags, *rest, **options)


@pytest.fixture
def class_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "class"
    folder.mkdir()
    for student in ("ada", "grace"):
        (folder / f"{student}.ipynb").write_bytes(answers(NOTEBOOK) + b" " * len(student))
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    return folder


@pytest.mark.parametrize("code", files.FULL)
def test_each_file_of_a_run_waits_for_room(
    class_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, code: int
) -> None:
    disk = Disk(2, code)
    monkeypatch.setattr(files.os, "open", disk.open)
    assert main(["grade", str(class_), "--out", str(tmp_path / "out"), "--workers", "0"]) == WRITTEN
    written = {path.rpartition("/")[2].split(".")[1] for path in disk.left}
    assert {"feedback", "results", "grades", "run", "class"} <= written
    assert capsys.readouterr().err.count("waiting for room") == len(disk.left)
    assert not list((tmp_path / "out").rglob("*.partial"))


@pytest.mark.parametrize("ending", ["results.json", "class.html"])
def test_a_disk_that_stays_full_stops_with_a_sentence_and_goes_on_later(
    class_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, ending: str
) -> None:
    command = ["grade", str(class_), "--out", str(tmp_path / "out"), "--workers", "0"]
    with monkeypatch.context() as full:
        full.setattr(files, "write_atomically", files.write_atomically)
        full.setattr(files.write_atomically, "__defaults__", (0.0,))
        full.setattr(files.os, "open", Disk(10**9, errno.ENOSPC, ending).open)
        assert main(command) == OUR_FAULT
    said = capsys.readouterr().err
    assert "Stopped: a disk is full. What is graded is kept" in said
    assert "Traceback" not in said
    assert main(command) == WRITTEN
