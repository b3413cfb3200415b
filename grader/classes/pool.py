"""A pool of processes that outlives the death of any of them, behind the standard interface of executors.

with Workers(2, tier_here, settings, Seat()) as workers:
    future = workers.submit(grade_hand_in, work, settings, Seat())

Every worker has a number of its own among those that run side by side: an argument that is a `Seat` gets it.

A worker that dies is replaced, and what it was at is tried once more. Workers never outlive the process that started them.
"""

import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import BaseContext
from typing import Any

from grader.records import Seat
from grader.sandbox import linux
from grader.sandbox.room import is_no_room, no_process

_AGAIN_SECONDS = 0.1
_PRELOADED = "grader.classes.batch"
WORKER_BYTES = 2**30  # a stranger's file that needs more gets a sentence


class Pool(Executor):
    """An executor that says how much it works on at a time."""

    count = 1


class Workers(Pool):
    """An executor on processes of this machine."""

    def __init__(self, count: int, warm_up: Callable[..., Any], *args: Any) -> None:
        """Start the workers.

        Args:
            count: Of processes.
            warm_up: Called first in every worker, also in one that replaces another; what it returns or raises is lost.
            args: Its arguments; a `Seat` among them gets the worker's number. A socket arrives as one.
        """
        self.count = count
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._workers = [_Worker(number, warm_up, args) for number in range(count)]
        self._threads = ThreadPoolExecutor(count, "worker")
        for worker in self._workers:
            self._free.put(worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function in a worker; see `concurrent.futures.Executor`. The function and its arguments must pickle.

        An argument that is a `Seat` arrives with the worker's number.
        """
        return self._threads.submit(self._run, fn, args, kwargs)

    def _run(self, fn: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        worker = self._free.get()
        try:
            return worker.run(fn, args, kwargs)
        finally:
            self._free.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for worker in self._workers:
            worker.close()


class WorkerDied(RuntimeError):
    """A worker ended in the middle of its work, twice."""

    def __init__(self) -> None:
        super().__init__("a worker process ended in the middle, twice")


class PoolLost(RuntimeError):
    """Whatever grades elsewhere cannot be used, or no longer; the message is a clause."""


class _Worker:
    """One process, replaced when it dies: a pool of one, so that it is known what it was at."""

    def __init__(self, number: int, warm_up: Callable[..., Any], args: tuple) -> None:
        self._number, self._warm_up = number, warm_up
        self._args = self._seated(args)
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        """A new process; waits where the system has no room for it, or for a thread.

        Raises:
            NoRoom: If it has none for long.
        """
        pause = no_process()
        while True:
            pool = ProcessPoolExecutor(1, _context(), _begin, (dict(os.environ), self._warm_up, self._args))
            try:
                pool.submit(os.getpid)  # starts it
                return pool
            except (EOFError, ConnectionError):  # what forks workers has ended: it had no room, and starts again
                pool.shutdown(wait=False)
            except (OSError, RuntimeError) as error:
                if not is_no_room(error):
                    raise
                pool.shutdown(wait=False)
            pause.wait(_AGAIN_SECONDS)

    def _seated(self, args: tuple) -> tuple:
        return tuple(replace(arg, number=self._number) if isinstance(arg, Seat) else arg for arg in args)

    def run(self, fn: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        for _ in range(2):
            try:
                return self._pool.submit(fn, *self._seated(args), **kwargs).result()
            except BrokenProcessPool:
                self._pool.shutdown(wait=False)
                self._pool = self._started()
        raise WorkerDied

    def close(self) -> None:
        self._pool.shutdown()


def _context() -> BaseContext:
    """How a worker comes about. Never as a fork of this process, which has threads: a sandbox must not inherit what was read here."""
    if not linux.IS_LINUX:
        return get_context("spawn")
    # Forks a process that has imported the grader, once for all workers, and nothing else.
    context = get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED])
    return context


def _begin(environment: dict[str, str], warm_up: Callable[..., Any], args: tuple) -> None:
    """First in a new worker: take the environment of who started it, limit its memory, never outlive the run, warm up."""
    os.environ.clear()
    os.environ.update(environment)  # else that of the first worker's time
    limit_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to handle
    pause = no_process()
    while True:
        try:
            threading.Thread(target=_end_with_parent, daemon=True).start()
            break
        except RuntimeError:
            pause.wait(_AGAIN_SECONDS)
    with suppress(Exception):
        warm_up(*args)


def limit_memory() -> None:
    """Of this process's own memory; the sandbox lifts this, and sets limits of its own."""
    if sys.platform == "linux":
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (WORKER_BYTES, hard))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


class Here(Pool):
    """The same interface without a pool: everything in this process, at once. For one submission, and for tests."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
