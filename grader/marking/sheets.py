"""The CSV sheet and the file of marks: a sheet's cells become events like any other, and marks become a sheet.

The same sheet given again changes nothing: only a cell that has changed since this sheet was last read is a new
decision, so that it does not undo what somebody has given in the browser in the meantime.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any

from grader.marking.answers import Answer, answers_of, open_tests
from grader.marking.events import Event, Mark, New
from grader.marking.standing import given
from grader.marking.state import State
from grader.marking.store import Ledger
from grader.report.grades import harmless

Results = dict[str, Any]
_NAMED = 5


def bring_in(ledger: Ledger, results: list[Results], points: Mapping[tuple[str, str], float], source: str) -> list[str]:
    """Take a sheet's points into the marks.

    Args:
        ledger: Of the folder.
        results: What the sheet is about.
        points: By the student's name as the sheet writes it, and part.
        source: The sheet's name.

    Returns:
        Sentences about cells for nobody here, and answers that have changed since.
    """
    answers = {(harmless(a.student), a.check): a for result in results for a in answers_of(result)}
    who = f"sheet {source}"
    texts = {a.digest: (a.text, list(a.pictures)) for key, a in answers.items() if key in points}
    ledger.commit(lambda state: _new(state, answers, points, who), texts)
    changed = [
        f"{check} of {student}"
        for (student, check), answer in answers.items()
        if (top := ledger.state.mark(answer.student, check)) and top[0].who == who and top[0].digest != answer.digest
    ]
    strangers = [f"{check} of {student}" for student, check in sorted(points.keys() - answers.keys())]
    notes = [f"Not among these results: {_named(strangers)}."] if strangers else []
    if changed:
        notes.append(f"Handed in anew since the sheet was read, so open again: {_named(changed)}.")
    return notes


def _named(what: list[str]) -> str:
    return ", ".join(what[:_NAMED]) + (" and more" if len(what) > _NAMED else "")


def _new(
    state: State, answers: Mapping[tuple[str, str], Answer], points: Mapping[tuple[str, str], float], who: str
) -> list[New]:
    new = []
    for key, answer in answers.items():
        last = next((e for e in reversed(state.history(answer.student, answer.check)) if e.who == who), None)
        before = _cell(last)
        if points.get(key) == before:
            continue
        is_emptied = key not in points
        if is_emptied and not (last and state.is_top(last)):
            continue  # somebody has given it another mark since
        mark = Mark(is_open=True) if is_emptied else Mark(fixed=points[key])
        new.append(New(who, "mark", mark.body(), answer.student, answer.check, "", answer.digest))
    return new


def _cell(event: Event | None) -> float | None:
    """What the sheet said when it was last read."""
    return None if event is None or event.body.get("is_open") else event.body.get("fixed")


def sheet_of(results: list[Results], state: State, parts: Mapping[str, float]) -> str:
    """The marks as a sheet: a line a submission, a column a part; empty where somebody has to read, `-` where nothing stands.

    Args:
        results: Contents of `results.json` files, without marks.
        state: Of the marks.
        parts: What each part is worth, in the order of the columns.

    Returns:
        CSV text that `--by-hand` reads.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *(f"{check} ({points:g})" for check, points in parts.items())])
    for result in sorted(results, key=lambda r: r["extra_data"]["student"]):
        answers = {answer.check: answer for answer in answers_of(result)}
        worth = {test["extra_data"]["check"]: test["extra_data"]["points"] for test in open_tests(result)}
        if answers:
            cells = [_shown(state, answers.get(check), worth.get(check, 0.0)) for check in parts]
            writer.writerow([harmless(result["extra_data"]["student"]), *cells])
    return out.getvalue()


def _shown(state: State, answer: Answer | None, maximum: float) -> str:
    if answer is None or (answer.is_missing and not state.marks(answer.student, answer.check)):
        return "-"
    found = given(state, answer, answer.digest, maximum)
    return "" if found is None else f"{found.points:.10g}"
