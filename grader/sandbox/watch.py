"""Following one child: send it the script, take in its frames, keep the clock, kill it when a step takes too long."""

import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from grader.records import StudentError
from grader.sandbox import frames
from grader.sandbox.failure import SandboxError
from grader.sandbox.scratch import Disk, is_full
from utils.notebook.printable import printable

STEP_SECONDS = 10.0
_NOT_CONFINED = 99
Deadlines = tuple[float, float]  # of the public part, and of all of it, on the monotonic clock
_LOOK_EVERY_SECONDS = 0.1


class Child(Protocol):
    """The process to follow."""

    @property
    def ended(self) -> socket.socket | None: ...

    def kill(self) -> None: ...

    def cpu_seconds(self) -> float: ...

    def report(self) -> dict: ...


@dataclass(frozen=True)
class Told:
    """What one child said while it could know nothing hidden: all that may be repeated of an attempt."""

    values: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)  # of each probe that answered
    errors: dict[int, StudentError] = field(default_factory=dict)  # by step
    fault: str = ""  # as of the attempt; "" where every public step was answered
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0


@dataclass
class Attempt:
    """What one child sent back, while it comes in."""

    values: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)  # of each probe that answered
    errors: dict[int, StudentError] = field(default_factory=dict)  # by step
    step: int = -1  # the last one it announced
    ends: int = 0  # 1: the public part is complete; 2: all of it
    told: Told | None = None  # made at the first end, before anything hidden is sent
    fault: str = ""  # why it did not come to its end: "timeout", "killed", "malformed"
    is_disk_shrinking: bool = False  # it was ended because the disk was filling up, perhaps by somebody else
    cpu_seconds: float = 0.0
    paused_seconds: float = 0.0  # before it began: for room, and for a sandbox to start


class Watch:
    """Follows one child to its end."""

    def __init__(self, channel: socket.socket, child: Child, until: Deadlines, scratch: str) -> None:
        self._channel, self._child, self._scratch = channel, child, scratch
        self._looked = self._began = time.monotonic()
        self._disk = Disk(scratch)
        self._until, self._deadline = until, until[0]
        self._decoder = frames.Decoder()
        self._attempt = Attempt()

    def follow(self, public: bytes, hidden: Callable[[], bytes], steps: tuple[list[dict], list[dict]]) -> Attempt:
        """Send the public script; when all its answers are in, the hidden one; collect until the child has ended.

        Args:
            public: The encoded script of public steps.
            hidden: Makes the encoded script of hidden steps: called once, when every public step has been answered.
            steps: The public and the hidden ones, in the order in which the child announces them; `seconds` limits each.

        Returns:
            The attempt; its `fault` is empty if the child came to the end of both scripts. `told` is never None.

        Raises:
            OSError: If the child was not confined or does not end when killed.
            SandboxError: If the notebook's given cells fail.
        """
        self._release, self._steps, self._first_hidden = hidden, [*steps[0], *steps[1]], len(steps[0])
        self._deadline = min(time.monotonic() + STEP_SECONDS, self._until[0])
        self._channel.settimeout(STEP_SECONDS)
        self._send(public)
        is_open, ended = True, False
        while is_open if self._child.ended is None else not ended:
            sources = [s for s in (self._channel if is_open else None, self._child.ended) if s is not None]
            seconds_left = self._deadline - time.monotonic()
            ready = select.select(sources, [], [], max(0.0, min(seconds_left, _LOOK_EVERY_SECONDS)))[0]
            self._look_after_disk()
            if not ready:
                if time.monotonic() >= self._deadline:
                    self._stop("timeout")
            elif self._channel in ready:
                is_open = self._read()
            else:
                ended = True
        return self._finish(is_open)

    def _send(self, data: bytes) -> None:
        with suppress(OSError):  # it has gone, or does not read: what it sent so far is judged, its exit says the rest
            self._channel.sendall(data)

    def _look_after_disk(self) -> None:
        """No limit of the kernel's counts all files of a process; a memory disk of its own, where there is one, does."""
        if not self._attempt.fault and time.monotonic() - self._looked > _LOOK_EVERY_SECONDS:
            self._looked = time.monotonic()
            if is_full(self._scratch):
                self._stop("killed")
            elif self._disk.is_shrinking():
                self._attempt.is_disk_shrinking = True
                self._stop("killed")

    def _stop(self, fault: str) -> None:
        if self._attempt.fault and time.monotonic() > self._until[1] + 3 * STEP_SECONDS:
            raise OSError("a killed process does not end")
        self._attempt.fault = self._attempt.fault or fault
        self._child.kill()
        self._deadline = time.monotonic() + STEP_SECONDS

    def _read(self) -> bool:
        """Take in what has come. False when the channel is closed."""
        try:
            data = self._channel.recv(1 << 18)
        except OSError:
            return False
        if not self._attempt.fault:  # nothing after a fault counts
            try:
                for frame in self._decoder.feed(data):
                    self._take(frame.header, frame.arrays)
            except (frames.FrameError, KeyError, TypeError):
                self._stop("malformed")
        return bool(data)

    def _take(self, header: dict, arrays: dict[str, np.ndarray]) -> None:
        kind, attempt = header["kind"], self._attempt
        if kind == "step":
            self._begin(header["number"])
        elif kind == "answer":
            self._expect(header["probe"])
            attempt.values[header["probe"]] = arrays
        elif kind == "error":
            self._expect_unanswered()
            attempt.errors[attempt.step] = _student_error(header, is_public=attempt.ends == 0)
        elif kind == "end":
            self._end()
        elif kind == "fault" and attempt.step < 0:
            raise SandboxError(f"the notebook's given cells do not run: {header['text']}")
        else:
            raise frames.FrameError("unknown kind")

    def _begin(self, number: int) -> None:
        if type(number) is not int or number != self._attempt.step + 1 or number >= len(self._steps):
            raise frames.FrameError("steps out of order")
        self._expect_turn(number)
        self._expect_answered()
        self._attempt.step = number
        self._deadline = min(time.monotonic() + self._steps[number]["seconds"], self._until[self._attempt.ends])

    def _expect(self, probe: str) -> None:
        """An answer belongs to the probe whose turn it is; anything else is a forgery or a crossed wire."""
        self._expect_unanswered()
        step = self._steps[self._attempt.step]
        if step["do"] != "probe" or step["name"] != probe:
            raise frames.FrameError("an answer to another probe")

    def _expect_unanswered(self) -> None:
        self._expect_turn(self._attempt.step)
        if self._is_answered():
            raise frames.FrameError("more than one answer")

    def _expect_answered(self) -> None:
        """No probe is passed over: whoever leaves one out has not come to the end of it."""
        if self._attempt.step >= 0 and self._steps[self._attempt.step]["do"] == "probe" and not self._is_answered():
            raise frames.FrameError("a step without an answer")

    def _is_answered(self) -> bool:
        step = self._attempt.step
        return step in self._attempt.errors or self._steps[step].get("name") in self._attempt.values

    def _expect_turn(self, step: int) -> None:
        """Once hidden inputs are in that process, nothing may be said about a public step: a sentence could carry them."""
        if step < 0 or self._attempt.ends != (step >= self._first_hidden):
            raise frames.FrameError("a step out of turn")

    def _end(self) -> None:
        if self._attempt.ends == 2:
            raise frames.FrameError("more than one end")
        last = len(self._steps) if self._attempt.ends else self._first_hidden
        if self._attempt.step != last - 1:
            raise frames.FrameError("an end before the last step")
        self._expect_answered()
        self._attempt.ends += 1
        if self._attempt.ends == 1:
            # Only now, when everything public has come back, are the hidden inputs let into that process.
            self._attempt.told = self._told(self._child.cpu_seconds())
            self._send(self._release())

    def _told(self, cpu_seconds: float) -> Told:
        found = self._attempt
        return Told(
            values=dict(found.values),
            errors=dict(found.errors),
            fault=found.fault,
            cpu_seconds=cpu_seconds,
            wall_seconds=time.monotonic() - self._began,
        )

    def _finish(self, is_open: bool) -> Attempt:
        attempt = self._attempt
        while is_open:  # what it had sent before it ended
            is_open = self._read()
        report = self._child.report()
        attempt.cpu_seconds = report["cpu_seconds"]
        if report["exit"] == _NOT_CONFINED and attempt.step < 0:
            raise OSError("the child could not be confined")
        if report["exit"] != 0 or attempt.ends != 2:
            attempt.fault = attempt.fault or ("timeout" if report["exit"] == -signal.SIGXCPU else "killed")
        attempt.told = attempt.told or self._told(attempt.cpu_seconds)
        return attempt


def _student_error(header: dict, is_public: bool) -> StudentError:
    kind = header["type"] if isinstance(header["type"], str) else ""
    if not is_public:  # the process knows hidden inputs by now: its words are not repeated
        return StudentError("", "", ())
    text, lines = header.get("text"), header.get("lines")
    pairs = [pair for pair in (lines if isinstance(lines, list) else []) if isinstance(pair, list) and len(pair) == 2]
    pairs = [pair for pair in pairs if all(type(number) is int for number in pair)]
    text = text if isinstance(text, str) else ""
    return StudentError(printable(kind)[:60], printable(text)[:300], tuple((c, n) for c, n in pairs[:20]))


def read_line(stream: socket.socket) -> bytes:
    """One line from the zygote, a trusted process; empty when it has ended."""
    line = b""
    while not line.endswith(b"\n"):
        byte = stream.recv(1)
        if not byte:
            return b""
        line += byte
    return line
