"""Asking a resident grader (`grader.classes.serve`): how a question is written, and the pool that sends hand-ins there.

A message is a line of JSON, and as many bytes behind it as its `bytes` says.
"""

import json
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from io import BufferedRWPair, BytesIO
from pathlib import Path
from typing import Any

from grader.classes.batch import Settings, Work, grade_hand_in, tier_here
from grader.classes.pool import Pool, PoolLost
from grader.classes.sameness import difference, made_with

MOST_LINE_BYTES = 2**20
MOST_RESULT_BYTES = 2**28
_ANSWER_SECONDS = 3600.0  # a submission has limits of its own, the service's queue has none
_TRAVELLING = ("notebook", "max_tier", "quality_seconds")  # of `Settings`: the secret stays where it is


Stream = BufferedRWPair | BytesIO


class BadMessage(ValueError):
    """No message of this form; a sentence."""


def send(stream: Stream, header: dict[str, Any], data: bytes = b"") -> None:
    """Write one message."""
    stream.write(json.dumps(header | ({"bytes": len(data)} if data else {})).encode() + b"\n" + data)
    stream.flush()


def read_header(stream: Stream) -> dict[str, Any] | None:
    """The line of a message; None where there is no further one.

    Raises:
        BadMessage: If it is no line of JSON with an object.
    """
    line = stream.readline(MOST_LINE_BYTES + 1)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise BadMessage(f"a question is one line of at most {MOST_LINE_BYTES} bytes")
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise BadMessage('a question is a line with a JSON object, such as {"do": "about"}')
    return header


def read_bytes(stream: Stream, header: dict[str, Any], most: int) -> bytes:
    """The bytes behind the line of a message.

    Raises:
        BadMessage: If they are more than allowed, or fewer than said.
    """
    count = header.get("bytes", 0)
    if type(count) is not int or not 0 <= count <= most:
        raise BadMessage(f"`bytes` is a whole number from 0 to {most}")
    data = stream.read(count)
    if len(data) != count:
        raise BadMessage(f"{count} bytes were announced, {len(data)} came")
    return data


class Server(Pool):
    """The same interface of executors over a resident grader on this machine."""

    def __init__(self, path: Path, settings: Settings, names: Iterable[str]) -> None:
        """See that it is there, and grades as this process does.

        Args:
            path: Of its socket.
            settings: Of the run.
            names: The notebooks that are graded.

        Raises:
            PoolLost: If it does not answer, or has another secret, code or versions.
        """
        self._path = path
        about = self._ask({"do": "about"})[0]
        here, there = made_with(settings, names), about["made_with"]
        if told := difference({part: there.get(part) for part in here}, here):
            raise PoolLost(f"the service at {path} has {told}: start it again from here")
        self._tier, self.count = about["tier"], about["workers"]
        self._threads = ThreadPoolExecutor(2 * self.count, "asking")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Have a hand-in graded, or say the tier; anything else is done in this process."""
        if fn is grade_hand_in:
            return self._threads.submit(self._graded, *args[:2])
        return (
            self._threads.submit(lambda: self._tier) if fn is tier_here else self._threads.submit(fn, *args, **kwargs)
        )

    def _graded(self, work: Work, settings: Settings) -> bytes:
        asked = {name: value for name, value in asdict(settings).items() if name in _TRAVELLING}
        question = {"do": "grade", "student": work.student, "file": work.file_name, "about": work.about, "with": asked}
        return self._ask(question, work.data)[1]

    def _ask(self, question: dict[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_SECONDS)
                connection.connect(str(self._path))
                with connection.makefile("rwb") as stream:
                    send(stream, question, data)
                    header = read_header(stream)
                    answer = read_bytes(stream, header or {}, MOST_RESULT_BYTES)
        except (OSError, BadMessage) as error:
            raise PoolLost(f"no service answers at {self._path} ({error})") from None
        if header is None or "stopped" in header:
            raise PoolLost((header or {}).get("stopped") or f"the service at {self._path} has ended")
        if "error" in header:
            raise RuntimeError(header["error"])
        return header, answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
