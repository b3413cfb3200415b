"""A class graded by a dask cluster that workers die in, against the same class graded by the built-in pool.

    python -m tests.cluster [COUNT] [--workers 4] [--kills 3] [--seed 0]

A scheduler and its workers are started as programs of their own, as on a cluster; one worker more has other code. While the
class is graded, so many workers are killed at random moments, and one hand-in kills every worker that grades it. Ends with 1
unless all results are, byte for byte, those of the built-in pool, the worker with other code was refused by name, and nobody but the one
hand-in was given up. Needs dask: pip install -r requirements-cluster.txt.
"""

import argparse
import contextlib
import importlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import psutil

from grader.cli import main as grader
from tests.mortals import die_for, written
from tools.bench.grading import submissions

PROJECT = Path(__file__).resolve().parents[1]
KILLER = "s00007"
SALT = {"GRADER_SALT": "cluster"}
OTHER_CODE = "grader/stages/compare.py"
_SECONDS = 60.0


@contextlib.contextmanager
def cluster(place: Path, workers: int) -> Iterator[str]:
    """A scheduler and workers, one of them of other code, each with a guardian that starts it again.

    Yields:
        The scheduler's address.
    """
    other = _other_code(place / "other")
    address = f"tcp://127.0.0.1:{_free_port()}"
    schedule = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--no-dashboard",
        "--no-show",
    ]
    work = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        address,
        "--nthreads",
        "1",
        "--no-dashboard",
        "--memory-limit",
        "0",
    ]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(place / "cluster.log", "wb"))

        def started(command: list[str], folder: Path) -> None:
            path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
            process = subprocess.Popen(
                command, cwd=folder, env=os.environ | SALT | {"PYTHONPATH": path}, stdout=log, stderr=log
            )
            stack.callback(_end, process)

        started([*schedule, "--port", address.rpartition(":")[2]], PROJECT)
        for number in range(workers):
            started([*work, "--name", f"node{number}", "--local-directory", str(place / f"node{number}")], PROJECT)
        started([*work, "--name", "other", "--local-directory", str(place / "node")], other)
        yield address


def _end(process: subprocess.Popen) -> None:
    family = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.kill()
    process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _other_code(folder: Path) -> Path:
    """The project, with a line more in a module that can move a score."""
    for name in ("grader", "utils", "assignments", "tests", "tools"):
        shutil.copytree(
            PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb", "figures")
        )
    for path in PROJECT.glob("*.t*"):
        if path.is_file():
            shutil.copy(path, folder)
    shutil.copytree(PROJECT / "data", folder / "data")
    with open(folder / OTHER_CODE, "a", encoding="utf-8") as file:
        file.write("\n# another version\n")
    return folder


def grade(class_: Path, out: Path, *more: str) -> tuple[int, float]:
    """Grade with one hand-in that kills who grades it; the exit code, and the seconds it took."""
    began = time.monotonic()
    with mock.patch("grader.classes.run.grade_hand_in", partial(die_for, KILLER)), mock.patch.dict(os.environ, SALT):
        code = grader(["grade", str(class_), "--out", str(out), "--min-tier", "E", *more])
    return code, time.monotonic() - began


def kill_some(address: str, out: Path, count: int, kills: int, rng: random.Random) -> list[int]:
    """Kill workers while results come in; how many there were each time."""
    Client = importlib.import_module("distributed").Client
    moments = sorted(rng.sample(range(1, max(2, count - 1)), kills))
    done: list[int] = []
    with Client(address, set_as_default=False) as client:
        for moment in moments:
            while (there := len(list(out.glob("*/results.json")))) < moment:
                time.sleep(0.05)
            with contextlib.suppress(Exception):
                pids = client.run(os.getpid, on_error="ignore")
                os.kill(rng.choice(sorted(pids.values())), signal.SIGKILL)
                done.append(there)
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description="Grade a class in a cluster that workers die in.")
    parser.add_argument("count", type=int, nargs="?", default=3000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        place = Path(folder)
        (place / "class").mkdir()
        for student, data in submissions(options.count):
            (place / "class" / f"{student}.ipynb").write_bytes(data)
        _, alone = grade(place / "class", place / "pool", "--workers", str(options.workers))
        said = place / "said"
        with cluster(place, options.workers) as address, open(said, "w", encoding="utf-8") as stderr:
            rng, killed = random.Random(options.seed), []
            thread = threading.Thread(
                target=lambda: killed.extend(kill_some(address, place / "dask", options.count, options.kills, rng)),
                daemon=True,
            )
            thread.start()
            with contextlib.redirect_stderr(stderr):
                _, together = grade(place / "class", place / "dask", "--engine", "dask", "--scheduler", address)
            thread.join(_SECONDS)
        text = said.read_text(encoding="utf-8")
        print(text)
        here, there = written(place / "pool"), written(place / "dask")
        wrong += [
            f"{name} differs" for name in sorted(here.keys() | there.keys()) if here.get(name) != there.get(name)
        ][:10]
        if "is refused: " not in text or "another code of the grader" not in text:
            wrong.append("the worker with other code was not refused by name")
        if text.count("grader error") != 1:
            wrong.append(f"{text.count('grader error')} hand-ins were given up, one was to be")
        if len(killed) != options.kills:
            wrong.append(f"{len(killed)} of {options.kills} workers were killed")
    print(f"{options.count} hand-ins: {alone:.1f} s in the pool, {together:.1f} s in the cluster, killed at {killed}")
    print("\n".join(wrong) or "The same, byte for byte.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
