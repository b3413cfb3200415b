"""The file of marks: append-only, all or nothing, the same for everybody, and whole whenever the writer is killed."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from grader.marking.events import BadInput, Mark, New
from grader.marking.state import State
from grader.marking.store import STORE, Ledger, StoreError, copy_store, is_store
from tests.places import PROJECT

CHECK = "kl.general.manual"


def _mark(student: str, points: float, key: str = "") -> New:
    return New(
        who="Ada",
        kind="mark",
        body=Mark(fixed=points).body(),
        student=student,
        check=CHECK,
        slot="",
        digest="digest",
        key=key,
    )


@pytest.fixture
def ledger(tmp_path: Path):
    with closing(Ledger(tmp_path)) as opened:
        yield opened


def test_an_event_keeps_who_when_and_on_what(ledger: Ledger) -> None:
    (event,) = ledger.commit(lambda _: [_mark("zoë", 3)], {"digest": ("the text", ["p"])})
    assert (event.who, event.student, event.digest, event.id) == ("Ada", "zoë", "digest", 1)
    assert event.at.endswith("+00:00")
    assert ledger.answer("digest") == ("the text", ["p"])
    assert ledger.events() == [event]


@pytest.mark.parametrize("change", ["UPDATE events SET who = 'Eve'", "DELETE FROM events"])
def test_nobody_changes_or_removes_an_event(ledger: Ledger, change: str) -> None:
    ledger.commit(lambda _: [_mark("ada", 3)])
    with (
        closing(sqlite3.connect(ledger.path)) as other,
        pytest.raises(sqlite3.IntegrityError, match="events are never"),
    ):
        other.execute(change)


def test_a_refused_step_leaves_nothing_behind(ledger: Ledger) -> None:
    def decide(_: State) -> list[New]:
        raise BadInput("no")

    with pytest.raises(BadInput):
        ledger.commit(decide, {"d": ("text", [])})
    assert (ledger.events(), ledger.answer("d")) == ([], None)


def test_what_is_sent_twice_is_stored_once(ledger: Ledger) -> None:
    first = ledger.commit(lambda _: [_mark("ada", 3, key="k")])
    assert ledger.commit(lambda _: [_mark("ada", 3, key="k")]) == first
    assert len(ledger.events()) == 1


def test_two_that_write_decide_on_the_same_state(tmp_path: Path, ledger: Ledger) -> None:
    with closing(Ledger(tmp_path)) as other:
        ledger.commit(lambda _: [_mark("ada", 3)])
        seen = []
        other.commit(lambda state: seen.append(state.mark("ada", CHECK)) or [])  # type: ignore[func-returns-value]
        assert seen[0][1].fixed == 3
        assert other.state.stacks == ledger.state.stacks


def test_the_state_follows_from_the_log_alone(tmp_path: Path, ledger: Ledger) -> None:
    for n in range(5):
        ledger.commit(lambda _, n=n: [_mark(f"s{n % 2}", n)])
    ledger.commit(lambda _: [New("Ada", "undo", {"undoes": [5]}, "", CHECK)])
    with closing(Ledger(tmp_path)) as again:
        assert again.state.stacks == ledger.state.stacks
        assert again.state.mark("s0", CHECK)[1].fixed == 2


def test_it_is_its_owner_s_alone(ledger: Ledger) -> None:
    assert ledger.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_file_is_said_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / STORE).write_bytes(content)
    with pytest.raises(StoreError, match=r"marks\.sqlite cannot be used .* put a copy of it back"):
        Ledger(tmp_path)
    assert (tmp_path / STORE).read_bytes() == content


def test_keys_open_for_whom_they_were_made_and_are_not_kept_themselves(ledger: Ledger) -> None:
    ledger.add_key("token", "Ben", "address", until=100)
    assert ledger.key("token", "session", 1) is None
    assert ledger.take_key("token", "address", now=101) is None, "too old"
    ledger.add_key("token", "Ben", "address", until=100)
    assert [ledger.take_key("token", "address", now=1) for _ in range(2)] == ["Ben", None]
    ledger.add_key("secret-token", "Ben", "session", until=100)
    files = b"".join(path.read_bytes() for path in ledger.path.parent.iterdir())
    assert b"secret-token" not in files


def test_marks_are_brought_along_once(tmp_path: Path, ledger: Ledger) -> None:
    ledger.commit(lambda _: [_mark("ada", 3)])
    target = tmp_path / "next"
    target.mkdir()
    copy_store(ledger.path, target)
    assert is_store(target / STORE)
    with closing(Ledger(target)) as copied:
        assert copied.events() == ledger.events()
        copied.commit(lambda _: [_mark("ada", 5)])
    copy_store(ledger.path, target)
    with closing(Ledger(target)) as copied:
        assert len(copied.events()) == 2, "what is there is not written over"


WRITER = """
import sys
from pathlib import Path
from grader.marking.events import Mark, New
from grader.marking.store import Ledger
ledger = Ledger(Path(sys.argv[1]))
for n in range(100_000):
    batch = [New("Ada", "mark", Mark(fixed=n).body(), f"s{k}", "c", "", "d", f"{n}-{k}", str(n)) for k in range(3)]
    ledger.commit(lambda _: batch, {str(n): ("text " * 200, [])})
    print(n, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7])
def test_a_writer_killed_in_the_middle_loses_nothing_it_had_said(tmp_path: Path, after: int) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert writer.stdout is not None
    for _ in range(after):
        writer.stdout.readline()
    writer.kill()
    acknowledged = after - 1 + len(writer.stdout.read().split())
    writer.stdout.close()
    writer.wait()
    with closing(Ledger(tmp_path)) as ledger:
        events = ledger.events()
        assert len(events) % 3 == 0, "a step is stored whole or not at all"
        assert len(events) // 3 in (acknowledged + 1, acknowledged + 2)
        ledger.commit(lambda _: [_mark("ada", 1)])
