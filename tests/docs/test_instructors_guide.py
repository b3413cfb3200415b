"""docs/instructors-guide.md, command by command, on a class as it comes from Canvas; what the page promises holds."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from pages import PROJECT, commands, copy_project, inline_commands, run

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


def _prepare(root: Path) -> None:
    """The class's files, and a check that is wrong: it asks for single precision, which nobody has been told."""
    folder = root / "class"
    folder.mkdir()
    (folder / "submissions.zip").write_bytes(_submissions())
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
        if "--fill" in command and "results-2" not in command:
            kept = (root / "results" / "lovelaceada_11" / "results.json").read_bytes()
            _fill_in(root / "class" / "points.csv")
        if "--out results-2" in command:
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
    assert (grades["Curie, Marie"]["score"], grades["Curie, Marie"]["max_score"]) == ("0", "70")
    assert float(grades["Noether, Emmy"]["score"]) < 35 + by_hand
    page = (walk.root / "results" / "lovelaceada_11" / "feedback.html").read_text(encoding="utf-8")
    assert "kl.scalar: a person gave 4 of 5 points." in page
    for folder in ("results", "results-2"):  # the comparison makes the second page again, to link itself
        page = (walk.root / folder / "class.html").read_text(encoding="utf-8")
        assert "Waits for a person" not in page
        assert f">{35 + by_hand}<" in page.replace(" ", "")


def test_one_column_of_the_grade_file_is_filled(walk: Walk) -> None:
    grades = _grades(walk.root / "results-2")
    text = (walk.root / "class" / "gradebook.csv").read_bytes().decode()
    for name in ("Lovelace, Ada", "Hopper, Grace", "Noether, Emmy", "Curie, Marie"):
        number = {"L": 11, "H": 12, "N": 13, "C": 14}[name[0]]
        login = name.split(", ")[1].lower()
        text = text.replace(f'"{name}",{number},{login},A,,', f'"{name}",{number},{login},A,{grades[name]["score"]},')
    assert (walk.root / "results-2" / "gradebook.csv").read_bytes().decode() == text
    assert "turingalan_15" not in text
    assert "was not graded (malformed)" in _said(walk, "--by-hand results/marks.sqlite --fill class/gradebook.csv")


def test_the_comparison_names_her_and_nobody_else(walk: Walk) -> None:
    compared = _said(walk, "diff results results-2")
    assert compared.splitlines()[0].startswith("hoppergrace_12: 58 -> 62  because: the rubric changed")
    assert "kl.D_KL.values: wrong -> passed" in compared
    assert "1 students changed, 1 in their score; 5 are in both." in compared
    assert "diff.html" in (walk.root / "results-2" / "class.html").read_text(encoding="utf-8")
    before, after = (_grades(walk.root / folder)["Hopper, Grace"]["score"] for folder in ("results", "results-2"))
    assert float(after) - float(before) == 4


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
