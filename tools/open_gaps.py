"""The marks around a solution, and what the student gets in their place."""

import re
from dataclasses import dataclass

from tools.bugs import mend_bugs, plant_bugs
from tools.notebook_source import SourceCell, SourceQuestion
from utils.assignments import UNANSWERED

CODE_BEGIN, CODE_END = "### BEGIN SOLUTION", "### END SOLUTION"
TEXT_BEGIN, TEXT_END = "<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"
_MARK = re.compile(r"(BEGIN|END) SOLUTION")


class MarkError(ValueError):
    """Marks that do not pair; the message ends a sentence that names the cell."""


@dataclass(frozen=True)
class Gap:
    """One solution of a cell: where its marks stand and what is between them."""

    begin: int  # index of the line of the begin mark
    end: int
    answer: tuple[str, ...]
    todo_lines: int  # `# TODO:` lines in the comment block right above


def split_gaps(cell: SourceCell) -> list[Gap]:
    """Find the solutions of a cell.

    Raises:
        MarkError: If the marks do not pair, or are not the ones of this kind of cell.
    """
    begin_mark, end_mark = _marks_of(cell)
    lines = cell.text.split("\n")
    gaps: list[Gap] = []
    begin: int | None = None
    for index, line in enumerate(lines):
        if not _MARK.search(line):
            continue
        mark = line.strip()
        if mark == begin_mark and begin is None:
            begin = index
        elif mark == end_mark and begin is not None:
            gaps.append(Gap(begin, index, tuple(lines[begin + 1 : index]), _count_todo(lines[:begin])))
            begin = None
        else:
            raise MarkError(f"`{mark}` on line {index + 1} does not pair; use `{begin_mark}` and `{end_mark}` in turn.")
    if begin is not None:
        raise MarkError(f"the mark on line {begin + 1} is never closed; add `{end_mark}`.")
    return gaps


def open_gaps(cell: SourceCell, name: str) -> str:
    """The student's version of a cell: what is between the marks, and the marks, replaced.

    Args:
        cell: The cell with its solution.
        name: What the gap's error calls it: the task's word, or the question's id.
    """
    gaps = split_gaps(cell)
    lines = cell.text.split("\n")
    for position, gap in reversed(list(enumerate(gaps, 1))):
        which = f"gap {position} of {len(gaps)}" if len(gaps) > 1 else "this gap"
        lines[gap.begin : gap.end + 1] = _replacement(cell, lines[gap.begin], f"{name}: {which} is still open")
    return plant_bugs("\n".join(lines))


def gap_name(question: SourceQuestion, word: str) -> str:
    """What an open gap of a question calls itself: the exercise's number, and the task's word, else the question's id."""
    return f"{question.number} {word or question.id}"


def keep_solutions(cell: SourceCell) -> str:
    """The solved version of a cell: the marks go, what is between them stays."""
    marks = {index for gap in split_gaps(cell) for index in (gap.begin, gap.end)}
    return mend_bugs("\n".join(line for index, line in enumerate(cell.text.split("\n")) if index not in marks))


def _replacement(cell: SourceCell, begin_line: str, message: str) -> list[str]:
    if cell.kind != "code":
        return [UNANSWERED]
    indent = begin_line[: len(begin_line) - len(begin_line.lstrip())]
    return [f'{indent}raise NotImplementedError("{message}")']


def _marks_of(cell: SourceCell) -> tuple[str, str]:
    return (CODE_BEGIN, CODE_END) if cell.kind == "code" else (TEXT_BEGIN, TEXT_END)


def _count_todo(above: list[str]) -> int:
    count = 0
    for line in reversed(above):
        if not line.strip().startswith("#"):
            break
        count += line.strip().startswith("# TODO:")
    return count
