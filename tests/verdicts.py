"""The verdict on every answer that the project knows, in a form that two surroundings can be compared by.

    python -m tests.verdicts --out FILE

grades each solution, each right answer written differently, each slip and the example class with this interpreter and
these packages, and writes what must be the same elsewhere: for every check its status, its points and the slip it names.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from grader.authoring.slips import load_slips
from grader.records import Report
from grader.stages.pipeline import Grader, graded_assignments
from tests.mutants import solution_of
from tests.support import answers
from tests.validity import right_answers
from tools.examples import build, load_examples

_SALT = "verdicts"
_MANY = 5  # differences of one answer that are told

Verdicts = dict[str, dict[str, list]]
"""Answer -> check -> [status, points, slip]."""


def everything() -> Iterator[tuple[str, str, bytes]]:
    """Every answer: what to call it, the file's name, and the file."""
    for name in graded_assignments():
        yield f"{name}: the solution", f"{name}.ipynb", answers(name)
        solution = solution_of(name)
        for kind, variants in (("right", right_answers(name)), ("slip", load_slips(name))):
            for variant in variants:
                data = answers(name, {variant.task: variant.cell(solution[variant.task])})
                yield f"{name}: {kind} {variant.task} {variant.name}", f"{name}.ipynb", data
    for example in load_examples():
        yield f"class: {example.student}", *build(example)


def grade_everything() -> Verdicts:
    """Grade all of it with one grader, airfoils not trained again."""
    with Grader(salt=_SALT, quality_seconds=0) as grader:
        return {what: _must_agree(grader.grade_bytes(data, name, "student")) for what, name, data in everything()}


def _must_agree(report: Report) -> dict[str, list]:
    found = {verdict.check: [verdict.status, verdict.points, verdict.slip] for verdict in report.verdicts}
    unread = {"file": ["rejected" if report.rejection else "grader_error", 0.0, ""]}
    return found | (unread if report.rejection or report.fault else {})


def differences(one: Verdicts, other: Verdicts) -> list[str]:
    """What is not the same, a sentence an answer; an answer that only one of them graded is a difference too."""
    return [
        f"{what}: {'; '.join(told[:_MANY])}"
        for what in {**one, **other}
        if (told := _differing(one.get(what, {}), other.get(what, {})))
    ]


def _differing(one: dict[str, list], other: dict[str, list]) -> list[str]:
    return [f"{c} {_said(one.get(c))} -> {_said(other.get(c))}" for c in {**one, **other} if one.get(c) != other.get(c)]


def _said(verdict: list | None) -> str:
    if not verdict:
        return "nothing"
    status, points, slip = verdict
    return f"{status} {points:g}" + (f" ({slip})" if slip else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    out = parser.parse_args().out
    found = grade_everything()
    out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(f"{len(found)} answers, {sum(map(len, found.values()))} verdicts.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
