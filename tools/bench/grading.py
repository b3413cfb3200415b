"""What grading costs: a submission of notebook 1 beside a bare fork, beside `import torch`, and the other notebooks.

    python -m tools.bench grading

CPU seconds of all processes are counted, which others on the machine disturb little; only ratios within a round count.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import nbformat
import psutil

from grader.authoring.measurement import Measurement, ratios
from grader.authoring.slips import parse_variants
from grader.classes.batch import Settings, Work, encode
from grader.records import Job
from grader.report import feedback_page
from grader.stages.pipeline import Grader, graded_assignments
from tools.bench.timing import cpu_seconds, import_torch, seconds_of
from tools.examples import with_answers
from utils.assignments import assignment_names
from utils.assignments.places import place_of
from utils.notebook.cell_code import normalised_code
from utils.notebook.extraction import outline

NAME = assignment_names()[0]  # the course's first
SLIPS = place_of(NAME).path / "slips.py"


def measure(count: int = 24, rounds: int = 5) -> list[Measurement]:
    """Measure the CPU time of a submission: graded, and merely run.

    Args:
        count: Submissions to notebook 1 in a round, right and wrong; a quarter as many, all right, to each other notebook.
        rounds: How often everything is measured, in turn.

    Returns:
        Reading, sandbox, comparing and both reports, in CPU milliseconds; the same against a fork that runs the same cells
        and probes and pickles the values, without any sandbox; against a process that imports torch; and what a
        submission to each other notebook costs against notebook 1.
    """
    class_ = submissions(count)
    others = [name for name in graded_assignments() if name != NAME]
    jobs: dict[int, Job] = {}
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(ProcessPoolExecutor(1, get_context("spawn"), _warm))
        graders = {name: stack.enter_context(Grader(name, "bench", quality_seconds=0)) for name in (NAME, *others)}
        solved = {name: [("s", nbformat.writes(with_answers(name, ())).encode())] * (count // 4) for name in others}
        box, attempt = graders[NAME].box, graders[NAME].box.attempt
        box.attempt = lambda job, *rest: attempt(jobs.setdefault(id(job), job), *rest)  # type: ignore[method-assign]
        for _ in range(2):  # the inputs drawn for each are worked out once
            jobs.clear()
            _graded(graders[NAME], class_)
        same = list(jobs.values())
        bare.submit(_bare, same[:2]).result()
        for name in others:
            _graded(graders[name], solved[name])
        graded, alone, torch_cpu, other = [], [], [], []
        for _ in range(rounds):
            graded.append(_graded(graders[NAME], class_) / count)
            alone.append(bare.submit(_bare, same).result() / count)
            torch_cpu.append(seconds_of(import_torch)[1])
            other.append([_graded(graders[name], solved[name]) / len(solved[name]) for name in others])
    return [
        Measurement("a submission to notebook 1, graded, with both reports", tuple(1000 * g for g in graded), "CPU ms"),
        ratios("the same against a bare fork that runs its cells and probes", graded, alone),
        ratios("the same against a process that imports torch", graded, torch_cpu),
        *(
            ratios(f"a submission to `{name}` against one to notebook 1", [row[n] for row in other], graded)
            for n, name in enumerate(others)
        ),
    ]


def submissions(count: int) -> list[tuple[str, bytes]]:
    """Different files for notebook 1: the usual slips, and right answers among them."""
    return list(each_submission(count))


def each_submission(count: int) -> Iterator[tuple[str, bytes]]:
    """As `submissions`, one at a time in memory."""
    variants = [(), *((variant,) for variant in parse_variants(SLIPS.read_text(encoding="utf-8")))]
    made = [nbformat.writes(with_answers(NAME, variant)).encode() for variant in variants]
    for n in range(count):  # a different file each time, though the notebook may be the same
        yield f"s{n:05}", made[0 if n % 3 == 0 else n % len(made)] + b" " * n


def _graded(grader: Grader, class_: list[tuple[str, bytes]]) -> float:
    """CPU seconds of everything that is done for these submissions, in all processes."""
    settings = Settings(grader.notebook, "bench")
    for known in (outline, normalised_code):
        known.cache_clear()  # what an earlier round has parsed
    began = cpu_seconds_of(grader)
    for student, data in class_:
        report = grader.grade_bytes(data, "hw.ipynb", student)
        assert not report.fault, report.fault
        feedback_page(json.loads(encode(Work(student, "hw.ipynb", data), settings, report)))
    return cpu_seconds_of(grader) - began


def cpu_seconds_of(grader: Grader) -> float:
    """CPU seconds of this process, and of the sandbox's with all that it forked."""
    total = time.process_time()
    keeper = psutil.Process(grader.box.pid)
    for process in (keeper, *keeper.children()):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


# ---------------------------------------------------------------- the same without a sandbox


def _warm() -> None:
    import gc

    from grader.sandbox.warm_up import warm_up

    warm_up([NAME])
    gc.collect()
    gc.freeze()


def _bare(jobs: list[Job]) -> float:
    """CPU seconds of this process and of a fork for each job."""
    began = cpu_seconds()
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
    return cpu_seconds() - began


def _run(job: Job, writer: int) -> None:
    import importlib
    import pickle

    import numpy as np

    from grader.sandbox.child import _array, _Names

    torch = importlib.import_module("torch") if job.tensors else None

    probes = importlib.import_module(job.probes)
    namespace: dict = {"__name__": "__main__"}
    values = {}
    for source in job.prelude:
        exec(compile(source, "<given>", "exec"), namespace)
    for cell in job.cells:
        _quietly(lambda cell=cell: exec(compile(cell.source, "<cell>", "exec"), namespace))
        for call in (call for call in job.calls if call.task in cell.tasks):
            inputs = {name: array.copy() for name, array in call.inputs.items()}
            np.random.seed(0)
            if torch:
                inputs = {name: torch.from_numpy(array) for name, array in inputs.items()}
                torch.default_generator.manual_seed(0)
            values[call.name] = _quietly(
                lambda c=call, i=inputs: getattr(probes, c.function)(_Names(namespace, c.is_public), **i)
            )
    arrays = {
        name: {key: _array(key, value, torch) for key, value in (found or {}).items()} for name, found in values.items()
    }
    with os.fdopen(writer, "wb") as stream:
        pickle.dump(arrays, stream)


def _quietly(action):
    try:
        return action()
    except Exception:
        return None  # a wrong answer may raise: that costs its time too
