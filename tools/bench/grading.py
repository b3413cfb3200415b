"""Grading: what the sandbox costs beside a bare fork, and how long a class takes.

python -m tools.bench grading                        the ratio
python -m tools.bench.grading 300 [--workers 2]      a class of 300, timed, with the memory of the whole run
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nbformat
import psutil

from grader.batch import Settings, Work, encode
from grader.pipeline import Grader
from grader.records import Job
from grader.report import feedback_page
from grader.slips import parse_variants
from tools.examples import with_answers
from utils import cell_code, extraction

NAME = "01_kl_divergence"
SLIPS = Path(__file__).resolve().parents[2] / "grader" / "slips" / f"{NAME}.py"


def measure(count: int = 24, rounds: int = 3) -> dict[str, float]:
    """Measure the CPU time of a submission to notebook 1, graded and merely run.

    Args:
        count: Submissions in a round, right and wrong.
        rounds: How often both are measured, in turn; medians are returned.

    Returns:
        `graded_cpu_ms`: reading, sandbox, comparing and both reports, a submission; `bare_cpu_ms`: a fork that runs the
        same cells and probes and pickles the values, without any sandbox; `ratio` of the two in the same round;
        `ratio_noise`: largest less smallest ratio.
    """
    submissions = [(f"s{n}", data) for n, data in zip(range(count), _submissions(), strict=False)]
    jobs: list[Job] = []
    with Grader(NAME, "bench") as grader, ProcessPoolExecutor(1, get_context("spawn"), _warm) as bare:
        run, grader.box.run = grader.box.run, lambda job: (jobs.append(job), run(job))[1]  # type: ignore[method-assign]
        _graded(grader, submissions)  # the inputs drawn for each are worked out once
        jobs.clear()
        _graded(grader, submissions)
        same = list(jobs)
        bare.submit(_bare, same[:2]).result()
        table = [(_graded(grader, submissions), bare.submit(_bare, same).result()) for _ in range(rounds)]
    ratios = [graded / alone for graded, alone in table]
    return {
        "graded_cpu_ms": 1000 * statistics.median(graded for graded, _ in table) / count,
        "bare_cpu_ms": 1000 * statistics.median(alone for _, alone in table) / count,
        "ratio": statistics.median(ratios),
        "ratio_noise": max(ratios) - min(ratios),
    }


def _submissions():
    """Different files without end: the usual slips, and right answers among them."""
    variants = [(), *((variant,) for variant in parse_variants(SLIPS.read_text(encoding="utf-8")))]
    made = [nbformat.writes(with_answers(NAME, variant)).encode() for variant in variants]
    n = 0
    while True:
        yield made[0 if n % 3 == 0 else n % len(made)] + b" " * n  # a different file, the same notebook
        n += 1


def _graded(grader: Grader, submissions: list[tuple[str, bytes]]) -> float:
    """CPU seconds of everything that is done for these submissions, in all processes."""
    settings = Settings(NAME, "bench")
    for known in (extraction._outline, cell_code.normalised_code):
        known.cache_clear()  # what an earlier round has parsed
    began = _cpu_seconds(grader)
    for student, data in submissions:
        report = grader.grade_bytes(data, "hw.ipynb", student)
        assert not report.fault, report.fault
        feedback_page(json.loads(encode(Work(student, "hw.ipynb", data), settings, report)))
    return _cpu_seconds(grader) - began


def _cpu_seconds(grader: Grader) -> float:
    total = time.process_time()
    keeper = psutil.Process(grader.box.pid)
    for process in (keeper, *keeper.children()):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


# ---------------------------------------------------------------- the same without a sandbox


def _warm() -> None:
    import gc

    from grader.sandbox.zygote import _warm_up

    _warm_up([NAME])
    gc.collect()
    gc.freeze()


def _bare(jobs: list[Job]) -> float:
    """CPU seconds of this process and of a fork for each job."""
    began = _own_cpu_seconds()
    for job in jobs:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            try:
                _run(job, writer)
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            stream.read()
        os.waitpid(pid, 0)
    return _own_cpu_seconds() - began


def _run(job: Job, writer: int) -> None:
    import importlib
    import pickle

    import torch

    from grader.probes.tools import seed_torch
    from grader.sandbox.child import _Names

    probes = importlib.import_module(f"grader.probes.{job.probes}")
    namespace: dict = {"__name__": "__main__"}
    values = {}
    for source in job.prelude:
        exec(compile(source, "<given>", "exec"), namespace)
    for cell in job.cells:
        _quietly(lambda cell=cell: exec(compile(cell.source, "<cell>", "exec"), namespace))
        for call in (call for call in job.calls if call.task in cell.tasks):
            inputs = {name: torch.from_numpy(array.copy()) for name, array in call.inputs.items()}
            seed_torch(0)
            values[call.name] = _quietly(lambda c=call, i=inputs: getattr(probes, c.function)(_Names(namespace), **i))
    arrays = {
        name: {key: torch.as_tensor(value).detach().numpy() for key, value in (found or {}).items()}
        for name, found in values.items()
    }
    with os.fdopen(writer, "wb") as stream:
        pickle.dump(arrays, stream)


def _quietly(action):
    try:
        return action()
    except Exception:
        return None  # a wrong answer may raise: that costs its time too


def _own_cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


# ---------------------------------------------------------------- a class


def time_class(count: int, workers: int) -> dict[str, float]:
    """Grade a class through the command line, from a cold start.

    Args:
        count: Submissions to notebook 1, right and wrong.
        workers: See `grade --workers`.

    Returns:
        `wall_seconds`; `cpu_seconds` of all processes; `peak_mib`: the largest sum of memory, shared pages counted once.
    """
    with tempfile.TemporaryDirectory() as folder:
        class_, out = Path(folder) / "class", Path(folder) / "out"
        class_.mkdir()
        for n, data in zip(range(count), _submissions(), strict=False):
            (class_ / f"s{n:05}.ipynb").write_bytes(data)
        command = [
            sys.executable,
            "-m",
            "grader",
            "grade",
            str(class_),
            "--out",
            str(out),
            "--workers",
            str(workers),
            "--min-tier",
            "E",
        ]
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a class.")
    parser.add_argument("count", type=int)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    for name, value in time_class(options.count, options.workers).items():
        print(f"{name:14} {value:.4g}")


if __name__ == "__main__":
    main()
