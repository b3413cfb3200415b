"""Answers of a file before the notebook's tests and before the grader; see `tests.behaviour.written`."""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.behaviour.written import KINDS, written_in
from tests.green.both import GREEN, Answer, Seen, seen


def main() -> int:
    """Print what is told wrongly; 1 if anything is."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.behaviour.written", description="Grade answers written from the notebooks alone."
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--task", action="append", help="only this task's; may be given several times")
    options = parser.parse_args()
    os.environ.update(FAST="1", MPLBACKEND="Agg")
    tried = faults = 0
    for one in _all_seen(options.kind, options.file, options.task):
        tried += 1
        fault = fault_of(one)
        if fault:
            faults += 1
            answer = one.answer
            print(
                f"{answer.task} {answer.name}: {fault}\n    {one.notebook}\n    {one.public or one.drawn}", flush=True
            )
    print(f"{tried} {options.kind} answers, {faults} told wrongly")
    return 1 if faults else 0


def _all_seen(kind: str, path: Path, tasks: list[str] | None) -> Iterator[Seen]:
    answers = defaultdict(list)
    for notebook, one in written_in(path):
        if not tasks or one.task in tasks:
            answers[notebook].append(Answer(one.task, kind, one.name, one.source))
    for notebook, some in answers.items():
        yield from seen(notebook, some)


def fault_of(one: Seen) -> str:
    """What is told wrongly of an answer; empty for nothing."""
    is_full = not (one.public or one.drawn)
    if one.answer.kind == "right":
        return "" if is_full and one.notebook == GREEN else "right, and refused"
    if is_full:
        return "wrong, and keeps full marks"
    return one.disagreement


if __name__ == "__main__":
    sys.exit(main())
