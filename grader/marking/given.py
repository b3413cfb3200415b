"""What persons gave, added to what was graded: the results that every table and page is made from."""

import copy
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.marking.adjusting import adjust
from grader.marking.adjustments import Adjustments
from grader.marking.adjustments import bring_in as bring_in_adjustments
from grader.marking.answers import answers_of, open_tests
from grader.marking.bringing import bring_in
from grader.marking.events import New
from grader.marking.hand_in_times import bring_in_times
from grader.marking.late import Deadline
from grader.marking.sheets import Sheet
from grader.marking.standing import Given, given
from grader.marking.state import State
from grader.marking.store import STORE, Ledger
from grader.report.statistics import is_graded

Results = dict[str, Any]
__all__ = ["Brought", "Given", "add_marks", "marks_exist", "settle"]


def marks_exist(folder: Path) -> bool:
    """Whether a folder of results has a file of marks."""
    return (folder / STORE).exists()


@dataclass(frozen=True)
class Brought:
    """What a command line brings, to be taken into the file of marks before anything is shown."""

    sheets: tuple[Sheet, ...] = ()
    adjustments: Adjustments | None = None
    deadline: Deadline | None = None
    ends_late_rule: bool = False
    times: Mapping[str, str] = field(default_factory=dict)  # of hand-ins, by participant, from a worksheet

    @property
    def is_something(self) -> bool:
        return bool(self.sheets) or self.adjustments is not None or self.deadline is not None


def add_marks(folder: Path, results: list[Results], brought: Brought | None = None) -> tuple[list[Results], str]:
    """Results with everything in them that persons gave.

    Args:
        folder: Of the results; its `marks.sqlite` is read, and made if something is brought.
        results: Contents of `results.json` files; not changed.
        brought: Taken into the file first.

    Returns:
        The results with scores, maxima and what still waits brought up to date, and sentences that count.

    Raises:
        StoreError: If the file cannot be used.
        SheetError: If what is brought cannot be.
    """
    brought = brought or Brought()
    if not brought.is_something and not marks_exist(folder):
        return results, ""
    notes: list[str] = []
    with closing(Ledger(folder)) as ledger:
        if brought.sheets:
            notes += bring_in(ledger, results, brought.sheets)
        if brought.adjustments is not None:
            notes += bring_in_adjustments(ledger, results, brought.adjustments)
        if brought.times:
            bring_in_times(ledger, results, brought.times)
        if brought.deadline is not None or brought.ends_late_rule:
            _bring_in_deadline(ledger, brought.deadline)
        settled = settle(results, ledger.state)
        notes += _about_late(settled, ledger.state)
    n_given = sum("by_hand" in t["extra_data"] for r in settled for t in r["tests"])
    n_open = sum(test["extra_data"]["status"] == "manual" for result in settled for test in open_tests(result))
    sentence = f"{n_given} parts graded by hand are in, {n_open} still wait."
    return settled, " ".join([sentence, *notes])


def _bring_in_deadline(ledger: Ledger, deadline: Deadline | None) -> None:
    body = deadline.body() if deadline else {}

    def decide(state: State) -> list[New]:
        top = state.deadline()
        return [] if (top.body if top else {}) == body else [New("late rule", "late", body)]

    ledger.commit(decide)


def _about_late(results: list[Results], state: State) -> list[str]:
    """What the terminal says of the late rule, where one holds."""
    if state.deadline() is None:
        return []
    facts = {r["extra_data"]["student"]: late for r in results if (late := r["extra_data"].get("late"))}
    n_late = sum(bool(fact["days"]) for fact in facts.values())
    unknown = sorted(student for student, fact in facts.items() if fact["is_unknown"])
    timeless = [
        r for r in results if is_graded(r) and not r["extra_data"].get("submitted_at") and "late" not in r["extra_data"]
    ]
    notes = [f"{n_late} hand-ins are late by the course's rule."]
    if unknown:
        notes.append(
            f"Late, but their platform does not say by how much: {', '.join(unknown[:5])}{' and more' if len(unknown) > 5 else ''}; "
            "say it in the adjustments, as hours under the check `late`."
        )
    if timeless:
        notes.append(f"{len(timeless)} carry no time and no mark of being late: they count as in time.")
    return notes


def settle(results: list[Results], state: State) -> list[Results]:
    """Results with the marks of a state; the originals stay as they are."""
    top = state.deadline()
    deadline = Deadline.from_body(top.body) if top else None
    return [_settled(result, state, deadline) for result in results]


def _settled(result: Results, state: State, deadline: Deadline | None) -> Results:
    if "score" not in result:
        return result  # a fault of ours: it waits for a run, not for a person
    adjustments = state.adjustments(result["extra_data"]["student"])
    if not is_graded(result) and not adjustments:
        return result
    result = copy.copy(result)
    result["extra_data"] = copy.copy(result["extra_data"])
    result["tests"] = copy.deepcopy(result["tests"])
    answers = {answer.check: answer for answer in answers_of(result)}
    for test in open_tests(result):
        answer = answers[test["extra_data"]["check"]]
        found = given(state, answer, answer.digest, test["extra_data"]["points"])
        if found is not None:
            _enter(test, found, is_nothing=answer.is_missing and not state.marks(answer.student, answer.check))
            result["score"] += found.points
    extra = result["extra_data"]
    if not extra.get("submitted_at") and (time := state.submitted_at(extra["student"])):
        extra["submitted_at"] = time
    adjust(result, adjustments, deadline)
    extra["pending_points"] = sum(t["extra_data"]["points"] for t in open_tests(result))
    extra["by_hand"] = True
    return result


def _enter(test: dict[str, Any], found: Given, is_nothing: bool) -> None:
    facts = test["extra_data"]
    is_full = found.points == facts["points"]
    test |= {"score": found.points, "max_score": facts["points"], "status": "passed" if is_full else "failed"}
    if is_nothing:
        return  # nobody wrote anything: it counts, and the sentence that says so stands
    test["output"] = f"{facts['task']}: a person gave {found.points:g} of {facts['points']:g} points."
    facts["status"] = "passed" if is_full else "partial" if found.points else "wrong"
    facts["by_hand"] = {
        "lines": [{"points": points, "words": words} for points, words in found.lines],
        "comment": found.comment,
        "start": found.start,
    }
