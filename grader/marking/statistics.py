"""Markers in numbers: how many, how strict, how fast; and where two of them differ."""

import statistics as stats
from datetime import datetime
from itertools import pairwise
from typing import Any

from grader.marking.events import Event, Mark
from grader.marking.queue import Queue
from grader.marking.standing import DISAGREE
from grader.marking.state import State

_PAUSE_SECONDS = 600  # longer than this between two marks is a pause, not a pace


def markers(state: State, queue: Queue) -> list[dict[str, Any]]:
    """Per marker: marks that hold, mean and spread of the share of points given (0 to 1), median seconds between marks."""
    shares: dict[str, list[float]] = {}
    times: dict[str, list[datetime]] = {}
    parts = queue.classroom.parts
    for key, stack in state.stacks.items():
        if key[0] != "mark" or key[2] not in parts:
            continue
        for event in stack:
            times.setdefault(event.who, []).append(datetime.fromisoformat(event.at))
        found, maximum = state.mark(*key[1:]), parts[key[2]].points
        if found and maximum:
            points = state.rubric(key[2]).points(found[1], maximum)
            shares.setdefault(found[0].who, []).append(points / maximum)
    return [
        {
            "name": name,
            "marked": len(own),
            "mean": stats.fmean(own),
            "spread": stats.pstdev(own),
            "pace": _pace(times[name]),
        }
        for name, own in sorted(shares.items())
    ]


def _pace(times: list[datetime]) -> float | None:
    times = sorted(times)
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    gaps = [gap for gap in gaps if gap <= _PAUSE_SECONDS]
    return round(stats.median(gaps), 1) if gaps else None


def differences(state: State, queue: Queue) -> list[dict[str, Any]]:
    """Answers that two persons gave different points, the largest difference first."""
    found = []
    for check, part in queue.classroom.parts.items():
        if state.top("double", "", check) is None:
            continue
        for answer in queue.classroom.of_part(check):
            if queue.standing(state, answer).status == DISAGREE:
                both = each_mark(state, answer.student, check, part.points)
                points = [mark["points"] for mark in both]
                found.append(
                    {"student": answer.student, "check": check, "marks": both, "apart": max(points) - min(points)}
                )
    return sorted(found, key=lambda one: (-one["apart"], one["check"], one["student"]))


def calibration(state: State, queue: Queue) -> list[dict[str, Any]]:
    """Set answers: what was set, and what each marker gave."""
    found = []
    for key, stack in state.stacks.items():
        if key[0] == "calibrate" and stack and stack[-1].body.get("on") and key[2] in queue.classroom.parts:
            both = each_mark(state, key[1], key[2], queue.classroom.parts[key[2]].points)
            found.append({"student": key[1], "check": key[2], "marks": both})
    return found


def each_mark(state: State, student: str, check: str, maximum: float) -> list[dict[str, Any]]:
    """Every mark of an answer: who, points, comment; the one that counts by itself has no slot."""
    return [_shown(state, event, mark, maximum) for event, mark in state.marks(student, check).values()]


def _shown(state: State, event: Event, mark: Mark, maximum: float) -> dict[str, Any]:
    points = state.rubric(event.check).points(mark, maximum)
    return {"who": event.who, "at": event.at, "points": points, "comment": mark.comment, "is_set": not event.slot}
