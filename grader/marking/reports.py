"""After marking: feedback pages, grades and the class page made again, a grade file filled; nothing is graded."""

import json
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

from grader.classes.results_folder import ResultsFolder, no_results, read_results
from grader.marking.answers import NothingToMark
from grader.marking.given import Brought, add_marks
from grader.marking.sheets import sheet_of
from grader.marking.store import STORE, Ledger
from grader.platforms.gradebooks import Gradebook, fill
from grader.report.course import write_class_page
from grader.report.files import GRADES_FILE, write_atomically
from grader.report.grades import grades_csv

Results = dict[str, Any]


def write_reports(
    folder: Path,
    gradebook: Gradebook | None = None,
    column: str | None = None,
    brought: Brought | None = None,
    also: Collection[str] = (),
    trust_names: bool = False,
) -> str:
    """Write every page and table of a folder of results again, with the marks in them.

    Args:
        folder: As `grade --out` left it.
        gradebook: A Canvas or Moodle grade file to fill beside them.
        column: Which column of it.
        brought: Taken into the marks first.
        also: What else is filled, see `grader.platforms.gradebooks.ALSO`.
        trust_names: Whether a name alone says whose row it is, where it is one person's in the file.

    Returns:
        What was done, in sentences.

    Raises:
        FolderInUse: If a run is writing there.
        NothingToMark: If there are no results.
        StoreError, GradebookError: If a file cannot be used.
    """
    with ResultsFolder(folder) as open_folder:
        results, said = add_marks(folder, _results(folder), brought)
        open_folder.write_feedback(results)
        run = _run(folder)
        write_atomically(folder / GRADES_FILE, grades_csv(results, run["absent"]))
        if run["is_class"]:
            write_class_page(folder, results, run)
    lines = [said, f"Written: {folder / GRADES_FILE}, {folder}/<student>/feedback.html."]
    if gradebook:
        lines.append(fill(gradebook, results, folder, column, trust_names, also))
    return "\n".join(line for line in lines if line)


def _results(folder: Path) -> list[Results]:
    found = list(read_results(folder).values())
    if not found:
        raise NothingToMark(no_results(folder))
    return found


def _run(folder: Path) -> dict[str, Any]:
    """What the run knew beside its results; after a look that it is what a run writes."""
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        absent = [{"name": str(p["name"]), "email": str(p["email"]), "ids": dict(p["ids"])} for p in run["absent"]]
        return {"is_class": bool(run["is_class"]), "absent": absent, "found": [str(line) for line in run["found"]]}
    except (OSError, ValueError, LookupError, TypeError):
        return {"is_class": True, "absent": [], "found": []}


def export_sheet(folder: Path) -> str:
    """The marks of a folder as a CSV sheet, with what still waits left empty."""
    results = _results(folder)
    with closing(Ledger(folder)) as ledger:
        return sheet_of(results, ledger.state)


__all__ = ["STORE", "export_sheet", "write_reports"]
