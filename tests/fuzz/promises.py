"""What holds for every input, whoever made it: a sentence or a report, and never a fault of ours."""

import json
import math

from grader.classes.batch import Settings, Work, encode
from grader.records import STATUSES, Report
from grader.report import grades_csv, grades_table
from grader.report.feedback import feedback_page

SETTINGS = Settings(None, "fuzz", quality_seconds=0)


class BrokenPromise(AssertionError):
    """An input that the grader does not answer as it should."""


def demand(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenPromise(what)


def demand_sentence(text: str, longest: int = 1200) -> None:
    """One line, fit to print, that ends; nothing of Python's own."""
    demand(bool(text.strip()), "no sentence")
    demand(text.isprintable(), f"not printable: {text!r:.300}")
    demand(len(text) <= longest, f"{len(text)} characters: {text:.200}")
    demand(text.rstrip().endswith((".", "!", "?")), f"no end: {text[-100:]}")
    demand("Traceback" not in text and " object at 0x" not in text, text)


def demand_report(report: Report) -> str:
    """A report that can be written as JSON, a page and two tables. Returns how it ended."""
    demand(not report.fault, f"a fault of ours: {report.fault}")
    if report.rejection:
        demand_sentence(report.rejection)
    for repair in report.repairs:
        demand_sentence(repair)
    for verdict in report.verdicts:
        demand_sentence(verdict.sentence)
        demand(verdict.status in STATUSES and verdict.status != "grader_error", f"status {verdict.status}")
        demand(math.isfinite(verdict.points) and 0 <= verdict.points <= verdict.max_points, f"{verdict.points} points")
    results = json.loads(encode(Work(report.student, report.file_name, b""), SETTINGS, report))
    demand(math.isfinite(results["score"]), "no score")
    feedback_page(results).encode()
    grades_csv([results]).encode()
    for line in grades_table([results]).split("\n"):
        demand(line.isprintable(), f"the table is not printable: {line!r}")
    return "rejected" if report.rejection else results["extra_data"]["status"]
