"""Grading without sandbox and notebook: the same steps, calls and judges in this process, some ten times as fast.

For answers of our own making only. The verdicts are those of the pipeline, since the child's own code makes the calls and
`compare` judges them; a test holds the two together.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import CodeType

import torch

from grader.authoring.check import Arrays, fresh_calls
from grader.records import Call, CellSource, Job, ProbeRun, Reading, SandboxRun, StudentError, Verdict
from grader.rubric import Rubric, load_rubric
from grader.rubric.draws import job_of
from grader.sandbox import frames
from grader.sandbox.child import START, _Run
from grader.sandbox.script import _status_of, ran, steps_of
from grader.stages.compare import compare
from grader.stages.literals import named
from utils.notebook.extraction import TaskSource

SEED = 20261


class _Channel:
    """What a child would have sent, decoded at once."""

    def __init__(self) -> None:
        self._decoder = frames.Decoder()
        self.values: dict[str, Arrays] = {}
        self.errors: dict[int, StudentError] = {}

    def sendall(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            header = frame.header
            if header["kind"] == "answer":
                self.values[header["probe"]] = frame.arrays
            elif header["kind"] == "error":
                lines = tuple(map(tuple, header.get("lines", [])))
                self.errors[header["number"]] = StudentError(header["type"], header.get("text", ""), lines)


def run_bare(job: Job, seen: dict | None = None) -> SandboxRun:
    """A job's cells and calls, here; `seen` is given the namespace that they leave."""
    channel, main = _Channel(), sys.modules["__main__"]
    public, hidden = steps_of(job, {}, is_hidden=True)
    try:
        with _as_before():
            run = _Run(channel, job.probes, job.tensors)  # type: ignore[arg-type]
            for given in _given(job.prelude):
                exec(given, run.namespace)
            run.keep(START)
            for number, step in enumerate((*public, *hidden)):
                run.step(
                    number,
                    step | {"inputs": step["call"].inputs if "call" in step else {}},
                    is_public=number < len(public),
                )
            run.send({"kind": "end"})
            if seen is not None:
                seen.update(run.namespace)
    finally:
        sys.modules["__main__"] = main
    steps = [*public, *hidden]
    numbers = {step["name"]: n for n, step in enumerate(steps) if step["do"] == "probe"}
    cells = {int(step["cell"]): channel.errors.get(n) for n, step in enumerate(steps) if step["do"] == "cell"}
    runs = {}
    for call in job.calls:
        asked = job.asked_by[call.name]
        error = channel.errors.get(numbers[asked])
        if error is not None:
            runs[call.name] = ProbeRun(call.name, _status_of(error), error=error)
        else:
            runs[call.name] = ran(call.name, channel.values.get(asked, {}))
    outcomes = {cell: ProbeRun(f"cell {cell}", _status_of(e) if e else "ran", error=e) for cell, e in cells.items()}
    return SandboxRun(runs, outcomes, 0.0, 0.0)


@cache
def _given(prelude: tuple[str, ...]) -> list[CodeType]:
    """Run anew in each namespace: what it defines then reads the names that a probe replaces there."""
    return [compile(source, "<given>", "exec", dont_inherit=True) for source in prelude]


@contextmanager
def _as_before() -> Iterator[None]:
    """What a mutant may leave behind is put back."""
    names = torch.randn, torch.randn_like, torch.normal, torch.Tensor.normal_
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.randn, torch.randn_like, torch.normal, torch.Tensor.normal_ = names
        torch.set_grad_enabled(True)
        torch.set_rng_state(state)


class Bare:
    """Grades answers to single tasks of one notebook."""

    def __init__(self, name: str, seed: int = SEED) -> None:
        self.rubric = load_rubric(name)
        self.solution = {task: cell for cell in self.rubric.references.solution for task in cell.tasks}
        self._asked = _asked(self.rubric, seed)
        self._fresh: dict[str, dict[str, Arrays]] = {}

    def failed(self, task: str, source: str) -> list[Verdict]:
        """The verdicts of a task's checks that do not pass; empty for full marks."""
        return self.tried(task, source)[0]

    def tried(self, task: str, source: str) -> tuple[list[Verdict], dict]:
        """As `failed`, and the namespace that the answer leaves. Drawn inputs follow where the public ones say nothing."""
        seen: dict = {}
        lost = self.lost_on(task, source, True, seen) or self.lost_on(task, source, False, seen)
        return lost, seen

    def lost_on(self, task: str, source: str, is_public: bool, seen: dict | None = None) -> list[Verdict]:
        """As `failed`, on the public inputs alone or on the drawn ones alone; `seen` is given the namespace that is left."""
        asked = tuple(call for call in self._asked if call.task == task and call.is_public == is_public)
        return self.judged(task, source, asked, self._references(task), {}, seen)

    def public(self, task: str) -> tuple[Call, ...]:
        """A task's public calls."""
        return tuple(call for call in self._asked if call.task == task and call.is_public)

    def judged(
        self, task: str, source: str, asked: tuple[Call, ...], references: dict[str, Arrays],
        beside: Mapping[str, str], seen: dict | None = None,
    ) -> list[Verdict]:  # fmt: skip
        """The verdicts that do not pass for calls of one's own, with other answers than the solution's beside it."""
        job = self._job(task, source, asked, beside)
        run, reading = run_bare(job, seen), self._reading(task, job)
        verdicts = compare(replace(self.rubric, assignment=reading.assignment), reading, run, job.calls, references)
        return [v for v in verdicts if v.task == task and v.status not in ("passed", "manual")]

    def solved(self, task: str, asked: tuple[Call, ...]) -> dict[str, Arrays]:
        """What the solution returns."""
        solved = run_bare(self._job(task, self.solution[task].source, asked))
        return {name: run.values for name, run in solved.runs.items()}

    def _references(self, task: str) -> dict[str, Arrays]:
        """What the solution returns for the drawn inputs."""
        if task not in self._fresh:
            drawn = tuple(call for call in self._asked if call.task == task and not call.is_public)
            self._fresh[task] = self.solved(task, drawn)
        return self._fresh[task]

    def _job(self, task: str, source: str, asked: tuple[Call, ...], beside: Mapping[str, str] = {}) -> Job:
        cells = [
            CellSource(self.solution[other].cell, beside.get(other, self.solution[other].source), ())
            for other in _used(self.rubric, task, source)
        ]
        mine = named(CellSource(self.solution[task].cell, source, (task,)), self.rubric)
        return job_of(self.rubric.assignment, (*cells, mine), asked)

    def _reading(self, task: str, job: Job) -> Reading:
        """Of a notebook that has no other task."""
        whole = self.rubric.assignment
        question = next(q for q in whole.questions if any(one.id == task for one in q.tasks))
        own = replace(question, tasks=tuple(one for one in question.tasks if one.id == task), parts=())
        source = TaskSource(task, job.cells[-1].cell, job.cells[-1].source)
        assignment = replace(whole, questions=(own,))
        return Reading(assignment, "bare", {task: source}, {}, {}, {question.id: ()}, ())


def _asked(rubric: Rubric, seed: int) -> tuple[Call, ...]:
    return (*rubric.public, *drawn_calls(rubric, "", seed))


def drawn_calls(rubric: Rubric, task: str, seed: int) -> list[Call]:
    """The calls with the inputs of one draw; of all tasks for ""."""
    return [call for check in rubric.checks if task in ("", check.task) for call in fresh_calls(check, seed)]


def _used(rubric: Rubric, task: str, source: str) -> list[str]:
    """The tasks before this one whose answers it uses, in their order."""
    solution = {task: cell.source for cell in rubric.references.solution for task in cell.tasks}
    defines = {one.id: one.defines for one in rubric.assignment.tasks}
    used, found = solution[task] + source, []
    for other in reversed(list(solution)[: list(solution).index(task)]):
        if any(re.search(rf"\b{word}\b", used) for word in defines[other]):
            found.append(other)
            used += solution[other]
    return found[::-1]
