"""`python -m grader serve SOCKET`: grades what it is sent, with everything loaded already.

A connection asks one thing after another. A question is a line of JSON, and as many bytes behind it as its `bytes` says; the answer
has the same form. `grader.classes.asking` asks for `grade --server`, docs/many-machines.md shows a shorter client.

    {"do": "grade", "student": "Ada", "file": "ada.zip", "bytes": 52114}      ->  {"bytes": 9120}, and a results.json
    {"do": "about"}                                                          ->  {"tier": "A", "workers": 2, ...}
    anything else                                                            ->  {"error": "a sentence"}

Who may open the socket has code run in the sandbox, and graded with the course's secret: so it is open to one user. What is no
question ends its connection at most, never the service.
"""

import argparse
import json
import os
import signal
import socket
import stat
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.classes.asking import BadMessage, Stream, read_bytes, read_header, send
from grader.classes.batch import Settings, Work, fault_results, grade_hand_in, tier_here
from grader.classes.pool import Pool, WorkerDied, Workers
from grader.classes.pools import cores, ready
from grader.classes.run import WeakIsolation
from grader.classes.sameness import made_with
from grader.records import Seat
from grader.rubric import load_rubric, resume_key
from grader.rubric.draws import course_salt
from grader.sandbox.room import NoRoom
from grader.sandbox.tiers import TIERS, is_at_least
from grader.sandbox.zygotes import Nursery
from grader.stages.intake import MAX_ZIP_BYTES
from grader.stages.pipeline import graded_assignments
from utils.assignments import assignment_names
from utils.assignments.places import place_of

_CONNECTIONS = 64  # at a time; more wait
_IDLE_SECONDS = 60.0  # for a question, and for the rest of it


class CannotServe(RuntimeError):
    """There is no place for the socket; the message is one sentence."""


def add_parser(commands: Any) -> None:
    """Add the command to those of `python -m grader`."""
    parser = commands.add_parser("serve", help="stay loaded, and grade what is sent to a socket: see `grade --server`")
    parser.add_argument("socket", type=Path, metavar="SOCKET", help="a path for it; only this user may open it")
    parser.add_argument(
        "--workers", type=int, default=cores(), metavar="N", help="graded at a time (default: one a core)"
    )
    parser.add_argument("--min-tier", choices=list(TIERS), default="C", help="refuse weaker isolation (default: C)")


def serve(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        CannotServe: If the socket cannot be made.
        WeakIsolation: If this machine's isolation will not do.
        SandboxError: If no sandbox starts.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    names, settings = graded_assignments(), Settings(salt=course_salt())
    with tempfile.TemporaryDirectory(prefix="grader-serve-") as folder, Nursery() as nursery:
        os.chmod(folder, 0o711)  # the sandboxes' users pass through
        nursery.load(names)
        seat = Seat(folder=folder)
        with Workers(max(1, options.workers), _warm, nursery.requests, settings, seat) as pool:
            tier = pool.submit(tier_here, settings, seat).result()
            if not is_at_least(tier, options.min_tier):
                raise WeakIsolation(tier)
            with _listening(options.socket) as listener:
                print(f"Serving at {options.socket}, isolation tier {tier}. Stop with Ctrl-C.", flush=True)
                try:
                    _Service(pool, settings, seat, tier).accept(listener)
                finally:
                    options.socket.unlink(missing_ok=True)
    return 0


def _warm(requests: socket.socket | None, settings: Settings, seat: Seat) -> None:
    """First in every worker: whatever grading needs is loaded, as it is now."""
    ready(requests)
    for name in graded_assignments():
        assert load_rubric(name).digest
    tier_here(settings, seat)


def _listening(path: Path) -> socket.socket:
    """A socket that only this user may open.

    Raises:
        CannotServe: If something else is there, or nothing can be made there.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket():
            _remove_dead(path)
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        listener.listen(_CONNECTIONS)
    except CannotServe:
        listener.close()
        raise
    except OSError as error:
        listener.close()
        raise CannotServe(f"no socket can be made at {path} ({error.strerror or error}): choose another path") from None
    return listener


def _remove_dead(path: Path) -> None:
    """Remove the socket of a service that was killed."""
    if path.lstat().st_uid != os.geteuid() or not stat.S_ISSOCK(path.lstat().st_mode):
        return
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise CannotServe(f"a service answers at {path} already: stop it, or choose another path")


class _Service:
    def __init__(self, pool: Pool, settings: Settings, seat: Seat, tier: str) -> None:
        self._pool, self._settings, self._seat, self._tier = pool, settings, seat, tier
        self._made_with = made_with(settings)
        self._connections = threading.Semaphore(_CONNECTIONS)
        self._in_memory = threading.Semaphore(2 * pool.count)  # hand-ins

    def accept(self, listener: socket.socket) -> None:
        while True:
            self._connections.acquire()
            connection = listener.accept()[0]
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        """Answer one connection, whatever comes."""
        try:
            connection.settimeout(_IDLE_SECONDS)
            with (
                suppress(OSError),
                connection,
                connection.makefile("rwb") as stream,
            ):  # it has gone, while we write, too
                while self._is_answered(stream):
                    pass
        finally:
            self._connections.release()

    def _is_answered(self, stream: Stream) -> bool:
        """Answer a question; False where no other can follow."""
        try:
            question = read_header(stream)
            if question is None:
                return False
            if question.get("do") == "grade":
                with self._in_memory:
                    data = read_bytes(stream, question, MAX_ZIP_BYTES)
                    send(stream, {}, self._graded(question, data))
            elif question == {"do": "about"}:
                send(stream, self._about())
            else:
                raise BadMessage('`do` is "grade" or "about"')
        except BadMessage as error:  # where the next question begins is not known
            send(stream, {"error": f"{error}."})
            return False
        except NoRoom as error:
            send(stream, {"stopped": str(error)})
        except OSError:
            raise
        except Exception as error:  # ours: the next question may fare better
            send(stream, {"error": f"{type(error).__name__}: {error}"})
        return True

    def _about(self) -> dict[str, Any]:
        """What a client compares with itself. What lies on the disk must be what was loaded: a worker may have to be replaced."""
        names = graded_assignments()
        if made_with(self._settings) != self._made_with or any(
            resume_key.digest(place_of(name)) != load_rubric(name).digest for name in names
        ):
            return {"stopped": "the service was started before its code or a rubric was changed: start it again"}
        return {"tier": self._tier, "workers": self._pool.count, "made_with": self._made_with}

    def _graded(self, question: dict[str, Any], data: bytes) -> bytes:
        work = Work(_text(question, "student"), _text(question, "file"), data, _text(question, "about", "{}"))
        settings = replace(self._settings, **_asked(question.get("with", {})))
        if not _is_object(work.about):
            raise BadMessage("`about` is a text with a JSON object")
        try:
            return self._pool.submit(grade_hand_in, work, settings, self._seat).result()
        except WorkerDied as error:
            return fault_results(work, settings, str(error))


def _text(question: dict[str, Any], name: str, default: str | None = None) -> str:
    value = question.get(name, default)
    if not isinstance(value, str) or len(value) > 100_000:
        raise BadMessage(f"`{name}` is a text")
    return value


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _asked(settings: Any) -> dict[str, Any]:
    """The settings that a question may choose."""
    allowed: dict[str, Any] = {
        "notebook": lambda value: value is None or value in assignment_names(),
        "max_tier": lambda value: value is None or value in TIERS,
        "quality_seconds": lambda value: value is None or (type(value) in (int, float) and 0 <= value <= 36_000),
    }
    if not isinstance(settings, dict) or not all(
        name in allowed and (value is None or isinstance(value, str | int | float)) and allowed[name](value)
        for name, value in settings.items()
    ):
        raise BadMessage(f"`with` holds {', '.join(allowed)}, as `grade` takes them")
    return settings
