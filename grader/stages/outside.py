"""Answers that stand outside their RESPONSE cell: a new cell above or below, a label that was lost, a code cell, the question's own cell.

What is new is told by the student notebook as it was given out: whatever lines are not in it were written by somebody.
Where it is not at hand (a bundle for another platform), nothing is found here, and the response cells count alone.
"""

import re
from functools import cache

from utils.assignments import Assignment
from utils.assignments.places import this_course
from utils.notebook.cells import Cell, Notebook, NotebookError, read_notebook
from utils.notebook.extraction import tag_line
from utils.notebook.responses import RESPONSE, questions_above

OUTSIDE = "*Outside the RESPONSE cell"  # how such a text begins, for the person who reads it
_WORD = re.compile(r"\w")
_NO_WORDS = re.compile(
    r"\s*(?:# (?:TEST|FIND THE BUG|GO FURTHER|CHECK)\b|predict\()"
)  # what a cell of the notebook begins with
_MOST = 20_000  # characters of a cell
_NEW_CODE = 0.2  # a cell with a larger share of given lines was given, and is being worked on


def outside_answers(notebook: Notebook, assignment: Assignment) -> dict[str, list[tuple[int, str]]]:
    """What somebody wrote below a question and not in a RESPONSE cell.

    Args:
        notebook: The notebook as read.
        assignment: Its questions.

    Returns:
        Question id to (cell number, Markdown), in the order of the cells; only questions with parts in words.
    """
    lines = _given_lines(assignment)
    found: dict[str, list[tuple[int, str]]] = {}
    if not lines:
        return found
    in_words = {question.id: question.responses for question in assignment.questions}
    above, seen = questions_above(notebook, assignment), dict.fromkeys(in_words, 0)
    defined = {name for task in assignment.tasks for name in task.defines}
    for cell in notebook.cells:
        question = above.get(cell.number, "")
        if not in_words.get(question) or len(cell.source) > _MOST:
            continue
        if cell.kind == "markdown" and RESPONSE.match(cell.source):
            seen[question] += 1
            if seen[question] <= in_words[question]:
                continue  # it is read as the part's own
        text = _new_code(cell, lines, defined) if cell.kind == "code" else _new_lines(cell.source, lines)
        if text:
            found.setdefault(question, []).append((cell.number, text))
    return found


def _new_lines(source: str, given: frozenset[str]) -> str:
    """What of a text is new; all of it where most is, so that a formula keeps its lines."""
    lines = source.splitlines()
    new = [line for line in lines if not _is_given(line, given)]
    if not any(_WORD.search(RESPONSE.sub("", line)) for line in new):
        return ""
    is_mostly_new = sum(bool(line.strip()) for line in lines) < 2 * sum(bool(line.strip()) for line in new)
    return "\n".join(lines if is_mostly_new else new).strip()


def _new_code(cell: Cell, given: frozenset[str], defined: set[str]) -> str:
    """A code cell of the student's own, as a block; "" for one of the notebook, or one that answers a task."""
    lines = [line for line in cell.source.splitlines() if _WORD.search(RESPONSE.sub("", line))]
    new = [line for line in lines if not _is_given(line, given)]
    if not new or len(lines) - len(new) > _NEW_CODE * len(lines):
        return ""
    is_task = tag_line(cell.source) is not None or _NO_WORDS.match(cell.source)
    is_answer = any(
        re.search(rf"^[ \t]*(?:def|class)[ \t]+{re.escape(name)}\b", cell.source, re.MULTILINE) for name in defined
    )
    if is_task or is_answer:
        return ""
    return f"```\n{cell.source.strip()}\n```"


def _is_given(line: str, given: frozenset[str]) -> bool:
    return _plain(line) in given


def _plain(line: str) -> str:
    return " ".join(line.split())


@cache
def _given_lines(assignment: Assignment) -> frozenset[str]:
    """Every line of the student notebook; none where it is not at hand."""
    try:
        data = (this_course().root / "notebooks" / f"{assignment.notebook}.ipynb").read_bytes()
        cells = read_notebook(data).cells
    except (OSError, NotebookError):
        return frozenset()
    return frozenset(_plain(line) for cell in cells for line in cell.source.splitlines())
