"""Adjustments and the late rule, applied to one result: checks that are settled, points to a check or the total, and what late costs.

The order is fixed, so that the same events always add up to the same: first what settles a check, then what is added to
checks, then the late rule on what has been earned by then, then what is added to the total. Nobody falls below nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from grader.marking.adjustments import LATE, TOTAL, holds_for
from grader.marking.events import Event
from grader.marking.late import Cost, Deadline, cost, hours_late, parse_time, points_lost

Results = dict[str, Any]


def adjust(result: Results, events: Iterable[Event], deadline: Deadline | None) -> None:
    """Apply everything to a result, in place.

    Args:
        result: With a person's marks in it, and with tests and extra_data of its own; it must have a score.
        events: The student's adjustments.
        deadline: The late rule, where one holds.
    """
    mine = sorted((event for event in events if holds_for(event, result)), key=lambda event: event.id)
    settling = [event for event in mine if event.body.get("settles")]
    lines = [_settle(result, event) for event in settling if event.body["target"] != LATE]
    added = [event for event in mine if not event.body.get("settles")]
    lines += [_add(result, event) for event in added if event.body["target"] != TOTAL]
    excuse = next((event for event in reversed(settling) if event.body["target"] == LATE), None)
    _be_late(result, deadline, excuse)
    lines += [_add(result, event) for event in added if event.body["target"] == TOTAL]
    if lines:
        result["extra_data"]["adjustments"] = lines


def _line(event: Event, points: float) -> dict[str, Any]:
    body = event.body
    return {"target": body["target"], "points": _round(points), "reason": body["reason"], "when": body.get("when", "")}


def _round(points: float) -> float:
    return round(points, 6) + 0.0


def _settle(result: Results, event: Event) -> dict[str, Any]:
    """One check is worth what a person says, whatever the program or a mark gave it."""
    points = float(event.body["points"])
    for test in result["tests"]:
        facts = test["extra_data"]
        if facts["check"] != event.body["target"]:
            continue
        change = points - test.get("score", 0.0)
        is_full = points == facts["points"]
        test |= {"score": points, "max_score": facts["points"], "status": "passed" if is_full else "failed"}
        facts["status"] = "passed" if is_full else "partial" if points else "wrong"
        facts["settled"] = True
        result["score"] = _round(result["score"] + change)
        return _line(event, change)
    return _line(event, 0.0)  # the check is gone: the line says so by its zero


def _add(result: Results, event: Event) -> dict[str, Any]:
    """Add points for a reason: to one check that has a score, or to the total."""
    points = float(event.body["points"])
    for test in result["tests"]:
        if test["extra_data"]["check"] == event.body["target"] and "score" in test:
            points = max(points, -test["score"])
            test["score"] = _round(test["score"] + points)
            break
    points = max(points, -result["score"])
    result["score"] = _round(result["score"] + points)
    return _line(event, points)


def _be_late(result: Results, deadline: Deadline | None, excuse: Event | None) -> None:
    """The late rule's line: what it costs, or that it is excused, or that nobody knows."""
    extra = result["extra_data"]
    due = deadline.of(extra["notebook"]) if deadline else None
    if deadline is None or due is None:
        return
    submitted = parse_time(extra.get("submitted_at") or "")
    if excuse is not None:
        hours: float | None = float(excuse.body["points"])
    else:
        hours = hours_late(due, submitted) if submitted else None
    if hours is None:
        if extra.get("is_late"):
            extra["late"] = _fact("it is late, but its platform does not say by how much", is_unknown=True)
        return
    found = cost(deadline.rule, hours)
    extra["is_late"] = found is not None
    reason = f" ({excuse.body['reason']})" if excuse else ""
    if found is None:
        if excuse is not None:
            extra["late"] = _fact(f"counts as handed in in time{reason}")
        return
    lost = points_lost(result["score"], found.percent)
    result["score"] = _round(result["score"] - lost)
    extra["late"] = _fact(_sentence(found, due) + reason, points=-lost, cost=found)


def _fact(sentence: str, points: float = 0.0, cost: Cost | None = None, is_unknown: bool = False) -> dict[str, Any]:
    return {
        "sentence": sentence, "points": _round(points), "is_unknown": is_unknown, "days": cost.days if cost else 0,
        "percent": cost.percent if cost else 0.0,
    }  # fmt: skip


def _sentence(found: Cost, due: datetime) -> str:
    when = f"due {due:%Y-%m-%d %H:%M}"
    by = _span(found.hours)
    if not found.is_accepted:
        return f"{by} late, {when}: too late to be accepted"
    return f"{by} late, {when}: {found.percent:g} % of the points earned"


def _span(hours: float) -> str:
    days, rest = divmod(round(hours * 60), 24 * 60)
    parts = [(days, "day"), (rest // 60, "hour"), (rest % 60 if not days else 0, "minute")]
    return " ".join(f"{n} {word}{'s' if n != 1 else ''}" for n, word in parts if n) or "less than a minute"
