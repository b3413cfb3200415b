"""Filled sheets become marks like any other: each cell that has changed since its sheet was last read is a decision.

The same sheet given again changes nothing, so that it does not undo what somebody has given in the browser in the
meantime. Nothing of several sheets is stored where one of them cannot be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.marking.answers import Answer, answers_of, open_tests
from grader.marking.elsewhere import is_asked_elsewhere
from grader.marking.events import Event, Mark, New
from grader.marking.sheets import DIGITS, Row, Sheet
from grader.marking.standing import given
from grader.marking.state import State
from grader.marking.store import Ledger
from grader.marking.tables import SheetError
from grader.marking.whose import Ambiguous, Nobody, Whose

Results = dict[str, Any]
_NAMED = 5


@dataclass(frozen=True)
class _Cell:
    """One cell of one sheet, and the answer it is about."""

    sheet: Sheet
    row: Row
    answer: Answer
    most: float
    points: float | None

    @property
    def where(self) -> str:
        return f"{self.sheet.where(self.row)}: {self.answer.check} of {self.answer.student}"


@dataclass
class _Notes:
    """What is said of cells that were not simply taken."""

    strangers: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def said(self) -> list[str]:
        what = (
            ("Not among these results", self.strangers),
            ("Given for an answer that has changed since the sheet was written, so open again", self.changed),
            ("Put in the place of marks given on the page", self.replaced),
            ("About other notebooks", self.others),
        )
        return [f"{words}: {_named(found)}." for words, found in what if found]


def bring_in(ledger: Ledger, results: list[Results], sheets: Sequence[Sheet]) -> list[str]:
    """Take sheets' points into the marks.

    Args:
        ledger: Of the folder.
        results: What the sheets are about.
        sheets: As read.

    Returns:
        Sentences about lines for nobody here, answers that have changed since, and marks that were replaced.

    Raises:
        SheetError: If a heading, a line or two cells contradict the results or each other. Nothing is stored then.
    """
    notes = _Notes()
    cells = _cells(results, sheets, notes)
    texts = {
        cell.answer.digest: (cell.answer.text, list(cell.answer.pictures)) for cell in cells if cell.points is not None
    }

    def decide(state: State) -> list[New]:
        notes.changed, notes.replaced = [], []
        return [new for cell in cells for new in _new(state, cell, notes)]

    ledger.commit(decide, texts)
    return notes.said()


def _named(what: list[str]) -> str:
    return ", ".join(what[:_NAMED]) + (" and more" if len(what) > _NAMED else "")


def _cells(results: list[Results], sheets: Sequence[Sheet], notes: _Notes) -> list[_Cell]:
    """Every cell that is about an answer here, once nothing contradicts anything."""
    whose = Whose(results)
    answers = {(a.student, a.check): a for result in results for a in answers_of(result)}
    worth = {t["extra_data"]["check"]: t["extra_data"]["points"] for result in results for t in open_tests(result)}
    found: dict[tuple[str, str], _Cell] = {}
    here = {result["extra_data"]["notebook"] for result in results}
    for sheet in sheets:
        if not _require_headings(sheet, worth, here):
            notes.others.append(sheet.path.name)
            continue
        lines: dict[str, int] = {}
        for row in sheet.rows:
            student = _student(whose, sheet, row, notes)
            if student is None:
                continue
            if (before := lines.setdefault(student, row.line)) != row.line:
                raise SheetError(f"{sheet.where(row)}: line {before} is about {student} as well: keep one.")
            for check, points in row.points.items():
                if (student, check) not in answers:
                    continue
                cell = _Cell(sheet, row, answers[student, check], worth[check], points)
                found[student, check] = _agreed(found.get((student, check)), cell)
    return list(found.values())


def _require_headings(sheet: Sheet, worth: dict[str, float], here: set[str]) -> bool:
    """Whether the sheet is about these results at all; columns of other notebooks are theirs."""
    for check, points in sheet.worth.items():
        if check not in worth and is_asked_elsewhere(check, here):
            continue
        if check not in worth:
            raise SheetError(f"{sheet.path}, line 1: nothing here is called {check}: give the sheet of these results.")
        if points != worth[check]:
            raise SheetError(
                f"{sheet.path}, line 1: {check} is worth {worth[check]:g} points, the heading says {points:g}: put it back."
            )
    return any(check in worth for check in sheet.worth)


def _student(whose: Whose, sheet: Sheet, row: Row, notes: _Notes) -> str | None:
    try:
        return whose.of(row.student, row.email, row.number)
    except Nobody:
        notes.strangers.append(f"line {row.line} of {sheet.path.name} ({row.student or row.email or row.number})")
        return None
    except Ambiguous as error:
        raise SheetError(f"{sheet.where(row)}: its people are not one hand-in's ({error}): correct it.") from None


def _agreed(before: _Cell | None, cell: _Cell) -> _Cell:
    """Of two sheets' cells the filled one; never one of two that differ."""
    if before is None or before.points is None:
        return cell
    if cell.points is None or (cell.points == before.points and cell.row.answers == before.row.answers):
        return before
    if cell.points != before.points:
        raise SheetError(
            f"{cell.where} has {cell.points:g} points, and {before.points:g} in {before.sheet.where(before.row)}: "
            "correct one of them."
        )
    return cell if _is_current(cell) else before


def _is_current(cell: _Cell) -> bool:
    return cell.row.answers.get(cell.answer.check, "") == cell.answer.digest[:DIGITS]


def _new(state: State, cell: _Cell, notes: _Notes) -> list[New]:
    answer, who = cell.answer, cell.sheet.who
    last = next((e for e in reversed(state.history(answer.student, answer.check)) if e.who == who), None)
    if cell.points is None:
        is_taken_back = last is not None and not last.body.get("is_open") and state.is_top(last)
        return [_event(cell, Mark(is_open=True))] if is_taken_back else []
    if not _is_current(cell):
        notes.changed.append(f"{answer.check} of {answer.student}")
        return []
    if last is not None and last.body.get("fixed") == cell.points and last.digest == answer.digest:
        return []  # nothing has changed in the sheet: what somebody gave since stays
    now = None if answer.is_missing and not state.marks(answer.student, answer.check) else (
        given(state, answer, answer.digest, cell.most)
    )  # fmt: skip
    if now is not None and now.points == cell.points:
        return []
    top = state.mark(answer.student, answer.check)
    if top and top[0].digest == answer.digest and top[0].who != who:
        _require_no_conflict(cell, top[0])
        notes.replaced.append(f"{answer.check} of {answer.student}")
    return [_event(cell, Mark(fixed=cell.points))]


def _require_no_conflict(cell: _Cell, there: Event) -> None:
    if there.who.startswith("sheet "):
        name, line = there.who.removeprefix("sheet "), there.body.get("line", "?")
        raise SheetError(
            f"{cell.where} has {cell.points:g} points, and {there.body.get('fixed', 0):g} in line {line} of {name}, read before: "
            "correct it there, or decide on the marking page."
        )


def _event(cell: _Cell, mark: Mark) -> New:
    answer, body = cell.answer, mark.body() | {"line": cell.row.line}
    return New(
        who=cell.sheet.who,
        kind="mark",
        body=body,
        student=answer.student,
        check=answer.check,
        slot="",
        digest=answer.digest,
    )
