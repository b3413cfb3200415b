"""Right answers before many draws: none of them may lose a point by chance, and none may come near a line.

    python -m tests.salts [NAME ...] [--salts 200] [--task TASK] [--rounding] [--rewritten]

Every right answer that the project knows (the solutions, `right.py` of the assignments, those written from the notebooks alone,
the published answers but for their documented slips) is asked with the inputs of so many salts, contracts and all, in this
process (`tests.behaviour.bare`). With
`--rounding` every sum and function rounds anew each time, as on a processor that nobody has; with `--rewritten` the solutions
are asked in all ways of `tests.behaviour.rewritten`.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from grader.authoring.check import Arrays
from grader.authoring.lines import Distance, watched
from grader.records import Call, Verdict
from grader.stages.pipeline import graded_assignments
from tests.behaviour.bare import Bare, drawn_calls
from tests.behaviour.rewritten import rewritten
from tests.behaviour.written import written
from tests.machines.document import Margin, margins
from tests.machines.inside import furthest
from tests.machines.zygotes.random_rounding import RandomRounding
from tests.published import DOCUMENTED, published
from tests.validity import right_answers

_AT_ONCE = 20  # salts of one process
_FIRST = 1000


@dataclass(frozen=True)
class Right:
    """A right answer to one task, and the other answers of the same hand."""

    task: str
    name: str
    source: str
    beside: Mapping[str, str] = field(default_factory=dict)
    documented: frozenset[str] = frozenset()  # checks that its published slips lose


@dataclass
class Found:
    """What one answer lost, by salt, and how near it came to each line."""

    answer: Right
    lost: list[tuple[int, Verdict]]
    seen: list[Distance]


def answers_of(name: str) -> Iterator[Right]:
    """All right answers of a notebook."""
    solution = {task: cell.source for task, cell in Bare(name).solution.items()}
    for task, source in solution.items():
        yield Right(task, "the reference solution", source)
    for variant in right_answers(name):
        yield Right(variant.task, variant.name, variant.cell(solution[variant.task]))
    for notebook, variant in written("right"):
        if notebook == name:
            yield Right(variant.task, variant.name, variant.source)
    for source, cells in published(name).items():
        slips = frozenset(DOCUMENTED.get((name, source), ()))
        yield from (Right(task, f"published by {source}", cell, cells, slips) for task, cell in cells.items())


def rewritten_answers(name: str) -> Iterator[Right]:
    """The solutions, rewritten by rule."""
    for task, cell in Bare(name).solution.items():
        yield from (Right(task, what, source) for what, source in rewritten(task, cell.source))


def tried(bare: Bare, answer: Right, salts: range, rounding: bool = False) -> Found:
    """Ask an answer with the public inputs and those of some salts."""
    found = Found(answer, [], [])
    public = bare.public(answer.task)
    for start in range(salts.start, salts.stop, _AT_ONCE):
        some = range(start, min(start + _AT_ONCE, salts.stop))
        drawn, references = _drawn(bare, answer.task, some)
        with watched() as seen, RandomRounding(start) if rounding else nullcontext():
            lost = bare.judged(answer.task, answer.source, (*public, *drawn), references, answer.beside)
        found.seen += _furthest(bare, answer, seen)
        found.lost += [(start, verdict) for verdict in lost if verdict.check not in answer.documented]
        public = ()
    return found


def _furthest(bare: Bare, answer: Right, seen: list[Distance]) -> list[Distance]:
    """Of each line the two that matter: the largest ratio and the smallest."""
    own = {check.name for check in bare.rubric.checks_of(answer.task)} - answer.documented
    rows = furthest([one for one in seen if one.check in own])
    return [Distance(check, line, kind, ratio) for check, line, kind, *ratios in rows for ratio in ratios]


_KNOWN: dict[tuple[str, int], tuple[tuple[Call, ...], dict[str, Arrays]]] = {}


def _drawn(bare: Bare, task: str, salts: range) -> tuple[tuple[Call, ...], dict[str, Arrays]]:
    """The calls of some salts, and what the solution returns for them."""
    key = task, salts.start
    if key not in _KNOWN:
        drawn = tuple(
            replace(call, name=f"{call.name}.{salt}") for salt in salts for call in drawn_calls(bare.rubric, task, salt)
        )
        _KNOWN[key] = drawn, bare.solved(task, drawn)
    return _KNOWN[key]


def told(name: str, found: list[Found]) -> list[Margin]:
    """How near each line was, over all answers and salts; see `tests.machines`."""
    answers = {
        f"{name} right {one.answer.task} {one.answer.name}": {
            "refused": {}, "lines": furthest(one.seen), "name": one.answer.name,
        }
        for one in found
    }  # fmt: skip
    return margins({"salts": {"answers": answers}})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.salts", description="Ask right answers with many draws.")
    parser.add_argument("names", nargs="*", default=graded_assignments())
    parser.add_argument("--salts", type=int, default=200)
    parser.add_argument("--task", action="append")
    parser.add_argument("--rounding", action="store_true", help="round every sum and function anew each time")
    parser.add_argument("--rewritten", action="store_true", help="the solutions, rewritten by rule")
    options = parser.parse_args()
    which = rewritten_answers if options.rewritten else answers_of
    faults = tries = 0
    for name in options.names:
        bare, found = Bare(name), []
        for answer in sorted(which(name), key=lambda one: one.task):
            if options.task and answer.task not in options.task:
                continue
            began = time.monotonic()
            found.append(tried(bare, answer, range(_FIRST, _FIRST + options.salts), options.rounding))
            tries += options.salts
            for salt, verdict in found[-1].lost:
                faults += 1
                print(f"{answer.task} {answer.name}, salts from {salt}: {verdict.check}: {verdict.sentence}")
            print(f"{answer.task} {answer.name}: {time.monotonic() - began:.1f} s", file=sys.stderr)
        near = [line for line in told(name, found) if not line.is_kept]
        faults += len(near)
        for line in near:
            print(f"near its line: {line.check}, {line.line}: {line.right:.2f} of it, {line.whose_right}")
        print(f"{name}: {len(found)} right answers with {options.salts} salts each", flush=True)
    print(f"{tries} tries, {faults} points lost or margins too small")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
