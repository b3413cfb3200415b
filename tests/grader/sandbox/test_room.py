"""No room for another process, or on the disk: a pause that costs nobody who is graded anything, and in the end a sentence.

With the kernel's own limit, and hand-ins that hold all threads they get: `python -m tests.starved`.
"""

import errno
import subprocess
import time

import pytest

from grader.classes import pool
from grader.classes.pool import Workers
from grader.cli import OUR_FAULT, main
from grader.sandbox import box as boxes
from grader.sandbox import room
from grader.sandbox.box import Box
from grader.sandbox.room import NoRoom, Pause
from grader.sandbox.sitting import Sitting
from tests.attacks.few_forks import REFUSALS
from tests.mortals import NAME, nothing
from tests.places import why_not
from tests.support import answers

from .test_box import GOOD, call, job


@pytest.fixture
def few_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "ZYGOTE", "tests.attacks.few_forks")


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_a_refused_fork_is_asked_for_again_and_costs_no_time(few_forks: None, tier: str, capsys) -> None:
    """More time goes by than the submission has: none of it is its own."""
    if reason := why_not(tier):
        pytest.skip(reason)
    with Box([NAME], max_tier=tier) as box:
        sitting = Sitting(box)
        run = sitting.both(job(GOOD, call("public"), call("hidden", is_public=False)), seconds=1.0)
        assert sitting.paused_seconds > REFUSALS * 0.02
        assert {name: result.status for name, result in run.runs.items()} == {"public": "ran", "hidden": "ran"}
        assert run.wall_seconds < sitting.paused_seconds
    assert "The system has no room for another process: waiting for room." in capsys.readouterr().err


def test_a_full_disk_costs_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with Box([NAME]) as box:
        until = time.monotonic() + 1.5
        monkeypatch.setattr(boxes.Disk, "is_too_small", lambda disk: time.monotonic() < until)
        sitting = Sitting(box)
        assert sitting.both(job(GOOD), seconds=1.0).runs["one"].status == "ran"
        assert sitting.paused_seconds > 1.2


def test_a_run_without_room_ends_with_a_sentence_and_goes_on(few_forks: None, monkeypatch, tmp_path, capsys) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.ipynb").write_bytes(answers(NAME))
    command = ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--workers", "0", "--min-tier", "E"]
    with monkeypatch.context() as patch:
        patch.setattr(room, "ROOM_SECONDS", 0.05)
        patch.setenv("GRADER_SALT", "no room")
        assert main(command) == OUR_FAULT
        said = capsys.readouterr().err
        assert "Stopped: the system has no room for another process: end other programs" in said
        assert not list((tmp_path / "out").glob("*/results.json"))
        patch.undo()


def test_a_pause_is_said_once_and_ends(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(room, "ROOM_SECONDS", 0.1)
    pause = Pause("nothing is there", "make some")
    pause.wait(0.06)
    pause.wait(0.06)
    with pytest.raises(NoRoom, match="nothing is there: make some"):
        pause.wait(0.06)
    assert capsys.readouterr().err.count("Nothing is there: waiting for room.") == 1


@pytest.mark.parametrize(
    "error",
    [
        BlockingIOError(errno.EAGAIN, "no"),
        RuntimeError("can't start new thread"),
        EOFError(),
        ConnectionRefusedError(errno.ECONNREFUSED, "no"),
    ],
)
def test_a_worker_is_started_when_there_is_room(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    submit, refusals = pool.ProcessPoolExecutor.submit, [error] * 3

    def refused_first(*args, **kwargs):
        if refusals:
            raise refusals.pop()
        return submit(*args, **kwargs)

    monkeypatch.setattr(pool.ProcessPoolExecutor, "submit", refused_first)
    with Workers(1, nothing) as workers:
        assert workers.submit(abs, -1).result() == 1
    assert not refusals


def test_pandoc_is_started_when_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.report import formulas

    monkeypatch.setattr(formulas, "_DONE", {})
    start, refusals = subprocess.run, [2]

    def refused_first(command, **kwargs):
        refusals[0] -= 1
        if refusals[0] == 1:
            raise BlockingIOError(errno.EAGAIN, "no")
        if refusals[0] == 0:
            return subprocess.CompletedProcess(
                command, 1, b"", b"pandoc: internal error: Ticker: Failed to spawn thread"
            )
        return start(command, **kwargs)

    monkeypatch.setattr(subprocess, "run", refused_first)
    assert "<math" in formulas.set_formulas(["$x^2$"])[0]
    assert refusals[0] == -1
