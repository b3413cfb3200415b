"""The CSV sheet of points: written from results and marks, and a filled one read.

student,email,id,flow.derive.manual (10),flow.shape.manual (5),answers
Ada_11,ada@uni.edu,canvas:11,,-,flow.derive.manual:9f1c03aa flow.shape.manual:77d1e0b2

A line a hand-in, a column a part with what it is worth; empty where somebody has to read, `-` where nothing stands. A line is
keyed by what identifies its people, and carries the digests of the answers that it judges. An id stands with its kind, so that
no other kind's number is taken for it, and no spreadsheet takes it for a number. The sheet belongs to the instructor: it is
written once and never written over.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.marking.answers import Answer, answers_of, open_tests
from grader.marking.standing import given
from grader.marking.state import State
from grader.marking.tables import SheetError, Table, read_table
from grader.marking.whose import ids_of
from grader.report.grades import harmless

Results = dict[str, Any]
NOTHING_TO_READ = "-"
DIGITS = 12  # of a digest in a sheet
_WHOSE, _ANSWERS = ("student", "email", "id"), "answers"
_PART = re.compile(r"(?P<check>[\w.]+) \((?P<points>\d+(?:\.\d+)?)\)")
_ADVICE = "write a new sheet with `mark RESULTS --sheet FILE`, and fill that in"


@dataclass(frozen=True)
class Row:
    """One hand-in's line."""

    line: int
    student: str
    email: str
    number: str
    points: dict[str, float | None]  # by part; None where the cell is empty
    answers: dict[str, str]  # by part, the beginning of the answer's digest


@dataclass(frozen=True)
class Sheet:
    """A filled sheet."""

    path: Path
    worth: dict[str, float]  # by part, as the headings say
    rows: tuple[Row, ...]

    @property
    def who(self) -> str:
        """As whose its marks are stored."""
        return f"sheet {self.path.name}"

    def where(self, row: Row) -> str:
        return f"{self.path}, line {row.line}"


# ------------------------------------------------------------ out


def sheet_of(results: list[Results], state: State) -> str:
    """The marks as a sheet.

    Args:
        results: Contents of `results.json` files, without marks.
        state: Of the marks.

    Returns:
        CSV text that `--by-hand` reads.
    """
    parts = _parts(results)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_WHOSE, *(f"{check} ({points:g})" for check, points in parts.items()), _ANSWERS])
    for result in sorted(results, key=lambda r: r["extra_data"]["student"]):
        answers = {answer.check: answer for answer in answers_of(result)}
        if answers:
            cells = [_shown(state, answers.get(check), points) for check, points in parts.items()]
            digests = " ".join(f"{check}:{answers[check].digest[:DIGITS]}" for check in parts if check in answers)
            writer.writerow([*_whose(result), *cells, digests])
    return out.getvalue()


def count_parts(results: list[Results]) -> int:
    return len(_parts(results))


def _parts(results: list[Results]) -> dict[str, float]:
    """Every part that a person grades, with its points, in the order of the notebooks."""
    found = {}
    for result in results:
        for test in open_tests(result):
            facts, number = test["extra_data"], [int(n) for n in test["number"].split(".")]
            found[result["extra_data"]["notebook"], tuple(number), facts["check"]] = facts["points"]
    return {check: points for (_, _, check), points in sorted(found.items())}


def _whose(result: Results) -> list[str]:
    extra = result["extra_data"]
    members = extra.get("members") or []
    email = str(members[0]["email"]) if members else ""
    number = next(iter(ids_of(members[0])), "") if members else ""
    return [harmless(extra["student"]), harmless(email), harmless(number)]


def _shown(state: State, answer: Answer | None, maximum: float) -> str:
    if answer is None or (answer.is_missing and not state.marks(answer.student, answer.check)):
        return NOTHING_TO_READ
    found = given(state, answer, answer.digest, maximum)
    return "" if found is None else f"{found.points:.10g}"


# ------------------------------------------------------------ in


def read_sheet(path: Path) -> Sheet:
    """Read a filled sheet.

    Raises:
        SheetError: If it is none, a heading was edited, a line stands there twice, or a cell holds no points.
    """
    table = read_table(path, _is_heading, "The sheet", f"expected student,email,id,...: {_ADVICE}")
    titles = table.header
    if titles[:3] != _WHOSE or titles[-1] != _ANSWERS:
        raise SheetError(
            f"{table.where(1)}: the headings begin with {','.join(titles[:3])} and end with {titles[-1]}, expected "
            f"{','.join(_WHOSE)} and {_ANSWERS}: put them back, or {_ADVICE}."
        )
    worth = {}
    for title in titles[3:-1]:
        match = _PART.fullmatch(title)
        if match is None:
            raise SheetError(f"{table.where(1)}: the heading {title!r} is none of a part, PART (POINTS): put it back.")
        if match["check"] in worth:
            raise SheetError(f"{table.where(1)}: the part {match['check']} has two columns: remove one.")
        worth[match["check"]] = float(match["points"])
    rows = tuple(_row(table, line, cells, worth) for line, cells in table.rows)
    lines: dict[tuple[str, ...], int] = {}
    for row in rows:
        before = lines.setdefault((row.student, row.email, row.number), row.line)
        if before != row.line:
            raise SheetError(f"{table.where(row.line)}: {row.student} stands in line {before} as well: keep one.")
    return Sheet(path, worth, rows)


def _is_heading(cells: list[str]) -> bool:
    return len(cells) > 1 and cells[0].strip() == "student"


def _row(table: Table, line: int, cells: Iterable[str], worth: Mapping[str, float]) -> Row:
    student, email, number, *points, digests = cells
    answers: dict[str, str] = {}
    for word in digests.split():
        check, _, digest = word.rpartition(":")
        answers[check] = digest
    found: dict[str, float | None] = {}
    for (check, most), cell in zip(worth.items(), points, strict=True):
        if cell == NOTHING_TO_READ:
            continue
        found[check] = _number(table, line, check, cell, most) if cell else None
        if found[check] is not None and len(answers.get(check, "")) != DIGITS:
            raise SheetError(
                f"{table.where(line)}, {check}: nothing under {_ANSWERS} says which answer these points judge: {_ADVICE}."
            )
    return Row(line=line, student=student, email=email, number=number, points=found, answers=answers)


def _number(table: Table, line: int, check: str, cell: str, most: float) -> float:
    value = table.number(cell)
    if value is None or not 0 <= value <= most:
        raise SheetError(
            f"{table.where(line)}, {check}: {cell!r} stands there, expected points from 0 to {most:g}, or nothing: correct it."
        )
    return value
