"""Systematic wrong answers: a solution's cell with one thing changed at a time, each named by the lines that differ.

    for mutant in mutants_of("kl.D_KL", source):
        print(mutant.was, "->", mutant.becomes)

What is changed is in `tests.tree_changes`. A mutant's source is what `ast.unparse` writes: without comments, so without the
tag, which whoever grades it puts back.
"""

import ast
from collections import Counter
from dataclasses import dataclass

from tests.tree_changes import changed_sources

_MAX_LINES = 6  # of a change that is shown whole


@dataclass(frozen=True)
class Mutant:
    """One change. `was` and `becomes` are the lines that differ; with `nth` they name it, whatever stands around it."""

    task: str
    kind: str
    was: str
    becomes: str  # "" where lines are left out
    nth: int  # 1 but where the same lines change in the same way at several places of the cell
    source: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.task, self.was, self.becomes, self.nth


def mutants_of(task: str, source: str) -> list[Mutant]:
    """All mutants of a cell, in the order of its lines.

    Args:
        task: The task the cell answers.
        source: The cell.

    Returns:
        Mutants that parse and differ from the cell and from each other.
    """
    tree = ast.parse(source)
    original = ast.unparse(tree)
    sources: dict[str, str] = {}
    for kind, text in changed_sources(tree):
        if text != original:
            sources.setdefault(text, kind)
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for text, kind in sources.items():
        lines = _changed_lines(original, text)
        seen[lines] += 1
        found.append(Mutant(task, kind, *lines, seen[lines], text))
    return found


def _changed_lines(original: str, text: str) -> tuple[str, str]:
    """The lines between the common beginning and the common end of two sources."""
    old, new = ([line.strip() for line in code.splitlines()] for code in (original, text))
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return _shown(old), _shown(new)


def _shown(lines: list[str]) -> str:
    return "; ".join(lines) if len(lines) <= _MAX_LINES else f"{lines[0]} … {lines[-1]}"
