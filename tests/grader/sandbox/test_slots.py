"""Numbers of sandboxes: no two at a time have the same, whoever started them, and none is lost with who held it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.sandbox import slots
from grader.sandbox.box import Box
from grader.sandbox.slots import take
from grader.sandbox.watch import SandboxError

HOLD = "import sys; from grader.sandbox import slots; slots.FOLDER = sys.argv[1]; print(slots.take(0).number, flush=True); sys.stdin.read()"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Numbers of this test's own, for root."""
    if os.geteuid() != 0:
        pytest.skip("not root: submissions have no users of their own, and numbers are not needed")
    monkeypatch.setattr(slots, "FOLDER", str(tmp_path / "slots"))
    return tmp_path / "slots"


@contextmanager
def _another(folder: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """A number that another process holds, and that process."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        yield int(other.stdout.readline()), other
    finally:
        other.kill()
        other.wait()
        other.stdin.close()
        other.stdout.close()


def test_no_two_processes_have_one_and_a_killed_one_gives_it_back(folder: Path) -> None:
    mine = take(7)
    with _another(folder) as (first, process), _another(folder) as (second, _):
        assert len({mine.number, first, second}) == 3
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = take(7)
        assert again.number == first
    mine.free()
    mine.free()  # more than once does no harm
    assert take(7).number == mine.number
    again.free()


def test_boxes_of_the_same_seat_have_different_users(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs give the same seats: users must differ all the same, until a box is closed, and after it is started again."""
    started: list[int] = []
    popen = subprocess.Popen

    def noted(command: list[str], **more: object) -> subprocess.Popen:
        started.append(json.loads(command[-1])["uid"])
        return popen(command, **more)  # type: ignore[call-overload]

    monkeypatch.setattr("grader.sandbox.zygotes.subprocess.Popen", noted)
    with Box([]), Box([]) as second:
        second.close()
        second.start()
        with Box([]):
            pass
    assert len({started[0], started[1], started[3]}) == 3
    assert started[2] == started[1]
    assert os.listdir(folder)


def test_where_numbers_cannot_be_kept_the_one_wished_for_is_had(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)  # anybody could hold all numbers
    assert take(7).number == 7
    folder.rmdir()
    folder.symlink_to(folder.parent)
    assert take(7).number == 7
    folder.unlink()
    folder.write_text("", encoding="utf-8")
    assert take(7).number == 7
    monkeypatch.setattr(slots, "FOLDER", "/there/is/no/such/place")
    assert take(7).number == 7
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert take(7).number == 7


def test_when_all_are_taken_it_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "COUNT", 2)
    held = [take(0), take(0)]
    with pytest.raises(SandboxError, match="2 sandboxes run on this machine at a time"):
        Box([]).start()
    for slot in held:
        slot.free()
