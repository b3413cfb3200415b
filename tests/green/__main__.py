"""Ask both of every answer; see `tests.green`."""

import argparse
import json
import os
import sys
from pathlib import Path

from tests.green.both import Seen, answers_of, seen
from tests.green.page import write
from utils.assignments import assignment_names


def main() -> int:
    """Print the disagreements; 1 if there is one."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.green", description="The notebooks' tests against the grader."
    )
    parser.add_argument("names", nargs="*", help="notebooks; default: all")
    parser.add_argument("--task", action="append", help="only this task's; may be given several times")
    parser.add_argument("--sample", type=int, default=20, help="so many behavioural mutants of every task")
    parser.add_argument(
        "--after", type=int, default=0, metavar="N", help="other mutants than the first N of every task"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="every outcome, as a line of JSON")
    parser.add_argument(
        "--page", type=Path, nargs="+", metavar="FILE", help="the table in docs/validity.md, of saved outcomes"
    )
    options = parser.parse_args()
    if options.page:
        return write(options.page)
    os.environ.update(FAST="1", MPLBACKEND="Agg")
    disagreements = 0
    for name in options.names or assignment_names():
        answers = [
            one
            for one in answers_of(name, options.sample, options.after)
            if not options.task or one.task in options.task
        ]
        for one in seen(name, answers):
            disagreements += bool(one.disagreement)
            _tell(one)
            if options.save:
                _save(options.save, name, one)
    print(f"{disagreements} disagreements")
    return 1 if disagreements else 0


def _tell(one: Seen) -> None:
    if one.disagreement:
        answer = one.answer
        print(
            f"{answer.task}, {answer.kind} {answer.name}: {one.disagreement}\n    {one.notebook}\n    {one.public}",
            flush=True,
        )


def _save(path: Path, name: str, one: Seen) -> None:
    answer = one.answer
    row = [name, answer.task, answer.kind, answer.name, one.notebook, one.public, one.drawn, one.acted]
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main())
