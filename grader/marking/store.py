"""`marks.sqlite`: one file of events in the folder of results. Append-only, and the database itself holds to that.

WAL with full synchronisation: what was acknowledged is on the disk, whatever is killed when. `Ledger.commit` reads what
others have appended, decides and appends, all in one transaction, so nobody decides on an old state.
"""

import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from grader.marking.events import Event, New
from grader.marking.state import State

STORE = "marks.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
    student TEXT NOT NULL, "check" TEXT NOT NULL, slot TEXT NOT NULL, digest TEXT NOT NULL,
    key TEXT UNIQUE, batch TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (digest TEXT PRIMARY KEY, text TEXT NOT NULL, pictures TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS keys (hash TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER IF NOT EXISTS events_remain BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
"""
_COLUMNS = 'id, at, who, kind, student, "check", slot, digest, key, batch, body'


class StoreError(RuntimeError):
    """The file cannot be used; the message is one sentence."""


class Ledger:
    """The events of a folder of results, and the state that follows from them.

    with closing(Ledger(Path("results"))) as ledger: ledger.commit(lambda state: [New(...)])
    """

    def __init__(self, folder: Path) -> None:
        """Open or make the file.

        Raises:
            StoreError: If it is no such file, or cannot be written.
        """
        self.path = folder / STORE
        self.state = State()
        try:
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # names and marks: for its owner alone
            self._db = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
            with self._transaction():
                self._db.execute("INSERT OR IGNORE INTO facts VALUES ('secret', ?)", (secrets.token_hex(16),))
            self.refresh()
        except (sqlite3.Error, OSError, ValueError, LookupError) as error:
            raise StoreError(f"{self.path} cannot be used ({error}): put a copy of it back, or move it away.") from None

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def refresh(self) -> int:
        """Take in what others have appended; returns how many events that were."""
        found = self.events(self.state.last)
        for event in found:
            self.state.take(event)
        return len(found)

    def events(self, after: int = 0) -> list[Event]:
        """Events as stored, oldest first."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM events WHERE id > ? ORDER BY id", (after,)).fetchall()
        return [_event(row) for row in rows]

    def commit(
        self, decide: Callable[[State], list[New]], texts: dict[str, tuple[str, list[str]]] | None = None
    ) -> list[Event]:
        """Append what `decide` returns for the state of this moment; all of it or nothing.

        Args:
            decide: From the state to new events; what it raises leaves everything as it was.
            texts: Answers that the events are about, by digest: text and the pictures' digests, for a later comparison.

        Returns:
            The events as stored. What has been sent before with the same key is not stored again: those of then.
        """
        with self._transaction():
            self.refresh()
            new = decide(self.state)
            if before := self._sent_before(new):
                return before
            stored = [self._insert(event) for event in new]
            for digest, (text, pictures) in (texts or {}).items():
                self._db.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", (digest, text, json.dumps(pictures)))
        for event in stored:
            self.state.take(event)
        return stored

    def _sent_before(self, new: list[New]) -> list[Event]:
        keys = [event.key for event in new if event.key]
        marks = ",".join("?" * len(keys))
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM events WHERE key IN ({marks}) ORDER BY id", keys).fetchall()
        return [_event(row) for row in rows]

    def _insert(self, new: New) -> Event:
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        body = json.dumps(new.body, ensure_ascii=False)
        values = (at, new.who, new.kind, new.student, new.check, new.slot, new.digest, new.key or None, new.batch, body)
        done = self._db.execute(
            'INSERT INTO events (at, who, kind, student, "check", slot, digest, key, batch, body) VALUES (?,?,?,?,?,?,?,?,?,?)',
            tuple(value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values),
        )
        return _event((done.lastrowid, *values))

    def sent(self, key: str) -> list[Event]:
        """Events of a step that was stored under this key."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM events WHERE key = ?", (key,)).fetchall() if key else []
        return [_event(row) for row in rows]

    def answer(self, digest: str) -> tuple[str, list[str]] | None:
        """The text and the pictures' digests of an answer that somebody has marked."""
        row = self._db.execute("SELECT text, pictures FROM answers WHERE digest = ?", (digest,)).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    # ------------------------------------------------------------ keys to the page: only their digests are kept

    @property
    def secret(self) -> str:
        return self._db.execute("SELECT value FROM facts WHERE name = 'secret'").fetchone()[0]

    def add_key(self, token: str, name: str, kind: str, until: float) -> None:
        with self._transaction():
            self._db.execute("INSERT INTO keys VALUES (?, ?, ?, ?)", (_hash(token), name, kind, until))

    def key(self, token: str, kind: str, now: float) -> str | None:
        """Whose key this is, if it is one that still opens."""
        row = self._db.execute(
            "SELECT name FROM keys WHERE hash = ? AND kind = ? AND until > ?", (_hash(token), kind, now)
        ).fetchone()
        return row[0] if row else None

    def take_key(self, token: str, kind: str, now: float) -> str | None:
        """As `key`, and it never opens again."""
        with self._transaction():
            name = self.key(token, kind, now)
            self._db.execute("DELETE FROM keys WHERE hash = ? OR until <= ?", (_hash(token), now))
        return name

    def end_keys(self, name: str) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM keys WHERE name = ?", (name,))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _event(row: tuple) -> Event:
    number, at, who, kind, student, check, slot, digest, key, batch, body = row
    return Event(
        who=who,
        kind=kind,
        body=json.loads(body),
        student=student,
        check=check,
        slot=slot,
        digest=digest,
        key=key or "",
        batch=batch,
        id=number,
        at=at,
    )


def is_store(path: Path) -> bool:
    """Whether a file is a database by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def copy_store(source: Path, folder: Path) -> None:
    """Bring another folder's marks along, where there are none yet.

    Raises:
        StoreError: If the file cannot be read.
    """
    target = folder / STORE
    if target.exists():
        return
    partial = target.with_name(f".{STORE}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_RDWR, 0o600))
        old, new = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True), sqlite3.connect(partial)
        try:
            old.backup(new)
        finally:
            old.close()
            new.close()
        os.replace(partial, target)
    except (sqlite3.Error, OSError) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"{source} cannot be read ({error}): give the marks.sqlite of a folder of results.") from None
