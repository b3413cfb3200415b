"""Answers written from the students' notebooks alone, right ones in many styles and wrong ones as they come to mind: `right.txt`, `wrong.txt`.

In the percent format of the slips; the first line of a task's cell is put before each.
"""

from collections.abc import Iterator
from pathlib import Path

from grader.authoring.slips import Variant, parse_variants
from grader.rubric import load_rubric
from grader.stages.pipeline import graded_assignments


def written(kind: str) -> Iterator[tuple[str, Variant]]:
    """The answers of a kind, "right" or "wrong", each behind the name of its notebook."""
    notebook_of = {check.task: name for name in graded_assignments() for check in load_rubric(name).checks}
    text = Path(__file__).with_name(f"{kind}.txt").read_text(encoding="utf-8")
    for variant in parse_variants(text):
        yield notebook_of[variant.task], variant
