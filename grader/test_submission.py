"""One submission as pytest items. Run by `pytest grader --submission FILE`; see `grader.conftest`."""

import pytest

from grader.records import Report, Verdict


def test_intake(report: Report) -> None:
    """The file holds a notebook that can be graded."""
    if report.rejection:
        pytest.fail(report.rejection, pytrace=False)


def test_check(verdict: Verdict) -> None:
    """One line of the rubric."""
    if verdict.status == "manual":
        pytest.skip(verdict.sentence)
    if verdict.status != "passed":
        pytest.fail(verdict.sentence, pytrace=False)
