"""`python -m grader grade`: from paths to results, notebook by notebook, with what is said on the way."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.authoring.check import has_checks
from grader.authoring.mistakes import require_sound
from grader.classes.batch import Settings
from grader.classes.engines import engine_of
from grader.classes.held import require_same
from grader.classes.notebook_run import NotebookRun, facts_of, minimum
from grader.classes.pools import Pools
from grader.classes.results_folder import FolderInUse, ResultsFolder
from grader.classes.run import WeakIsolation
from grader.classes.sameness import made_with
from grader.classes.shards import Record, about_notebook, begin, end, refuse_whole, require_place
from grader.classes.sorting import by_notebook, looked_at
from grader.classes.tracked import would_be_committed
from grader.classes.write_up import OUR_FAULT, exit_code, write_over_all
from grader.marking.options import brought
from grader.platforms import Collection, Directory, HandIn, collect, missing, read_roster
from grader.platforms.gradebooks import fill, read_gradebook
from grader.platforms.pattern import layout_of
from grader.report.files import GRADES_FILE
from grader.rubric.draws import DEFAULT_SALT, course_salt
from grader.rubric.references import require_references
from grader.sandbox.tiers import TIERS
from grader.sandbox.zygotes import Nursery
from utils.assignments import assignment_names, load_assignment


def grade(options: argparse.Namespace, nursery: Nursery | None = None) -> int:
    """Run the command.

    Args:
        options: See `grade_options`.
        nursery: One that has begun to load.

    Returns:
        The exit code, as `grader.cli.main` says.

    Raises:
        What `grader.cli.main` answers with a sentence.
    """
    began = time.monotonic()
    roster = read_roster(options.roster) if options.roster else None
    gradebook = read_gradebook(options.fill) if options.fill else None
    given = brought(options)
    if options.shard:
        refuse_whole(options)
    _check_places(options.paths, options.out)
    collection = _collected(options, roster, gradebook is not None)
    _warn(options, collection)
    settings = Settings(options.notebook, course_salt(), quality_seconds=options.quality_seconds)
    try:
        with ResultsFolder(options.out) as folder, Pools(options.workers, nursery) as pools:
            require_place(options.out, options.shard)
            groups = _groups(options, collection, pools)
            pools.load(list(groups))
            for name in assignment_names() if "" in groups else groups:
                _require_gradable(name)
            is_several = require_same(options.out, groups, settings, options.fresh)
            if options.shard:
                begin(options.out, options.shard, settings)
            settings = replace(settings, expected=() if "" in groups else tuple(groups))  # "": nobody knows which
            pools.grade_elsewhere(engine_of(options, settings, groups, minimum(options, collection)))
            run, results, notebooks = NotebookRun(options, pools, given), [], {}
            for name, hand_ins in groups.items():
                own, said = _part(options, _of_notebook(options, collection, hand_ins, roster))
                if is_several:
                    print(f"\n{name}: {said}")
                with ResultsFolder(options.out / name) if is_several else nullcontext(folder) as inner:
                    graded, facts = run.grade(own, replace(settings, notebook=name) if is_several else settings, inner)
                results += graded
                notebooks[name] = about_notebook((one.student for one in hand_ins), facts, graded)
            facts = facts_of(options, collection, settings, time.monotonic() - began)
            if options.shard:
                made, asked = made_with(settings, groups), _asked(options)
                record = Record(options.shard, asked, made, facts, notebooks=notebooks, is_several=is_several)
                end(options.out, record, settings)
            elif is_several:
                write_over_all(options.out, groups, results, facts)
    except WeakIsolation as error:
        print(_too_weak(error.tier, minimum(options, collection)), file=sys.stderr)
        return OUR_FAULT
    if gradebook:
        print(fill(gradebook, results, options.out, options.column, options.trust_names, options.fill_also))
    print(_where_to_look(options, collection, is_several))
    return exit_code(results)


def _collected(options: argparse.Namespace, roster: Directory | None, has_gradebook: bool) -> Collection:
    return collect(
        options.paths,
        roster,
        options.zips_hold_classes or has_gradebook,
        options.trust_names,
        layout_of(options.layout) if options.layout else None,
    )


def _warn(options: argparse.Namespace, collection: Collection) -> None:
    """Say what was found, and what whoever runs this should know before it goes on."""
    for line in collection.found:
        print(line)
    if not collection.is_class:
        return
    for line in would_be_committed([*options.paths, options.out]):
        print(line, file=sys.stderr)
    if course_salt() == DEFAULT_SALT:
        print(
            "GRADER_SALT is not set: the inputs drawn for each submission and the seals of results come from a secret that everybody "
            "can read. Set it to one of your course.",
            file=sys.stderr,
        )


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """The options that results depend on."""
    return {"--notebook": options.notebook, "--quality-seconds": options.quality_seconds}


def _groups(options: argparse.Namespace, collection: Collection, pools: Pools) -> dict[str, list[HandIn]]:
    """The hand-ins of each notebook, of the whole class. A shard that is told the notebook looks into its own alone."""
    hand_ins = collection.hand_ins
    seen = _own(options, hand_ins) if options.notebook else hand_ins
    groups = by_notebook(looked_at(seen, pools.to_look(len(seen))), options.notebook)
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


def _require_gradable(name: str) -> None:
    """Stop before a class is graded with a rubric that cannot be used.

    Raises:
        CourseError: With a sentence for each mistake.
    """
    if has_checks(name) or load_assignment(name).auto_points:
        require_sound(name, is_quick=True)
        require_references(name)


def _check_places(paths: list[Path], out: Path) -> None:
    """What students handed in must not lie where results are read, nor the other way round."""
    there = out.resolve()
    for path in paths:
        here = path.resolve()
        if here.is_relative_to(there) or (path.is_dir() and there.is_relative_to(here)):
            raise FolderInUse(f"{path} and the results in {out} lie one in the other: choose another --out.")


def _where_to_look(options: argparse.Namespace, collection: Collection, is_several: bool) -> str:
    out = options.out
    if options.shard:
        return f"{options.shard} is in {out}. When all are there: python -m grader merge DIR DIR ... --out RESULTS"
    page = f"The class: {out / 'class.html'}. " if collection.is_class or is_several else ""
    feedback = f"Feedback: {out}/{'<notebook>/' if is_several else ''}<student>/feedback.html"
    return f"Grades: {out / GRADES_FILE}. {page}{feedback}"


def _too_weak(tier: str, minimum: str) -> str:
    return (
        f"This machine offers isolation tier {tier} ({TIERS[tier].confined_by}), at least {minimum} is asked for: "
        f"{TIERS[tier].lacks}. Grade elsewhere, or allow it with --min-tier {tier}."
    )
