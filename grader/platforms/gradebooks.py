"""Grade files of Canvas and Moodle, filled: one column is written, every other byte stays as the platform made it.

Written is the score, with a person's points in it where `--by-hand` brought them. Left as they are: excused students (`EX`),
those who are absent, rejected submissions and faults of ours; the summary names them, because a person has to decide.
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.platforms import Directory, Person
from grader.platforms.people import person_of
from grader.report.files import GRADES_FILE, write_atomically
from grader.report.statistics import automatic_points, has_score, is_graded
from utils.assignments import load_assignment
from utils.notebook.printable import printable

Results = dict[str, Any]
_FIELD = re.compile(r'[ \t]*"(?:[^"]|"")*"[^,\r\n]*|[^,\r\n]*')
_NOT_ASSIGNMENTS = (
    "current score",
    "final score",
    "current grade",
    "final grade",
    "unposted",
    "current points",
    "final points",
)


class GradebookError(ValueError):
    """The grade file cannot be filled; the message is one sentence."""


@dataclass(frozen=True)
class Gradebook:
    """A grade file as rows of raw fields, each as written, quotes included."""

    path: Path
    rows: list[list[str]]
    ends: list[str]  # what ends each row: "\\r\\n", "\\n", or nothing at the end of the file
    is_moodle: bool

    @property
    def header(self) -> list[str]:
        return [plain_text(field) for field in self.rows[0]]


def read_gradebook(path: Path) -> Gradebook:
    """Read a Canvas gradebook export or a Moodle grading worksheet.

    Raises:
        GradebookError: If it is neither.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GradebookError(
            f"The grade file {path} cannot be read ({error}): export it again, as CSV in UTF-8."
        ) from None
    rows, ends = _split(text)
    header = [plain_text(field) for field in rows[0]] if rows else []
    is_canvas, is_moodle = header[:2] == ["Student", "ID"], header[:1] == ["Identifier"] and "Grade" in header
    if not (is_canvas or is_moodle):
        begin = printable(", ".join(header[:3]))[:200] or "nothing"
        raise GradebookError(
            f"The grade file {path} begins with {begin}, expected Student,ID (Canvas) or Identifier (Moodle, "
            "with a column Grade): export it from the platform and change nothing in it."
        )
    return Gradebook(path, rows, ends, is_moodle)


def _split(text: str) -> tuple[list[list[str]], list[str]]:
    """Rows of raw fields. The csv module would forget what was quoted."""
    rows: list[list[str]] = []
    ends: list[str] = []
    position, row = 0, []
    while position < len(text):
        match = _FIELD.match(text, position)
        assert match is not None
        row.append(match[0])
        position = match.end()
        if text.startswith(",", position):
            position += 1
            if position < len(text):
                continue
            row.append("")
        end = next((end for end in ("\r\n", "\n", "\r") if text.startswith(end, position)), "")
        rows.append(row)
        ends.append(end)
        position, row = position + len(end), []
    return rows, ends


def plain_text(field: str) -> str:
    """A raw field's content."""
    try:
        row = next(csv.reader(io.StringIO(field.lstrip("\ufeff"), newline="")), [])
    except csv.Error:  # longer than the module reads, or a line end where none may be
        row = [field]
    return row[0].strip() if row else ""


def fill(book: Gradebook, results: list[Results], out: Path, column: str | None = None) -> str:
    """Write scores into a copy of a grade file, beside the results.

    Args:
        book: The file as read.
        results: Contents of `results.json` files.
        out: The folder of results.
        column: The title of the column to fill; found from the notebook's name or title if None.

    Returns:
        A summary: how many were filled, and who was not, with the reason.

    Raises:
        GradebookError: If no column or more than one would do.
    """
    place = _column(book, results, column)
    people = [(n, person) for n, row in enumerate(book.rows[1:], 1) if (person := _person(book, row)) is not None]
    directory = Directory(person for _, person in people)
    filled, notes = 0, []
    for result in results:
        for member in _members(result):
            index = directory.index(member)
            if index is None:
                notes.append(f"{member.name} is not in it")
            elif reason := _reason_to_leave(result, book.rows[people[index][0]], place):
                notes.append(f"{member.name} {reason}")
            else:
                _set(book.rows[people[index][0]], place, f"{result['score']:g}")
                filled += 1
    target = out / book.path.name
    if target.resolve() == book.path.resolve() or target.name == GRADES_FILE:  # neither yours nor ours is written over
        target = out / f"filled_{book.path.name}"
    text = "".join(",".join(row) + end for row, end in zip(book.rows, book.ends, strict=True))
    write_atomically(target, text)
    notes += _other_maximum(book, results, place)
    left = f" Left as they were: {'; '.join(notes)}." if notes else ""
    return printable(f"{target}: {filled} scores in the column {book.header[place]}.{left}")


def _column(book: Gradebook, results: list[Results], wanted: str | None) -> int:
    header = book.header
    if book.is_moodle and wanted is None:
        return header.index("Grade")
    candidates = [n for n, title in enumerate(header) if _may_hold_scores(title)]
    notebooks = {r["extra_data"]["notebook"] for r in results if r["extra_data"]["notebook"]}
    names = (
        [wanted] if wanted else [name for notebook in notebooks for name in (notebook, load_assignment(notebook).title)]
    )
    fitting = [n for n in candidates if any(_letters(name) in _letters(header[n]) for name in names)]
    if len(fitting) == 1:
        return fitting[0]
    if len(candidates) == 1 and not wanted:
        return candidates[0]
    titles = printable(", ".join(header[n] for n in fitting or candidates)) or "none"
    raise GradebookError(
        f"The grade file {book.path} has no one column for {' or '.join(names) or 'these results'} (found: {titles}): "
        "name it with --column."
    )


def _may_hold_scores(title: str) -> bool:
    """An assignment's column ends with its number in brackets; Canvas adds totals that it works out itself."""
    return re.search(r"\(\d+\)$", title) is not None and not any(
        words in title.casefold() for words in _NOT_ASSIGNMENTS
    )


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _person(book: Gradebook, row: list[str]) -> Person | None:
    return person_of(dict(zip(book.header, map(plain_text, row), strict=False)))


def _members(result: Results) -> list[Person]:
    extra = result["extra_data"]
    members = extra.get("members") or [{"name": extra["student"], "email": "", "ids": []}]
    return [Person(m["name"], m["email"], tuple(m["ids"])) for m in members]


def _reason_to_leave(result: Results, row: list[str], place: int) -> str:
    if place >= len(row):
        return "has a line that is too short"
    if plain_text(row[place]).upper() == "EX":
        return "is excused"
    if not has_score(result):
        return f"was not graded ({result['extra_data']['status']})"
    return ""


def _set(row: list[str], place: int, value: str) -> None:
    row[place] = f'"{value}"' if row[place].strip().startswith('"') else value


def _other_maximum(book: Gradebook, results: list[Results], place: int) -> list[str]:
    """Canvas says what an assignment is worth: a warning where that is not what the checks add up to."""
    row = next((row for row in book.rows[1:3] if "Points Possible" in row[0] and place < len(row)), None)
    worth = plain_text(row[place]) if row else ""
    ours = max((automatic_points(r) for r in results if is_graded(r)), default=0)
    try:
        same = not worth or not ours or ours == float(worth)
    except ValueError:
        return []
    return [] if same else [f"the column is worth {worth} points, these results give up to {ours:g}"]
