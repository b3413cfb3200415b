"""What the course gives to everybody: it is no sign of anything when two hand it in."""

import re
from functools import cache
from pathlib import Path

import jupytext

from grader.similarity.structure import structure
from grader.similarity.surface import surface, words
from utils.assignments import Assignment
from utils.assignments.places import place_of

_CODE_SPAN = re.compile(r"`([^`\n]{3,200})`")
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


@cache
def given(assignment: Assignment) -> frozenset[str]:
    """Every fragment of the skeleton, the given code, the published hints and the course's own solution.

    Args:
        assignment: The notebook's.

    Returns:
        Fragments of `structure`, `surface` and `words`. Where the solution's source is not at hand, it is not among them.
    """
    found: set[str] = set()
    texts: list[str] = []
    code = [*assignment.prelude]
    code += [task.untouched_source for task in assignment.tasks]
    if has_solution(assignment):
        source = _source(assignment).read_text(encoding="utf-8")
        for cell in jupytext.reads(source, fmt="py:percent").cells:
            (code if cell.cell_type == "code" else texts).append(cell.source)
    for text in texts:
        code += [*_CODE_SPAN.findall(text), *_FENCE.findall(text)]
        found |= words(text).keys()
    for cell in code:
        found |= structure(cell).keys() | surface(cell).keys()
    return frozenset(found)


def has_solution(assignment: Assignment) -> bool:
    """Whether the solution's source lies beside the grader."""
    return _source(assignment).is_file()


def _source(assignment: Assignment) -> Path:
    return place_of(assignment.notebook).path / "notebook.py"
