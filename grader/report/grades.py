"""`grades.csv`, a table for the office; from the results alone."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

_HEADER = ["student", "notebook", "score", "max_score", "pending", "status"]
_CHANGES = ["late", "adjustments"]  # points that belong to no question, where there are any
_WHO = ["email", "id", "handed_in_as"]  # at the end, where a platform or a roster says more than a name
_PARTS_CELLS = re.compile(r"(?<=[;,:|])")
_ENDS_LINES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class _Row:
    """One person's line, as text by column."""

    fields: dict[str, str]
    points: dict[str, str]  # by question
    changes: dict[str, str]
    who: dict[str, str]

    @property
    def is_known_by_more_than_a_name(self) -> bool:
        return bool(self.who["email"]) or self.who["handed_in_as"] not in ("", self.fields["student"])


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
    rows = [_row(result, member) for result in results for member in _members(result)]
    rows += [_absent(member) for member in absent or []]
    questions = dict.fromkeys(question for row in rows for question in row.points)
    changes_shown = _CHANGES if any(any(row.changes.values()) for row in rows) else []
    who_shown = _WHO if any(row.is_known_by_more_than_a_name for row in rows) else []
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_HEADER, *questions, *changes_shown, *who_shown])
    for row in sorted(
        rows, key=lambda row: (*(row.fields[name] for name in _HEADER), *(row.who[name] for name in _WHO))
    ):
        cells = [harmless(row.fields[name]) for name in _HEADER] + [
            row.points.get(question, "") for question in questions
        ]
        cells += [row.changes[name] for name in changes_shown] + [harmless(row.who[name]) for name in who_shown]
        writer.writerow(cells)
    return out.getvalue()


def _members(result: dict[str, Any]) -> list[dict[str, Any]]:
    student = result["extra_data"]["student"]
    return result["extra_data"].get("members") or [{"name": student, "email": "", "ids": {}}]


def _row(result: dict[str, Any], member: dict[str, Any]) -> _Row:
    late, adjustments = changes(result)
    return _Row(
        fields=fields_of(result, member["name"]),
        points=_points(result),
        changes={"late": late, "adjustments": adjustments},
        who=_who(member, result["extra_data"]["student"]),
    )


def _absent(member: dict[str, Any]) -> _Row:
    fields = dict.fromkeys(_HEADER, "") | {"student": member["name"], "status": "absent"}
    return _Row(fields=fields, points={}, changes=dict.fromkeys(_CHANGES, ""), who=_who(member, ""))


def _who(member: dict[str, Any], handed_in_as: str) -> dict[str, str]:
    return {"email": member["email"], "id": next(iter(id_values(member)), ""), "handed_in_as": handed_in_as}


def id_values(member: dict[str, Any]) -> list[str]:
    """A member's ids, without their kinds; a file's own name says nothing more."""
    ids = member["ids"]
    return [str(value) for kind, value in ids.items() if kind != "label"] if isinstance(ids, dict) else list(ids)


def fields_of(result: dict[str, Any], name: str) -> dict[str, str]:
    """What a table says of one person's result, as text: student, notebook, score, max_score, pending, status."""
    extra = result["extra_data"]
    return {
        "student": name,
        "notebook": extra["notebook"],
        "score": f"{result['score']:g}" if "score" in result else "",
        "max_score": f"{sum(test.get('max_score', 0) for test in result['tests']):g}",
        "pending": f"{extra['pending_points']:g}",
        "status": extra["status"],
    }


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
    """A text that no spreadsheet takes for a formula, also where it parts cells elsewhere than we do, as a semicolon does in many
    countries; a student chooses their file's name. A table of one line a person stays one."""
    pieces = _PARTS_CELLS.split(_ENDS_LINES.sub(" ", field))
    return "".join(f"'{piece}" if _begins_formula(piece) else piece for piece in pieces)


def _begins_formula(piece: str) -> bool:
    """Full-width signs, and spaces, quotes and what nobody sees before them, work as well."""
    signs = (
        c for c in unicodedata.normalize("NFKC", piece) if unicodedata.category(c)[0] not in "CZ" and c not in "'\""
    )
    return next(signs, "") in ("=", "+", "-", "@", "|", "%")
