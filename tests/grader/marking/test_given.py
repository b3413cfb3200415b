"""From marks to reports: sheets in and out, what the student reads, adjustments, many markers at once, the docs' figures."""

import csv
import re
from contextlib import closing
from pathlib import Path

import pytest

from grader.classes.results_folder import read_results
from grader.cli import main
from grader.marking.desk import Desk
from grader.marking.events import Mark
from grader.marking.given import Brought, add_marks
from grader.marking.reports import export_sheet, write_reports
from grader.marking.sheets import read_sheet
from grader.marking.store import STORE
from grader.report import feedback_page
from tests.marking import load, pictures, presses
from tests.marking.classroom import PARTS, make_class, many_parts, result, write_result, write_run
from tests.marking.running import Running
from tests.marking.sheets import filled
from tests.places import PROJECT

CHECK = PARTS[0][0]
STUDENT = "student 0001"


def _results(folder: Path) -> list[dict]:
    return list(read_results(folder).values())


def _added(folder: Path, points: dict[tuple[str, str], float] | None = None) -> dict[str, dict]:
    sheets = () if points is None else (filled(_results(folder), points),)
    settled, _ = add_marks(folder, _results(folder), Brought(sheets))
    return {r["extra_data"]["student"]: r for r in settled}


def _score(folder: Path, student: str = STUDENT, points: dict | None = None) -> float:
    return _added(folder, points)[student]["score"]


def _give(folder: Path, mark: Mark, student: str = STUDENT) -> None:
    with closing(Desk(folder, "Ada")) as desk:
        answer = desk.classroom.answers[student, CHECK]
        top = desk.ledger.state.top("mark", student, CHECK, "")
        desk.steps("Ada").mark(answer, mark, top.id if top else 0, "")


def _rubric(folder: Path) -> None:
    with closing(Desk(folder, "Ada")) as desk:
        desk.steps("Ada").item(CHECK, {"id": "a", "points": -2, "words": "no $\\mu$, <i>why</i>", "place": 0}, 0, "")


# ---------------------------------------------------------------- sheets


def test_without_marks_and_sheets_nothing_is_made(folder: Path) -> None:
    results = _results(folder)
    assert add_marks(folder, results) == (results, "")
    assert not (folder / STORE).exists()


def test_the_same_sheet_again_decides_nothing_anew(folder: Path) -> None:
    points = {(STUDENT, CHECK): 4.0}
    assert _score(folder, points=points) == 33 + 4
    _give(folder, Mark(fixed=9.0))
    assert _score(folder, points=points) == 33 + 9, "the page's later mark stays"
    assert _score(folder, points={(STUDENT, CHECK): 5.0}) == 33 + 5, "a changed cell is a decision"
    assert _score(folder, points={(STUDENT, CHECK): 5.0}) == 33 + 5
    assert _score(folder) == 33 + 5, "and needs no sheet any more"


def test_an_emptied_cell_takes_its_points_back_and_no_others(folder: Path) -> None:
    both = {(STUDENT, CHECK): 4.0, ("student 0002", CHECK): 6.0}
    _added(folder, both)
    _give(folder, Mark(fixed=1.0), "student 0002")
    assert (_score(folder, points={}), _score(folder, "student 0002")) == (33, 33 + 1)


def test_sheet_points_wait_again_when_the_answer_changed(folder: Path) -> None:
    sheet = filled(_results(folder), {(STUDENT, CHECK): 4.0})
    add_marks(folder, _results(folder), Brought((sheet,)))
    write_result(folder, result(STUDENT, {CHECK: "something else"}))
    _, said = add_marks(folder, _results(folder), Brought((sheet,)))
    assert f"open again: {CHECK} of {STUDENT}." in said
    assert _score(folder) == 33


def test_a_sheet_goes_out_and_comes_in_the_same(folder: Path, tmp_path: Path) -> None:
    _rubric(folder)
    _give(folder, Mark(items=("a",), change=-0.25, reason="r"))
    sheet = tmp_path / "out.csv"
    sheet.write_text(export_sheet(folder), encoding="utf-8")
    given = {(r.student, check): n for r in read_sheet(sheet).rows for check, n in r.points.items() if n is not None}
    assert given == {(STUDENT, CHECK): 7.75}
    rows = {row["student"]: row for row in csv.DictReader(sheet.read_text(encoding="utf-8").splitlines())}
    assert list(rows["zoë <b>"].values())[3:-1] == ["", "-", "-", "-", "-"]
    other = make_class(tmp_path / "other", 7)
    settled, _ = add_marks(other, _results(other), Brought((read_sheet(sheet),)))
    assert {r["extra_data"]["student"]: r["score"] for r in settled}[STUDENT] == 33 + 7.75
    add_marks(folder, _results(folder), Brought((read_sheet(sheet),)))
    assert "no $\\mu$" not in feedback_page(_added(folder)[STUDENT])
    assert "why" in feedback_page(_added(folder)[STUDENT]), "unchanged cells leave rubric and words alone"


def test_the_command_writes_a_sheet_and_never_over_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "out.csv"
    assert main(["mark", str(folder), "--sheet", str(sheet)]) == 0
    assert main(["mark", str(folder), "--sheet", str(sheet)]) == 1
    assert "no sheet is written over" in capsys.readouterr().err


# ---------------------------------------------------------------- what the student reads


def test_items_comments_and_points_are_on_the_feedback_page_with_formulas(folder: Path) -> None:
    _rubric(folder)
    _give(
        folder, Mark(items=("a",), change=1, reason="a fine $x$", comment="See $\\sigma^2$ <script>alert(1)</script>")
    )
    found = _added(folder)[STUDENT]
    (test,) = [t for t in found["tests"] if t["extra_data"]["check"] == CHECK]
    assert (test["score"], test["max_score"], test["extra_data"]["status"]) == (9, 10, "partial")
    assert found["score"] == sum(t["score"] for t in found["tests"] if "score" in t)
    page = feedback_page(found)
    given = page.partition('<div class="given">')[2].partition("</div>")[0]
    assert "<strong>-2</strong>" in given
    assert "<strong>+1</strong>" in given
    assert given.count("<math") == 3
    assert "&lt;i&gt;why&lt;/i&gt;" in given
    assert "<script>" not in page
    assert "kl.general: a person gave 9 of 10 points." in page
    assert "<blockquote " in page
    assert "$\\sigma_q^2$" not in page, "the answer's own formulas are set, too"
    assert "Ada" not in page, "who marked is between the markers"


def test_the_grader_s_own_results_never_hold_marks(folder: Path) -> None:
    before = (folder / STUDENT / "results.json").read_bytes()
    _give(folder, Mark(fixed=3))
    write_reports(folder)
    assert (folder / STUDENT / "results.json").read_bytes() == before
    assert "a person gave 3 of 10" in (folder / STUDENT / "feedback.html").read_text(encoding="utf-8")
    assert f"{STUDENT},01_kl_divergence,36," in (folder / "grades.csv").read_text(encoding="utf-8")
    assert "Waits for a person" in (folder / "class.html").read_text(encoding="utf-8")


def test_who_wrote_nothing_has_nothing_unless_a_person_says_so(folder: Path) -> None:
    _give(folder, Mark(fixed=3))
    other = PARTS[1][0]
    assert _score(folder, "zoë <b>") == 33
    assert _added(folder)["zoë <b>"]["extra_data"]["pending_points"] == 10
    assert _score(folder, "zoë <b>", {("zoë <b>", other): 2.5}) == 35.5


def test_adjustments_reach_score_and_feedback_and_nobody_falls_below_nothing(folder: Path) -> None:
    with closing(Desk(folder, "Ada")) as desk:
        steps = desk.steps("Ada")
        steps.adjust(STUDENT, "total", -3, "late by a day")
        steps.adjust(STUDENT, "kl.beta.weight", 2, "right by hand")
        steps.adjust("student 0002", "total", -100, "copied")
    found = _added(folder)
    assert (found[STUDENT]["score"], found["student 0002"]["score"]) == (32, 0)
    page = feedback_page(found[STUDENT])
    assert "Adjusted by a person" in page
    assert "late by a day" in page
    assert "right by hand (kl.beta.weight)" in page


# ---------------------------------------------------------------- many at once, figures in the docs


def test_many_markers_lose_and_overwrite_nothing(tmp_path: Path) -> None:
    """A sample of `python -m tests.marking.load`."""
    parts = many_parts(2)
    checks = [part[0] for part in parts]
    folder = make_class(tmp_path / "results", 12, parts, pictures=False)
    with Running(folder, *(word for n in range(4) for word in ("--colleague", f"Marker {n}"))) as page:
        lead = page.client()
        load.prepare(lead, checks)
        works = load.simulate(page, checks, 60, 4)
        shown = load.means(lead)
        page.kill()
    assert sum(len(work.acknowledged) for work in works) == 60
    assert load.faults_of(folder, works, shown) == []


def test_the_simulation_would_notice_a_loss(tmp_path: Path) -> None:
    folder = make_class(tmp_path / "results", 2, many_parts(1), pictures=False)
    with closing(Desk(folder, "Ada")) as desk:
        (answer, _) = desk.queue.order("Ada", "q1.essay.manual")
        number = desk.steps("Ada").mark(answer, Mark(), 0, "")[0].id
    work = load.Work(acknowledged={number: ("x", "y"), 999: ("x", "y")})
    found = load.faults_of(folder, [work], {"q1.essay.manual": 3.0})
    assert found[0] == "event 999 was acknowledged and is lost"
    assert "the page shows a mean of 3.0" in found[-1]


def test_the_table_of_key_presses_is_what_the_steps_add_up_to() -> None:
    text = (PROJECT / "docs" / "marking.md").read_text(encoding="utf-8")
    here = re.search(r"^\| this page, words for every fault \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert here
    assert presses.table(presses.Effort(int(here[1]), int(here[2]))) in text
    assert int(here[1]) < min(presses.total(presses.SHEET).keys, presses.total(presses.FORMGRADER).keys)


def test_the_pictures_of_the_page_are_small_and_shown() -> None:
    text = (PROJECT / "docs" / "marking.md").read_text(encoding="utf-8")
    for name in pictures.NAMES:
        path = pictures.PAGES / f"{name}.png"
        assert path.stat().st_size < pictures.LARGEST_BYTES
        assert f"(marking/{name}.png)" in text, name


def test_a_run_folder_of_several_notebooks_says_which_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_class(tmp_path / "both" / "one", 1)
    write_run(tmp_path / "both")
    assert main(["mark", str(tmp_path / "both")]) == 1
    assert f"give one of {tmp_path}/both/one" in capsys.readouterr().err
