"""Grade files of platforms, filled: a notebook's column is written, every other byte stays as the platform made it.

Written is the score, with a person's points in it where `--by-hand` brought them. Left as they are: excused students (`EX`),
those who are absent, rejected submissions, faults of ours, and scores in the file that are higher; the summary names them,
because a person has to decide, and every score that was replaced. While parts still wait for a person nothing is written.
What is left can be told to be written: `ALSO`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.platforms.columns import DoubledColumn, Roles, person_in, roles_of
from grader.platforms.people import Directory, Person
from grader.platforms.rows import assign
from grader.platforms.tables import Table, TableError, plain_text, read_table
from grader.report.files import GRADES_FILE, write_atomically
from grader.report.statistics import automatic_points, has_score, is_graded
from utils.assignments import load_assignment
from utils.notebook.printable import printable

Results = dict[str, Any]
_NOT_ASSIGNMENTS = (
    "current score",
    "final score",
    "current grade",
    "final grade",
    "unposted",
    "current points",
    "final points",
)
# What Moodle calls the column that is filled, in the languages of its largest communities.
_MOODLE_GRADE = (
    "grade",
    "bewertung",
    "note",
    "calificación",
    "valutazione",
    "nota",
    "cijfer",
    "betyg",
    "karakter",
    "ocena",
)
_BRIGHTSPACE_GRADE = re.compile(r"^(?P<title>.{1,200}) points grade\b", re.IGNORECASE)
_CANVAS_GRADE = re.compile(r"\(\d{1,19}\)$")
_SCORE = re.compile(r"-?\d{1,9}(?:[.,]\d{1,9})?")
_NUMBER = re.compile(r"-?\d{1,9}(?P<mark>[.,])\d{1,9}")


ALSO = ("higher", "excused", "waiting")  # what is written only if told: over a higher score, over EX, while parts wait


class GradebookError(ValueError):
    """The grade file cannot be filled; the message is one sentence."""


@dataclass(frozen=True)
class Gradebook:
    """A grade file of one platform: its table, and what its columns say of people."""

    path: Path
    table: Table
    platform: str  # "Canvas", "Moodle", "Brightspace" or "Gradescope"
    roles: Roles

    @property
    def rows(self) -> list[list[str]]:
        return self.table.rows

    @property
    def header(self) -> list[str]:
        return self.table.header


def read_gradebook(path: Path) -> Gradebook:
    """Read a grade file: a Canvas gradebook, a Moodle grading worksheet, a Brightspace or a Gradescope export.

    Raises:
        GradebookError: If it is none of them.
    """
    try:
        table = read_table(path)
        rows = [table.cells(row) for row in table.rows[1:]]
        roles = roles_of(table.header, rows)
    except TableError as error:
        raise GradebookError(
            f"The grade file {path} cannot be read ({error}): export it again, as CSV in UTF-8."
        ) from None
    except DoubledColumn as error:
        raise GradebookError(f"The grade file {path} cannot be filled: {error}; delete one of them.") from None
    platform = _platform(table.header, roles)
    if not platform:
        begin = printable(", ".join(table.header[:3]))[:200] or "nothing"
        raise GradebookError(
            f"The grade file {path} begins with {begin}, expected Student,ID (Canvas), Identifier (Moodle, with a column "
            "Grade), OrgDefinedId (Brightspace), or names and SID with a Total Score (Gradescope): export it from the "
            "platform and change nothing in it."
        )
    return Gradebook(path, table, platform, roles)


def _platform(header: list[str], roles: Roles) -> str:
    titles = [title.casefold() for title in header]
    if titles[:2] == ["student", "id"]:
        return "Canvas"
    if roles.get(0) == "participant" or (titles[:1] == ["identifier"] and "grade" in titles):
        return "Moodle"
    if "end-of-line indicator" in titles and {"sis", "login"} & set(roles.values()):
        return "Brightspace"
    return "Gradescope" if "total score" in titles and {"sis", "email"} & set(roles.values()) else ""


def fill(
    book: Gradebook,
    results: list[Results],
    out: Path,
    column: str | None = None,
    trust_names: bool = False,
    also: Collection[str] = (),
) -> str:
    """Write scores into a copy of a grade file, beside the results.

    Args:
        book: The file as read.
        results: Contents of `results.json` files.
        out: The folder of results.
        column: The title of the column to fill; found from the notebook's name or title if None.
        trust_names: Whether a name alone says who somebody is, where it is one person's in the file.
        also: What else is written, of `ALSO`.

    Returns:
        A summary: how many were filled, what was replaced, and who was not, with the reason.

    Raises:
        GradebookError: If no column or more than one would do, or parts still wait for a person.
    """
    if "waiting" not in also:
        _require_finished(results)
    people = [(n, person) for n, row in enumerate(book.rows[1:], 1) if (person := _person(book, row)) is not None]
    directory = Directory(person for _, person in people)
    titles: list[str] = []
    notes: list[str] = []
    remarks: list[str] = []
    replaced: list[str] = []
    filled = 0
    for place, own in _by_column(book, results, column).items():
        assignment = assign(own, directory, trust_names)
        notes += assignment.notes
        remarks += assignment.remarks
        for index, (result, member) in assignment.results.items():
            number = people[index][0]
            if reason := _reason_to_leave(result, book.rows[number], place, also):
                notes.append(f"{member.name} {reason}")
            else:
                replaced += _replaced(member.name, book.rows[number][place], result["score"])
                _set(book, book.rows[number], place, f"{result['score']:g}")
                filled += 1
        notes += _other_maximum(book, own, place)
        titles.append(book.header[place])
    target = out / book.path.name
    if target.resolve() == book.path.resolve() or target.name == GRADES_FILE:  # neither yours nor ours is written over
        target = out / f"filled_{book.path.name}"
    write_atomically(target, book.table.data())
    over = f" Replaced: {'; '.join(replaced)}." if replaced else ""
    left = f" Left as they were: {'; '.join(dict.fromkeys(notes))}." if notes else ""
    look = f" Look at: {'; '.join(dict.fromkeys(remarks))}." if remarks else ""
    return printable(f"{target}: {filled} scores in the column {' and '.join(titles)}.{over}{left}{look}")


def _by_column(book: Gradebook, results: list[Results], wanted: str | None) -> dict[int, list[Results]]:
    """The results that go into each column: a notebook has its own. What is of no known notebook stands in the way of all."""
    names = sorted({name for r in results if (name := r["extra_data"]["notebook"])})
    unknown = [r for r in results if not r["extra_data"]["notebook"]]
    columns: dict[int, list[Results]] = {}
    for name in names or [""]:
        place = _column(book, name, wanted)
        if place in columns:
            raise GradebookError(
                f"The grade file {book.path} has one column, {printable(book.header[place])}, for the results of "
                f"{' and '.join(names)}: choose one with --notebook."
            )
        columns[place] = [r for r in results if r["extra_data"]["notebook"] == name] + (unknown if name else [])
    return columns


def _column(book: Gradebook, notebook: str, wanted: str | None) -> int:
    candidates = [n for n, title in enumerate(book.header) if n not in book.roles and _may_hold_scores(book, title)]
    if not wanted and len(candidates) == 1:
        return candidates[0]
    names = [wanted] if wanted else [notebook, load_assignment(notebook).title] if notebook else []
    fitting = [n for n in candidates if any(_letters(name) in _letters(book.header[n]) for name in names)]
    if len(fitting) == 1:
        return fitting[0]
    titles = printable(", ".join(book.header[n] for n in fitting or candidates)) or "none"
    raise GradebookError(
        f"The grade file {book.path} has no one column for {' or '.join(names) or 'these results'} (found: {titles}): "
        "name it with --column."
    )


def _may_hold_scores(book: Gradebook, title: str) -> bool:
    """Canvas ends an assignment's title with its number in brackets, and adds totals that it works out itself."""
    title = title.strip()
    if book.platform == "Moodle":
        return title.casefold() in _MOODLE_GRADE
    if book.platform == "Brightspace":
        return _BRIGHTSPACE_GRADE.match(title) is not None
    if book.platform == "Gradescope":
        return title.casefold() == "total score"
    return _CANVAS_GRADE.search(title[-25:]) is not None and not any(w in title.casefold() for w in _NOT_ASSIGNMENTS)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _person(book: Gradebook, row: list[str]) -> Person | None:
    return person_in(book.table.cells(row), book.roles)


def _require_finished(results: list[Results]) -> None:
    """Half a score in a grade book is soon taken for all of it."""
    waiting = [r["extra_data"]["student"] for r in results if is_graded(r) and r["extra_data"]["pending_points"]]
    if waiting:
        raise GradebookError(
            f"Parts of {len(waiting)} hand-ins still wait for a person ({', '.join(waiting[:3])}{' and more' if len(waiting) > 3 else ''}): "
            "mark them first, or fill all the same with --fill-also waiting."
        )


def _reason_to_leave(result: Results, row: list[str], place: int, also: Collection[str]) -> str:
    if place >= len(row):
        return "has a line that is too short"
    if plain_text(row[place]).upper() == "EX" and "excused" not in also:
        return "is excused"
    if not has_score(result):
        return f"was not graded ({result['extra_data']['status']})"
    there = _score(row[place])
    if there is not None and there > result["score"] and "higher" not in also:
        return f"has {there:g} there, more than {result['score']:g}"
    return ""


def _score(field: str) -> float | None:
    """The score that stands in a field; None for anything else."""
    text = plain_text(field).strip()
    return float(text.replace(",", ".")) if _SCORE.fullmatch(text) else None


def _replaced(name: str, field: str, score: float) -> list[str]:
    """A sentence's part about what stood there, if it was something else."""
    text = plain_text(field).strip()
    return [f"{name} {text[:20]} by {score:g}"] if text not in ("", "-") and _score(field) != score else []


def _set(book: Gradebook, row: list[str], place: int, value: str) -> None:
    value = value.replace(".", _decimal_mark(book.table))
    is_quoted = row[place].strip().startswith('"') or book.table.delimiter in value
    row[place] = f'"{value}"' if is_quoted else value


def _decimal_mark(table: Table) -> str:
    """As the file writes its own numbers; in one without fractions, as spreadsheets that part fields by semicolons do."""
    for row in table.rows[1:]:
        for field in row:
            if match := _NUMBER.fullmatch(plain_text(field)):
                return match["mark"]
    return "," if table.delimiter == ";" else "."


def _other_maximum(book: Gradebook, results: list[Results], place: int) -> list[str]:
    """Canvas says what an assignment is worth: a warning where that is not what the checks add up to."""
    row = next((row for row in book.rows[1:3] if "Points Possible" in row[0] and place < len(row)), None)
    worth = plain_text(row[place]) if row else ""
    ours = max((automatic_points(r) for r in results if is_graded(r)), default=0)
    try:
        same = not worth or not ours or ours == float(worth.replace(",", "."))
    except ValueError:
        return []
    return [] if same else [f"the column is worth {worth} points, these results give up to {ours:g}"]
