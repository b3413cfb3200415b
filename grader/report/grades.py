"""Grade tables: a CSV for the office, a table for the terminal; both from the results alone."""

import csv
import io
import unicodedata
from typing import Any

_HEADER = ["student", "notebook", "score", "max_score", "pending", "status"]
_CHANGES = ["late", "adjustments"]  # points that belong to no question, where there are any
_WHO = ["email", "id", "handed_in_as"]  # at the end, where a platform or a roster says more than a name


def grades_csv(results: list[dict[str, Any]], absent: list[dict[str, Any]] | None = None) -> str:
    """One line a student, one column a question; every member of a group has a line.

    Args:
        results: Contents of `results.json` files.
        absent: Who handed in nothing: `name`, `email`, `ids`.

    Returns:
        CSV text with the columns student, notebook, score, max_score, pending, status and the questions' ids; late and
        adjustments, where a late rule or a person changed a total; and, where more than names is known, email, id and
        handed_in_as. The questions, late and adjustments add up to the score.
    """
    rows = [
        (_fields(result, member), _points(result), changes(result), _who(result, member))
        for result in results
        for member in _members(result)
    ]
    rows += [([member["name"], "", "", "", "", "absent"], {}, ("", ""), _who(None, member)) for member in absent or []]
    questions = list(dict.fromkeys(question for _, points, _, _ in rows for question in points))
    has_changes = any(any(changed) for _, _, changed, _ in rows)
    has_who = any(who[0] or who[2] not in ("", fields[0]) for fields, _, _, who in rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_HEADER, *questions, *(_CHANGES if has_changes else []), *(_WHO if has_who else [])])
    for fields, points, changed, who in sorted(rows, key=lambda row: (row[0], row[3])):
        cells = [harmless(field) for field in fields] + [points.get(question, "") for question in questions]
        cells += changed if has_changes else ()
        writer.writerow(cells + ([harmless(field) for field in who] if has_who else []))
    return out.getvalue()


def _members(result: dict[str, Any]) -> list[dict[str, Any]]:
    student = result["extra_data"]["student"]
    return result["extra_data"].get("members") or [{"name": student, "email": "", "ids": {}}]


def _who(result: dict[str, Any] | None, member: dict[str, Any]) -> list[str]:
    return [member["email"], next(iter(id_values(member)), ""), result["extra_data"]["student"] if result else ""]


def id_values(member: dict[str, Any]) -> list[str]:
    """A member's ids, without their kinds; a file's own name says nothing more."""
    ids = member["ids"]
    return [str(value) for kind, value in ids.items() if kind != "label"] if isinstance(ids, dict) else list(ids)


def _fields(result: dict[str, Any], member: dict[str, Any]) -> list[str]:
    extra = result["extra_data"]
    score = f"{result['score']:g}" if "score" in result else ""
    maximum = sum(test.get("max_score", 0) for test in result["tests"])
    return [member["name"], extra["notebook"], score, f"{maximum:g}", f"{extra['pending_points']:g}", extra["status"]]


def _points(result: dict[str, Any]) -> dict[str, str]:
    points: dict[str, float] = {}
    for test in result["tests"]:
        if "score" in test:
            question = test["extra_data"]["task"]
            points[question] = points.get(question, 0) + test["score"]
    return {question: f"{value:g}" for question, value in points.items()}


def changes(result: dict[str, Any]) -> tuple[str, str]:
    """What being late and what persons added to the total change, as points; "" for nothing."""
    extra = result["extra_data"]
    late = extra.get("late", {}).get("points", 0.0)
    total = sum(line["points"] for line in extra.get("adjustments", []) if line["target"] == "total")
    return f"{late:g}" if late else "", f"{total:g}" if total else ""


def harmless(field: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; a student chooses their file's name."""
    begin = unicodedata.normalize("NFKC", field).lstrip()[:1]  # full-width signs and spaces before them work as well
    return (
        f"'{field}" if (begin in ("=", "+", "-", "@", "|", "%") and begin) or field[:1] in ("\t", "\r", "\n") else field
    )


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
    student = result["extra_data"]["student"]
    _, _, score, maximum, pending, status = _fields(result, {"name": student})
    return student[:40], score or "-", maximum, pending, status, first_remark(result)[:90]


def first_remark(result: dict[str, Any]) -> str:
    """The first thing to attend to: why it was rejected, the first check that failed, or what was mended."""
    extra = result["extra_data"]
    if extra["rejection"]:
        return extra["rejection"]
    failed = [test["output"] for test in result["tests"] if test["extra_data"]["status"] not in ("passed", "manual")]
    return failed[0] if failed else next(iter(extra["repairs"]), "")
