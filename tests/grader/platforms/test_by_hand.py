"""Points that a person gives: a sheet is written once, read back in any spreadsheet's form, and enters every table."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.marking import Brought, add_marks
from grader.marking.tables import SheetError
from grader.platforms.by_hand import read_sheet, write_sheet
from grader.records import Report, Verdict
from grader.report import class_page, feedback_page, grades_csv, results_json
from grader.report.statistics import automatic_points

PARTS = ("kl.general.manual", "kl.beta.manual1", "kl.beta.manual2")


def _results(student: str, unwritten: tuple[str, ...] = (), **changes) -> dict:
    automatic = Verdict("kl.D_KL.values", "kl.D_KL", "a title", "1.3", "passed", 35, 35, "all is well")
    by_hand = [
        Verdict(part, part.rpartition(".")[0], "a title", f"3.{n}", "missing" if part in unwritten else "manual", 0, 10, "waits")
        for n, part in enumerate(PARTS)
    ]  # fmt: skip
    facts = {"file_name": "a.zip", "notebook": "01_kl_divergence", "submission_sha256": "0", "tier": "A"}
    return results_json(Report(student, **facts | {"verdicts": (automatic, *by_hand)} | changes))


@pytest.fixture
def classroom() -> list[dict]:
    return [
        _results("zoë"),
        _results("=ada", unwritten=PARTS[1:]),
        _results("eve", verdicts=(), rejection="not a zip"),
    ]


@pytest.fixture
def sheet(tmp_path: Path, classroom: list[dict]) -> Path:
    write_sheet(tmp_path / "points.csv", classroom)
    return tmp_path / "points.csv"


def _fill(sheet: Path, *points: str) -> None:
    lines = sheet.read_text(encoding="utf-8").splitlines()
    lines[-1] = ",".join(["zoë", *points])
    sheet.write_text("\n".join(lines), encoding="utf-8")


def test_the_sheet_asks_for_what_waits_and_nothing_else(sheet: Path) -> None:
    assert sheet.read_text(encoding="utf-8").splitlines() == [
        "student,kl.general.manual (10),kl.beta.manual1 (10),kl.beta.manual2 (10)",
        "'=ada,,-,-",
        "zoë,,,",
    ]
    assert read_sheet(sheet) == {}


def _added(classroom: list[dict], sheet: Path) -> tuple[list[dict], str]:
    return add_marks(sheet.parent, classroom, Brought(read_sheet(sheet), sheet.name))


def test_points_enter_score_maximum_tables_and_feedback(sheet: Path, classroom: list[dict]) -> None:
    _fill(sheet, "10", "7.5", "0")
    (zoë, ada, eve), sentence = _added(classroom, sheet)
    assert sentence == "3 parts graded by hand are in, 1 still wait."
    assert (zoë["score"], automatic_points(zoë), zoë["extra_data"]["pending_points"]) == (52.5, 65, 0)
    assert [test["extra_data"]["status"] for test in zoë["tests"][1:]] == ["passed", "partial", "wrong"]
    assert zoë["score"] == sum(test["score"] for test in zoë["tests"])
    assert (ada["score"], automatic_points(ada), ada["extra_data"]["pending_points"]) == (35, 55, 10)
    assert eve == classroom[2]
    rows = {row["student"]: row for row in csv.DictReader(grades_csv([zoë, ada, eve]).splitlines())}
    assert (rows["zoë"]["score"], rows["zoë"]["max_score"], rows["zoë"]["kl.beta"]) == ("52.5", "65", "7.5")
    page = feedback_page(zoë)
    assert "kl.beta: a person gave 7.5 of 10 points." in page
    assert "of 65 points</span>" in page
    assert "points graded automatically" in feedback_page(classroom[0])
    assert "Distribution of the points" in class_page([zoë, ada, eve], [], [])
    assert "Distribution of the automatic points" in class_page(classroom, [], [])


def test_the_grader_s_own_results_are_not_changed(sheet: Path, classroom: list[dict]) -> None:
    _fill(sheet, "10", "10", "10")
    _added(classroom, sheet)
    assert [result.get("score") for result in classroom] == [35, 35, 0]
    assert classroom[0]["extra_data"]["pending_points"] == 30


def test_a_spreadsheet_s_semicolons_and_commas_are_read(sheet: Path) -> None:
    _fill(sheet, "1", "7.5", "")
    text = sheet.read_text(encoding="utf-8").replace(".5", "§").replace(",", ";").replace("§", ",5")
    sheet.write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
    assert read_sheet(sheet) == {("zoë", PARTS[0]): 1.0, ("zoë", PARTS[1]): 7.5}


@pytest.mark.parametrize("points", ["11", "-1", "ten", "nan", "1e9"])
def test_what_is_no_number_of_points_is_said_with_its_place(points: str, sheet: Path) -> None:
    _fill(sheet, "10", points, "")
    with pytest.raises(SheetError, match=r"points\.csv, line 3, kl\.beta\.manual1: .* expected points from 0 to 10"):
        read_sheet(sheet)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"name,points\nada,3\n", b"\n"])
def test_another_file_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(SheetError, match=r"The sheet .*x\.csv"):
        read_sheet(tmp_path / "x.csv")


def test_points_for_somebody_else_are_named(sheet: Path, classroom: list[dict]) -> None:
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("zoë,,,", "zoé,1,2,3"), encoding="utf-8")
    _, sentence = _added(classroom, sheet)
    assert sentence.startswith("0 parts graded by hand are in, 4 still wait.")
    assert (
        "Not among these results: kl.beta.manual1 of zoé, kl.beta.manual2 of zoé, kl.general.manual of zoé." in sentence
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=80), st.text(alphabet='student;,\n"()kl.b10-5ä\r\0 ', max_size=80).map(str.encode)))
def test_whatever_the_sheet_holds_it_ends_in_points_or_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(b"student" + data if data[:1] in (b",", b";") else data)
    try:
        points, sentence = read_sheet(path), "any.csv"
    except SheetError as error:
        points, sentence = {}, str(error)
    assert sentence.count("any.csv") == 1
    assert all(value >= 0 for value in points.values())
