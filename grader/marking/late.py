"""The late rule of a course's file, applied to when a hand-in came in: days begun, percent, and the points it costs.

A hand-in is late when it came in more than the grace after the time it was due. Every day begun since then, counted from the
time it was due, costs `per_day` percent of the points it has earned, `cap` percent at most; after `until_days` days it is not
accepted, and costs all of them. Points to the total for a reason (extra credit, a penalty) are not touched.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from utils.assignments.course import Late

_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ]+(?P<clock>\d{1,2}:\d\d(?::\d\d)?)(?:[.,](?P<part>\d+))?\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_HOURS_A_DAY = 24.0


@dataclass(frozen=True)
class Cost:
    """What being late costs one hand-in."""

    hours: float  # after the time it was due
    days: int  # begun
    percent: float
    is_accepted: bool = True


@dataclass(frozen=True)
class Deadline:
    """When a notebook is due, and what being late costs."""

    due: Mapping[str, datetime]  # by notebook; "" for any other
    rule: Late

    def of(self, notebook: str) -> datetime | None:
        return self.due.get(notebook, self.due.get(""))

    def body(self) -> dict[str, Any]:
        """As an event holds it."""
        return {"due": {name: due.isoformat() for name, due in sorted(self.due.items())}, "rule": asdict(self.rule)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "Deadline":
        return cls({name: datetime.fromisoformat(due) for name, due in body["due"].items()}, Late(**body["rule"]))


def cost(rule: Late, hours: float) -> Cost | None:
    """What so many hours cost; None: nothing, it counts as in time.

    Args:
        rule: The course's.
        hours: From the time it was due to when it came in; below zero if before.
    """
    minutes = round(hours * 60, 6)  # 31 minutes are 0.5166... hours, and those are more than 31 minutes
    if minutes <= max(rule.grace_minutes, 0):
        return None
    days = math.ceil(round(hours / _HOURS_A_DAY, 9))
    if rule.until_days is not None and minutes > rule.until_days * _HOURS_A_DAY * 60:
        return Cost(hours, days, 100.0, is_accepted=False)
    return Cost(hours, days, min(rule.per_day * days, rule.cap))


def points_lost(earned: float, percent: float) -> float:
    """Percent of the points earned, to the hundredth; half a hundredth goes to the student."""
    return math.ceil(round(earned * percent - 0.5, 6)) / 100 if earned > 0 else 0.0


def hours_late(due: datetime, submitted: datetime) -> float:
    if submitted.tzinfo is None:  # a platform that names no zone means the one of the course
        submitted = submitted.replace(tzinfo=due.tzinfo)
    return (submitted - due) / timedelta(hours=1)


def parse_time(text: str) -> datetime | None:
    """A platform's time, as Gradescope, nbgrader and ISO 8601 write it; None if it is none.

    >>> parse_time("2026-03-01 10:00:00 UTC").isoformat()
    '2026-03-01T10:00:00+00:00'
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    zone = (match["zone"] or "").upper()
    clock = match["clock"] if match["clock"].count(":") == 2 else f"{match['clock']}:00"
    try:
        found = datetime.strptime(f"{match['day']} {clock}", "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    if not zone:
        return found
    if zone in ("Z", "UTC"):
        return found.replace(tzinfo=timezone.utc)
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        return None
    shift = timedelta(hours=hours, minutes=minutes)
    return found.replace(tzinfo=timezone(-shift if zone[0] == "-" else shift))
