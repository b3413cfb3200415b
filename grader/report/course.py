"""The files about a whole class: `grades.csv`, `class.html`, `run.json`."""

import json
from pathlib import Path
from typing import Any

from grader.layouts import Collection
from grader.report.class_page import class_page
from grader.report.files import write_atomically
from grader.report.grades import grades_csv
from grader.report.statistics import Results


def write_class(
    out: Path, results: list[Results], collection: Collection, paths: list[str], notebook: str | None, seconds: float
) -> None:
    """Write what is about all submissions together, from their results.

    Args:
        out: The folder of results.
        results: Contents of the `results.json` files.
        collection: What was graded, and who is absent.
        paths: As given on the command line.
        notebook: The only assignment accepted, or None.
        seconds: Wall time of the run.
    """
    absent = [{"name": person.name, "email": person.email, "ids": list(person.ids)} for person in collection.absent]
    run: dict[str, Any] = {
        "command": ["grade", *paths],
        "notebook": notebook,
        "tier": next(iter(sorted({tier for r in results if (tier := r["extra_data"]["tier"])})), ""),
        "submissions": len(results),
        "is_class": collection.is_class,
        "found": list(collection.found),
        "absent": absent,
        "wall_seconds": round(seconds, 2),
        "grader": next((r["extra_data"]["grader"] for r in results if r["extra_data"]["grader"]), {}),
    }
    write_atomically(out / "grades.csv", grades_csv(results, absent))
    write_atomically(out / "run.json", json.dumps(run, indent=1, ensure_ascii=False) + "\n")
    if collection.is_class:
        (out / "diff.html").unlink(missing_ok=True)  # it was about the results that were here before
        write_class_page(out, results, run)


def write_class_page(out: Path, results: list[Results], run: dict[str, Any]) -> None:
    """Write `class.html`; `run` is the content of `run.json`. It links `diff.html` where there is one."""
    has_diff = (out / "diff.html").exists()
    write_atomically(
        out / "class.html", class_page(results, [p["name"] for p in run["absent"]], run["found"], has_diff)
    )
