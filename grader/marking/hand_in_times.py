"""When something was handed in, where the download does not say but the platform's worksheet does: Moodle's "Last modified (submission)"."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.marking.events import New
from grader.marking.state import State
from grader.marking.store import Ledger
from grader.marking.whose import Ambiguous, Nobody, Whose
from grader.platforms.columns import person_in
from grader.platforms.gradebooks import GradebookError, read_gradebook

Results = dict[str, Any]
_COLUMN = "last modified (submission)"
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_TIME = re.compile(
    r"(?:[^\W\d]+, )?(?P<day>\d{1,2}) (?P<month>[a-z]+) (?P<year>\d{4}), (?P<hour>\d{1,2}):(?P<minute>\d\d)(?:\s(?P<half>[ap]m))?",
    re.IGNORECASE,
)


def moodle_time(text: str) -> datetime | None:
    """A time as Moodle writes it in English, without a zone; None if it is none.

    >>> moodle_time("Tuesday, 3 March 2026, 10:15 PM").isoformat()
    '2026-03-03T22:15:00'
    """
    match = _TIME.fullmatch(" ".join(text.split()))
    if match is None or match["month"].casefold() not in _MONTHS:
        return None
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"].casefold() == "pm" else 0)
    try:
        return datetime(
            int(match["year"]),
            1 + _MONTHS.index(match["month"].casefold()),
            int(match["day"]),
            hour,
            int(match["minute"]),
        )
    except ValueError:
        return None


def times_in(path: Path) -> dict[str, str]:
    """The times of a worksheet by participant, "participant:71"; empty for any other file."""
    try:
        book = read_gradebook(path)
    except GradebookError:
        return {}
    titles = [title.casefold() for title in book.header]
    if book.platform != "Moodle" or _COLUMN not in titles:
        return {}
    found = {}
    for row in book.rows[1:]:
        cells = book.table.cells(row)
        person = person_in(cells, book.roles)
        time = moodle_time(cells[titles.index(_COLUMN)]) if len(cells) == len(titles) else None
        number = dict(person.ids).get("participant") if person else None
        if number and time:
            found[f"participant:{number}"] = time.isoformat()
    return found


def bring_in_times(ledger: Ledger, results: list[Results], times: Mapping[str, str]) -> None:
    """Make times of hand-ins events, for those whose results have none; what is there already is not stored again."""
    whose = Whose(results)
    meant: dict[str, str] = {}
    for number, time in times.items():
        try:
            student = whose.of("", "", number)
        except (Nobody, Ambiguous):
            continue
        meant[student] = max(meant.get(student, ""), time)

    def decide(state: State) -> list[New]:
        return [
            New("worksheet", "submitted", {"at": time}, student)
            for student, time in meant.items()
            if state.submitted_at(student) != time
        ]

    ledger.commit(decide)
