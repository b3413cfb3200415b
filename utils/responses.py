"""The answers in words: markdown cells that begin `**RESPONSE:**`, and the questions they belong to."""

import re

from utils.assignments import UNANSWERED, Assignment
from utils.cells import Notebook

_QUESTION = re.compile(r"^\*\*`(?P<id>[\w.]+)`\*\*", re.MULTILINE)
_RESPONSE = re.compile(r"^\s*\*\*\s*response\s*:?\s*\*\*\s*:?", re.IGNORECASE)


def responses(notebook: Notebook, assignment: Assignment) -> dict[str, list[tuple[int, str]]]:
    """The response cells of each question.

    Args:
        notebook: The notebook as read.
        assignment: Its questions.

    Returns:
        Question id to (cell number, the answer's text; empty if nobody has written there), in the order of the cells.
    """
    found: dict[str, list[tuple[int, str]]] = {question.id: [] for question in assignment.questions}
    current = ""
    for cell in notebook.cells:
        if cell.kind != "markdown":
            continue
        for match in _QUESTION.finditer(cell.source):
            current = match["id"] if match["id"] in found else current
        if current and (response := _RESPONSE.match(cell.source)):
            found[current].append((cell.number, _answer(cell.source[response.end() :])))
    return found


def _answer(text: str) -> str:
    """What was written: empty while the placeholder stands there with nothing but the cell's own label before it."""
    label, placeholder, rest = text.partition(UNANSWERED)
    if not placeholder:
        return text.strip()
    return (label.partition("\n")[2] + rest).strip()


def answered_questions(notebook: Notebook, assignment: Assignment) -> dict[str, tuple[bool, ...]]:
    """For each response cell of each question, whether somebody has written in it."""
    found = responses(notebook, assignment)
    return {question: tuple(bool(text) for _, text in cells) for question, cells in found.items()}
