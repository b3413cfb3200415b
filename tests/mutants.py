"""Grade the mutants of a notebook's reference solution: a wrong answer must not get full marks.

    python -m tests.mutants 01_kl_divergence [--task kl.D_KL] [--workers N]

Every mutant of `tests.mutator` is handed in as a notebook of its own and goes through the whole grader. It is killed when
a check of its own task does not pass. The survivors are explained in tests/mutants/NAME.yaml, each in one sentence that
says why it is no wrong answer; one without an explanation, or an explanation without a survivor, fails the run.
"""

import argparse
import atexit
import re
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import yaml
from nbformat import v4

from grader import pool
from grader.pipeline import Grader
from grader.records import CellSource
from grader.rubric import load_rubric
from tests.mutator import Mutant, mutants_of
from utils.assignments import assignment_names
from utils.cells import tag_line

FOLDER = Path(__file__).parent / "mutants"
_MINUTES_LEFT_EVERY = 50


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    check: str  # the first check of its task that did not pass; "" for a survivor
    status: str

    @property
    def is_killed(self) -> bool:
        return bool(self.check)


def all_mutants(name: str) -> list[Mutant]:
    """The mutants of all autograded cells of a notebook, in its order."""
    return [mutant for cell in _solution(name) for mutant in mutants_of(cell.tasks[0], cell.source)]


def graded(name: str, mutants: Iterable[Mutant], workers: int = 1) -> Iterator[Outcome]:
    """Grade mutants, in their order.

    Raises:
        ValueError: If the solution itself, handed in the same way, does not get a task's full marks.
    """
    mutants = list(mutants)
    for task in dict.fromkeys(mutant.task for mutant in mutants):
        check, status = grade_answer(name, task, None)
        if check:
            raise ValueError(f"{name}: the solution of {task} does not pass {check} ({status})")
    with _executor(name, workers) as executor:
        futures = [executor.submit(grade_answer, name, mutant.task, mutant.source) for mutant in mutants]
        for mutant, future in zip(mutants, futures, strict=True):
            yield Outcome(mutant, *future.result())


def grade_answer(name: str, task: str, source: str | None) -> tuple[str, str]:
    """Hand in an answer to one task, beside the solution's cells that it builds on.

    Args:
        name: The notebook.
        task: The task.
        source: Its cell, with or without the tag; None for the solution's own.

    Returns:
        The first check of the task that does not pass, and its status; ("", "passed") if all pass.
    """
    report = _grader(name).grade_bytes(_submission(name, task, source), "mutant.ipynb", "student")
    assert not report.rejection, report.rejection
    assert not report.fault, report.fault
    failed = [
        verdict for verdict in report.verdicts if verdict.task == task and verdict.status not in ("passed", "manual")
    ]
    return (failed[0].check, failed[0].status) if failed else ("", "passed")


def _submission(name: str, task: str, source: str | None) -> bytes:
    """A notebook with the answer's cell and those before it that it uses: what else there is needs no grading."""
    cells = _solution(name)
    own = next(n for n, cell in enumerate(cells) if task in cell.tasks)
    tag = tag_line(cells[own].source)
    texts = [cells[own].source if source is None else source]
    if tag_line(texts[0]) is None:
        texts[0] = f"{tag}\n{texts[0]}"
    used = cells[own].source
    defines = {task.id: task.defines for task in load_rubric(name).assignment.tasks}
    for cell in reversed(cells[:own]):
        if any(re.search(rf"\b{word}\b", used) for task_id in cell.tasks for word in defines[task_id]):
            texts.insert(0, cell.source)
            used += cell.source
    notebook = v4.new_notebook(cells=[v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(texts)])
    return nbformat.writes(notebook).encode()


@cache
def _solution(name: str) -> tuple[CellSource, ...]:
    return load_rubric(name).references.solution


@cache
def _grader(name: str) -> Grader:
    """One for the life of the process."""
    grader = Grader(name, salt="mutants", quality_seconds=0, slot=pool.slot)
    atexit.register(grader.__exit__)
    return grader.__enter__()


def _executor(name: str, workers: int) -> Executor:
    return pool.Workers(workers, _grader, name) if workers > 1 else pool.Here()


# ---------------------------------------------------------------- explanations


@dataclass(frozen=True)
class Explanation:
    """Why a mutant may survive. The fields above `because` name the mutant."""

    task: str
    was: str
    becomes: str
    nth: int
    because: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.task, self.was, self.becomes, self.nth


def explanations(name: str) -> list[Explanation]:
    """The explained survivors of a notebook; none if it has no file.

    Raises:
        ValueError: If an entry has no explanation, or two explain the same mutant.
    """
    path = FOLDER / f"{name}.yaml"
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or [] if path.exists() else []
    found = [
        Explanation(e["task"], e["was"], e.get("becomes") or "", e.get("nth", 1), e["because"] or "") for e in entries
    ]
    for n, one in enumerate(found):
        if len(one.because.split()) < 4:
            raise ValueError(f"{path.name}: {one.was!r} of {one.task} needs a sentence in `because`")
        if one.key in {other.key for other in found[:n]}:
            raise ValueError(f"{path.name}: {one.was!r} of {one.task} is explained twice")
    return found


def complaints(name: str, outcomes: list[Outcome], tasks: set[str]) -> list[str]:
    """Survivors without an explanation and explanations without a survivor, among some tasks."""
    survivors = {outcome.mutant.key for outcome in outcomes if not outcome.is_killed}
    explained = {one.key for one in explanations(name) if one.task in tasks}
    file = f"tests/mutants/{name}.yaml"
    return [
        *(f"{key[0]}: a mutant survives: `{key[1]}` -> `{key[2]}`" for key in sorted(survivors - explained)),
        *(
            f"{key[0]}: no such survivor, take it out of {file}: `{key[1]}` -> `{key[2]}`"
            for key in sorted(explained - survivors)
        ),
    ]


def entry(mutant: Mutant) -> str:
    """A survivor as it stands in the file of explanations, the sentence still open."""
    fields = {"task": mutant.task, "was": mutant.was, "becomes": mutant.becomes} | (
        {"nth": mutant.nth} if mutant.nth > 1 else {}
    )
    return yaml.safe_dump([fields | {"because": ""}], sort_keys=False, allow_unicode=True, width=10_000)


# ---------------------------------------------------------------- command line


def main(arguments: list[str] | None = None) -> int:
    """Grade and report; 1 if something is left to explain or to mend."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Grade the mutants of a solution.")
    parser.add_argument("name", choices=assignment_names())
    parser.add_argument("--task", action="append", help="only this task's; may be given several times")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    mutants = [m for m in all_mutants(options.name) if not options.task or m.task in options.task]
    if not mutants:
        parser.error(f"{options.name} has no task {' or '.join(options.task)}")
    outcomes = _watched(options.name, mutants, options.workers)
    tasks = list(dict.fromkeys(mutant.task for mutant in mutants))
    for task in tasks:
        own = [outcome for outcome in outcomes if outcome.mutant.task == task]
        print(f"{task:28} {sum(o.is_killed for o in own):4} of {len(own):4} killed")
    open_ones = complaints(options.name, outcomes, set(tasks))
    unexplained = {o.mutant.key: o.mutant for o in outcomes if not o.is_killed}
    for one in explanations(options.name):
        unexplained.pop(one.key, None)
    if unexplained:
        print(f"\nEach is either killed by a better check or explained in tests/mutants/{options.name}.yaml:\n")
        print("".join(entry(mutant) for mutant in unexplained.values()))
    print(
        "\n".join(line for line in open_ones if "no such survivor" in line) or f"{len(open_ones)} to explain or to mend"
    )
    return 1 if open_ones else 0


def _watched(name: str, mutants: list[Mutant], workers: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    began = time.monotonic()
    for outcome in graded(name, mutants, workers):
        outcomes.append(outcome)
        if len(outcomes) % _MINUTES_LEFT_EVERY == 0:
            left = (time.monotonic() - began) / len(outcomes) * (len(mutants) - len(outcomes))
            print(f"{len(outcomes)} of {len(mutants)}, {left / 60:.0f} min left", file=sys.stderr)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
