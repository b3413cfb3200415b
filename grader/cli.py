"""The command line: `python -m grader grade PATH...`, `python -m grader diff OLD NEW`, `python -m grader doctor`."""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grader.classes.batch import Settings, tier_here
from grader.classes.diff import NoResults, diff
from grader.classes.pool import Here, Workers
from grader.classes.results_folder import FolderInUse, ResultsFolder
from grader.classes.run import Results, WeakIsolation, grade_all, kept_results
from grader.doctor import doctor
from grader.platforms import Collection, NothingToGrade, collect, read_roster
from grader.platforms.by_hand import Points, SheetError, add_points, read_sheet, write_sheet
from grader.platforms.gradebooks import GradebookError, fill, read_gradebook
from grader.platforms.people import RosterError
from grader.report import grades_table, write_class
from grader.rubric.draws import course_salt
from grader.sandbox.tiers import TIERS, is_at_least
from grader.sandbox.watch import SandboxError
from utils.assignments import assignment_names

WRITTEN, REJECTED, OUR_FAULT = 0, 1, 2
_MAX_WORKERS, _MAX_SECONDS = 256, 36_000


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        0: reports written. 1: the one submission given was rejected at intake (its report is written all the same), or
        something given cannot be used. 2: the grader itself failed, or was stopped.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "grade":
            return _grade(options)
        print(doctor() if options.command == "doctor" else diff(options.old, options.new))
        return WRITTEN
    except (NothingToGrade, RosterError, GradebookError, SheetError, FolderInUse, NoResults) as error:
        print(error, file=sys.stderr)
        return REJECTED
    except SandboxError as error:
        print(f"The grader failed: {error}", file=sys.stderr)
        return OUR_FAULT
    except KeyboardInterrupt:
        print("\nStopped. What is graded is kept: the same command goes on from here.", file=sys.stderr)
        return OUR_FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grader", description="Grade submissions of the course's notebooks."
    )
    commands = parser.add_subparsers(dest="command", required=True)
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
        "--out", type=Path, default=Path("results"), metavar="DIR", help="where the results go (default: results)"
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
    again = grade.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="keep earlier results that still hold (the default)")
    again.add_argument("--fresh", action="store_true", help="grade everything again")
    grade.add_argument("--roster", type=Path, metavar="FILE", help="the class list, a CSV file: adds who is missing")
    grade.add_argument(
        "--fill", type=Path, metavar="FILE", help="a Canvas or Moodle grade file to fill; the copy goes to DIR"
    )
    grade.add_argument("--column", metavar="TITLE", help="which column of it, where several would do")
    grade.add_argument(
        "--by-hand",
        type=Path,
        metavar="FILE",
        help="a sheet with the points that a person gives; written, empty, where there is none",
    )
    compare = commands.add_parser("diff", help="what changed between two runs, for whom, and why")
    compare.add_argument("old", type=Path, metavar="OLD", help="a folder of results")
    compare.add_argument("new", type=Path, metavar="NEW", help="another, graded later")
    commands.add_parser("doctor", help="say what this machine offers")
    return parser


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


def _grade(options: argparse.Namespace) -> int:
    began = time.monotonic()
    roster = read_roster(options.roster) if options.roster else None
    gradebook = read_gradebook(options.fill) if options.fill else None
    points = read_sheet(options.by_hand) if options.by_hand and options.by_hand.exists() else None
    collection = collect(options.paths, roster)
    for line in collection.found:
        print(line)
    settings = Settings(options.notebook, course_salt(), quality_seconds=options.quality_seconds)
    with ResultsFolder(options.out) as folder:
        kept = {} if options.fresh else kept_results(collection.hand_ins, settings, folder)
        try:
            graded = _graded(options, collection, settings, folder, kept)
        except WeakIsolation as error:
            print(_too_weak(error.tier, _minimum(options, collection)), file=sys.stderr)
            return OUR_FAULT
        results = [(kept | graded)[hand_in.student] for hand_in in collection.hand_ins]
        results, by_hand = _with_points(options.by_hand, results, points)
        folder.write_feedback(results, has_points=points is not None)
        seconds = time.monotonic() - began
        write_class(options.out, results, _facts(options, collection, seconds))
    print(grades_table(results))
    print(_summary(len(graded), len(kept), results, seconds))
    if by_hand:
        print(by_hand)
    if gradebook:
        print(fill(gradebook, results, options.out, options.column))
    print(f"Grades: {options.out / 'grades.csv'}. {_where_to_look(options.out, collection)}")
    return _exit_code(results)


def _graded(
    options: argparse.Namespace,
    collection: Collection,
    settings: Settings,
    folder: ResultsFolder,
    kept: dict[str, Results],
) -> dict[str, Results]:
    """Grade what is not kept, with a bar that shows the time left."""
    todo = [hand_in for hand_in in collection.hand_ins if hand_in.student not in kept]
    if not todo:
        return {}
    minimum = _minimum(options, collection)
    count = min(len(todo), _cores() if options.workers is None else options.workers)
    graded = {}
    tempfile.tempdir = folder.temporary
    try:
        with (
            _pool(count if collection.is_class else 0, settings) as pool,
            _bar(len(collection.hand_ins), len(kept)) as bar,
        ):
            for results in grade_all(
                todo, settings, folder, pool, lambda tier: is_at_least(tier, minimum), max(1, count)
            ):
                graded[results["extra_data"]["student"]] = results
                bar.update()
                _attend_to(results)
    finally:
        tempfile.tempdir = None
    return graded


def _with_points(sheet: Path | None, results: list[Results], points: Points | None) -> tuple[list[Results], str]:
    """The results with a person's points, and what to say about them; "" without a sheet."""
    if sheet is None:
        return results, ""
    return (results, write_sheet(sheet, results)) if points is None else add_points(results, points)


def _facts(options: argparse.Namespace, collection: Collection, seconds: float) -> dict[str, Any]:
    return {
        "command": ["grade", *(str(path) for path in options.paths)],
        "notebook": options.notebook,
        "is_class": collection.is_class,
        "found": list(collection.found),
        "absent": [{"name": p.name, "email": p.email, "ids": list(p.ids)} for p in collection.absent],
        "by_hand": str(options.by_hand) if options.by_hand else None,
        "wall_seconds": round(seconds, 2),
    }


def _pool(count: int, settings: Settings) -> Executor:
    return Workers(count, tier_here, settings) if count else Here()


def _bar(total: int, done: int) -> tqdm:
    return tqdm(
        total=total, initial=done, desc="grading", unit="submission", disable=total == 1 or not sys.stderr.isatty()
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _minimum(options: argparse.Namespace, collection: Collection) -> str:
    return options.min_tier or ("C" if collection.is_class else "E")


def _attend_to(results: Results) -> None:
    extra = results["extra_data"]
    if extra.get("fault"):
        tqdm.write(f"{extra['student']}: grader error, {extra['fault']}", file=sys.stderr)
    elif extra["rejection"]:
        tqdm.write(f"{extra['student']}: {extra['rejection']}", file=sys.stderr)


def _summary(n_graded: int, n_kept: int, results: list[Results], seconds: float) -> str:
    kept = f", {n_kept} kept from before" if n_kept else ""
    tiers = sorted({tier for r in results if (tier := r["extra_data"]["tier"])})
    named = ", ".join(f"{tier} ({TIERS[tier].confined_by})" for tier in tiers) or "not reached"
    return f"\n{n_graded} graded{kept} in {seconds:.1f} s, isolation tier {named}."


def _where_to_look(out: Path, collection: Collection) -> str:
    page = f"The class: {out / 'class.html'}. " if collection.is_class else ""
    return f"{page}Feedback: {out}/<student>/feedback.html"


def _exit_code(results: list[Results]) -> int:
    if any(r["extra_data"]["status"] == "grader_error" for r in results):
        return OUR_FAULT
    return REJECTED if len(results) == 1 and results[0]["extra_data"]["rejection"] else WRITTEN


def _too_weak(tier: str, minimum: str) -> str:
    return (
        f"This machine offers isolation tier {tier} ({TIERS[tier].confined_by}), at least {minimum} is asked for: "
        f"{TIERS[tier].lacks}. Grade elsewhere, or allow it with --min-tier {tier}."
    )
