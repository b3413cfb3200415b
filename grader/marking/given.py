"""What persons gave, added to what was graded: the results that every table and page is made from."""

import copy
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from grader.marking.answers import answers_of, open_tests
from grader.marking.sheets import bring_in
from grader.marking.standing import Given, given
from grader.marking.state import State
from grader.marking.store import STORE, Ledger
from grader.report.statistics import is_graded

Results = dict[str, Any]
__all__ = ["Given", "add_marks", "marks_exist", "settle"]


def marks_exist(folder: Path) -> bool:
    """Whether a folder of results has a file of marks."""
    return (folder / STORE).exists()


def add_marks(
    folder: Path, results: list[Results], points: Mapping[tuple[str, str], float] | None = None, source: str = ""
) -> tuple[list[Results], str]:
    """Results with everything in them that persons gave.

    Args:
        folder: Of the results; its `marks.sqlite` is read, and made if a sheet brings points.
        results: Contents of `results.json` files; not changed.
        points: Of a sheet, to be taken into the file first.
        source: The sheet's name.

    Returns:
        The results with scores, maxima and what still waits brought up to date, and a sentence that counts.

    Raises:
        StoreError: If the file cannot be used.
    """
    if points is None and not marks_exist(folder):
        return results, ""
    with closing(Ledger(folder)) as ledger:
        notes = bring_in(ledger, results, points, source) if points is not None else []
        settled = settle(results, ledger.state)
    n_given = sum("by_hand" in t["extra_data"] for r in settled for t in r["tests"])
    n_open = sum(test["extra_data"]["status"] == "manual" for result in settled for test in open_tests(result))
    sentence = f"{n_given} parts graded by hand are in, {n_open} still wait."
    return settled, " ".join([sentence, *notes])


def settle(results: list[Results], state: State) -> list[Results]:
    """Results with the marks of a state; the originals stay as they are."""
    return [_settled(result, state) for result in results]


def _settled(result: Results, state: State) -> Results:
    if not is_graded(result):
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
    for event in state.adjustments(result["extra_data"]["student"]):
        _adjust(result, event.body)
    extra = result["extra_data"]
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


def _adjust(result: Results, body: Mapping[str, Any]) -> None:
    """Add points for a reason: to one check that has a score, or to the total. Nobody falls below nothing."""
    points, tests = float(body["points"]), result["tests"]
    scored = [test for test in tests if test["extra_data"]["check"] == body["target"] and "score" in test]
    for test in scored[:1]:
        points = max(points, -test["score"])
        test["score"] += points
    points = max(points, -result["score"])
    result["score"] += points
    listed = result["extra_data"].get("adjustments", [])
    line = {"target": body["target"], "points": points, "reason": body["reason"]}
    result["extra_data"]["adjustments"] = [*listed, line]
