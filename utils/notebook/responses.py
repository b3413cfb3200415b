"""The answers in words: markdown cells that begin `**RESPONSE:**`, and the questions that cells belong to."""

import re

from utils.assignments import UNANSWERED, Assignment
from utils.notebook.cells import Notebook

_QUESTION = re.compile(r"^\*\*`(?P<id>[\w.]+)`\*\*", re.MULTILINE)
_PART = re.compile(r"^##? ", re.MULTILINE)
RESPONSE = re.compile(r"^\s*\*\*\s*response\s*(?::\s*)?\*\*\s*:?", re.IGNORECASE)


def questions_above(notebook: Notebook, assignment: Assignment, ends_with_part: bool = False) -> dict[int, str]:
    """The question each cell belongs to: the last one whose line stands in it or above it.

    Args:
        notebook: The notebook as read.
        assignment: Its questions.
        ends_with_part: Whether a heading of the first or second level ends a question: what stands below it is no part of it.

    Returns:
        Cell number to question id; cells of no question are left out.
    """
    known = {question.id for question in assignment.questions}
    current, above = "", {}
    for cell in notebook.cells:
        if cell.kind == "markdown" and (ends_with_part or "**`" in cell.source):  # a cell with a picture in it is long
            marks = [*_QUESTION.finditer(cell.source), *(_PART.finditer(cell.source) if ends_with_part else ())]
            for match in sorted(marks, key=lambda match: match.start()):
                question = match.groupdict().get("id", "")
                current = question if question in known or not question else current
        if current:
            above[cell.number] = current
    return above


def question_named(source: str) -> str:
    """The question whose line stands in a Markdown cell; "" if none does."""
    found = _QUESTION.findall(source)
    return found[-1] if found else ""


def responses(notebook: Notebook, assignment: Assignment) -> dict[str, list[tuple[int, str]]]:
    """The response cells of each question.

    Args:
        notebook: The notebook as read.
        assignment: Its questions.

    Returns:
        Question id to (cell number, the answer's text; empty if nobody has written there), in the order of the cells.
    """
    found: dict[str, list[tuple[int, str]]] = {question.id: [] for question in assignment.questions}
    above = questions_above(notebook, assignment)
    for cell in notebook.cells:
        response = RESPONSE.match(cell.source) if cell.kind == "markdown" else None
        if response and cell.number in above:
            found[above[cell.number]].append((cell.number, written(cell.source[response.end() :])))
    return found


def written(text: str) -> str:
    """What was written behind `**RESPONSE:**`: empty while the placeholder stands there with nothing but the cell's own label before it."""
    label, placeholder, rest = text.partition(UNANSWERED)
    if not placeholder:
        return text.strip()
    return (label.partition("\n")[2] + rest).strip()


def answered_questions(notebook: Notebook, assignment: Assignment) -> dict[str, tuple[bool, ...]]:
    """For each response cell of each question, whether somebody has written in it."""
    found = responses(notebook, assignment)
    return {question: tuple(bool(text) for _, text in cells) for question, cells in found.items()}
