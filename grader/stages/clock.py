"""A clock for the grader's own work on what a stranger sent: reading, judging, reporting. The sandbox has one of its own.

    with clock(8.0):
        ...                  # OutOfTime after eight seconds of CPU time

Every loop over strangers' bytes is meant to be linear, and capped; the clock is for the one that somebody overlooked. It counts
CPU time, so that a busy machine costs nobody anything, and interrupts Python and its regular expressions, in any thread.
"""

import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
READ_SECONDS = 8.0  # intake and notebook; a usual one takes a tenth of a second
JUDGE_SECONDS = 8.0  # all checks of a submission
CHECK_SECONDS = 2.0  # and each of them
REPORT_SECONDS = 8.0  # each page; a page about a class gets more for every hand-in
_LEAST_SECONDS = 0.2
_LOOK_EVERY_SECONDS = 0.05
_BUSY = 4  # in another thread time is counted by the wall: others compute, too


class OutOfTime(BaseException):
    """The clock has rung. No `Exception`: what is in the middle of its work must not take it for a damaged file."""


@contextmanager
def clock(seconds: float) -> Iterator[None]:
    """Allow so much CPU time for the work within.

    Raises:
        OutOfTime: When it is used up.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and hasattr(signal, "setitimer"):
        yield from _by_signal(seconds)
    else:
        yield from _by_thread(seconds)


def _by_signal(seconds: float) -> Iterator[None]:
    before = signal.signal(signal.SIGPROF, _ring)
    try:
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)  # again, should the first be swallowed
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _ring(*_: object) -> None:
    raise OutOfTime


def _by_thread(seconds: float) -> Iterator[None]:
    token = _bell.arm(_BUSY * seconds)
    try:
        yield
    finally:
        _bell.disarm(token)


class _Bell:
    """One thread that rings for all others: to start one for each clock takes longer than most of what they allow time for."""

    def __init__(self) -> None:
        self._lock, self._is_armed = threading.Lock(), threading.Event()
        self._armed: dict[object, tuple[float, int]] = {}  # when, and which thread
        self._thread: threading.Thread | None = None

    def arm(self, seconds: float) -> object:
        token = object()
        with self._lock:
            self._armed[token] = time.monotonic() + seconds, threading.get_ident()
            self._is_armed.set()
            if self._thread is None or not self._thread.is_alive():  # a forked process has lost it
                self._thread = threading.Thread(target=self._ring_on, name="clock", daemon=True)
                self._thread.start()
        return token

    def disarm(self, token: object) -> None:
        with self._lock:
            self._armed.pop(token, None)

    def _ring_on(self) -> None:
        while self._is_armed.wait():
            time.sleep(_LOOK_EVERY_SECONDS)
            with self._lock:
                due = [token for token, (at, _) in self._armed.items() if time.monotonic() >= at]
                for token in due:
                    thread = ctypes.c_ulong(self._armed.pop(token)[1])
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(OutOfTime))
                if not self._armed:
                    self._is_armed.clear()


_bell = _Bell()


def in_time(seconds: float, make: Callable[[], T], instead: Callable[[], T]) -> T:
    """What `make` returns; if that takes too much time or memory, what `instead` returns."""
    try:
        with clock(seconds):
            return make()
    except (OutOfTime, MemoryError, RecursionError):
        return instead()


class Budget:
    """CPU time for several pieces of work: none gets more than its share, the last ones get what is left."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    @contextmanager
    def share(self, most: float) -> Iterator[None]:
        began = time.process_time()
        try:
            with clock(max(_LEAST_SECONDS, min(most, self._left))):
                yield
        finally:
            self._left -= time.process_time() - began
