"""The summary over the notebooks of a run: a class page and grades a notebook lie in its folder, here is what leads to them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grader.report.feedback import TEMPLATES
from grader.report.files import GRADES_FILE, write_atomically
from grader.report.grades import grades_csv
from grader.report.statistics import Results, is_graded, middle


def write_summary(out: Path, notebooks: Sequence[str], results: list[Results], facts: dict[str, Any]) -> None:
    """Write `class.html`, `grades.csv` and `run.json` over all notebooks.

    Args:
        out: The folder of results; each notebook has one below it.
        notebooks: Their names.
        results: Contents of the `results.json` files of all.
        facts: What only the run knows; see `write_class`.
    """
    rows = [_row(name, [r for r in results if r["extra_data"]["notebook"] in (name, "")]) for name in notebooks]
    graders = [result["extra_data"]["grader"] for result in results if result["extra_data"]["grader"]]
    run = facts | {"notebooks": list(notebooks), "submissions": len(results), "grader": graders[0] if graders else {}}
    page = TEMPLATES.get_template("summary.html").render(
        rows=rows, found=run["found"], people=_people(notebooks, results)
    )
    write_atomically(out / "class.html", page)
    write_atomically(out / GRADES_FILE, grades_csv(results))
    write_atomically(out / "run.json", json.dumps(run, indent=1, ensure_ascii=False) + "\n")


def _row(name: str, results: list[Results]) -> dict[str, Any]:
    graded = [result for result in results if is_graded(result)]
    median, mean = middle(graded)
    return {
        "notebook": name,
        "address": f"{quote(name)}/class.html",
        "handed_in": len(results),
        "graded": len(graded),
        "pending": sum(result["extra_data"]["pending_points"] > 0 for result in results),
        "median": median,
        "mean": mean,
    }


def _people(notebooks: Sequence[str], results: list[Results]) -> list[dict[str, Any]]:
    """A line a hand-in, with its score in each notebook."""
    scores: dict[str, dict[str, str]] = {}
    for result in results:
        extra = result["extra_data"]
        if extra["notebook"]:
            told = f"{result['score']:g}" if is_graded(result) else extra["status"]
            scores.setdefault(extra["student"], {})[extra["notebook"]] = told
    return [
        {"student": student, "cells": [own.get(name, "") for name in notebooks]}
        for student, own in sorted(scores.items(), key=lambda item: item[0].casefold())
    ]
