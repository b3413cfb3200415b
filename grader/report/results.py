"""`results.json`: a report in Gradescope's schema, valid there as it is."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.records import STATUSES, Guess, Report, Verdict, Written

SCHEMA = 1


def results_json(report: Report) -> dict[str, Any]:
    """Turn a report into the results file's content.

    Args:
        report: One graded submission.

    Returns:
        Plain data for `json.dumps`. A report of our own fault carries no score, neither on top nor in a test.
    """
    is_our_fault = any(verdict.status == "grader_error" for verdict in report.verdicts)
    results: dict[str, Any] = {
        "output": _summary(report),
        "output_format": "text",
        "execution_time": float(
            math.ceil(report.wall_seconds)
        ),  # shown to students: finer, it could tell of hidden inputs
        "visibility": "visible",
        "tests": [_test(verdict) for verdict in report.verdicts],
        "extra_data": {
            "schema": SCHEMA,
            "notebook": report.notebook,
            "student": report.student,
            "file": report.file_name,
            "submission_sha256": report.submission_sha256,
            "status": overall_status(report),
            "tier": report.tier,
            "draw": report.draw,
            "repairs": list(report.repairs),
            "ignored": list(report.ignored),
            "rejection": report.rejection,
            "pending_points": sum(v.max_points for v in report.verdicts if v.status == "manual"),
            "cpu_seconds": report.cpu_seconds,
            "grader": dict(report.grader),
            "written": [_written(part) for part in report.written],
            "guesses": [_guess(guess) for guess in report.guesses],
        },
    }
    if not is_our_fault:
        results["score"] = sum(verdict.points for verdict in report.verdicts)
    return results


def _written(part: Written) -> dict[str, Any]:
    return {
        "check": part.check,
        "text": part.text,
        "pictures": [base64.b64encode(picture).decode() for picture in part.pictures],
    }


def _guess(guess: Guess) -> dict[str, Any]:
    """With what was asked: the page of a class is made from results alone."""
    asked = guess.prediction
    return {
        "prediction": asked.id,
        "number": asked.number,
        "question": asked.question,
        "choices": dict(asked.choices),
        "right": asked.right,
        "guess": guess.letter,
    }


def _test(verdict: Verdict) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": f"{verdict.check}: {verdict.title}",
        "number": verdict.number,
        "output": verdict.sentence,
        "output_format": "text",
        "visibility": "visible",
        "extra_data": {
            "check": verdict.check,
            "task": verdict.task,
            "status": verdict.status,
            "slip": verdict.slip,
            "points": verdict.max_points,
        },
    }
    if verdict.status != "grader_error" and not is_for_a_person(verdict):  # those have no score yet
        test["score"] = verdict.points
        test["max_score"] = verdict.max_points
        test["status"] = "passed" if verdict.status == "passed" else "failed"
    if verdict.figure:
        test["extra_data"]["figure"] = verdict.figure
    return test


def _summary(report: Report) -> str:
    if report.rejection:
        return report.rejection
    return output_of(report.repairs, sum(v.max_points for v in report.verdicts if v.status == "manual"))


def output_of(repairs: Iterable[str], pending_points: float) -> str:
    """What stands above the tests of a submission that was graded."""
    waiting = [f"{pending_points:g} points wait for a person."] if pending_points else []
    return "\n".join([*repairs, *waiting])


def overall_status(report: Report) -> str:
    """One status for a submission: all checks, some, or why none."""
    if report.rejection:
        return "malformed"
    statuses = [verdict.status for verdict in report.verdicts if verdict.status != "manual"]
    if "grader_error" in statuses:
        return "grader_error"
    return status_of([v.status for v in report.verdicts if not is_for_a_person(v)])


def status_of(checks: Sequence[str]) -> str:
    """One status for those of the automatic checks; where none passed, the commonest, of equally common ones the first by name."""
    if all(status == "passed" for status in checks):
        return "passed"
    if "passed" in checks:
        return "partial"
    return max(sorted(set(checks)), key=checks.count)


_SHAPE = {"output": str, "execution_time": float, "tests": list, "extra_data": dict}
_TEST = {"name": str, "number": str, "output": str, "extra_data": dict}
_TEST_FACTS = {"check": str, "task": str, "status": str, "slip": str, "points": float}
_FACTS = {
    "notebook": str, "student": str, "file": str, "submission_sha256": str, "status": str, "tier": str, "draw": str,
    "rejection": str, "repairs": list, "ignored": list, "pending_points": float, "grader": dict, "written": list,
}  # fmt: skip
_GUESS = {"prediction": str, "number": str, "question": str, "choices": dict, "right": str, "guess": str}
_WRITTEN = {"check": str, "text": str, "pictures": list}


def is_results(content: Any) -> bool:
    """Whether plain data has the shape that `results_json` gives it: a file may have been cut or edited since."""
    return (
        _has(content, _SHAPE)
        and _has(content["extra_data"], _FACTS)
        and all(_has(part, _WRITTEN) for part in content["extra_data"]["written"])
        and _are_guesses(content["extra_data"].get("guesses", []))
        and all(_is_test(test) for test in content["tests"])
        and all(_is_number(content[key]) for key in content.keys() & {"score"})
    )


def _are_guesses(content: Any) -> bool:
    return isinstance(content, list) and all(
        _has(guess, _GUESS) and all(isinstance(text, str) for text in guess["choices"].values()) for guess in content
    )


def _is_test(test: Any) -> bool:
    return (
        _has(test, _TEST)
        and _has(test["extra_data"], _TEST_FACTS)
        and test["extra_data"]["status"] in STATUSES
        and all(part.isdecimal() for part in test["number"].split("."))
        and all(_is_number(test[key]) for key in test.keys() & {"score", "max_score"})
    )


def _has(content: Any, shape: Mapping[str, type]) -> bool:
    return isinstance(content, dict) and all(
        _is_number(content.get(key)) if kind is float else isinstance(content.get(key), kind)
        for key, kind in shape.items()
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def is_for_a_person(verdict: Verdict) -> bool:
    """Whether these points are given by reading, not by running."""
    kind = verdict.check.rstrip("0123456789").rpartition(".")[2]
    return kind == "manual" or (kind == "quality" and verdict.status == "manual")
