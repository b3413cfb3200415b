"""Dask as the engine: the same interface of executors over workers of a cluster, none of which is believed before it has proved itself.

    hand-in's bytes  ->  `elsewhere.run` on any worker  ->  the bytes of its results, which the client writes

The course's secret does not travel: every worker has it in its environment, and shows by a digest that it is the same.

A worker that dies takes all hand-ins with it that it had, though one of them alone may be to blame, or none: machines are taken away.
So they are tried again one by one with nothing else under way. Who has ended a worker twice while alone is given up, and nobody
else is: to two machines that are taken away in a row one may fall victim, to none in company.
"""

import importlib
import pickle
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from typing import Any

from tqdm import tqdm

from grader.classes import elsewhere
from grader.classes.batch import Settings
from grader.classes.pool import Pool, PoolLost, WorkerDied
from grader.classes.sameness import made_with
from grader.records import Seat
from grader.sandbox.tiers import TIERS, is_at_least

_SECONDS = 60.0  # for a scheduler to answer, and for the first worker to come, or the next where none is left
_REFUSED_SECONDS = 5.0  # the same where some have come and were refused
# Logs for dask's own developers: the last thousand messages to each worker, hand-ins and all, and samples of what workers are at.
# And its workers hand memory back to the system at each chance, which then takes a third of their time: they get it again at once.
_QUIET = {
    "distributed.admin.low-level-log-length": 10,
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 128 << 20,
}
_MOST_DEATHS = 2  # of workers that had one hand-in alone


@dataclass
class _Task:
    call: bytes
    out: "Future[Any]" = field(default_factory=Future)
    deaths: int = 0  # of workers, while nothing else was under way
    is_alone: bool = False


class Cluster(Pool):
    """with Cluster("tcp://host:8786", 0, settings, "C", ["01_..."]) as pool: pool.submit(grade_hand_in, work, settings, Seat())"""

    _own: Any = None  # of dask, which need not be installed
    _client: Any = None

    def __init__(self, address: str | None, workers: int, settings: Settings, least: str, names: Iterable[str]) -> None:
        """Connect, or start a cluster on this machine.

        Args:
            address: Of a scheduler; None starts one here.
            workers: Of a cluster on this machine: processes.
            settings: Of the run.
            least: The weakest isolation tier that a worker may have.
            names: The notebooks that are graded.

        Raises:
            PoolLost: If dask is not installed, no scheduler answers, or no worker comes.
        """
        self._asked = {
            "settings": asdict(replace(settings, salt="")),
            "notebooks": list(names),
            "made_with": made_with(settings, names),
            "tiers": [tier for tier in TIERS if is_at_least(tier, least)],
        }
        self._changed = threading.RLock()
        self._waiting: deque[_Task] = deque()
        self._suspects: deque[_Task] = deque()
        self._flying: dict[str, _Task] = {}
        self._refused: dict[str, str] = {}
        self._lost = ""
        self._is_over = threading.Event()
        self._numbers = count()
        self._name = f"the scheduler at {address}" if address else "the cluster on this machine"
        try:
            self._connect(address, workers)
        except ImportError:
            raise PoolLost("dask is not installed: pip install -r requirements-cluster.txt") from None
        except (OSError, TimeoutError, ValueError) as error:
            self.shutdown()
            raise PoolLost(f"{self._name} does not answer, or no worker came in {_SECONDS:.0f} s ({error})") from None
        self.count = max(1, sum(self._client.nthreads().values()))
        threading.Thread(target=self._watch, daemon=True).start()

    def _connect(self, address: str | None, workers: int) -> None:
        distributed, cloudpickle = (importlib.import_module(name) for name in ("distributed", "cloudpickle"))
        importlib.import_module("dask").config.set(_QUIET)
        cloudpickle.register_pickle_by_value(elsewhere)  # a worker with other code is to say so, not to break
        if address is None:
            self._own = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, memory_limit=0
            )
        self._client = distributed.Client(self._own or address, timeout=_SECONDS, set_as_default=False)
        self._client.wait_for_workers(1, timeout=_SECONDS)
        self._client.run_on_scheduler(_give_back_at_once)
        self._killed = distributed.scheduler.KilledWorker

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function on a worker; see `concurrent.futures.Executor`. The secret is taken out of `Settings`, the place out of `Seat`."""
        task = _Task(pickle.dumps((fn, tuple(map(_travelling, args)), kwargs)))
        with self._changed:
            if self._lost:
                raise PoolLost(self._lost)
            self._waiting.append(task)
            self._send()
        return task.out

    def _send(self) -> None:
        """Send what may fly: a suspect alone. Call with the lock."""
        if self._suspects:
            if not self._flying:
                self._launch(self._suspects.popleft(), is_alone=True)
            return
        if any(task.is_alone for task in self._flying.values()):
            return
        while self._waiting:
            self._launch(self._waiting.popleft(), is_alone=False)

    def _launch(self, task: _Task, is_alone: bool) -> None:
        if task.out.cancelled():
            return
        task.is_alone = is_alone
        key = f"hand-in-{id(self)}-{next(self._numbers)}"
        self._flying[key] = task
        future = self._client.submit(elsewhere.run, self._asked, task.call, key=key, pure=False)
        future.add_done_callback(self._landed)

    def _landed(self, future: Any) -> None:
        """A task has come to an end: on a thread of dask's."""
        task = self._flying.get(future.key)
        if task is None or self._is_over.is_set():
            return
        again: deque[_Task] | None = None
        try:
            kind, value = future.result(timeout=_SECONDS)
        except self._killed:
            task.deaths += task.is_alone
            again = self._suspects
        except (CancelledError, OSError, TimeoutError) as error:
            return self._lose(f"{self._name} is lost ({type(error).__name__})")
        except Exception as error:
            _settle(task.out, error=error)
        else:
            if kind == elsewhere.DIFFERS:
                again = self._waiting
                self._refuse(*value)
            else:
                _settle(task.out, value, value if kind == elsewhere.RAISED else None)
        if task.deaths >= _MOST_DEATHS:
            again = None
            _settle(task.out, error=WorkerDied())
        future.release()
        with self._changed:
            self._flying.pop(future.key, None)
            if again is not None and not task.out.cancelled():
                again.append(task)
            if not self._lost:
                self._send()

    def _refuse(self, address: str, told: str) -> None:
        """Name a worker that is not as this process is, once, and send it away."""
        with self._changed:
            if address in self._refused:
                return
            self._refused[address] = told
        tqdm.write(f"The worker {address} is refused: {told}.", file=sys.stderr)
        # not from this thread, which dask needs to answer
        threading.Thread(target=self._send_away, args=(address,), daemon=True).start()

    def _send_away(self, address: str) -> None:
        with suppress(Exception):  # it may have gone by itself
            self._client.retire_workers([address], close_workers=True)

    def _watch(self) -> None:
        """A cluster that no longer answers, or has no worker any more, keeps nobody waiting."""
        seen = time.monotonic()
        while not self._is_over.wait(1.0):
            try:
                has_workers = bool(self._client.nthreads().keys() - self._refused.keys())
            except Exception as error:
                return self._lose(f"{self._name} is lost ({type(error).__name__})")
            seen = time.monotonic() if has_workers else seen
            if time.monotonic() - seen > (_REFUSED_SECONDS if self._refused else _SECONDS):
                told = "".join(f"; {address} is refused: {why}" for address, why in self._refused.items())
                return self._lose(f"{self._name} has no worker left{told}")

    def _lose(self, why: str) -> None:
        if self._is_over.is_set():
            return
        with self._changed:
            self._lost = self._lost or why
            left = [*self._flying.values(), *self._waiting, *self._suspects]
            self._flying.clear()
            self._waiting.clear()
            self._suspects.clear()
        for task in left:
            _settle(task.out, error=PoolLost(why))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._is_over.set()
        for part in (self._client, self._own):
            if part is not None:
                with suppress(Exception):
                    part.close(timeout=10)


def _settle(out: "Future[Any]", value: Any = None, error: BaseException | None = None) -> None:
    with suppress(InvalidStateError):  # cancelled
        if error is None:
            out.set_result(value)
        else:
            out.set_exception(error)


def _travelling(arg: Any) -> Any:
    if isinstance(arg, Settings):
        return replace(arg, salt="")
    return Seat() if isinstance(arg, Seat) else arg


def _give_back_at_once(dask_scheduler: Any) -> None:
    """The scheduler gives back what a worker ended with, instead of trying it on the next one: see `Cluster`."""
    dask_scheduler.allowed_failures = 0
