"""The unit of grading, from the bytes of one hand-in to the bytes of its results, and a pool that runs many.

`grade_hand_in` is a plain function without shared state: any engine that can call a function elsewhere can run a course
of ten thousand with it. `Workers` is such an engine for one machine, behind the standard interface of executors:

    with Workers(2, settings) as workers:
        results = workers.submit(grade_hand_in, work, settings).result()

Every worker is a process with a sandbox of its own. One that dies is replaced, and what it was at is tried once more.
"""

import atexit
import hashlib
import json
import os
import queue
import signal
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from multiprocessing import connection, get_context, parent_process
from typing import Any

from grader import __version__
from grader.draws import course_salt
from grader.pipeline import Grader, graded_assignments
from grader.records import Report, Verdict
from grader.report.results import results_json
from grader.rubric import load_rubric

_SLOT = 0  # of this process: numbers the workers, so that their sandboxes' users differ


@dataclass(frozen=True)
class Settings:
    """What a whole run is graded with."""

    notebook: str | None = None  # the only assignment accepted
    salt: str = ""
    max_tier: str | None = None


@dataclass(frozen=True)
class Work:
    """One hand-in: everything its results are made of beside the settings."""

    student: str
    file_name: str
    data: bytes
    about: str = "{}"  # JSON, passed on into the results: members, time, earlier uploads


def grade_hand_in(work: Work, settings: Settings) -> bytes:
    """Grade one hand-in.

    Args:
        work: The hand-in.
        settings: Those of the run; a process keeps one sandbox for each.

    Returns:
        The content of its `results.json`. The same work and settings give the same bytes, times aside.
    """
    report = _grader(settings).grade_bytes(work.data, work.file_name, work.student)
    return encode(work, settings, report)


def tier_here(settings: Settings) -> str:
    """The isolation that hand-ins get in the process that is asked; the first question starts its sandbox."""
    return _grader(settings).tier


@cache
def _grader(settings: Settings) -> Grader:
    grader = Grader(settings.notebook, settings.salt or None, settings.max_tier, _SLOT)
    grader.__enter__()
    atexit.register(grader.__exit__)
    return grader


def encode(work: Work, settings: Settings, report: Report) -> bytes:
    """A report as the content of `results.json`, with what a later run needs to know that it still holds."""
    results = results_json(report)
    results["extra_data"] |= json.loads(work.about)
    results["extra_data"]["key"] = key_of(work, settings, report.notebook)
    if report.fault:
        results["extra_data"]["fault"] = report.fault
    return (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode()


def still_holds(results: dict[str, Any], work: Work, settings: Settings) -> bool:
    """Whether earlier results are what grading this work again would give. A fault of ours never is: it is tried again."""
    extra = results.get("extra_data", {})
    if extra.get("status") == "grader_error":
        return False
    return extra.get("key") == key_of(work, settings, extra.get("notebook", ""))


def key_of(work: Work, settings: Settings, notebook: str) -> str:
    """A digest of everything the results depend on: the submission, the grader, the rubric, the salt, the options."""
    what = [
        hashlib.sha256(work.data).hexdigest(), work.student, work.file_name, work.about, settings.notebook,
        *_circumstances(settings, notebook),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


@cache
def _circumstances(settings: Settings, notebook: str) -> tuple[str, ...]:
    known = graded_assignments()
    rubrics = [load_rubric(name).references.digest for name in ([notebook] if notebook in known else known)]
    # Slow on purpose: the digest goes where students may see it, and must not help anybody guess the salt.
    salt = hashlib.pbkdf2_hmac("sha256", (settings.salt or course_salt()).encode(), b"resume", 200_000).hex()
    return (__version__, version("torch"), version("numpy"), salt, *rubrics)


def fault_results(work: Work, settings: Settings, reason: str) -> bytes:
    """The results of a hand-in that was not graded through no fault of the student's."""
    sentence = "The grader failed on this submission; no score is given, staff will look into it."
    verdict = Verdict("grader", "grader", "grading", "0", "grader_error", 0.0, 0.0, sentence)
    digest = hashlib.sha256(work.data).hexdigest()
    report = Report(work.student, work.file_name, settings.notebook or "", digest, "", (verdict,), fault=reason)
    return encode(work, settings, report)


# ---------------------------------------------------------------- the pool


class Workers(Executor):
    """An executor on processes of this machine that outlives the death of any of them."""

    def __init__(self, count: int, settings: Settings) -> None:
        """Start the workers; each begins to set up its sandbox at once.

        Args:
            count: Of processes.
            settings: Of the run, to set up ahead.
        """
        self._settings = settings
        self._slots: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._workers = [_Worker(slot, settings) for slot in range(count)]
        self._threads = ThreadPoolExecutor(count, "worker")
        for worker in self._workers:
            self._slots.put(worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function in a worker; see `concurrent.futures.Executor`. The function and its arguments must pickle."""
        return self._threads.submit(self._run, fn, args, kwargs)

    def _run(self, fn: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        worker = self._slots.get()
        try:
            return worker.run(fn, args, kwargs)
        finally:
            self._slots.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for worker in self._workers:
            worker.close()


class WorkerDied(RuntimeError):
    """A worker ended in the middle of its work, twice."""


class _Worker:
    """One process, replaced when it dies: a pool of one, so that it is known what it was at."""

    def __init__(self, slot: int, settings: Settings) -> None:
        self._slot, self._settings = slot, settings
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        # spawn: this process has threads, and a sandbox must not inherit what was read here
        pool = ProcessPoolExecutor(1, get_context("spawn"), _begin, (self._slot, self._settings, tempfile.gettempdir()))
        pool.submit(tier_here, self._settings)
        return pool

    def run(self, fn: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        for _ in range(2):
            try:
                return self._pool.submit(fn, *args, **kwargs).result()
            except BrokenProcessPool:
                self._pool.shutdown(wait=False)
                self._pool = self._started()
        raise WorkerDied("a worker process ended in the middle, twice")

    def close(self) -> None:
        self._pool.shutdown()


def _begin(slot: int, settings: Settings, folder: str) -> None:
    """First in a new worker: never outlive the run, and work where the run will tidy up."""
    global _SLOT
    _SLOT = slot
    tempfile.tempdir = folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


class Here(Executor):
    """The same interface without a pool: everything in this process, at once. For one submission, and for tests."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
