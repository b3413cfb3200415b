"""`make grade` ends as the README shows it, for the students that it shows."""

import re
from pathlib import Path

import pytest
from pages import PROJECT, blocks

from grader.cli import WRITTEN, main
from grader.stages.pipeline import Grader
from tools.examples import build, load_examples


def test_make_grade_ends_as_shown(
    grader: Grader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = [
        block.text
        for block in blocks((PROJECT / "README.md").read_text(encoding="utf-8"))
        if "first remark" in block.text
    ]
    students = re.findall(r"^([a-z]+_\w+) ", shown, re.MULTILINE)
    assert len(students) == 4
    (tmp_path / "class").mkdir()
    for example in load_examples():
        if example.student in students:
            file_name, data = build(example)
            (tmp_path / "class" / file_name).write_bytes(data)
    monkeypatch.setattr(
        "grader.classes.batch.sandboxes.grader", lambda settings, seat: grader
    )  # starting one of its own takes seconds
    monkeypatch.chdir(tmp_path)
    assert main(["grade", str(tmp_path / "class"), "--out", "results", "--min-tier", "E", "--workers", "0"]) == WRITTEN
    printed = [_squeezed(line) for line in capsys.readouterr().out.splitlines()]
    for line in shown.splitlines():
        parts = [_squeezed(part) for part in line.split("…")]
        assert any(all(part in out for part in parts) for out in printed), line


def _squeezed(line: str) -> str:
    """A line of a table whose columns are as wide as their longest word, which depends on who is in it."""
    return re.sub(r"\s+|-{3,}", " ", line).strip()
