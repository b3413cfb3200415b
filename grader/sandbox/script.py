"""A job as the child's script of steps, and the script's outcome as records."""

import json
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from grader.records import Call, CellSource, Job, ProbeRun, SandboxRun, StudentError
from grader.sandbox import frames
from grader.sandbox.child import CONTRACT, START
from grader.sandbox.watch import STEP_SECONDS, Attempt, SandboxError, Told
from utils.exercise.short_errors import is_open_gap
from utils.notebook.extraction import TaskSource

_MAX_FACTS = 32
Steps = tuple[list[dict], list[dict]]  # public, hidden
Skipped = dict[str, ProbeRun]  # tasks and cells ("cell 7") that ended an attempt: left out of the next


def merge_cells(sources: Iterable[TaskSource]) -> tuple[CellSource, ...]:
    """Task sources as cells to run, in the notebook's order: a cell that answers two tasks runs once."""
    cells: dict[int, CellSource] = {}
    for source in sources:
        tasks = cells[source.cell].tasks if source.cell in cells else ()
        cells[source.cell] = CellSource(source.cell, source.source, (*tasks, source.task))
    return tuple(cells[number] for number in sorted(cells))


def steps_of(job: Job, skipped: Skipped, is_hidden: bool) -> Steps:
    """Public steps in the notebook's order, then, if asked for, the hidden ones, without what ended an earlier attempt."""
    public: list[dict] = []
    hidden: list[dict] = []
    start = START
    for cell in job.cells:
        if f"cell {cell.cell}" in skipped:
            continue
        keep = str(cell.cell)
        run = {"do": "cell", "cell": cell.cell, "source": cell.source, "start": start, "keep": keep}
        public.append({**run, "stand_ins": cell.stand_ins, "behind": cell.behind, "seconds": STEP_SECONDS})
        start = start if cell.is_aside else keep
        calls = [call for call in job.calls if call.task in cell.tasks and call.task not in skipped]
        calls = [call for call in calls if job.asked_by[call.name] == call.name]
        public += [_probe_step(call) for call in calls if call.is_public]
        secret = [_probe_step(call) for call in calls if not call.is_public]
        if secret and is_hidden:
            hidden += [{"do": "restore", "cell": cell.cell, "keep": keep, "seconds": STEP_SECONDS}, *secret]
    return public, hidden


def _probe_step(call: Call) -> dict:
    return {
        "do": "probe", "name": call.name, "task": call.task, "function": call.function,
        "call": call, "seconds": call.wall_seconds, "watched": call.watched,
    }  # fmt: skip


def encode_script(job: Job | None, steps: list[dict]) -> bytes:
    """The frames that carry a list of steps and its inputs; the first list of a job carries the job's settings too."""
    plain = [{key: value for key, value in step.items() if key not in ("call", "seconds", "task")} for step in steps]
    script: dict = {"steps": plain}
    if job is not None:
        script |= {"probes": job.probes, "prelude": job.prelude, "not_allowed": job.not_allowed}
        script["tensors"] = job.tensors
    data = [frames.encode({"kind": "script"}, {"steps": np.frombuffer(json.dumps(script).encode(), np.uint8)})]
    data += [step["call"].frame for step in steps if step["do"] == "probe"]
    return b"".join([*data, frames.encode({"kind": "go"})])


def blame(attempt: Attempt, steps: Steps, skipped: Skipped) -> None:
    """Note the step that ended the attempt, to be left out of the next.

    The child announces each step itself, so a liar can only blame a step of its own.

    Raises:
        SandboxError: If it ended before any student code ran.
    """
    if attempt.step < 0:
        raise SandboxError(f"the child ended before its first step ({attempt.fault})")
    step = (steps[0] + steps[1])[attempt.step]
    run = ProbeRun(step.get("name", ""), attempt.fault, limit=f"{step['seconds']:g} s")
    skipped[step["task"] if step["do"] == "probe" else f"cell {step['cell']}"] = run


def collect(
    job: Job, steps: Steps, told: Told, skipped: Skipped, cpu_seconds: float, wall_seconds: float
) -> SandboxRun:
    """What the last attempt told: answers to public calls, and the reasons for those that are not there."""
    errors = {_name(step): told.errors[n] for n, step in enumerate(steps[0]) if n in told.errors}
    cell_of = {task: f"cell {cell.cell}" for cell in job.cells for task in cell.tasks}
    cells = {}
    for cell in job.cells:
        name = f"cell {cell.cell}"
        cells[cell.cell] = skipped.get(name) or _errored(name, errors) or ProbeRun(name, "ran")
    runs = {}
    for call in job.calls:
        if not call.is_public:
            continue
        asked = job.asked_by[call.name]
        stopped = skipped.get(call.task) or skipped.get(cell_of.get(call.task, ""))
        if stopped is not None:
            runs[call.name] = ProbeRun(call.name, stopped.status, limit=stopped.limit)
        elif asked in told.values:
            runs[call.name] = ran(call.name, told.values[asked])
        else:
            ended = _errored(asked, errors) or ProbeRun(asked, told.fault or "killed")
            runs[call.name] = replace(ended, call=call.name)
    return SandboxRun(runs, cells, cpu_seconds, wall_seconds)


def ran(call: str, sent: dict[str, np.ndarray]) -> ProbeRun:
    """The answer's values, and apart from them the facts about the calls."""
    values = {name: value for name, value in sent.items() if name != CONTRACT}
    row = sent.get(CONTRACT, np.empty(0))
    facts = tuple(row.tolist()) if row.ndim == 1 and row.size <= _MAX_FACTS and row.dtype.kind == "i" else ()
    return ProbeRun(call, "ran", values, facts=facts)


def hidden_values(job: Job, attempt: Attempt) -> dict[str, dict[str, np.ndarray]]:
    """The arrays that hidden calls returned, by call: all that is taken from a process that knows hidden inputs."""
    answered = {call.name: job.asked_by[call.name] for call in job.calls if not call.is_public}
    return {call: attempt.values[asked] for call, asked in answered.items() if asked in attempt.values}


def _name(step: dict) -> str:
    return step["name"] if step["do"] == "probe" else f"{step['do']} {step['cell']}"


def _errored(name: str, errors: dict[str, StudentError]) -> ProbeRun | None:
    error = errors.get(name)
    return ProbeRun(name, _status_of(error), error=error) if error else None


def _status_of(error: StudentError) -> str:
    if error.type == "malformed":
        return "malformed"
    if error.type in ("MemoryError", "OutOfMemoryError") or "DefaultCPUAllocator" in error.text:
        return "memory"
    if error.type == "NotImplementedError" and is_open_gap(error.text):
        return "missing"
    return "raised"
