"""A question's text and the course's own solution, from the notebook's single source."""

import re
from dataclasses import dataclass
from functools import cache

from utils.assignments.places import place_of
from utils.notebook.responses import question_named

_RESPONSE = re.compile(r"^\s*\*\*\s*response\b", re.IGNORECASE)


@dataclass(frozen=True)
class QuestionText:
    """Markdown of a question, and of its solutions in the order of its responses."""

    text: str
    solutions: tuple[str, ...]


@cache
def question_text(notebook: str, task: str) -> QuestionText:
    """What stands under a question's heading, and what the course answers itself.

    Args:
        notebook: The assignment's name.
        task: The question's id.

    Returns:
        Both; empty where the source is not here.
    """
    try:
        cells = _cells((place_of(notebook).path / "notebook.py").read_text(encoding="utf-8"))
    except OSError:
        return QuestionText("", ())
    text, solutions, current = [], [], ""
    for kind, source in cells:
        if kind == "markdown":
            current = question_named(source) or current
            if current != task:
                continue
            if _RESPONSE.match(source):
                solutions.append(_parted(source)[1].strip())
            elif not solutions:  # below the responses the course comments on them
                text.append(_parted(source)[0].strip())
    return QuestionText("\n\n".join(text), tuple(solutions))


def _parted(source: str) -> tuple[str, str]:
    """What stands outside the solutions of a cell, and what inside; a solution without an end goes to the cell's."""
    parts: tuple[list[str], list[str]] = ([], [])
    is_inside = False
    for line in source.splitlines(keepends=True):
        if "BEGIN SOLUTION" in line or "END SOLUTION" in line:
            is_inside = "BEGIN SOLUTION" in line
        else:
            parts[is_inside].append(line)
    return "".join(parts[0]), "".join(parts[1])


def _cells(source: str) -> list[tuple[str, str]]:
    """Cells of a percent file: kind, and the source without the comment signs of Markdown."""
    cells = []
    for piece in re.split(r"^# %%", source, flags=re.MULTILINE)[1:]:
        head, _, body = piece.partition("\n")
        if "[markdown]" in head:
            cells.append(("markdown", re.sub(r"^# ?", "", body, flags=re.MULTILINE)))
        else:
            cells.append(("code", body))
    return cells
