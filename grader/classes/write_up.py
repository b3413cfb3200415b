"""What is about a class together, made from its results: by `grade` when it has graded, by `merge` when it has put shards together."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from grader.classes.held import held_notebooks
from grader.classes.results_folder import ResultsFolder, read_results
from grader.classes.run import Results
from grader.marking import STORE, add_marks, marks_exist
from grader.report import grades_table, write_class
from grader.report.summary import write_summary
from grader.sandbox.tiers import TIERS

WRITTEN, REJECTED, OUR_FAULT = 0, 1, 2
Given = Callable[[Path, list[Results]], tuple[list[Results], str]]


def write_notebook(
    folder: ResultsFolder,
    results: list[Results],
    facts: dict[str, Any],
    kept: Iterable[str] = (),
    given: Given = add_marks,
) -> tuple[list[Results], str]:
    """Write pages and tables about the class of one notebook, and print the table.

    Args:
        folder: Of the results.
        results: Contents of the `results.json` files that lie there.
        facts: Of the run, see `grader.report.write_class`; whether there are marks is added.
        kept: Students whose results this run has not written: their pages may be another version's.
        given: Adds what persons gave.

    Returns:
        The results with what persons gave, and a sentence about that; "" where nobody gave anything.
    """
    results, said = given(folder.path, results)
    has_marks, unwritten = marks_exist(folder.path), frozenset(kept)
    folder.write_feedback(r for r in results if has_marks or r["extra_data"]["student"] in unwritten)
    write_class(folder.path, results, facts | {"by_hand": STORE if has_marks else None})
    print(grades_table(results))
    return results, said


def write_over_all(out: Path, names: Iterable[str], results: list[Results], facts: dict[str, Any]) -> None:
    """Write the summary over several notebooks, with those that were there before.

    Args:
        out: The folder of results; each notebook has one below it.
        names: What this run has graded.
        results: Of these notebooks.
        facts: Of the run.
    """
    mine = set(names)
    others = [name for name in held_notebooks(out) if name not in mine]
    before = [result for name in others for result in add_marks(out / name, list(read_results(out / name).values()))[0]]
    write_summary(out, sorted({*mine, *others}), results + before, facts)


def tiers_of(results: list[Results]) -> str:
    """The isolation that hand-ins were graded in, in words."""
    tiers = sorted({tier for r in results if (tier := r["extra_data"]["tier"])})
    return ", ".join(f"{tier} ({TIERS[tier].confined_by})" for tier in tiers) or "not reached"


def exit_code(results: list[Results]) -> int:
    """Of a command that has written these, as `grader.cli.main` says."""
    if any(r["extra_data"]["status"] == "grader_error" for r in results):
        return OUR_FAULT
    return REJECTED if len(results) == 1 and results[0]["extra_data"]["rejection"] else WRITTEN
