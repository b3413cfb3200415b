"""Before and after: whose score moved, on which check, and why, between two folders of results."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.classes.results_folder import no_results, read_results
from grader.marking import add_marks
from grader.report.course import write_class_page
from grader.report.feedback import TEMPLATES
from grader.report.files import write_atomically

Results = dict[str, Any]


class NoResults(ValueError):
    """A folder that holds no results; the message is one sentence."""


@dataclass(frozen=True)
class CheckChange:
    """One check that came out differently."""

    check: str
    before: str  # status, and the slip in brackets
    after: str
    points: float  # after less before
    sentence: str


@dataclass(frozen=True)
class Change:
    """One student whose results differ."""

    student: str
    before: float | None  # None: no score
    after: float | None
    reasons: tuple[str, ...]
    checks: tuple[CheckChange, ...]


def diff(old: Path, new: Path) -> str:
    """Compare two folders of results; writes `diff.html` into the new one and links it from its class page.

    Args:
        old: As `grade --out` left it.
        new: The same class, graded later.

    Returns:
        The comparison as text, to print.

    Raises:
        NoResults: If a folder holds no results.
    """
    before, after = _results(old), _results(new)
    changes = compare(before, after)
    n_both = len(before.keys() & after.keys())
    page = TEMPLATES.get_template("diff.html").render(old=old.name, new=new.name, changes=changes, n_both=n_both)
    write_atomically(new / "diff.html", page)
    link_class_page(new, list(after.values()))
    return as_text(changes, n_both)


def _results(folder: Path) -> dict[str, Results]:
    """By student, with what persons gave in them: before and after are what students were shown."""
    found = read_results(folder)
    if not found:
        raise NoResults(no_results(folder))
    settled, _ = add_marks(folder, list(found.values()))
    return {result["extra_data"]["student"]: result for result in settled}


def link_class_page(folder: Path, results: list[Results]) -> None:
    """Write the class page of a folder of results again, where it has one: a page has come beside it that it links.

    Args:
        folder: Of the results.
        results: Of everybody, with what persons gave.
    """
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if run["is_class"]:
            write_class_page(folder, results, run)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return  # no class page to link from


def compare(before: dict[str, Results], after: dict[str, Results]) -> list[Change]:
    """Everybody whose score or checks differ, the largest loss first.

    Args:
        before: Results by student.
        after: The same, later.
    """
    changes = []
    for student in sorted(before.keys() | after.keys()):
        was, now = before.get(student), after.get(student)
        checks = _check_changes(was, now) if was and now else ()
        scores = (was or {}).get("score"), (now or {}).get("score")
        if checks or scores[0] != scores[1] or was is None or now is None:
            changes.append(Change(student, *scores, _reasons(was, now), checks))
    return sorted(changes, key=lambda change: ((change.after or 0) - (change.before or 0), change.student))


def _check_changes(was: Results, now: Results) -> tuple[CheckChange, ...]:
    old, new = _by_check(was), _by_check(now)
    changes = []
    for check in dict.fromkeys([*old, *new]):
        a, b = old.get(check), new.get(check)
        if _outcome(a) != _outcome(b) or _points(a) != _points(b):
            changes.append(
                CheckChange(check, _outcome(a), _outcome(b), _points(b) - _points(a), b["output"] if b else "")
            )
    return tuple(changes) + _of_the_total(was, now)


def _of_the_total(was: Results, now: Results) -> tuple[CheckChange, ...]:
    """What a person or the late rule changed that belongs to no check."""
    before, after = Counter(_changes_of_total(was)), Counter(_changes_of_total(now))
    gone, come = list(before - after), list(after - before)
    changes = []
    for what, points, why in come:
        old = next((one for one in gone if (one[0], one[2]) == (what, why)), None)
        if old is not None:
            gone.remove(old)
        shown = f"{old[1]:+g}" if old else "none"
        changes.append(CheckChange(what, shown, f"{points:+g}", round(points - (old[1] if old else 0.0), 6), why))
    return (*(CheckChange(what, f"{points:+g}", "no longer", -points, why) for what, points, why in gone), *changes)


def _changes_of_total(results: Results) -> list[tuple[str, float, str]]:
    extra = results["extra_data"]
    found = [
        ("total", line["points"], line["reason"]) for line in extra.get("adjustments", []) if line["target"] == "total"
    ]
    return found + ([("late", late["points"], late["sentence"])] if (late := extra.get("late")) else [])


def _by_check(results: Results) -> dict[str, dict[str, Any]]:
    return {test["extra_data"]["check"]: test for test in results["tests"]}


def _outcome(test: dict[str, Any] | None) -> str:
    if test is None:
        return "not asked"
    facts = test["extra_data"]
    return f"{facts['status']} ({facts['slip']})" if facts["slip"] else facts["status"]


def _points(test: dict[str, Any] | None) -> float:
    return test.get("score", 0.0) if test else 0.0


def _reasons(was: Results | None, now: Results | None) -> tuple[str, ...]:
    """What may have moved it: everything the results depend on that is not the same."""
    if was is None or now is None:
        return ("not in the old results",) if was is None else ("not in the new results",)
    a, b = was["extra_data"], now["extra_data"]
    reasons = []
    if a["submission_sha256"] != b["submission_sha256"]:
        reasons.append("another submission")
    versions = {"version": "the grader", "rubric": "the rubric", "torch": "torch", "numpy": "numpy"}
    for key, what in versions.items():
        old, new = a["grader"].get(key), b["grader"].get(key)
        if old != new and old and new:
            reasons.append(f"{what} changed ({old} to {new})")
    old_questions, new_questions = a.get("regraded", {}), b.get("regraded", {})
    reasons += [f"{name} was graded again" for name in new_questions if old_questions.get(name) != new_questions[name]]
    if a["draw"] != b["draw"] and a["submission_sha256"] == b["submission_sha256"]:
        reasons.append("other inputs were drawn (the salt changed)")
    reasons += _by_persons(was, now)
    if "grader_error" in (a["status"], b["status"]):
        reasons.append("a fault of ours" + (", mended" if b["status"] != "grader_error" else ""))
    return tuple(reasons) or ("nothing recorded: the grader's own code changed, or the answer is not deterministic",)


def _by_persons(was: Results, now: Results) -> list[str]:
    """What persons gave in between, each with its reason."""
    reasons = []
    old, new = _by_check(was), _by_check(now)
    marks = [_marked(old.get(check)) != _marked(new.get(check)) for check in dict.fromkeys([*old, *new])]
    if any(marks):
        reasons.append("marked by a person")
    before, after = (Counter(_adjusted(results)) for results in (was, now))
    reasons += [f"adjusted: {words}" for words in after - before]
    reasons += [f"no longer adjusted: {words}" for words in before - after]
    late = [r["extra_data"].get("late", {}).get("sentence", "") for r in (was, now)]
    if late[0] != late[1]:
        reasons.append(f"late: {late[1]}" if late[1] else "no longer late")
    return reasons


def _marked(test: dict[str, Any] | None) -> tuple[float | None, Any]:
    """What a person gave by reading; a check's own score is none of it."""
    is_marked = test is not None and "by_hand" in test["extra_data"] and "settled" not in test["extra_data"]
    return (test["score"], test["extra_data"]["by_hand"]) if is_marked and test else (None, None)


def _adjusted(results: Results) -> list[str]:
    return [f"{line['reason']} ({line['target']})" for line in results["extra_data"].get("adjustments", [])]


def as_text(changes: list[Change], n_both: int) -> str:
    """The comparison for a terminal."""
    if not changes:
        return f"Nothing changed for {n_both} students."
    lines = []
    for change in changes:
        lines.append(
            f"{change.student}: {_score(change.before)} -> {_score(change.after)}  because: {'; '.join(change.reasons)}"
        )
        lines += [f"    {c.check}: {c.before} -> {c.after} ({c.points:+g})" for c in change.checks]
    n_moved = sum(change.before != change.after for change in changes)
    return "\n".join([*lines, f"{len(changes)} students changed, {n_moved} in their score; {n_both} are in both."])


def _score(score: float | None) -> str:
    return "no score" if score is None else f"{score:g}"
