"""How long a student waits near a deadline: hand-ins that arrive one by one at a resident grader, more and more of them.

    python -m tools.bench.arrivals 3000 [--per-second 8] [--workers 2]      3,000 hand-ins to notebook 1

Arrivals grow evenly from none to twice the mean rate at the deadline, so the last of them meet the longest queue. It takes as long as
they do: 3,000 at 8 a second six minutes, 10,000 twenty-one.
"""

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from grader.authoring.measurement import Measurement
from grader.classes.asking import Server
from grader.classes.batch import Settings, Work, grade_hand_in
from grader.rubric.draws import course_salt
from tools.bench.grading import NAME, each_submission
from utils.assignments.course import enter_course

_ALONE = 40  # hand-ins that meet no queue, one after another; the first half works out the inputs that are drawn


def measure(count: int, per_second: float, workers: int) -> list[Measurement]:
    """Send hand-ins to a resident grader when they arrive.

    Args:
        count: Hand-ins.
        per_second: How many arrive on average, up to the deadline.
        workers: See `serve --workers`.

    Returns:
        From arrival to results: the median, the 99th percentile and the longest, also against one that meets no queue.
    """
    with _service(workers) as server:
        settings = Settings(NAME, course_salt(), quality_seconds=0)
        ask = partial(_asked, server, settings)
        alone: list[float] = []
        for student, data in each_submission(_ALONE):
            ask(student, data, time.monotonic(), alone).result()
        waited: list[float] = []
        began = time.monotonic()
        futures = []
        for at, (student, data) in zip(arrivals(count, per_second), each_submission(count), strict=True):
            time.sleep(max(0.0, began + at - time.monotonic()))
            futures.append(ask(student, data, began + at, waited))
        for future in futures:
            future.result()
        seconds = time.monotonic() - began
    quiet = percentile(alone[_ALONE // 2 :], 50)
    named = [(f"{share}th percentile", percentile(waited, share)) for share in (50, 99, 100)]
    return [
        Measurement("a hand-in that meets no queue", (quiet,), "wall s"),
        *(Measurement(f"from arrival to results, {name}", (value,), "wall s") for name, value in named),
        *(Measurement(f"the same against one that meets no queue, {name}", (v / quiet,)) for name, v in named),
        Measurement("graded a second, from the first arrival to the last result", (count / seconds,), "1/s"),
    ]


def arrivals(count: int, per_second: float) -> list[float]:
    """When they arrive, in seconds from the first possible moment: drawn, the same each time."""
    rng, window = random.Random(count), count / per_second
    return sorted(window * math.sqrt(rng.random()) for _ in range(count))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many percent of them do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share / 100) - 1)]


def _asked(
    server: Server, settings: Settings, student: str, data: bytes, arrived: float, waited: list[float]
) -> "Future[bytes]":
    future = server.submit(grade_hand_in, Work(student, f"{student}.ipynb", data), settings)
    future.add_done_callback(lambda _: waited.append(time.monotonic() - arrived))
    return future


@contextmanager
def _service(workers: int) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        command = [sys.executable, "-m", "grader", "serve", str(path), "--workers", str(workers), "--min-tier", "E"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as service:
            assert service.stdout is not None
            service.stdout.readline()  # it listens
            try:
                server = Server(path, Settings(salt=course_salt()), [NAME])
                yield server
                server.shutdown()
            finally:
                service.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description="Time hand-ins that arrive up to a deadline.")
    parser.add_argument("count", type=int)
    parser.add_argument("--per-second", type=float, default=8.0, metavar="N", help="on average (default: 8)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="default: one a core")
    options = parser.parse_args(enter_course())
    for figure in measure(options.count, options.per_second, options.workers):
        print(f"{figure.name:75} {figure.median:.3g} {figure.unit}", flush=True)


if __name__ == "__main__":
    main()
