"""The command line: `python -m grader grade PATH...`, `merge DIR...`, `serve SOCKET`, `mark RESULTS`, `diff OLD NEW`, `similar PATH...`, `doctor`."""

import argparse
import sys
from pathlib import Path

from grader.classes import hand_back
from grader.classes.diff import NoResults, diff
from grader.classes.grade_command import grade
from grader.classes.grade_options import add_grade_parser
from grader.classes.held import HoldsAnother
from grader.classes.merge import add_parser as add_merge_parser
from grader.classes.merge import merge
from grader.classes.pool import PoolLost
from grader.classes.regrade import NoQuestion
from grader.classes.results_folder import FolderInUse
from grader.classes.run import WeakIsolation
from grader.classes.serve import CannotServe, serve
from grader.classes.serve import add_parser as add_serve_parser
from grader.classes.shards import NoShard
from grader.classes.write_up import OUR_FAULT, REJECTED, WRITTEN
from grader.doctor import doctor
from grader.marking import StoreError, command
from grader.marking.answers import NothingToMark
from grader.marking.tables import SheetError
from grader.platforms import NothingToGrade
from grader.platforms.gradebooks import GradebookError
from grader.platforms.pattern import PatternError
from grader.platforms.roster import RosterError
from grader.report.files import FULL
from grader.sandbox.room import NoRoom
from grader.sandbox.watch import SandboxError
from grader.sandbox.zygotes import Nursery
from utils.assignments.course import CourseError, add_course_option, enter_course


def main(arguments: list[str] | None = None, nursery: Nursery | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line; None for this process's own.
        nursery: One that has begun to load what a sandbox needs, while this module was loaded.

    Returns:
        0: reports written. 1: the one submission given was rejected at intake (its report is written all the same), or
        something given cannot be used. 2: the grader itself failed, or was stopped.
    """
    arguments = enter_course(arguments)
    options = _parser().parse_args(arguments)
    try:
        if options.command == "grade":
            return grade(options, nursery)
        if options.command == "serve":
            return serve(options)
        if options.command == "merge":
            return merge(options)
        if options.command == "mark":
            return command.mark(options)
        print(_COMMANDS[options.command](options))
        return WRITTEN
    except (
        NothingToGrade,
        RosterError,
        GradebookError,
        SheetError,
        FolderInUse,
        NoResults,
        HoldsAnother,
        PatternError,
        CourseError,
        NothingToMark,
        StoreError,
        hand_back.CannotHandBack,
        NoQuestion,
        NoShard,
        CannotServe,
    ) as error:
        print(error, file=sys.stderr)
        return REJECTED
    except WeakIsolation as error:
        print(
            f"This machine offers isolation tier {error.tier}: allow it with --min-tier {error.tier}.", file=sys.stderr
        )
        return OUR_FAULT
    except (NoRoom, PoolLost) as error:
        print(f"Stopped: {error}. What is graded is kept: the same command goes on from here.", file=sys.stderr)
        return OUR_FAULT
    except OSError as error:
        if error.errno not in FULL:
            raise
        print(
            "Stopped: a disk is full. What is graded is kept: make room, and the same command goes on from here.",
            file=sys.stderr,
        )
        return OUR_FAULT
    except SandboxError as error:
        print(f"The grader failed: {error}", file=sys.stderr)
        return OUR_FAULT
    except KeyboardInterrupt:
        print("\nStopped. What is graded is kept: the same command goes on from here.", file=sys.stderr)
        return OUR_FAULT


def _similar(options: argparse.Namespace) -> str:
    from grader.similarity import similar  # loads scikit-learn, which nothing else here needs

    return similar(options.paths, options.against, options.out)


_COMMANDS = {
    "doctor": lambda options: doctor(),
    "diff": lambda options: diff(options.old, options.new),
    "similar": _similar,
    "feedback": hand_back.hand_back,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grader", description="Grade submissions of the course's notebooks."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_grade_parser(commands)
    add_merge_parser(commands)
    add_serve_parser(commands)
    command.add_parser(commands)
    compare = commands.add_parser("diff", help="what changed between two runs, for whom, and why")
    compare.add_argument("old", type=Path, metavar="OLD", help="a folder of results")
    compare.add_argument("new", type=Path, metavar="NEW", help="another, graded later")
    alike = commands.add_parser("similar", help="which answers are more alike than chance explains; a hint, for staff")
    alike.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a folder of results, or submissions in any layout"
    )
    alike.add_argument("--against", nargs="+", type=Path, default=[], metavar="PATH", help="the same of earlier years")
    alike.add_argument("--out", type=Path, metavar="DIR", help="where similar.html goes (default: the results given)")
    hand_back.add_parser(commands)
    commands.add_parser("doctor", help="say what this machine offers")
    for subcommand in commands.choices.values():
        add_course_option(subcommand)
    return parser
