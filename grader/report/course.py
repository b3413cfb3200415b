"""The files about a whole class: `grades.csv`, `class.html`, `run.json`."""

import json
from pathlib import Path
from typing import Any

from grader.report.class_page import class_page
from grader.report.files import GRADES_FILE, made_of, write_atomically
from grader.report.grades import grades_csv
from grader.report.reading import write_reading_pages
from grader.report.statistics import Results, is_graded
from grader.stages.clock import REPORT_SECONDS, in_time

_MORE_SECONDS = 0.2  # for each hand-in
_TOO_LONG = "What students wrote takes too long to show here: it is in their notebooks, and on their feedback pages."


def write_class(out: Path, results: list[Results], facts: dict[str, Any]) -> None:
    """Write what is about all submissions together, from their results.

    Args:
        out: The folder of results.
        results: Contents of the `results.json` files.
        facts: What only the run knows, for `run.json`: `command`, `notebook`, `is_class`, `found` (what the paths were
            taken for), `absent` (`name`, `email`, `ids` of each), `by_hand` (the sheet given), `wall_seconds`.
    """
    tiers = sorted({tier for result in results if (tier := result["extra_data"]["tier"])})
    graders = [result["extra_data"]["grader"] for result in results if result["extra_data"]["grader"]]
    run = facts | {"tier": "".join(tiers[-1:]), "submissions": len(results), "grader": graders[0] if graders else {}}
    write_atomically(out / GRADES_FILE, grades_csv(results, run["absent"]))
    write_atomically(out / "run.json", json.dumps(run, indent=1, ensure_ascii=False) + "\n")
    if run["is_class"]:
        (out / "diff.html").unlink(missing_ok=True)  # it was about the results that were here before
        _remove_outdated(out / "similar.html", results)
        write_class_page(out, results, run)


def _remove_outdated(page: Path, results: list[Results]) -> None:
    """What was compared before somebody handed in again, or was deleted, must not stay."""
    if (
        page.exists()
        and f'content="{made_of(results)}"' not in page.read_text(encoding="utf-8", errors="replace")[:2000]
    ):
        page.unlink()


def write_class_page(out: Path, results: list[Results], run: dict[str, Any]) -> None:
    """Write `class.html` and the pages of what a person reads; `run` is the content of `run.json`.

    It links `diff.html` and `similar.html` where they are.
    """
    write_reading_pages(out, [result for result in results if is_graded(result)])
    has_diff, has_similar = ((out / page).exists() for page in ("diff.html", "similar.html"))
    absent = [person["name"] for person in run["absent"]]

    def page(of: list[Results], *said: str) -> str:
        return class_page(of, absent, [*run["found"], *said], has_diff, has_similar)

    write_atomically(
        out / "class.html",
        in_time(
            REPORT_SECONDS + _MORE_SECONDS * len(results),
            lambda: page(results),
            lambda: page([_wordless(result) for result in results], _TOO_LONG),
        ),
    )


def _wordless(results: Results) -> Results:
    return results | {"extra_data": results["extra_data"] | {"written": []}}
