"""The processes of one run, for looking into hand-ins and for grading them: none is started before it is needed, and none twice.

with Pools(options.workers, nursery) as pools:
    executor = pools.to_grade(300, is_class=True)
"""

import os
import socket
from collections.abc import Callable

from grader.classes.batch import sandboxes
from grader.classes.pool import Here, Pool, Workers
from grader.sandbox.zygotes import Nursery

_FEW = 8  # hand-ins that this process looks into by itself: starting others takes longer


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ready(requests: socket.socket | None) -> None:
    """What a worker does first: by then it has loaded what looking and grading need.

    Args:
        requests: The way to the nursery that forks its zygote.
    """
    sandboxes.fork_from(requests)


class Pools:
    """Workers of this machine, as many as there is work for, and one nursery for them."""

    def __init__(self, most: int | None, nursery: Nursery | None) -> None:
        """Start nothing yet.

        Args:
            most: Workers; None for one a core, 0 to do everything in this process.
            nursery: One that is loading already; else workers get one of their own.
        """
        self._most = cores() if most is None else most
        self._nursery, self._is_own = nursery, nursery is None
        self._workers: Workers | None = None
        self._here = Here()
        self._make: Callable[[], Pool] | None = None
        self._elsewhere: Pool | None = None

    def __enter__(self) -> "Pools":
        if self._nursery is not None:
            sandboxes.fork_from(self._nursery.requests)
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self._elsewhere, self._workers):
            if pool is not None:
                pool.shutdown()
        if self._nursery is not None and self._is_own:
            self._nursery.close()

    def to_look(self, count: int) -> Pool:
        """Where to look into so many hand-ins."""
        return self._started(count) if count > _FEW and self._most else self._here

    def to_grade(self, count: int, is_class: bool) -> Pool:
        """Where to grade so many.

        Raises:
            PoolLost: If that is elsewhere, and nobody answers there.
        """
        if self._make is not None:
            self._elsewhere = self._elsewhere or self._make()
            return self._elsewhere
        return self._started(count) if count and is_class and self._most else self._here

    def grade_elsewhere(self, make: Callable[[], Pool] | None) -> None:
        """Grade in a pool of another kind, made when it is needed."""
        self._make = make

    def load(self, assignments: list[str]) -> None:
        """Load what these assignments need ahead, once for all workers."""
        if self._nursery is not None:
            self._nursery.load(assignments)

    def _started(self, count: int) -> Workers:
        if self._workers is None:
            self._nursery = self._nursery or Nursery()
            self._workers = Workers(min(count, self._most), ready, self._nursery.requests)
        return self._workers
