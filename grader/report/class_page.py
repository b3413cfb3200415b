"""`class.html`: the class at a glance for an instructor. One file, a few lines of script of its own for sorting and filtering."""

import statistics as stats
from typing import Any
from urllib.parse import quote

from grader.report.feedback import TEMPLATES
from grader.report.files import CLASS_PAGES, student_page
from grader.report.formulas import set_formulas
from grader.report.items import question_numbers
from grader.report.reading import page_name
from grader.report.statistics import (
    BINS,
    Results,
    automatic_points,
    beliefs,
    check_numbers,
    distribution,
    has_score,
    is_graded,
    middle,
    slowest,
    waiting,
)
from grader.report.terminal import first_remark

_LONGEST_REMARK = 200


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
    rows = [_row(r) for r in sorted(results, key=lambda r: r["extra_data"]["student"].casefold())]
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
        questions=question_numbers(graded),
        waiting=_to_read(graded),
        beliefs=_beliefs(graded),
        slowest=[(r["extra_data"]["student"], r["execution_time"]) for r in slowest(results)],
        usual_seconds=stats.median([r["execution_time"] for r in results] or [0.0]),
        rows=rows,
        statuses=sorted({row["status"] for row in rows} | ({"absent"} if absent else set())),
        absent=absent,
        has_diff=has_diff,
        has_similar=has_similar,
        link=student_page,
    )  # fmt: skip


def _bars(bins: list[int]) -> list[dict[str, float]]:
    """The distribution as bars: bounds in percent, count, height in percent of the tallest."""
    tallest = max(1, *bins)
    return [
        {"low": 100 * n // BINS, "high": 100 * (n + 1) // BINS, "count": count, "height": 100 * count / tallest}
        for n, count in enumerate(bins)
    ]


def _to_read(graded: list[Results]) -> list[dict[str, Any]]:
    """The pages of what a person reads, with how much is left."""
    return [
        question | {"count": len(question["answers"]), "page": f"{CLASS_PAGES}/{quote(page_name(question['check']))}"}
        for question in waiting(graded)
    ]


def _beliefs(graded: list[Results]) -> list[dict[str, Any]]:
    """The predictions that somebody answered, each choice with its count and its share of those who did; formulas set."""
    said = [belief for belief in beliefs(graded) if belief["said"]]
    done = iter(set_formulas([text for belief in said for text in (belief["question"], *belief["choices"].values())]))
    return [
        belief
        | {
            "question": next(done),
            "choices": [
                {
                    "letter": letter,
                    "text": next(done),
                    "count": belief["counts"][letter],
                    "percent": 100 * belief["counts"][letter] / belief["said"],
                    "is_right": letter == belief["right"],
                }
                for letter in belief["choices"]
            ],
        }
        for belief in said
    ]


def _row(results: Results) -> dict[str, Any]:
    extra = results["extra_data"]
    late, adjustments = extra.get("late", {}), extra.get("adjustments", [])
    flags = {
        "late": bool(extra.get("is_late")) or bool(late.get("days")),
        "adjusted": bool(adjustments),
        "waits": bool(extra["pending_points"]),
        "mended": bool(extra["repairs"]),
    }
    remark = first_remark(results)
    return {
        "student": extra["student"],
        "others": [m["name"] for m in extra.get("members", []) if m["name"] != extra["student"]],
        "score": results["score"] if has_score(results) else None,
        "of": automatic_points(results),
        "pending": extra["pending_points"],
        "status": extra["status"],
        "late": late.get("points", 0.0),
        "adjusted": sum(line["points"] for line in adjustments) if adjustments else None,
        "flags": [name for name, is_so in flags.items() if is_so],
        "earlier": extra.get("earlier", []),
        "remark": remark if len(remark) <= _LONGEST_REMARK else remark[:_LONGEST_REMARK] + " …",
    }
