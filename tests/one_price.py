"""One fault, one price: each way to fail at one task, and what it costs the others.

    python -m tests.one_price 01_kl_divergence [--task kl.D_KL]

Failures are made by rule from the reference solution, and the usual slips come on top. Each is handed in beside the
solution's answers to all other tasks, and no other task may lose a point.
"""

import argparse
import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grader.authoring.slips import load_slips
from grader.classes.batch import Settings, sandboxes, tier_here
from grader.classes.pool import Workers
from grader.records import Report, Seat
from grader.report.results import is_for_a_person
from grader.stages.pipeline import graded_assignments
from tests.mutants import solution_of
from tests.support import answers
from utils.assignments import Task, load_assignment

# ---------------------------------------------------------------- ways to fail, by rule

_SPOIL = """
def _spoil(value):
    if isinstance(value, dict):
        return {{key: _spoil(one) for key, one in value.items()}}
    if isinstance(value, (tuple, list)):
        return type(value)(_spoil(one) for one in value)
    return value * {factor} if hasattr(value, "dtype") or isinstance(value, float) else value
"""


class _Returns(ast.NodeTransformer):
    """Every value that is returned, spoilt."""

    def visit_Return(self, node: ast.Return) -> ast.Return:
        if node.value is not None:
            node.value = ast.Call(ast.Name("_spoil", ast.Load()), [node.value], [])
        return node


class _Bodies(ast.NodeTransformer):
    """Every function raises."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = ast.parse("raise RuntimeError('broken')").body
        return node


def _changed(source: str, change: ast.NodeTransformer) -> str:
    return ast.unparse(ast.fix_missing_locations(change.visit(ast.parse(source))))


def _spoilt(factor: str) -> Callable[[Task, str], str]:
    return lambda _, source: _SPOIL.format(factor=factor) + _changed(source, _Returns())


FAILURES: dict[str, Callable[[Task, str], str | None]] = {
    "no cell": lambda task, source: None,
    "gap open": lambda task, source: task.untouched_source,
    "does not parse": lambda task, source: f"{source}\ndef broken(:",
    "forbidden": lambda task, source: f"import scipy\n{source}",
    "cell raises": lambda task, source: f"raise RuntimeError('broken')\n{source}",
    "raises": lambda task, source: _changed(source, _Bodies()),
    "NaN": _spoilt("float('nan')"),
    "zeros": _spoilt("0.0"),
}


@dataclass(frozen=True)
class Fault:
    """One wrong answer to one task; no source: the cell is gone."""

    task: str
    name: str
    source: str | None


@dataclass(frozen=True)
class Price:
    """What a fault cost: in its own task, and in each other task that lost points."""

    fault: Fault
    own: float
    elsewhere: dict[str, float]
    sentences: tuple[str, ...]  # of the checks that lost them
    carried: tuple[str, ...]  # tasks that were asked again with a stand-in, and held

    @property
    def is_no_fault(self) -> bool:
        """Whether a rule has changed nothing that counts: a training loop's work is done before it returns."""
        return not self.own and self.fault.name in ("NaN", "zeros")


def faults_of(name: str) -> list[Fault]:
    """All failures and slips of all tasks of a notebook."""
    solution = solution_of(name)
    tasks = load_assignment(name).tasks
    found = [
        Fault(task.id, failure, make(task, solution[task.id])) for task in tasks for failure, make in FAILURES.items()
    ]
    return [*found, *(Fault(slip.task, slip.name, slip.cell(solution[slip.task])) for slip in load_slips(name))]


# ---------------------------------------------------------------- grading


def prices(name: str, faults: list[Fault], workers: int = 1) -> Iterator[Price]:
    """Grade faults, in their order."""
    if workers == 1:
        yield from (price_of(name, fault) for fault in faults)
        return
    with Workers(workers, tier_here, _settings(name), Seat()) as executor:
        futures = [executor.submit(price_of, name, fault, Seat()) for fault in faults]
        for future in futures:
            yield future.result()


def price_of(name: str, fault: Fault, seat: Seat = Seat()) -> Price:
    """Hand a fault in beside right answers to everything else."""
    grader = sandboxes.grader(_settings(name), seat)
    report = grader.grade_bytes(answers(name, {fault.task: fault.source}), "answers.ipynb", "student")
    return price_in(report, fault)


def price_in(report: Report, fault: Fault) -> Price:
    """What a report says that a fault cost."""
    assert not report.rejection, report.rejection
    assert not report.fault, report.fault
    automatic = [verdict for verdict in report.verdicts if not is_for_a_person(verdict)]
    lost = [verdict for verdict in automatic if verdict.points < verdict.max_points]
    elsewhere: dict[str, float] = {}
    for verdict in lost:
        if verdict.task != fault.task:
            elsewhere[verdict.task] = elsewhere.get(verdict.task, 0.0) + verdict.max_points - verdict.points
    own = sum(verdict.max_points - verdict.points for verdict in lost if verdict.task == fault.task)
    said = tuple(verdict.sentence for verdict in lost if verdict.task != fault.task)
    carried = {verdict.task for verdict in automatic if verdict.status == "passed" and "a stand-in" in verdict.sentence}
    return Price(fault, own, elsewhere, said, tuple(sorted(carried - {fault.task})))


def _settings(name: str) -> Settings:
    return Settings(name, salt="one price", quality_seconds=0)


# ---------------------------------------------------------------- the table

HEADING = "## One fault, one price"
_ABOUT = f"""\
Each task was failed in every way that `tests/one_price.py` makes by rule ({", ".join(FAILURES)}) and with each of its
usual slips, beside right answers to all other tasks. Where another answer calls the one that failed, it is asked again
with a stand-in of the grader's own, so that no fault is paid for twice. *Costs there* is the least and the most that a
fault of the task costs the task itself; *costs elsewhere* is what all of them together cost all other tasks."""


def table(found: dict[str, list[Price]]) -> str:
    """The prices of every notebook as Markdown."""
    head = "| task | failures | slips | costs there | asked again | costs elsewhere |"
    lines = [HEADING, "", _ABOUT, "", head, "|---|---:|---:|---:|---|---:|"]
    for name, of_notebook in found.items():
        for task in load_assignment(name).tasks:
            own = [price for price in of_notebook if price.fault.task == task.id and not price.is_no_fault]
            lines.append(_row(task, own))
    return "\n".join(lines)


def merged(before: str, after: str) -> str:
    """The table with the rows of an earlier one for the tasks it has not tried, in the notebooks' order."""
    rows = {
        line.split("`")[1]: line for text in (before, after) for line in text.splitlines() if line.startswith("| `")
    }
    head = [line for line in after.strip().splitlines() if not line.startswith("| `")]
    tasks = [task.id for name in graded_assignments() for task in load_assignment(name).tasks]
    return "\n".join([*head, *(rows[task] for task in tasks if task in rows)])


def _row(task: Task, own: list[Price]) -> str:
    by_rule = sum(price.fault.name in FAILURES for price in own)
    costs = [price.own for price in own]
    again = ", ".join(f"`{one}`" for one in sorted({one for price in own for one in price.carried}))
    elsewhere = sum(sum(price.elsewhere.values()) for price in own)
    there = f"{min(costs):g} to {max(costs):g} of {task.points}"
    return f"| `{task.id}` | {by_rule} | {len(own) - by_rule} | {there} | {again} | {elsewhere:g} |"


def main(arguments: list[str] | None = None) -> int:
    """Print what costs another task points; 1 if anything does."""
    parser = argparse.ArgumentParser(prog="python -m tests.one_price", description="What a fault costs other tasks.")
    parser.add_argument("names", nargs="*", help="notebooks; default: all")
    parser.add_argument("--task", action="append", help="only this task's; may be given several times")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    spoilt = 0
    for name in options.names or graded_assignments():
        faults = [fault for fault in faults_of(name) if not options.task or fault.task in options.task]
        for price in prices(name, faults, options.workers):
            if price.elsewhere or not (price.own or price.is_no_fault):
                spoilt += 1
                print(f"{price.fault.task} {price.fault.name}: own {price.own:g}, elsewhere {price.elsewhere}")
                print("".join(f"    {sentence}\n" for sentence in price.sentences), end="")
    return 1 if spoilt else 0


if __name__ == "__main__":
    sys.exit(main())
