"""`class.html`: the class at a glance for an instructor. One file, a few lines of script of its own for sorting."""

import statistics as stats
from typing import Any
from urllib.parse import quote

from grader.report.feedback import TEMPLATES
from grader.report.files import folder_name
from grader.report.formulas import set_formulas
from grader.report.grades import first_remark
from grader.report.statistics import (
    BINS,
    Results,
    automatic_points,
    check_numbers,
    distribution,
    is_graded,
    middle,
    slowest,
    waiting,
)

_PICTURE_BYTES = 12 * 2**20  # of a whole page: a phone has to load it


def class_page(
    results: list[Results], absent: list[str], found: list[str], has_diff: bool = False, has_similar: bool = False
) -> str:
    """Render the page of a class.

    Args:
        results: Contents of `results.json` files.
        absent: Names of those on the roster who handed in nothing.
        found: What the submissions were taken for, a sentence each.
        has_diff: Whether a `diff.html` lies beside it.
        has_similar: Whether a `similar.html` does.

    Returns:
        A complete HTML page.
    """
    graded = [r for r in results if is_graded(r)]
    median, mean = middle(graded)
    return TEMPLATES.get_template("class.html").render(
        notebooks=sorted({r["extra_data"]["notebook"] for r in graded}),
        found=found,
        counts={
            "handed in": len(results),
            "graded": len(graded),
            "rejected": sum(bool(r["extra_data"]["rejection"]) for r in results),
            "our fault": sum(r["extra_data"]["status"] == "grader_error" for r in results),
            "absent": len(absent),
        },
        median=median, mean=mean,
        has_points=any(r["extra_data"].get("by_hand") for r in graded),  # a person's are in
        bins=_bars(distribution(graded)),
        checks=check_numbers(graded),
        rejected=[r["extra_data"] for r in results if r["extra_data"]["rejection"]],
        faults=[r["extra_data"] for r in results if r["extra_data"]["status"] == "grader_error"],
        repaired=[r["extra_data"] for r in graded if r["extra_data"]["repairs"]],
        waiting=_set(_within_budget(waiting(graded))),
        slowest=[(r["extra_data"]["student"], r["execution_time"]) for r in slowest(results)],
        usual_seconds=stats.median([r["execution_time"] for r in results] or [0.0]),
        rows=[_row(r) for r in sorted(results, key=lambda r: r["extra_data"]["student"].casefold())],
        absent=absent,
        has_diff=has_diff,
        has_similar=has_similar,
        link=link,
    )  # fmt: skip


def _bars(bins: list[int]) -> list[dict[str, float]]:
    """The distribution as bars: bounds in percent, count, height in percent of the tallest."""
    tallest = max(1, *bins)
    return [
        {"low": 100 * n // BINS, "high": 100 * (n + 1) // BINS, "count": count, "height": 100 * count / tallest}
        for n, count in enumerate(bins)
    ]


def link(student: str, page: str = "feedback.html") -> str:
    """The address of a student's page, from the class page."""
    return f"{quote(folder_name(student))}/{page}"


def _row(results: Results) -> dict[str, Any]:
    extra = results["extra_data"]
    return {
        "student": extra["student"],
        "others": [m["name"] for m in extra.get("members", []) if m["name"] != extra["student"]],
        "score": results.get("score") if is_graded(results) else None,
        "of": automatic_points(results),
        "pending": extra["pending_points"],
        "status": extra["status"],
        "seconds": results["execution_time"],
        "is_late": extra.get("is_late", False),
        "earlier": extra.get("earlier", []),
        "remark": first_remark(results),
    }


def _within_budget(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pictures up to a size that loads on a phone; for those left out the page says where they are."""
    left = _PICTURE_BYTES
    for question in questions:
        for answer in question["answers"]:
            shown = []
            for picture in answer["pictures"]:
                if len(picture) <= left:
                    shown.append(picture)
                    left -= len(picture)
            answer["left_out"] = len(answer["pictures"]) - len(shown)
            answer["pictures"] = shown
    return questions


def _set(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers as a person reads them: with their formulas set."""
    answers = [answer for question in questions for answer in question["answers"]]
    for answer, text in zip(answers, set_formulas([answer["text"] for answer in answers]), strict=True):
        answer["text"] = text
    return questions
