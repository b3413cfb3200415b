"""docs/instructors-guide.md, command by command, on a class as it comes from Canvas and from Moodle; what the page promises holds."""

import csv
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from pages import PROJECT, blocks, commands, copy_project, inline_commands, run

from tools.examples import with_answers, zipped
from tools.notebooks import student_notebook

NAME = "01_kl_divergence"
PAGE = (PROJECT / "docs" / "instructors-guide.md").read_text(encoding="utf-8")
DOUBLE = """# AUTOGRADED (5) D_KL
def D_KL(mu, logvar):
    mu, logvar = mu.double(), logvar.double()
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()
"""
SUMMED = DOUBLE.replace("    mu, logvar = mu.double(), logvar.double()\n", "").replace("mean()", "sum()")
RIGHT_CHECK, WRONG_CHECK = "got.dtype.kind != expected.dtype.kind", "got.dtype != expected.dtype"
GRADEBOOK = (
    "Student,ID,SIS Login ID,Section,01_kl_divergence (901),Final Score\r\n"
    "    Points Possible,,,,70,(read only)\r\n"
    '"Lovelace, Ada",11,ada,A,,\r\n'
    '"Hopper, Grace",12,grace,A,,\r\n'
    '"Noether, Emmy",13,emmy,A,,\r\n'
    '"Curie, Marie",14,marie,A,,\r\n'
    '"Turing, Alan",15,alan,A,,\r\n'
    '"Student, Test",99,,A,,\r\n'
)
# points given for each question
PARTS = {"kl.general": 10, "kl.scalar": 4, "kl.multivariate": 5, "kl.bound": 4, "kl.beta": 4}


class Walk(NamedTuple):
    """What is left when the walk is over."""

    root: Path
    shown: dict[str, str]
    kept: bytes  # a results.json before points were given by hand


def _submissions() -> bytes:
    def changed(source: str) -> bytes:
        notebook = with_answers(NAME, ())
        cell = next(cell for cell in notebook.cells if cell.source.startswith("# AUTOGRADED (5) D_KL"))
        cell.source = source or cell.source
        return json.dumps(notebook).encode()

    return zipped(
        {
            "lovelaceada_11_900_hw.ipynb": changed(""),
            "hoppergrace_LATE_12_901_hw.zip": zipped({"hw.ipynb": changed(DOUBLE)}),
            "noetheremmy_13_902_hw.ipynb": changed(SUMMED),
            "curiemarie_14_903_hw.ipynb": json.dumps(student_notebook(NAME)).encode(),
            "turingalan_15_904_report.pdf": b"%PDF-1.7\n",
        }
    )


MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 71,Ada Lovelace,ada@x.org,Submitted,,70.00,"Sunday, 1 March 2026, 8:12 PM",-,\n'
    'Participant 72,Grace Hopper,grace@x.org,Submitted,,70.00,"Tuesday, 3 March 2026, 5:59 AM",-,\n'
    'Participant 73,Emmy Noether,emmy@x.org,Submitted,,70.00,"Monday, 2 March 2026, 12:09 AM",-,\n'  # within the grace
)
MOODLE_ADJUST = (
    "student,check,points,reason,by,when\nEmmy Noether_73,kl.D_KL.values,4,the board said sum,Emmy,2026-03-08\n"
)


def _block(language: str) -> str:
    """The page's one block of this language."""
    (text,) = [block.text for block in blocks(PAGE) if block.language == language]
    return text


def _from_moodle(submissions: bytes) -> bytes:
    """The same files as Moodle packs them."""
    folders = {"lovelaceada": "Ada Lovelace_71", "hoppergrace": "Grace Hopper_72", "noetheremmy": "Emmy Noether_73"}
    with zipfile.ZipFile(io.BytesIO(submissions)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return zipped(
        {
            f"{folders[person]}_assignsubmission_file/{name.rpartition('_')[2]}": data
            for name, data in files.items()
            if (person := name.partition("_")[0]) in folders
        }
    )


def _prepare(root: Path) -> None:
    """The class's files, and a check that is wrong: it asks for single precision, which nobody has been told."""
    folder = root / "class"
    folder.mkdir()
    (folder / "submissions.zip").write_bytes(submissions := _submissions())
    (folder / "moodle.zip").write_bytes(_from_moodle(submissions))
    (folder / "worksheet.csv").write_text(MOODLE, encoding="utf-8")
    (folder / "adjust-moodle.csv").write_text(MOODLE_ADJUST, encoding="utf-8")
    (folder / "adjust.csv").write_text(_block("csv"), encoding="utf-8")
    with (root / "course.toml").open("a", encoding="utf-8") as course:
        course.write(f"\n{_block('toml')}")
    (folder / "gradebook.csv").write_bytes((GRADEBOOK + '"Lamarr, Hedy",16,hedy,A,,\r\n').encode())
    judges = root / "grader" / "authoring" / "judges.py"
    assert judges.read_text(encoding="utf-8").count(RIGHT_CHECK) == 1
    judges.write_text(judges.read_text(encoding="utf-8").replace(RIGHT_CHECK, WRONG_CHECK), encoding="utf-8")


def _fill_in(sheet: Path) -> None:
    rows = list(csv.reader(sheet.read_text(encoding="utf-8").splitlines()))
    for row in rows[1:]:
        for n, title in enumerate(rows[0]):
            if row[n] == "" and "(" in title:
                question, _, part = title.partition(" ")[0].rpartition(".")
                row[n] = str(PARTS[question] if part in ("manual", "manual1") else 0)
    with sheet.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _that_ends(command: str) -> str:
    """The page stays open until somebody closes it: here as soon as it has said how to get in."""
    if not command.endswith(" mark results"):
        return command
    wait = 'until grep -q "^Every step" said || ! kill -0 $!; do sleep 0.1; done'
    return f"{command} --no-browser --port 0 > said & {wait}; kill -TERM $!; wait $!; code=$?; cat said; exit $code"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    root = copy_project(tmp_path_factory.mktemp("guide") / "copy", NAME)
    _prepare(root)
    shown, kept, environment = {}, b"", {}
    for command in commands(PAGE):
        if "--adjust class/adjust.csv" in command:
            kept = (root / "results" / "lovelaceada_11" / "results.json").read_bytes()
            _fill_in(root / "class" / "points.csv")
        if "results-moodle" in command and "--question" in command:
            _fill_in(root / "class" / "points-moodle.csv")
        if "copytree" in command:
            judges = root / "grader" / "authoring" / "judges.py"
            judges.write_text(judges.read_text(encoding="utf-8").replace(WRONG_CHECK, RIGHT_CHECK), encoding="utf-8")
        is_setting = command.startswith("export ")
        done = run(f"{command} && printenv GRADER_SALT" if is_setting else _that_ends(command), root, environment)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        shown[command] = done.stdout
        if re.search(r"isolation +(tier [DE]|none)", done.stdout):
            pytest.skip("a class of strangers' code is not graded at this machine's isolation")
        if is_setting:
            environment["GRADER_SALT"] = done.stdout.strip()
    shutil.rmtree(root / "utils")
    return Walk(root, shown, kept)


def _after_two_days(points: float) -> tuple[str, str]:
    """A score after the page's late rule, two days begun, and what was taken off."""
    return f"{0.8 * points:g}", f"{-0.2 * points:g}"


def _hopper(walk: Walk, folder: str) -> float:
    """Her points before the late rule: the program's and those of persons."""
    results = json.loads((walk.root / folder / "hoppergrace_12" / "results.json").read_text(encoding="utf-8"))
    return results["score"] + sum(PARTS.values())


def _said(walk: Walk, words: str) -> str:
    (text,) = [text for command, text in walk.shown.items() if command.endswith(words)]
    return text


def _grades(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_no_command_hides_in_the_text() -> None:
    assert inline_commands(PAGE) == ["make setup"]  # tests/tools/test_makefile.py


def test_the_secret_is_set_and_the_machine_described(walk: Walk) -> None:
    (secret,) = [shown.strip() for command, shown in walk.shown.items() if command.startswith("export ")]
    assert secret == (walk.root / "class" / "secret.txt").read_text(encoding="utf-8").strip()
    assert len(secret) == 32
    assert "salt         set" in _said(walk, "doctor")
    assert "isolation    tier" in _said(walk, "doctor")


def test_the_download_is_recognised_and_every_file_is_there(walk: Walk) -> None:
    graded = _said(walk, "--out results --roster class/gradebook.csv")
    assert "a Canvas download" in graded.splitlines()[0]
    for name in ("class.html", "grades.csv", "lovelaceada_11/feedback.html", "lovelaceada_11/results.json"):
        assert (walk.root / "results" / name).exists(), name
    grades = _grades(walk.root / "results")
    assert grades["Lamarr, Hedy"]["status"] == "absent"
    assert grades["Turing, Alan"]["status"] == "malformed"


def test_the_marking_page_opens_and_says_how_to_get_in(walk: Walk) -> None:
    said = _said(walk, "-m grader mark results")
    assert "6 parts of 5 submissions wait in results" in said
    assert "http://127.0.0.1:" in said
    assert "Every mark is in results/marks.sqlite" in said


def test_the_sheet_costs_no_grading_and_leaves_the_results_alone(walk: Walk) -> None:
    said = _said(walk, "--by-hand class/points.csv")
    assert "0 graded, 5 kept from before" in said
    assert "class/points.csv: a sheet for 6 parts; what still waits is empty." in said
    assert (walk.root / "results" / "lovelaceada_11" / "results.json").read_bytes() == walk.kept


def test_the_points_are_in_the_tables_and_in_the_feedback(walk: Walk) -> None:
    grades = _grades(walk.root / "results")
    by_hand = sum(PARTS.values())
    assert (grades["Lovelace, Ada"]["score"], grades["Lovelace, Ada"]["max_score"]) == (str(35 + by_hand), "70")
    page = (walk.root / "results" / "lovelaceada_11" / "feedback.html").read_text(encoding="utf-8")
    assert "kl.scalar: a person gave 4 of 5 points." in page
    for folder in ("results", "results-2"):  # the comparison makes the second page again, to link itself
        page = (walk.root / folder / "class.html").read_text(encoding="utf-8")
        assert "Waits for a person" not in page
        assert f">{35 + by_hand}<" in page.replace(" ", "")


def test_the_appeal_the_credit_and_the_late_hand_in_count_and_are_shown(walk: Walk) -> None:
    grades = _grades(walk.root / "results")
    assert (grades["Curie, Marie"]["score"], grades["Curie, Marie"]["adjustments"]) == ("2", "2")
    hopper = grades["Hopper, Grace"]
    assert (hopper["score"], hopper["late"]) == _after_two_days(_hopper(walk, "results"))
    for folder, words in (
        ("curiemarie_14", "found a mistake in the lecture notes"),
        ("noetheremmy_13", "the sum was what we had written on the board"),
        ("hoppergrace_12", "handed in on Tuesday morning"),
    ):
        page = (walk.root / "results" / folder / "feedback.html").read_text(encoding="utf-8")
        assert words in page
        assert "Emmy" not in page.replace("noetheremmy", "")
    said = _said(walk, "--late --adjust class/adjust.csv")
    assert "3 lines of adjust.csv hold." in said
    assert "1 hand-ins are late by the course's rule." in said
    assert (walk.root / "results" / "lovelaceada_11" / "results.json").read_bytes() == walk.kept


def test_one_column_of_the_grade_file_is_filled(walk: Walk) -> None:
    for folder in ("results", "results-2"):
        grades = _grades(walk.root / folder)
        text = (walk.root / "class" / "gradebook.csv").read_bytes().decode()
        for name in ("Lovelace, Ada", "Hopper, Grace", "Noether, Emmy", "Curie, Marie"):
            number = {"L": 11, "H": 12, "N": 13, "C": 14}[name[0]]
            login = name.split(", ")[1].lower()
            text = text.replace(
                f'"{name}",{number},{login},A,,', f'"{name}",{number},{login},A,{grades[name]["score"]},'
            )
        assert (walk.root / folder / "gradebook.csv").read_bytes().decode() == text
    assert "was not graded (malformed)" in _said(walk, "--question kl.D_KL --fill class/gradebook.csv")


def test_the_comparison_names_her_and_nobody_else(walk: Walk) -> None:
    compared = _said(walk, "diff results results-2")
    (before, lost), (after, more) = (
        _after_two_days(_hopper(walk, "results")),
        _after_two_days(_hopper(walk, "results-2")),
    )
    assert compared.splitlines()[0].startswith(
        f"hoppergrace_12: {before} -> {after}  because: kl.D_KL was graded again"
    )
    assert _hopper(walk, "results-2") - _hopper(walk, "results") == 4
    assert "kl.D_KL.values: wrong -> passed" in compared
    assert f"late: {lost} -> {more} (-0.8)" in compared
    assert "1 students changed, 1 in their score; 5 are in both." in compared
    assert "diff.html" in (walk.root / "results-2" / "class.html").read_text(encoding="utf-8")


def _other_questions(path: Path) -> list[str]:
    tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
    return [json.dumps(test) for test in tests if test["extra_data"]["task"] != "kl.D_KL"]


def test_one_question_was_graded_again_and_no_other(walk: Walk) -> None:
    paths = sorted((walk.root / "results").glob("*/results.json"))
    assert len(paths) == 5
    for path in paths:
        again = walk.root / "results-2" / path.parent.name / "results.json"
        assert _other_questions(again) == _other_questions(path)
    assert "kl.D_KL graded again for 4 hand-ins" in _said(walk, "--question kl.D_KL --fill class/gradebook.csv")


def test_the_pages_go_back_in_the_platforms_own_forms(walk: Walk) -> None:
    with zipfile.ZipFile(walk.root / "results-2" / "feedback-canvas.zip") as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {f"{name.partition('_')[0]}": "kl.D_KL" in page for name, page in pages.items()} == {
        "lovelaceada": True, "hoppergrace": True, "noetheremmy": True, "curiemarie": True, "turingalan": False,
    }  # fmt: skip
    assert "hoppergrace_LATE_12_901_feedback.html" in pages
    assert f"{_after_two_days(_hopper(walk, 'results-2'))[0]} <span" in pages["hoppergrace_LATE_12_901_feedback.html"]
    with zipfile.ZipFile(walk.root / "results-moodle" / "feedback-moodle.zip") as archive:
        names = archive.namelist()
    assert sorted(name.split("_", 2)[1] for name in names) == ["71", "72", "73"]
    assert all(name.endswith("_assignsubmission_file_feedback.html") for name in names)


def test_moodle_s_worksheet_is_filled_with_the_same_scores(walk: Walk) -> None:
    with (walk.root / "results-moodle" / "worksheet.csv").open(encoding="utf-8") as file:
        got = {row["Full name"]: row["Grade"] for row in csv.DictReader(file)}
    grades = _grades(walk.root / "results-2")
    assert got == {
        "Ada Lovelace": grades["Lovelace, Ada"]["score"],
        "Grace Hopper": grades["Hopper, Grace"]["score"],
        "Emmy Noether": grades["Noether, Emmy"]["score"],
    }


def test_similar_answers_are_looked_for_and_a_small_class_accuses_nobody(walk: Walk) -> None:
    said = _said(walk, "similar results-2")
    assert f"{NAME}: 4 hand-ins, 6 pairs compared, 0 stand out." in said
    page = (walk.root / "results-2" / "similar.html").read_text(encoding="utf-8")
    assert "This page accuses nobody." in page
    assert "Lovelace" not in page
    assert 'href="similar.html"' in (walk.root / "results-2" / "class.html").read_text(encoding="utf-8")
    assert not list((walk.root / "results-2").glob("*/similar.html"))


def test_the_gradescope_bundle_is_written(walk: Walk) -> None:
    assert (walk.root / "dist" / f"gradescope-{NAME}.zip").stat().st_size > 100_000
    assert "It holds a new secret" not in _said(walk, f"NB={NAME}")
