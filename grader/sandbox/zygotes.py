"""How a zygote comes about, on the grader's side: started as a program, or forked by a nursery that has loaded torch already.

with Nursery() as nursery:
    started = start(settings, folder, nursery.requests)
"""

import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grader.sandbox import linux
from grader.sandbox.shown import environment
from utils.assignments import assignment_names, load_assignment

ZYGOTE = "grader.sandbox.zygote"  # the program that is started
START_SECONDS = 180.0
_END_SECONDS = 0.3


class Zygote(Protocol):
    """The process that stands for a zygote: killing it ends all within."""

    @property
    def pid(self) -> int: ...

    def kill(self) -> None: ...

    def is_ended(self, seconds: float | None) -> bool:
        """Wait so long for its end; None: however long it takes."""

    def last_words(self) -> str:
        """What it said of a failure; call when it has ended."""


@dataclass(frozen=True)
class Started:
    """A zygote that is coming up, and the channel to it."""

    process: Zygote
    control: socket.socket


def start(module: str, settings: dict, folder: str, requests: socket.socket | None) -> Started:
    """Start a zygote, or have one forked.

    Args:
        module: The program that is a zygote.
        settings: What it is told.
        folder: Its home.
        requests: The way to a nursery, if there is one; where it has gone the zygote is started as a program.

    Raises:
        OSError: If the system has no room for its process.
    """
    found = None if requests is None else _forked(settings | {"home": folder}, requests)
    return found or _executed(module, settings, folder)


def _executed(module: str, settings: dict, folder: str) -> Started:
    ours, theirs = socket.socketpair()
    try:
        process = _popen(module, settings | {"control": theirs.fileno()}, folder, [theirs.fileno()], subprocess.PIPE)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    ours.settimeout(START_SECONDS)
    return Started(Executed(process), ours)


def _popen(module: str, settings: dict, folder: str, fds: list[int], stderr: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-B", "-s", "-m", module, json.dumps(settings)],
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        cwd="/",
        env=environment(folder),
    )


def _forked(settings: dict, requests: socket.socket) -> Started | None:
    """A zygote of the nursery's; None where the nursery has gone."""
    ours, theirs = socket.socketpair()
    ours.settimeout(START_SECONDS)
    reader, writer = os.pipe()
    message, fds = b"", list[int]()
    with suppress(OSError):
        with theirs, open(writer, "wb", buffering=0):
            socket.send_fds(requests, [json.dumps(settings).encode()], [theirs.fileno(), writer])
        message, fds, _, _ = socket.recv_fds(ours, 1, 1)
    if fds:
        return Started(Lent(fds[0], reader), ours)
    ours.close()
    os.close(reader)
    if message == linux.NO_ROOM:
        raise OSError(errno.EAGAIN, "the nursery cannot fork")
    return None


class Executed:
    """A zygote that is a program of its own."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.pid, self.kill = process.pid, process.kill

    def is_ended(self, seconds: float | None) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_words(self) -> str:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            return _read(stream.fileno())


class Lent:
    """A zygote that the nursery has forked, by a handle of its own: a signal can hit no other process."""

    def __init__(self, handle: int, words: int) -> None:
        self._handle, self._words = handle, words
        about = Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii")
        self.pid = int(about.partition("\nPid:")[2].split()[0])

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def is_ended(self, seconds: float | None) -> bool:
        return bool(select.select([self._handle], [], [], seconds)[0])

    def last_words(self) -> str:
        os.close(self._handle)
        try:
            return _read(self._words)
        finally:
            os.close(self._words)


def _read(pipe: int) -> str:
    """What lies in a pipe: nobody is waited for who holds its other end."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        return os.read(pipe, 1 << 16)[-2000:].decode(errors="replace").strip()
    return ""


class Nursery:
    """Starts a nursery, which loads torch while this process does something else; ends it, and with it all zygotes of it."""

    def __init__(self, tensors: bool | None = None, module: str = ZYGOTE) -> None:
        """Start it; nobody waits for it.

        Args:
            tensors: Whether to load torch at once; None: if every assignment of the course needs it.
            module: The program that is a zygote.
        """
        if tensors is None:
            tensors = all(load_assignment(name).about.uses("torch") for name in assignment_names())
        self.requests: socket.socket | None = None  # may be handed to other processes
        self._process: subprocess.Popen | None = None
        if not linux.IS_LINUX:  # forking a process with torch in it is not safe there
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        scratch = tempfile.gettempdir()
        settings = {"requests": theirs.fileno(), "tensors": tensors, "home": scratch}
        try:
            self._process = _popen(module, settings, scratch, [theirs.fileno()], subprocess.DEVNULL)
            self.requests = ours
        except OSError:  # each sandbox starts its own zygote, and waits for room
            ours.close()
        finally:
            theirs.close()

    def load(self, assignments: Sequence[str]) -> None:
        """Have it load more for all its zygotes, before anybody waits for one.

        Args:
            assignments: Names whose import cells and probes are loaded.
        """
        if self.requests is not None:
            with suppress(OSError):
                self.requests.send(json.dumps([*assignments]).encode())

    def close(self) -> None:
        if self.requests is not None:
            self.requests.close()
        if self._process is not None:
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:  # it is still loading
                self._process.kill()
                self._process.wait()
        self.requests = self._process = None

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
