"""Grading through the command line, from a cold start: one hand-in, and a class."""

import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from tools.bench.grading import each_submission, submissions
from tools.bench.timing import seconds_of


def time_alone() -> float:
    """Wall seconds of one submission to notebook 1 through the command line, from a cold start."""
    with tempfile.TemporaryDirectory() as folder:
        ((student, data),) = submissions(1)
        path = Path(folder) / f"{student}.ipynb"
        path.write_bytes(data)
        command = [sys.executable, "-m", "grader", "grade", str(path), "--out", f"{folder}/out", "--min-tier", "E"]
        return seconds_of(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True))[0]


def class_command(folder: Path, count: int, workers: int) -> tuple[list[str], Path]:
    """A class in a folder, the command that grades it, and where its results go."""
    class_, out = folder / "class", folder / "out"
    class_.mkdir()
    for student, data in each_submission(count):
        (class_ / f"{student}.ipynb").write_bytes(data)
    command = [sys.executable, "-m", "grader", "grade", str(class_), "--out", str(out), "--min-tier", "E"]
    return [*command, "--workers", str(workers)], out


def time_class(count: int, workers: int) -> dict[str, float]:
    """Grade a class through the command line, from a cold start.

    Args:
        count: Submissions to notebook 1, right and wrong.
        workers: See `grade --workers`.

    Returns:
        `wall_seconds`; `cpu_seconds` of all processes; `peak_mib`: the largest sum of memory, shared pages counted once.
    """
    with tempfile.TemporaryDirectory() as folder:
        command, out = class_command(Path(folder), count, workers)
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peak = [0.0]
        threading.Thread(target=_watch, args=(process.pid, peak), daemon=True).start()
        if process.wait() != 0:
            raise RuntimeError(f"grading ended with {process.returncode}")
        seconds, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert len(list(out.glob("*/results.json"))) == count
    cpu = now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak[0]}


def _watch(pid: int, peak: list[float]) -> None:
    while psutil.pid_exists(pid):
        try:
            top = psutil.Process(pid)
            total = sum(process.memory_full_info().pss for process in (top, *top.children(recursive=True)))
            peak[0] = max(peak[0], total / 2**20)
        except psutil.Error:
            continue
        time.sleep(0.5)
