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
    lock, is_done = threading.Lock(), threading.Event()
    this = ctypes.c_ulong(threading.get_ident())

    def ring() -> None:
        with lock:
            if not is_done.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(this, ctypes.py_object(OutOfTime))

    bell = threading.Timer(_BUSY * seconds, ring)
    bell.daemon = True
    bell.start()
    try:
        yield
    finally:
        with lock:
            is_done.set()
        bell.cancel()


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
