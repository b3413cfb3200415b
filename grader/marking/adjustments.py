"""The file of reasons: an appeal that settles one check, points to the total, what a late hand-in counts as.

student,check,points,reason,by,when
ada@uni.edu,flow.affine.values,5,double precision is right,Emmy,2026-03-08  the check is worth 5 points from now on
Bob_12,total,-10,copied from a neighbour,Emmy,2026-03-09                       added to the total; extra credit may pass the maximum
Bob_12,late,0,was ill,Emmy,2026-03-09                                          hours late that it counts as

A column `notebook` may say which notebook a line is about, where one file serves several. No sign is needed, because
spreadsheets lose it: a check is settled, to the total is added.

The file is the whole list: its lines become events, a line that is gone or changed is withdrawn, and given again it
changes nothing.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.marking.elsewhere import is_asked_elsewhere
from grader.marking.events import LONGEST_WORDS, Event, New
from grader.marking.state import State
from grader.marking.store import Ledger
from grader.marking.tables import SheetError, Table, read_table
from grader.marking.whose import Ambiguous, Nobody, Whose, marks_of_person
from utils.assignments import assignment_names

Results = dict[str, Any]
TOTAL, LATE = "total", "late"
_HEADINGS = ("student", "check", "points", "reason", "by", "when")
_OPTIONAL = ("notebook",)
_WHO = "adjustments file"
_LARGEST, _NAMED = 1000.0, 5


@dataclass(frozen=True)
class Line:
    """One line of the file."""

    number: int
    cells: dict[str, str]
    points: float

    @property
    def written(self) -> list[str]:
        """By what a line is the same one when the file is read again."""
        return [self.cells.get(name, "") for name in (*_HEADINGS, *_OPTIONAL)]


@dataclass(frozen=True)
class Adjustments:
    """The file as read."""

    path: Path
    lines: tuple[Line, ...]


def read_adjustments(path: Path) -> Adjustments:
    """Read the file.

    Raises:
        SheetError: If it is no such file, a line lacks something, or a line stands there twice.
    """
    table = read_table(path, _is_heading, "The adjustments file", f"its first line is {','.join(_HEADINGS)}")
    titles = [_plain(title) for title in table.header]
    if lacks := [name for name in _HEADINGS if name not in titles]:
        raise SheetError(f"{table.where(1)}: the heading {lacks[0]!r} is missing; it is {','.join(_HEADINGS)}.")
    if strange := [name for name in titles if name not in (*_HEADINGS, *_OPTIONAL)]:
        raise SheetError(f"{table.where(1)}: the heading {strange[0]!r} is not known; remove that column.")
    lines: list[Line] = []
    first: dict[tuple[str, ...], int] = {}
    for number, row in table.rows:
        line = _line(table, number, dict(zip(titles, row, strict=True)))
        before = first.setdefault(tuple(line.written), number)
        if before != number:
            raise SheetError(f"{table.where(number)}: the same as line {before}, and would count twice: remove one.")
        lines.append(line)
    return Adjustments(path, tuple(lines))


def _is_heading(cells: list[str]) -> bool:
    return len(cells) > 1 and _plain(cells[0]) == "student"


def _plain(title: str) -> str:
    title = " ".join(title.split()).casefold()
    return "check" if title == "check or total" else title


def _line(table: Table, number: int, cells: dict[str, str]) -> Line:
    where = table.where(number)
    if lacks := [name for name in _HEADINGS if not cells[name]]:
        raise SheetError(f"{where}: {lacks[0]} is empty; every line says {', '.join(_HEADINGS)}.")
    if len(cells["reason"]) > LONGEST_WORDS:
        raise SheetError(f"{where}: the reason has more than {LONGEST_WORDS} characters: shorten it.")
    points = table.number(cells["points"])
    if points is None or abs(points) > _LARGEST:
        raise SheetError(f"{where}: {cells['points']!r} stands under points, expected a number: correct it.")
    if cells["check"] == TOTAL and not points:
        raise SheetError(f"{where}: 0 points to the total change nothing: give points, or remove the line.")
    if cells["check"] == LATE and points < 0:
        raise SheetError(f"{where}: {points:g} hours late cannot be; 0 excuses a late hand-in.")
    return Line(number, cells, points)


def bring_in(ledger: Ledger, results: list[Results], file: Adjustments) -> list[str]:
    """Make the file's lines events of the ledger, and withdraw those of lines that are gone.

    Args:
        ledger: Of the folder.
        results: What the lines are about.
        file: As read.

    Returns:
        Sentences: how many hold, were withdrawn, or mean nobody here.

    Raises:
        SheetError: If a line means two, names no check, or two lines settle the same. Nothing is stored then.
    """
    whose = Whose(results)
    by_student = {result["extra_data"]["student"]: result for result in results}
    notebooks = {result["extra_data"]["notebook"] for result in results}
    known = {test["extra_data"]["check"] for result in results for test in result["tests"]}
    is_one_of_several = ledger.path.parent.name in assignment_names()  # a folder for each notebook
    meant: list[tuple[Line, str]] = []
    strangers: list[str] = []
    for line in file.lines:
        if line.cells.get("notebook") and line.cells["notebook"] not in notebooks:
            continue
        if is_one_of_several and not line.cells.get("notebook") and line.cells["check"] in (TOTAL, LATE):
            raise SheetError(
                f"{file.path}, line {line.number}: several notebooks are here, and {line.cells['check']} would count in each: "
                "say which in a column `notebook`."
            )
        if line.cells["check"] not in known and is_asked_elsewhere(line.cells["check"], notebooks):
            continue
        try:
            student = whose.of(line.cells["student"])
        except Nobody:
            strangers.append(f"line {line.number} ({line.cells['student']})")
            continue
        except Ambiguous as error:
            raise SheetError(f"{file.path}, line {line.number}: {error}: name the hand-in, or an address.") from None
        if student in whose.groups and line.cells["student"] != student:
            raise SheetError(
                f"{file.path}, line {line.number}: {line.cells['student']} handed in with others, who would get the same: "
                f"name the hand-in, {student}, if that is meant."
            )
        meant.append((line, student))
    _require_checks(file, meant, results, by_student)
    done = ledger.commit(lambda state: _events(state, file, meant, by_student))
    n_gone = sum("withdraws" in event.body for event in done)
    notes = [f"{len(meant)} lines of {file.path.name} hold" + (f", {n_gone} withdrawn." if n_gone else ".")]
    if strangers:
        notes.append(f"Not among these results: {_named(strangers)}.")
    return notes


def _named(what: list[str]) -> str:
    return ", ".join(what[:_NAMED]) + (" and more" if len(what) > _NAMED else "")


def _require_checks(
    file: Adjustments, meant: list[tuple[Line, str]], results: list[Results], by_student: dict[str, Results]
) -> None:
    """Each line is about a check of that student with room for the points, and no other line says something else about it."""
    known = {test["extra_data"]["check"] for result in results for test in result["tests"]}
    settled: dict[tuple[str, str], int] = {}
    for line, student in meant:
        check, where = line.cells["check"], f"{file.path}, line {line.number}"
        if check == TOTAL:
            continue
        before = settled.setdefault((student, check), line.number)
        if before != line.number:
            raise SheetError(f"{where}: line {before} settles {check} of {student} as well: keep the one that holds.")
        if check == LATE:
            continue
        tests = {test["extra_data"]["check"]: test for test in by_student[student]["tests"]}
        if check not in tests:
            like = difflib.get_close_matches(check, sorted(known), 1)
            hint = f"did you mean {like[0]}?" if like else "name a check, total or late."
            also = " If it is another notebook's, say which in a column `notebook`." if check not in known else ""
            raise SheetError(f"{where}: {check!r} is no check of {student}; {hint}{also}")
        most = tests[check]["extra_data"]["points"]
        if not 0 <= line.points <= most:
            raise SheetError(
                f"{where}: {check} is worth 0 to {most:g} points, got {line.points:g}; for extra credit or a penalty write total."
            )


def _events(
    state: State, file: Adjustments, meant: Iterable[tuple[Line, str]], by_student: dict[str, Results]
) -> list[New]:
    there = {event.id: event for event in _of_file(state)}
    written = {tuple(event.body["line"]): event for event in there.values()}
    kept = {tuple(line.written) for line in file.lines}
    new = [
        New(_WHO, "adjust", {"withdraws": event.id}, event.student) for key, event in written.items() if key not in kept
    ]
    for line, student in meant:
        before = written.get(tuple(line.written))
        if before is not None and before.student == student:
            continue
        if before is not None:  # who is meant by it has another name by now
            new.append(New(_WHO, "adjust", {"withdraws": before.id}, before.student))
        body = {
            "target": line.cells["check"], "points": line.points, "reason": line.cells["reason"], "by": line.cells["by"],
            "when": line.cells["when"], "settles": line.cells["check"] != TOTAL, "line": line.written,
            "persons": marks_of_person(by_student[student]),
        }  # fmt: skip
        new.append(New(_WHO, "adjust", body, student))
    return new


def _of_file(state: State) -> list[Event]:
    return [event for event in state.all_adjustments() if event.who == _WHO]


def holds_for(event: Event, result: Results) -> bool:
    """Whether an adjustment is about the people who handed this in: a name in a later download may be another's."""
    persons, here = event.body.get("persons") or [], marks_of_person(result)
    return not persons or not here or bool(set(persons) & set(here))


__all__ = ["LATE", "TOTAL", "Adjustments", "bring_in", "holds_for", "read_adjustments"]
