"""`python -m grader grade`: from paths to results, notebook by notebook, with what is said on the way."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grader.authoring.check import has_checks
from grader.authoring.mistakes import require_sound
from grader.classes.batch import Settings, tier_here
from grader.classes.held import require_same, secret_mark
from grader.classes.pool import Here, Workers
from grader.classes.regrade import Regrade
from grader.classes.results_folder import FolderInUse, ResultsFolder
from grader.classes.run import Results, WeakIsolation, grade_all, kept_results
from grader.classes.sameness import made_with
from grader.classes.shards import Record, about_notebook, begin, end, refuse_whole, require_place
from grader.classes.sorting import by_notebook, looked_at, ready
from grader.classes.tracked import would_be_committed
from grader.classes.write_up import OUR_FAULT, exit_code, tiers_of, write_notebook, write_over_all
from grader.marking.given import Brought
from grader.marking.options import brought, with_given
from grader.platforms import Collection, Directory, HandIn, collect, missing, read_roster
from grader.platforms.gradebooks import fill, read_gradebook
from grader.platforms.pattern import layout_of
from grader.records import Seat
from grader.report.files import GRADES_FILE
from grader.rubric.draws import DEFAULT_SALT, course_salt
from grader.rubric.references import require_references
from grader.sandbox.tiers import TIERS, is_at_least
from utils.assignments import assignment_names, load_assignment

_FEW = 8  # hand-ins that this process looks into by itself: starting others takes longer


def grade(options: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        The exit code, as `grader.cli.main` says.

    Raises:
        What `grader.cli.main` answers with a sentence.
    """
    began = time.monotonic()
    for name in [options.notebook] if options.notebook else assignment_names():
        _require_gradable(name)
    roster = read_roster(options.roster) if options.roster else None
    gradebook = read_gradebook(options.fill) if options.fill else None
    given = brought(options)
    if options.shard:
        refuse_whole(options)
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
            require_place(options.out, options.shard)
            groups = _groups(options, collection)
            is_several = require_same(options.out, groups, settings, options.fresh)
            if options.shard:
                begin(options.out, options.shard, settings)
            notebooks = {}
            for name, hand_ins in groups.items():
                own, said = _part(options, _of_notebook(options, collection, hand_ins, roster))
                if is_several:
                    print(f"\n{name}: {said}")
                with ResultsFolder(options.out / name) if is_several else nullcontext(folder) as inner:
                    with_ = replace(settings, notebook=name) if is_several else settings
                    graded, facts = _grade_notebook(options, own, with_, inner, given)
                results += graded
                notebooks[name] = about_notebook((one.student for one in hand_ins), facts, graded)
            facts = _facts(options, collection, settings, time.monotonic() - began)
            if options.shard:
                made, asked = made_with(settings, groups), _asked(options)
                record = Record(options.shard, asked, made, facts, notebooks=notebooks, is_several=is_several)
                end(options.out, record, settings)
            elif is_several:
                write_over_all(options.out, groups, results, facts)
    except WeakIsolation as error:
        print(_too_weak(error.tier, _minimum(options, collection)), file=sys.stderr)
        return OUR_FAULT
    if options.shard:
        print(
            f"{options.shard} is in {options.out}. When all are there: python -m grader merge DIR DIR ... --out RESULTS"
        )
        return exit_code(results)
    if gradebook:
        print(fill(gradebook, results, options.out, options.column, options.trust_names, options.fill_also))
    print(f"Grades: {options.out / GRADES_FILE}. {_where_to_look(options.out, collection, is_several)}")
    return exit_code(results)


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """The options that results depend on."""
    return {"--notebook": options.notebook, "--quality-seconds": options.quality_seconds}


def _groups(options: argparse.Namespace, collection: Collection) -> dict[str, list[HandIn]]:
    """The hand-ins of each notebook, of the whole class. A shard that is told the notebook looks into its own alone."""
    hand_ins = collection.hand_ins
    seen = _own(options, hand_ins) if options.notebook else hand_ins
    count = min(len(seen), _cores() if options.workers is None else options.workers)
    with Workers(count, ready) if count and len(seen) > _FEW else Here() as pool:
        groups = by_notebook(looked_at(seen, pool, max(1, count)), options.notebook)
    if len(seen) == len(hand_ins):
        return groups
    looked_into = {hand_in.student: hand_in for hand_in in groups[options.notebook]}
    return {options.notebook: [looked_into.get(hand_in.student, hand_in) for hand_in in hand_ins]}


def _own(options: argparse.Namespace, hand_ins: Sequence[HandIn]) -> tuple[HandIn, ...]:
    return tuple(one for one in hand_ins if options.shard is None or options.shard.has(one.student))


def _part(options: argparse.Namespace, whole: Collection) -> tuple[Collection, str]:
    """What this run grades of a notebook's hand-ins, and how many they are, in words."""
    own, count = _own(options, whole.hand_ins), f"{len(whole.hand_ins)} hand-ins"
    return replace(whole, hand_ins=own), f"{len(own)} of {count}" if options.shard else count


def _of_notebook(
    options: argparse.Namespace, collection: Collection, hand_ins: list[HandIn], roster: Directory | None
) -> Collection:
    """The part of a class that has to do with one notebook: who handed in others only is absent from it."""
    absent = missing(roster, hand_ins, options.trust_names) if roster else collection.absent
    return replace(collection, hand_ins=tuple(hand_ins), absent=absent)


def _grade_notebook(
    options: argparse.Namespace, collection: Collection, settings: Settings, folder: ResultsFolder, given: Brought
) -> tuple[list[Results], dict[str, Any]]:
    """Grade the hand-ins of one notebook into a folder of results of its own.

    Returns:
        Their results, and what `write_class` is told of the run.

    Raises:
        WeakIsolation: If this machine's isolation will not do.
    """
    began = time.monotonic()
    regrade = None
    if options.question and collection.hand_ins:
        regrade = Regrade.of(options.question, collection.hand_ins, settings, folder)
    if regrade:
        kept, folder.merge = regrade.untouched(), regrade.merge
    else:
        kept = {} if options.fresh else _kept(options, collection, settings, folder)
    graded = _graded(options, collection, regrade.to_grade_with if regrade else settings, folder, kept)
    results = [(kept | graded)[hand_in.student] for hand_in in collection.hand_ins]
    facts, said = _facts(options, collection, settings, time.monotonic() - began), ""
    if not options.shard:
        results, said = write_notebook(
            folder, results, facts, kept, lambda path, found: with_given(options, path, found, given)
        )
    print(_summary(len(graded), len(kept), results, time.monotonic() - began))
    if words := f"{regrade.said() if regrade else ''} {said}".strip():
        print(words)
    return results, facts


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
) -> dict[str, Any]:
    return {
        "command": ["grade", *(str(path) for path in options.paths)],
        "notebook": settings.notebook,
        "is_class": collection.is_class,
        "found": list(collection.found),
        "absent": [{"name": p.name, "email": p.email, "ids": dict(p.ids)} for p in collection.absent],
        "by_hand": None,
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
    return f"\n{n_graded} graded{kept} in {seconds:.1f} s, isolation tier {tiers_of(results)}."


def _where_to_look(out: Path, collection: Collection, is_several: bool) -> str:
    page = f"The class: {out / 'class.html'}. " if collection.is_class or is_several else ""
    return f"{page}Feedback: {out}/{'<notebook>/' if is_several else ''}<student>/feedback.html"


def _too_weak(tier: str, minimum: str) -> str:
    return (
        f"This machine offers isolation tier {tier} ({TIERS[tier].confined_by}), at least {minimum} is asked for: "
        f"{TIERS[tier].lacks}. Grade elsewhere, or allow it with --min-tier {tier}."
    )
