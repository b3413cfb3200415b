"""Grade tables: a CSV for the office, a table for the terminal; both from the results alone."""

import csv
import io
from typing import Any


def grades_csv(results: list[dict[str, Any]]) -> str:
    """One line a submission, one column a question.

    Args:
        results: Contents of `results.json` files.

    Returns:
        CSV text with the columns student, notebook, score, max_score, pending, status and the questions' ids.
    """
    rows = [_row(result) for result in results]
    questions = list(dict.fromkeys(question for _, points in rows for question in points))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", "notebook", "score", "max_score", "pending", "status", *questions])
    for fields, points in sorted(rows, key=lambda row: row[0]):
        writer.writerow([_harmless(field) for field in fields] + [points.get(question, "") for question in questions])
    return out.getvalue()


def _row(result: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    extra = result["extra_data"]
    score = f"{result['score']:g}" if "score" in result else ""
    maximum = sum(test.get("max_score", 0) for test in result["tests"])
    points: dict[str, float] = {}
    for test in result["tests"]:
        if "score" in test:
            question = test["extra_data"]["task"]
            points[question] = points.get(question, 0) + test["score"]
    fields = [extra["student"], extra["notebook"], score, f"{maximum:g}", f"{extra['pending_points']:g}", extra["status"]]
    return fields, {question: f"{value:g}" for question, value in points.items()}


def _harmless(field: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; a student chooses their file's name."""
    return f"'{field}" if field[:1] in ("=", "+", "-", "@", "\t") else field


def grades_table(results: list[dict[str, Any]]) -> str:
    """The class for the terminal: score, what waits for a person, and the first thing that needs attention."""
    header = ("student", "score", "of", "pending", "status", "first remark")
    lines = [header] + [_line(result) for result in sorted(results, key=lambda r: r["extra_data"]["student"])]
    widths = [max(len(line[n]) for line in lines) for n in range(len(header) - 1)]
    text = []
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(line[n].rjust(widths[n]) for n in (1, 2, 3)), line[4].ljust(widths[4])]
        text.append("  ".join(cells) + "  " + line[5])
    text.insert(1, "-" * min(120, max(len(line) for line in text)))
    return "\n".join(text)


def _line(result: dict[str, Any]) -> tuple[str, ...]:
    fields, _ = _row(result)
    student, _, score, maximum, pending, status = fields
    return student[:40], score or "-", maximum, pending, status, _remark(result)[:90]


def _remark(result: dict[str, Any]) -> str:
    extra = result["extra_data"]
    if extra["rejection"]:
        return extra["rejection"]
    failed = [test["output"] for test in result["tests"] if test["extra_data"]["status"] not in ("passed", "manual")]
    return failed[0] if failed else next(iter(extra["repairs"]), "")
