"""What a course declares in its `course.toml`, and the option `--course` of every command that builds, grades, proves or packs.

name = "statistics"                     what files and folders of the course are called by
title = "Statistics by hand"            what people read
about = "Two notebooks ..."             how the students' README begins
results = "results"                     where grades go, seen from the course's folder
secret = "GRADER_SALT"                  the environment's variable with the secret that inputs are drawn from
release = "all"                         what students read: "all", or "staged": before the time it is due only that it runs, and the visible examples

[late]                                  the late rule; without it, hand-ins are never late
grace_minutes = 15
per_day = 10.0                          percent of the points a day begun
cap = 50.0                              percent, at most
until_days = 7                          later is not accepted

[due]                                   when each notebook is due, with the zone; `--late TIME` says it instead
07_flows = 2026-03-01T23:59:00+01:00
"""

import argparse
import importlib
import os
import re
import sys
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from utils.assignments.places import ASSIGNMENTS, CourseError, shown, this_course

FILE = "course.toml"
STAGED, RELEASES = "staged", ("all", "staged")


@dataclass(frozen=True)
class Late:
    """What a late hand-in costs."""

    grace_minutes: float = 0.0
    per_day: float = 0.0  # percent of the points, for each day begun
    cap: float = 100.0  # percent
    until_days: float | None = None  # None: accepted at any time


@dataclass(frozen=True)
class CourseFile:
    """All of `course.toml`."""

    name: str = "course"
    title: str = "Course"
    about: str = ""
    results: str = "results"
    secret: str = "GRADER_SALT"
    release: str = "all"
    late: Late | None = None
    due: dict[str, datetime] = field(default_factory=dict)  # by notebook; each with its zone


def course_file() -> CourseFile:
    """What this course declares; the defaults in a bundle, which has no such file.

    Raises:
        CourseError: If the file declares something unknown, or of another kind.
    """
    return _read(this_course().root / FILE)


@cache
def _read(path: Path) -> CourseFile:
    return parse_course(path.read_text(encoding="utf-8"), path) if path.is_file() else CourseFile()


def parse_course(text: str, path: Path) -> CourseFile:
    """Read the text of a `course.toml`.

    Args:
        text: Of the file.
        path: The file, for what is said about it.

    Raises:
        CourseError: As `course_file`.
    """
    declared = parse_toml(text, path)
    late = declared.pop("late", None)
    if late is not None and not isinstance(late, dict):
        raise wrong_key(text, path, "late", "late is a table; write `[late]` and its keys below it")
    due = declared.pop("due", {})
    _check_due(due, text, path)
    _check(CourseFile, declared, text, path, without=("late", "due"))
    if not re.fullmatch(r"[\w-]+", declared.get("name", "course")):
        said = "the name becomes a file's; use letters, digits, - and _, and say the rest in `title`"
        raise wrong_key(text, path, "name", said)
    if declared.get("release", "all") not in RELEASES:
        raise wrong_key(text, path, "release", f"release is {declared['release']!r}; give one of {', '.join(RELEASES)}")
    if late is not None:
        _check(Late, late, text, path)
        for key, value in late.items():
            if value < 0 or (key in ("cap", "per_day") and value > 100):
                said = f"{key} = {value:g} cannot be; give 0 or more, and of percent at most 100"
                raise wrong_key(text, path, key, said)
    return CourseFile(**declared, late=Late(**late) if late is not None else None, due=due)


def _check_due(due: Any, text: str, path: Path) -> None:
    if not isinstance(due, dict):
        raise wrong_key(text, path, "due", "due is a table; write `[due]` and a line for each notebook below it")
    for notebook, time in due.items():
        if not isinstance(time, datetime) or time.tzinfo is None:
            said = f"{notebook} = {time} is no time with a zone; write it as 2026-03-01T23:59:00+01:00"
            raise wrong_key(text, path, notebook, said)


def wrong_key(text: str, path: Path, key: str, said: str) -> CourseError:
    """What is wrong with a key of a TOML file, with its line."""
    return CourseError(f"{shown(path)}, line {line_of(text, key)}: {said}.")


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """A TOML file's content.

    Raises:
        CourseError: If it is none.
    """
    # Staff alone read TOML: the bundle for students holds no file of it, nor the package that older Pythons need.
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise CourseError(
            f"{shown(path)}, line {line[1] if line else 1}: this is no TOML ({error}); mend that line."
        ) from None


def line_of(text: str, key: str) -> int:
    """The line that a key of a TOML file stands in; 1 if it stands nowhere."""
    match = re.search(rf"^[ \t]*\[?{re.escape(key)}\b", text, re.MULTILINE)
    return text[: match.end()].count("\n") + 1 if match else 1


def _check(record: type, declared: dict[str, Any], text: str, path: Path, without: tuple[str, ...] = ()) -> None:
    known = {field.name: field for field in fields(record) if field.name not in without}
    for key, value in declared.items():
        if key not in known:
            raise wrong_key(text, path, key, f"{key} is not known; there is {', '.join(known)}")
        kind = str if isinstance(known[key].default, str) else (int, float)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise wrong_key(text, path, key, f"{key} is {value!r}; give {'a text' if kind is str else 'a number'}")


def results_folder() -> Path:
    """Where grades go if nothing else is said: in the course, as seen from here."""
    folder = this_course().root / course_file().results
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def enter_course(arguments: list[str] | None = None) -> list[str]:
    """Take `--course DIR` out of a command line, wherever it stands; from here on that is the course.

    Args:
        arguments: The command line; None for this process's own.

    Returns:
        The other arguments. The process ends with one sentence if DIR, or COURSE in the environment, is no course.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog="course")
    parser.add_argument("--course", metavar="DIR")
    options, rest = parser.parse_known_args(sys.argv[1:] if arguments is None else arguments)
    if options.course:
        os.environ["COURSE"] = str(Path(options.course).resolve())
    if os.environ.get("COURSE"):
        try:
            _require(this_course().root)
        except CourseError as error:
            print(error, file=sys.stderr)
            raise SystemExit(2) from None
    return rest


def _require(root: Path) -> None:
    if not (root / FILE).is_file() or not (root / ASSIGNMENTS).is_dir():
        raise CourseError(
            f"{root} is no course: {FILE} and {ASSIGNMENTS}/ are not both there. Start one with "
            f"`python -m tools.new_assignment NAME --course {root}`."
        )
    course_file()


def add_course_option(parser: argparse.ArgumentParser) -> None:
    """Show `--course` in a command's help; `enter_course` is what reads it."""
    parser.add_argument("--course", metavar="DIR", help="a course kept elsewhere (default: COURSE, else this one)")
