"""The hand-ins of one notebook: what still holds is kept, the rest is graded, and its folder of results is written."""

import argparse
import sys
import time
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from grader.classes.batch import Settings
from grader.classes.held import secret_mark
from grader.classes.pools import Pools
from grader.classes.regrade import Regrade
from grader.classes.results_folder import ResultsFolder
from grader.classes.run import Results, grade_all, kept_results
from grader.classes.write_up import tiers_of, write_notebook
from grader.marking.given import Brought
from grader.marking.options import with_given
from grader.platforms import Collection
from grader.sandbox.tiers import TIERS, is_at_least


@dataclass(frozen=True)
class NotebookRun:
    """What the hand-ins of each notebook are graded with: the command's options, its processes, and what persons gave."""

    options: argparse.Namespace
    pools: Pools
    given: Brought

    def grade(
        self, collection: Collection, settings: Settings, folder: ResultsFolder
    ) -> tuple[list[Results], dict[str, Any]]:
        """Grade the hand-ins of one notebook into a folder of results of its own.

        Args:
            collection: The hand-ins, and who is absent.
            settings: Of the run, with this notebook.
            folder: Of the results.

        Returns:
            Their results, and what `write_class` is told of the run.

        Raises:
            WeakIsolation: If this machine's isolation will not do.
        """
        began, options, regrade = time.monotonic(), self.options, None
        if options.question and collection.hand_ins:
            regrade = Regrade.of(options.question, collection.hand_ins, settings, folder)
        if regrade:
            kept, folder.merge = regrade.untouched(), regrade.merge
        else:
            kept = {} if options.fresh else self._kept(collection, settings, folder)
        graded = self._graded(collection, regrade.to_grade_with if regrade else settings, folder, kept)
        students = [hand_in.student for hand_in in collection.hand_ins]
        # What was graded lies in the folder: meanwhile a run needs no more memory for ten thousand than for ten.
        results = [folder.written(student) if student in graded else kept[student] for student in students]
        facts, said = facts_of(options, collection, settings, time.monotonic() - began), ""
        if not options.shard:
            results, said = write_notebook(
                folder, results, facts, kept, lambda path, found: with_given(options, path, found, self.given)
            )
        print(_summary(len(graded), len(kept), results, time.monotonic() - began))
        if words := f"{regrade.said() if regrade else ''} {said}".strip():
            print(words)
        return results, facts

    def _kept(self, collection: Collection, settings: Settings, folder: ResultsFolder) -> dict[str, Results]:
        least = minimum(self.options, collection)
        allowed = {"", *(tier for tier in TIERS if is_at_least(tier, least))}
        return kept_results(collection.hand_ins, settings, folder, allowed.__contains__)

    def _graded(
        self, collection: Collection, settings: Settings, folder: ResultsFolder, kept: dict[str, Results]
    ) -> set[str]:
        """Grade what is not kept, with a bar that shows the time left; whose results are written now."""
        todo = [hand_in for hand_in in collection.hand_ins if hand_in.student not in kept]
        if not todo:
            return set()
        least, graded = minimum(self.options, collection), set[str]()
        pool = self.pools.to_grade(len(todo), collection.is_class)
        with _bar(len(collection.hand_ins), len(kept)) as bar:
            each = grade_all(todo, settings, folder, pool, lambda tier: is_at_least(tier, least))
            for results in each:
                graded.add(results["extra_data"]["student"])
                bar.update()
                _attend_to(results)
        return graded


def facts_of(
    options: argparse.Namespace,
    collection: Collection,
    settings: Settings,
    seconds: float,
) -> dict[str, Any]:
    """What `write_class` and a shard's record are told of a run."""
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


def minimum(options: argparse.Namespace, collection: Collection) -> str:
    """The weakest isolation tier that will do."""
    return options.min_tier or ("C" if collection.is_class else "E")


def _bar(total: int, done: int) -> tqdm:
    return tqdm(
        total=total, initial=done, desc="grading", unit="submission", disable=total == 1 or not sys.stderr.isatty()
    )


def _attend_to(results: Results) -> None:
    extra = results["extra_data"]
    if extra.get("fault"):
        tqdm.write(f"{extra['student']}: grader error, {extra['fault']}", file=sys.stderr)
    elif extra["rejection"]:
        tqdm.write(f"{extra['student']}: {extra['rejection']}", file=sys.stderr)


def _summary(n_graded: int, n_kept: int, results: list[Results], seconds: float) -> str:
    kept = f", {n_kept} kept from before" if n_kept else ""
    return f"\n{n_graded} graded{kept} in {seconds:.1f} s, isolation tier {tiers_of(results)}."
