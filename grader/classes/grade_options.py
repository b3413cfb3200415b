"""What `python -m grader grade` takes on its command line."""

import argparse
from pathlib import Path
from typing import Any

from grader.classes.shards import shard_option
from grader.marking.options import add_options
from grader.sandbox.tiers import TIERS
from utils.assignments import assignment_names
from utils.assignments.course import results_folder

_MAX_WORKERS, _MAX_SECONDS = 256, 36_000


def add_grade_parser(commands: Any) -> None:
    """Add the command to those of `python -m grader`."""
    grade = commands.add_parser("grade", help="grade submissions and write a report for each")
    grade.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a submission zip, a notebook, a folder of them, or a bulk download",
    )
    grade.add_argument(
        "--notebook", choices=assignment_names(), metavar="NAME", help="accept this assignment only: %(choices)s"
    )
    grade.add_argument(
        "--out", type=Path, default=results_folder(), metavar="DIR", help="where the results go (default: %(default)s)"
    )
    grade.add_argument(
        "--min-tier", choices=list(TIERS), help="refuse weaker isolation than this (default: C for a class, E for one)"
    )
    grade.add_argument(
        "--workers", type=_count, metavar="N", help="graded at a time (default: one a core; 0: in this process)"
    )
    grade.add_argument(
        "--quality-seconds",
        type=_seconds,
        metavar="N",
        help="CPU seconds to train each model again (default: what its assignment declares; 0: leave these points open)",
    )
    grade.add_argument(
        "--class",
        dest="zips_hold_classes",
        action="store_true",
        help="a zip given is a download of a class; without this, --roster or --fill it is one student's",
    )
    again = grade.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="keep earlier results that still hold (the default)")
    again.add_argument("--fresh", action="store_true", help="grade everything again")
    again.add_argument(
        "--question", metavar="ID", help="grade this question again for everybody, and touch nothing else"
    )
    grade.add_argument(
        "--shard",
        type=shard_option,
        metavar="I/N",
        help="grade part I of N alone, into a folder of its own; `merge` puts the parts together",
    )
    where = grade.add_mutually_exclusive_group()
    where.add_argument("--server", type=Path, metavar="SOCKET", help="let a resident grader (`serve`) grade")
    where.add_argument("--engine", choices=["dask"], help="let a cluster grade: one on this machine, or --scheduler's")
    grade.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster, as tcp://host:8786")
    grade.add_argument("--roster", type=Path, metavar="FILE", help="the class list, a CSV file: adds who is missing")
    grade.add_argument(
        "--fill",
        type=Path,
        metavar="FILE",
        help="a grade file of Canvas, Moodle, Brightspace or Gradescope to fill; the copy goes to DIR",
    )
    grade.add_argument(
        "--layout",
        metavar="PATTERN",
        help="where in the paths it stands who somebody is: {login}/{file}, {name}_{sis}.zip, {email}/{any}/{file}",
    )
    grade.add_argument(
        "--trust-names",
        action="store_true",
        help="a name that one person alone has on the roster and in the grade file says who it is; else only ids do",
    )
    grade.add_argument("--column", metavar="TITLE", help="which column of it, where several would do")
    add_options(grade)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {_MAX_WORKERS}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {_MAX_SECONDS}")
    return value
