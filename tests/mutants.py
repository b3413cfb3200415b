"""Grade the mutants of a notebook's reference solution: a wrong answer must not get full marks.

    python -m tests.mutants 01_kl_divergence [--task kl.D_KL] [--workers N]

Every mutant of `tests.mutator` is handed in as a notebook of its own and goes through the whole grader. It is killed when
a check of its own task does not pass. The survivors are explained in `survivors.yaml` of the assignment, each in one sentence that
says why it is no wrong answer; one without an explanation, or an explanation without a survivor, fails the run.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import nbformat
from nbformat import v4

from grader.classes.batch import Settings, sandboxes, tier_here
from grader.classes.pool import Workers
from grader.records import CellSource, Seat, Verdict
from grader.report.results import is_for_a_person
from grader.rubric import load_rubric
from grader.stages.pipeline import Grader
from tests.explanations import entry, left_open
from tests.mutator import Mutant, mutants_of
from tools.notebooks import student_notebook
from utils.assignments import assignment_names
from utils.assignments.course import add_course_option, enter_course
from utils.notebook.extraction import tag_line

_TOLD_EVERY = 50  # mutants


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


def solution_of(name: str) -> dict[str, str]:
    """The reference solution's cells, by task in the notebook's order."""
    return {task: cell.source for cell in _solution(name) for task in cell.tasks}


def graded(name: str, mutants: Iterable[Mutant], workers: int = 1) -> Iterator[Outcome]:
    """Grade mutants, in their order.

    Raises:
        ValueError: If the solution itself, handed in the same way, does not get a task's full marks.
    """
    mutants = list(mutants)
    tasks = list(dict.fromkeys(mutant.task for mutant in mutants))
    for task, failed in zip(tasks, graded_answers(name, [(task, "") for task in tasks]), strict=True):
        if failed:
            raise ValueError(f"{name}: the solution of {task} does not get full marks: {failed[0].sentence}")
    answers = [(mutant.task, mutant.source) for mutant in mutants]
    for mutant, failed in zip(mutants, graded_answers(name, answers, workers), strict=True):
        yield Outcome(mutant, failed[0].check if failed else "", failed[0].status if failed else "passed")


def graded_answers(name: str, answers: Iterable[tuple[str, str]], workers: int = 1) -> Iterator[list[Verdict]]:
    """Grade answers to single tasks; see `failed_checks`.

    Args:
        name: The notebook.
        answers: Pairs of a task and its cell.
        workers: Processes.
    """
    if workers == 1:
        yield from (_failed_here(name, task, source) for task, source in answers)
        return
    with Workers(workers, tier_here, _settings(name), Seat()) as executor:
        futures = [executor.submit(_failed_here, name, task, source, Seat()) for task, source in answers]
        for future in futures:
            yield future.result()


def _failed_here(name: str, task: str, source: str, seat: Seat = Seat()) -> list[Verdict]:
    return failed_checks(sandboxes.grader(_settings(name), seat), name, task, source)


def _settings(name: str) -> Settings:
    return Settings(name, salt="mutants", quality_seconds=0)


def failed_checks(grader: Grader, name: str, task: str, source: str) -> list[Verdict]:
    """Hand in an answer to one task, beside the solution's cells that it builds on.

    Args:
        grader: Of any salt.
        name: The notebook.
        task: The task.
        source: Its cell, with or without the tag; empty for the solution's own.

    Returns:
        The verdicts of the task's checks that do not pass; empty for full marks.
    """
    report = grader.grade_bytes(_submission(name, task, source), "answer.ipynb", "student")
    assert not report.rejection, report.rejection
    assert not report.fault, report.fault
    own = [verdict for verdict in report.verdicts if verdict.task == task and not is_for_a_person(verdict)]
    assert own, f"{task} has no checks"
    return [verdict for verdict in own if verdict.status != "passed"]


def _submission(name: str, task: str, source: str) -> bytes:
    """A student's notebook with the answer and those before it that it uses; the other gaps are open, which is quick to grade."""
    solution = solution_of(name)
    answers = {task: source or solution[task]}
    used = solution[task] + answers[task]
    defines = {one.id: one.defines for one in load_rubric(name).assignment.tasks}
    for other in reversed(list(solution)[: list(solution).index(task)]):
        if any(re.search(rf"\b{word}\b", used) for word in defines[other]):
            answers[other] = solution[other]
            used += solution[other]
    cells = []
    for other, given in _given(name).items():
        answer = answers.get(other, given)
        cells.append(
            v4.new_code_cell(answer if tag_line(answer) else f"{tag_line(given)}\n{answer}", id=f"cell-{len(cells)}")
        )
    return nbformat.writes(v4.new_notebook(cells=cells)).encode()


@cache
def _given(name: str) -> dict[str, str]:
    """The autograded cells as a student gets them, by task."""
    tagged = (
        cell.source for cell in student_notebook(name).cells if cell.cell_type == "code" and tag_line(cell.source)
    )
    return dict(zip(solution_of(name), tagged, strict=True))


@cache
def _solution(name: str) -> tuple[CellSource, ...]:
    return load_rubric(name).references.solution


# ---------------------------------------------------------------- command line


def main(arguments: list[str] | None = None) -> int:
    """Grade and report; 1 if something is left to explain or to mend."""
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Grade the mutants of a solution.")
    parser.add_argument("name", choices=assignment_names())
    parser.add_argument("--task", action="append", help="only this task's; may be given several times")
    parser.add_argument("--workers", type=int, default=1)
    add_course_option(parser)
    options = parser.parse_args(arguments)
    mutants = [m for m in all_mutants(options.name) if not options.task or m.task in options.task]
    if not mutants:
        parser.error(f"{options.name} has no task {' or '.join(options.task)}")
    outcomes = watched(options.name, mutants, options.workers)
    for task in dict.fromkeys(mutant.task for mutant in mutants):
        own = [outcome for outcome in outcomes if outcome.mutant.task == task]
        print(f"{task:28} {sum(o.is_killed for o in own):4} of {len(own):4} killed")
    survivors = [outcome.mutant for outcome in outcomes if not outcome.is_killed]
    unexplained, stale = left_open(options.name, survivors, {mutant.task for mutant in mutants})
    if unexplained:
        print(f"\nEach is either killed by a better check or explained in survivors.yaml of {options.name}:\n")
        print("".join(entry(mutant) for mutant in unexplained))
    for one in stale:
        print(
            f"{one.task}: no such survivor, take it out of survivors.yaml of {options.name}: `{one.was}` -> `{one.becomes}`"
        )
    print(f"{len(unexplained)} to explain or to mend, {len(stale)} explained but no survivor")
    return 1 if unexplained or stale else 0


def watched(name: str, mutants: list[Mutant], workers: int = 1) -> list[Outcome]:
    """`graded`, with the time left on standard error."""
    outcomes: list[Outcome] = []
    began = time.monotonic()
    for outcome in graded(name, mutants, workers):
        outcomes.append(outcome)
        if len(outcomes) % _TOLD_EVERY == 0:
            left = (time.monotonic() - began) / len(outcomes) * (len(mutants) - len(outcomes))
            print(f"{len(outcomes)} of {len(mutants)}, {left / 60:.0f} min left", file=sys.stderr)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
