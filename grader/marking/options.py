"""What a command line says of points that persons give: sheets, the adjustments file and the late rule, for `grade` and `mark`."""

import argparse
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.marking.adjustments import read_adjustments
from grader.marking.given import Brought, add_marks, marks_exist
from grader.marking.hand_in_times import times_in
from grader.marking.late import Deadline, parse_time
from grader.marking.sheets import count_parts, read_sheet, sheet_of
from grader.marking.state import State
from grader.marking.store import Ledger, copy_store, is_store
from grader.platforms.gradebooks import ALSO
from grader.report.files import write_atomically
from utils.assignments.course import CourseError, course_file

Results = dict[str, Any]
_OFF = "off"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add `--by-hand`, `--adjust` and `--late` to a command."""
    parser.add_argument(
        "--by-hand", type=Path, action="append", default=[], metavar="FILE",
        help="a sheet with points that a person gives (written, with open cells, where there is none), or another folder's "
        "marks.sqlite; once for each file",
    )  # fmt: skip
    parser.add_argument(
        "--adjust", type=Path, metavar="FILE", help="a CSV file of reasons: student,check,points,reason,by,when; check may be total, or late"
    )  # fmt: skip
    parser.add_argument(
        "--late", nargs="?", const="", type=_due, metavar="TIME",
        help="apply the course's late rule, of course.toml; TIME: when it was due, if the course's file does not say (off: no longer)",
    )  # fmt: skip
    add_fill_option(parser)


def add_fill_option(parser: argparse.ArgumentParser) -> None:
    """Add `--fill-also` to a command that fills grade files."""
    parser.add_argument(
        "--fill-also", action="append", default=[], choices=ALSO, metavar="WHAT",
        help="fill also over a score that is higher, over EX (excused), or while parts wait (waiting); once for each",
    )  # fmt: skip


def _due(text: str) -> str:
    time = parse_time(text)
    if text not in ("", _OFF) and (time is None or time.tzinfo is None):
        raise argparse.ArgumentTypeError(f"{text!r} is no time with a zone; write it as 2026-03-01T23:59+01:00")
    return text


def brought(options: argparse.Namespace) -> Brought:
    """What the options bring.

    Raises:
        SheetError: If a sheet or the adjustments file cannot be used.
        CourseError: If the course has no late rule, or nobody says when anything was due.
    """
    found = Brought(tuple(read_sheet(path) for path in options.by_hand if path.exists() and not is_store(path)))
    if options.adjust is not None:
        found = replace(found, adjustments=read_adjustments(options.adjust))
    if options.late == _OFF:
        return replace(found, ends_late_rule=True)
    if options.late is not None:
        lists = [path for path in (getattr(options, "roster", None), options.fill) if path is not None]
        times = {number: time for path in lists for number, time in times_in(path).items()}
        found = replace(found, deadline=_deadline(options.late), times=times)
    return found


def with_given(
    options: argparse.Namespace, folder: Path, results: list[Results], given: Brought
) -> tuple[list[Results], str]:
    """The results with what persons gave, and what to say about it; "" where nobody gave anything.

    Args:
        options: Of the command: where a sheet is named that is not there, it is written.
        folder: Of the results.
        results: Contents of `results.json` files.
        given: What `brought` read before anything was graded.
    """
    for path in options.by_hand:
        if is_store(path):
            copy_store(path, folder)
    settled, said = add_marks(folder, results, given)
    for path in options.by_hand:
        if not path.exists():
            said = f"{said} {write_sheet(path, folder, results)}".strip()
    return settled, said


def write_sheet(path: Path, folder: Path, results: list[Results]) -> str:
    """Write a sheet to fill in, where there is none yet; one sentence says what to do with it."""
    state = State()
    if marks_exist(folder):
        with closing(Ledger(folder)) as ledger:
            state = ledger.state
    write_atomically(path, sheet_of(results, state))
    return (
        f"{path}: a sheet for {count_parts(results)} parts; what still waits is empty. Fill in points, then run the same "
        "command again."
    )


def _deadline(text: str) -> Deadline:
    course = course_file()
    if course.late is None:
        raise CourseError("course.toml has no late rule: write `[late]` and its keys there, such as per_day = 10.")
    due: dict[str, datetime] = dict(course.due)
    time = parse_time(text)
    if time is not None:
        due = {"": time}
    if not due:
        raise CourseError("Nobody says when anything was due: write `[due]` in course.toml, or give --late a time.")
    return Deadline(due, course.late)
