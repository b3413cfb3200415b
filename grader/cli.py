"""The command line: `python -m grader grade PATH...`, `mark RESULTS`, `diff OLD NEW`, `similar PATH...`, `doctor`."""

import argparse
import os
import sys
import time
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grader.authoring.check import has_checks
from grader.authoring.mistakes import require_sound
from grader.classes import hand_back
from grader.classes.batch import Settings, tier_here
from grader.classes.diff import NoResults, diff
from grader.classes.held import HoldsAnother, held_notebooks, require_same, secret_mark
from grader.classes.pool import Here, Workers
from grader.classes.regrade import NoQuestion, Regrade
from grader.classes.results_folder import FolderInUse, ResultsFolder, read_results
from grader.classes.run import Results, WeakIsolation, grade_all, kept_results
from grader.classes.sorting import by_notebook, looked_at, ready
from grader.classes.tracked import would_be_committed
from grader.doctor import doctor
from grader.marking import STORE, StoreError, add_marks, command, marks_exist
from grader.marking.answers import NothingToMark
from grader.marking.given import Brought
from grader.marking.options import add_options, brought, with_given
from grader.marking.tables import SheetError
from grader.platforms import Collection, Directory, HandIn, NothingToGrade, collect, missing, read_roster
from grader.platforms.gradebooks import GradebookError, fill, read_gradebook
from grader.platforms.pattern import PatternError, layout_of
from grader.platforms.roster import RosterError
from grader.records import Seat
from grader.report import grades_table, write_class
from grader.report.files import FULL, GRADES_FILE
from grader.report.summary import write_summary
from grader.rubric.draws import DEFAULT_SALT, course_salt
from grader.rubric.references import require_references
from grader.sandbox.tiers import TIERS, is_at_least
from grader.sandbox.watch import DiskFull, SandboxError
from utils.assignments import assignment_names, load_assignment
from utils.assignments.course import CourseError, add_course_option, enter_course, results_folder

WRITTEN, REJECTED, OUR_FAULT = 0, 1, 2
_MAX_WORKERS, _MAX_SECONDS = 256, 36_000
_FEW = 8  # hand-ins that this process looks into by itself: starting others takes longer


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        0: reports written. 1: the one submission given was rejected at intake (its report is written all the same), or
        something given cannot be used. 2: the grader itself failed, or was stopped.
    """
    arguments = enter_course(arguments)
    options = _parser().parse_args(arguments)
    try:
        if options.command == "grade":
            return _grade(options)
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
    ) as error:
        print(error, file=sys.stderr)
        return REJECTED
    except DiskFull as error:
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
    for name in [options.notebook] if options.notebook else assignment_names():
        _require_gradable(name)
    roster = read_roster(options.roster) if options.roster else None
    gradebook = read_gradebook(options.fill) if options.fill else None
    given = brought(options)
    _check_places(options.paths, options.out)
    collection = collect(
        options.paths,
        roster,
        options.zips_hold_classes or gradebook is not None,
        options.trust_names,
        layout_of(options.layout) if options.layout else None,
    )
    for line in collection.found:
        print(line)
    if collection.is_class:
        for line in would_be_committed([*options.paths, options.out]):
            print(line, file=sys.stderr)
    if collection.is_class and course_salt() == DEFAULT_SALT:
        print(
            "GRADER_SALT is not set: the inputs drawn for each submission and the seals of results come from a secret that everybody "
            "can read. Set it to one of your course.",
            file=sys.stderr,
        )
    settings = Settings(options.notebook, course_salt(), quality_seconds=options.quality_seconds)
    results: list[Results] = []
    try:
        with ResultsFolder(options.out) as folder:
            groups = _groups(options, collection)
            is_several = require_same(options.out, groups, settings, options.fresh)
            if is_several:
                for name, hand_ins in groups.items():
                    print(f"\n{name}: {len(hand_ins)} hand-ins")
                    own = _of_notebook(options, collection, hand_ins, roster)
                    with ResultsFolder(options.out / name) as inner:
                        results += _grade_notebook(options, own, replace(settings, notebook=name), inner, given)
                facts = _facts(options, collection, settings, time.monotonic() - began)
                others = [name for name in held_notebooks(options.out) if name not in groups]
                before = [result for name in others for result in _with_marks(options.out / name)]
                write_summary(options.out, sorted({*groups, *others}), results + before, facts)
            else:
                for hand_ins in groups.values():
                    own = _of_notebook(options, collection, hand_ins, roster)
                    results += _grade_notebook(options, own, settings, folder, given)
    except WeakIsolation as error:
        print(_too_weak(error.tier, _minimum(options, collection)), file=sys.stderr)
        return OUR_FAULT
    if gradebook:
        print(fill(gradebook, results, options.out, options.column, options.trust_names, options.fill_also))
    print(f"Grades: {options.out / GRADES_FILE}. {_where_to_look(options.out, collection, is_several)}")
    return _exit_code(results)


def _groups(options: argparse.Namespace, collection: Collection) -> dict[str, list[HandIn]]:
    """The hand-ins of each notebook."""
    count = min(len(collection.hand_ins), _cores() if options.workers is None else options.workers)
    with Workers(count, ready) if count and len(collection.hand_ins) > _FEW else Here() as pool:
        found = looked_at(collection.hand_ins, pool, max(1, count))
    return by_notebook(found, options.notebook)


def _with_marks(folder: Path) -> list[Results]:
    return add_marks(folder, list(read_results(folder).values()))[0]


def _of_notebook(
    options: argparse.Namespace, collection: Collection, hand_ins: list[HandIn], roster: Directory | None
) -> Collection:
    """The part of a class that has to do with one notebook: who handed in others only is absent from it."""
    absent = missing(roster, hand_ins, options.trust_names) if roster else collection.absent
    return replace(collection, hand_ins=tuple(hand_ins), absent=absent)


def _grade_notebook(
    options: argparse.Namespace, collection: Collection, settings: Settings, folder: ResultsFolder, given: Brought
) -> list[Results]:
    """Grade the hand-ins of one notebook into a folder of results of its own.

    Raises:
        WeakIsolation: If this machine's isolation will not do.
    """
    began = time.monotonic()
    regrade = Regrade.of(options.question, collection.hand_ins, settings, folder) if options.question else None
    if regrade:
        kept, folder.merge = regrade.untouched(), regrade.merge
    else:
        kept = {} if options.fresh else _kept(options, collection, settings, folder)
    graded = _graded(options, collection, regrade.to_grade_with if regrade else settings, folder, kept)
    results = [(kept | graded)[hand_in.student] for hand_in in collection.hand_ins]
    results, by_hand = with_given(options, folder.path, results, given)
    has_marks = marks_exist(folder.path)
    folder.write_feedback(r for r in results if has_marks or r["extra_data"]["student"] in kept)
    if regrade:
        by_hand = f"{regrade.said()} {by_hand}".strip()
    seconds = time.monotonic() - began
    write_class(folder.path, results, _facts(options, collection, settings, seconds, folder.path))
    print(grades_table(results))
    print(_summary(len(graded), len(kept), results, seconds))
    if by_hand:
        print(by_hand)
    return results


def _require_gradable(name: str) -> None:
    """Stop before a class is graded with a rubric that cannot be used.

    Raises:
        CourseError: With a sentence for each mistake.
    """
    if has_checks(name) or load_assignment(name).auto_points:
        require_sound(name, is_quick=True)
        require_references(name)


def _kept(
    options: argparse.Namespace, collection: Collection, settings: Settings, folder: ResultsFolder
) -> dict[str, Results]:
    allowed = {"", *(tier for tier in TIERS if is_at_least(tier, _minimum(options, collection)))}
    return kept_results(collection.hand_ins, settings, folder, allowed.__contains__)


def _check_places(paths: list[Path], out: Path) -> None:
    """What students handed in must not lie where results are read, nor the other way round."""
    there = out.resolve()
    for path in paths:
        here = path.resolve()
        if here.is_relative_to(there) or (path.is_dir() and there.is_relative_to(here)):
            raise FolderInUse(f"{path} and the results in {out} lie one in the other: choose another --out.")


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
    with (
        _pool(count if collection.is_class else 0, settings, Seat(folder=folder.temporary)) as pool,
        _bar(len(collection.hand_ins), len(kept)) as bar,
    ):
        each = grade_all(todo, settings, folder, pool, lambda tier: is_at_least(tier, minimum), count=max(1, count))
        for results in each:
            graded[results["extra_data"]["student"]] = results
            bar.update()
            _attend_to(results)
    return graded


def _facts(
    options: argparse.Namespace,
    collection: Collection,
    settings: Settings,
    seconds: float,
    folder: Path | None = None,
) -> dict[str, Any]:
    return {
        "command": ["grade", *(str(path) for path in options.paths)],
        "notebook": settings.notebook,
        "is_class": collection.is_class,
        "found": list(collection.found),
        "absent": [{"name": p.name, "email": p.email, "ids": dict(p.ids)} for p in collection.absent],
        "by_hand": STORE if folder and marks_exist(folder) else None,
        "secret": secret_mark(settings),
        "wall_seconds": round(seconds, 2),
    }


def _pool(count: int, settings: Settings, seat: Seat) -> Executor:
    return Workers(count, tier_here, settings, seat) if count else Here()


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


def _where_to_look(out: Path, collection: Collection, is_several: bool) -> str:
    page = f"The class: {out / 'class.html'}. " if collection.is_class or is_several else ""
    return f"{page}Feedback: {out}/{'<notebook>/' if is_several else ''}<student>/feedback.html"


def _exit_code(results: list[Results]) -> int:
    if any(r["extra_data"]["status"] == "grader_error" for r in results):
        return OUR_FAULT
    return REJECTED if len(results) == 1 and results[0]["extra_data"]["rejection"] else WRITTEN


def _too_weak(tier: str, minimum: str) -> str:
    return (
        f"This machine offers isolation tier {tier} ({TIERS[tier].confined_by}), at least {minimum} is asked for: "
        f"{TIERS[tier].lacks}. Grade elsewhere, or allow it with --min-tier {tier}."
    )
