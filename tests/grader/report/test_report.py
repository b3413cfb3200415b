"""Reports: Gradescope's schema, pages that cannot be broken by what is in them, files that are whole or not there."""

import csv
import io
import json
import unicodedata
from itertools import permutations

import pytest
from support import answers

from grader.records import STATUSES, Report, Verdict
from grader.report import feedback_page, folder_name, grades_csv, grades_table, overall_status, results_json
from grader.report.results import status_of
from grader.stages.pipeline import Grader
from tests.opened import names, result

NAME = "01_kl_divergence"
HOSTILE = '<script>alert(1)</script>"&\u202e'


def _verdict(status: str, points: float = 0.0, sentence: str = "a sentence", check: str = "kl.D_KL.values") -> Verdict:
    return Verdict(
        check=check,
        task=check.rpartition(".")[0],
        title="a title",
        number="1.3",
        status=status,
        points=points,
        max_points=5,
        sentence=sentence,
    )


def _report(*verdicts: Verdict, **changes) -> Report:
    facts = {"student": "ada", "file_name": "ada.zip", "notebook": NAME, "submission_sha256": "0" * 64, "tier": "A"}
    return Report(**(facts | changes), verdicts=verdicts)


def test_results_follow_gradescopes_schema(grader: Grader) -> None:
    results = results_json(grader.grade_bytes(answers(NAME), "ada.ipynb", "ada"))
    json.dumps(results, allow_nan=False)
    top = {"score", "execution_time", "output", "output_format", "visibility", "tests", "extra_data"}
    assert set(results) <= top | {"stdout_visibility", "leaderboard", "test_output_format", "test_name_format"}
    assert isinstance(results["score"], int | float)
    for test in results["tests"]:
        allowed = {
            "score",
            "max_score",
            "status",
            "name",
            "name_format",
            "number",
            "output",
            "output_format",
            "tags",
            "visibility",
            "extra_data",
        }
        assert set(test) <= allowed
        assert test.get("status") in (None, "passed", "failed")
        assert test["visibility"] in ("hidden", "after_due_date", "after_published", "visible")
        assert isinstance(test["number"], str)
        assert test["extra_data"]["status"] in STATUSES
    assert results["score"] == sum(test.get("score", 0) for test in results["tests"]) == 35
    assert results["extra_data"]["schema"] == 1
    assert results["extra_data"]["pending_points"] == 35


def test_points_of_a_person_are_no_zero() -> None:
    results = results_json(_report(_verdict("passed", 5), _verdict("manual", check="kl.beta.manual")))
    graded, manual = results["tests"]
    assert (graded["score"], graded["max_score"]) == (5, 5)
    assert "score" not in manual
    assert results["extra_data"]["pending_points"] == 5


def test_pages_show_hostile_text_as_text() -> None:
    results = results_json(
        _report(
            _verdict("wrong", sentence=HOSTILE),
            student=HOSTILE,
            file_name=HOSTILE,
            repairs=(HOSTILE,),
            ignored=(HOSTILE,),
        )
    )
    page = feedback_page(results)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_page_needs_nothing_from_elsewhere(grader: Grader) -> None:
    page = feedback_page(results_json(grader.grade_bytes(answers(NAME), "ada.ipynb", "ada")))
    assert "http" not in page
    assert "src=" not in page.replace('src="data:', "")
    assert "viewport" in page


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["passed", "passed", "manual"], "passed"),
        (["passed", "wrong"], "partial"),
        (["wrong", "wrong", "raised"], "wrong"),
        (["missing"], "missing"),
        (["grader_error"], "grader_error"),
    ],
)
def test_a_submission_has_one_status(statuses: list[str], expected: str) -> None:
    verdicts = [
        _verdict(s, 5 if s == "passed" else 0, check="kl.beta.manual" if s == "manual" else "kl.D_KL.values")
        for s in statuses
    ]
    assert overall_status(_report(*verdicts)) == expected


def test_the_table_cannot_run_a_formula() -> None:
    text = grades_csv([results_json(_report(_verdict("passed", 5), student="=cmd|' /C calc'!A0"))])
    (row,) = csv.DictReader(io.StringIO(text))
    assert not row["student"].startswith("=")
    assert float(row["score"]) == 5


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":"])
def test_no_name_begins_a_cell_as_a_formula_however_the_table_is_parted(separator: str) -> None:
    """The quick form of `python -m tests.opened`, which has a spreadsheet look."""
    text = grades_csv([result(name) for name in names()])
    assert len(text.splitlines()) == len(names()) + 1
    for cell in (cell for line in text.split("\n")[1:] for cell in line.split(separator)):
        shown = (c for c in unicodedata.normalize("NFKC", cell) if unicodedata.category(c)[0] not in "CZ" and c != '"')
        assert next(shown, "") not in ("=", "+", "-", "@"), cell


def test_the_terminal_table_names_the_first_thing_to_attend_to() -> None:
    table = grades_table(
        [results_json(_report(_verdict("wrong", sentence="too large"))), results_json(_report(rejection="not a zip"))]
    )
    assert "too large" in table
    assert "not a zip" in table


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "", "  ", ".hidden", "a\x00b", "CON:", "x" * 500])
def test_a_name_stays_inside_the_folder(name: str) -> None:
    safe = folder_name(name)
    assert safe
    assert not safe.startswith(".")
    assert not set(safe) & set('/\\:\x00<>"|?*')
    assert len(safe) <= 100


@pytest.mark.parametrize("name", ["Zoë Müller", "李雷", "أحمد", "o'neil"])
def test_names_of_any_script_survive(name: str) -> None:
    assert folder_name(name).replace("_", "") != ""
    assert sum(c.isalpha() for c in folder_name(name)) == sum(c.isalpha() for c in name)


def test_of_equally_common_statuses_the_same_one_is_told_by_every_process() -> None:
    """A set's order is another in each process; the same hand-in gives the same bytes."""
    for checks in permutations(["wrong", "missing", "raised", "wrong", "missing"]):
        assert status_of(checks) == "missing"
    assert status_of(["passed", "missing"]) == "partial"
