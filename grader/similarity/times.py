"""Who handed in first, as far as the platform's times tell."""

from collections.abc import Sequence
from datetime import datetime

from dateutil import parser

from grader.similarity.answers import Answers


def handed_in_first(students: Sequence[Answers]) -> str:
    """A sentence on the likely source; "" where the times do not tell.

    Args:
        students: Alike; of earlier years, whose answers came first in any case, or of this class.
    """
    earlier = [student.student for student in students if student.is_earlier]
    if earlier:
        return f"{', '.join(earlier)} handed in in an earlier year"
    times = [(time, student.student) for student in students if (time := _time(student.submitted_at))]
    if len(times) < len(students) or len({time.tzinfo is None for time, _ in times}) > 1:
        return ""
    times.sort(key=lambda entry: entry[0])
    (first, name), (second, _) = times[0], times[1]
    return (
        f"{name} handed in first, {_span((second - first).total_seconds())} before the next" if first < second else ""
    )


def _time(text: str) -> datetime | None:
    try:
        return parser.parse(text) if text else None
    except (ValueError, OverflowError):
        return None


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
