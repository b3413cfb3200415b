"""The class as a table for the terminal; from the results alone."""

from typing import Any

from grader.report.grades import fields_of

_COLUMNS = ("student", "score", "of", "pending", "status", "first remark")
_TO_THE_RIGHT = ("score", "of", "pending")


def grades_table(results: list[dict[str, Any]]) -> str:
    """The class: score, what waits for a person, and the first thing that needs attention."""
    lines = [dict(zip(_COLUMNS, _COLUMNS, strict=True))]
    lines += [_line(result) for result in sorted(results, key=lambda r: r["extra_data"]["student"])]
    *padded, last = _COLUMNS
    widths = {name: max(len(line[name]) for line in lines) for name in padded}
    text = []
    for line in lines:
        cells = [
            line[name].rjust(widths[name]) if name in _TO_THE_RIGHT else line[name].ljust(widths[name])
            for name in padded
        ]
        text.append("  ".join([*cells, line[last]]))
    text.insert(1, "-" * min(120, max(len(line) for line in text)))
    return "\n".join(text)


def _line(result: dict[str, Any]) -> dict[str, str]:
    student = result["extra_data"]["student"]
    fields = fields_of(result, student)
    return {
        "student": student[:40],
        "score": fields["score"] or "-",
        "of": fields["max_score"],
        "pending": fields["pending"],
        "status": fields["status"],
        "first remark": first_remark(result)[:90],
    }


def first_remark(result: dict[str, Any]) -> str:
    """The first thing to attend to: why it was rejected, the first check that failed, or what was mended."""
    extra = result["extra_data"]
    if extra["rejection"]:
        return extra["rejection"]
    failed = [test["output"] for test in result["tests"] if test["extra_data"]["status"] not in ("passed", "manual")]
    return failed[0] if failed else next(iter(extra["repairs"]), "")
