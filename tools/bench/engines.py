"""What another engine costs at as many processes: wall time of a class, the rate while it grades, and how the client's memory grows.

    python -m tools.bench engines
    python -m tools.bench.engines 3000 [--workers 2]     one class of 3,000 submissions to notebook 1 with each engine

An engine that is not installed is left out: pip install -r requirements-cluster.txt.
"""

import argparse
import importlib.util
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader.authoring.measurement import Measurement, ratios
from tools.bench.cold import class_command
from utils.assignments.course import enter_course

_FROM, _TO = 0.3, 0.9  # of a class: where each process is warm, and before the pages about the class are made
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Run:
    """One class with one engine."""

    wall_seconds: float
    rate: float  # hand-ins a second, once all processes are warm
    mib_each: float  # what the client's memory grows by with each hand-in meanwhile


def missing() -> str:
    """Which engine cannot be measured here, in a sentence; "" where none is missing."""
    if importlib.util.find_spec("distributed"):
        return ""
    return "Not measured: dask, not installed (pip install -r requirements-cluster.txt)."


def measure(count: int = 400, workers: int = 2, rounds: int = 3) -> list[Measurement]:
    """Grade a class with the built-in pool and with dask's local cluster, in turn.

    Returns:
        Wall time and rate of dask's against the pool's, and the growth of both clients.
    """
    if missing():
        return []
    pool, dask = [], []
    for _ in range(rounds):
        pool.append(graded(count, workers))
        dask.append(graded(count, workers, "--engine", "dask"))
    return [
        ratios(
            f"a class of {count} with dask against the built-in pool, wall",
            [run.wall_seconds for run in dask],
            [run.wall_seconds for run in pool],
        ),
        ratios(
            "time for a hand-in once all processes are warm, dask against the pool",
            [1 / run.rate for run in dask],
            [1 / run.rate for run in pool],
        ),
        Measurement("growth of the client with each hand-in, pool", tuple(1024 * run.mib_each for run in pool), "KiB"),
        Measurement("growth of the client with each hand-in, dask", tuple(1024 * run.mib_each for run in dask), "KiB"),
    ]


def graded(count: int, workers: int, *engine: str) -> Run:
    """Grade a class through the command line, and look at how far it is, and how large the client."""
    with tempfile.TemporaryDirectory() as folder:
        command, out = class_command(Path(folder), count, workers)
        began = time.monotonic()
        process = subprocess.Popen([*command, *engine], stdout=subprocess.DEVNULL)
        seen = _watched(process, out, count)
        if process.wait() != 0:
            raise RuntimeError(f"grading ended with {process.returncode}")
        seconds = time.monotonic() - began
    (first_at, first, less), (last_at, last, more) = seen[0], seen[-1]
    return Run(seconds, (last - first) / (last_at - first_at), (more - less) / (last - first))


def _watched(process: subprocess.Popen, out: Path, count: int) -> list[tuple[float, int, float]]:
    """Time, hand-ins graded and the client's MiB, while the class is in its middle part."""
    seen: list[tuple[float, int, float]] = []
    client = psutil.Process(process.pid)
    while process.poll() is None:
        done = sum(1 for _ in out.glob("*/results.json"))
        if _FROM * count <= done <= _TO * count:
            seen.append((time.monotonic(), done, client.memory_info().rss / 2**20))
        time.sleep(_LOOK_SECONDS if count < 1000 else 10 * _LOOK_SECONDS)  # counting files takes time too
    if len(seen) < 2:
        raise RuntimeError("the class was graded before anybody could look: give a larger count")
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description="Grade a class with each engine.")
    parser.add_argument("count", type=int)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(enter_course())
    for figure in measure(options.count, options.workers, rounds=1):
        print(f"{figure.name:75} {figure.median:.3g} {figure.unit}", flush=True)


if __name__ == "__main__":
    main()
