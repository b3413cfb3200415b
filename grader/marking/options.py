"""What a command line says of points that persons give: the adjustments file and the late rule, for `grade` and `mark`."""

import argparse
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from grader.marking.adjustments import read_adjustments
from grader.marking.given import Brought
from grader.marking.late import Deadline, parse_time
from utils.assignments.course import CourseError, course_file

_OFF = "off"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add `--adjust` and `--late` to a command."""
    parser.add_argument(
        "--adjust", type=Path, metavar="FILE", help="a CSV file of reasons: student,check,points,reason,by,when; check may be total, or late"
    )  # fmt: skip
    parser.add_argument(
        "--late", nargs="?", const="", type=_due, metavar="TIME",
        help="apply the course's late rule, of course.toml; TIME: when it was due, if the course's file does not say (off: no longer)",
    )  # fmt: skip


def _due(text: str) -> str:
    time = parse_time(text)
    if text not in ("", _OFF) and (time is None or time.tzinfo is None):
        raise argparse.ArgumentTypeError(f"{text!r} is no time with a zone; write it as 2026-03-01T23:59+01:00")
    return text


def brought(options: argparse.Namespace, start: Brought | None = None) -> Brought:
    """What the options bring.

    Raises:
        SheetError: If the adjustments file cannot be used.
        CourseError: If the course has no late rule, or nobody says when anything was due.
    """
    found = start or Brought()
    if options.adjust is not None:
        found = replace(found, adjustments=read_adjustments(options.adjust))
    if options.late == _OFF:
        return replace(found, ends_late_rule=True)
    if options.late is not None:
        found = replace(found, deadline=_deadline(options.late))
    return found


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
