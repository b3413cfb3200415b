"""README.md: each command in it is run somewhere, what it shows is what comes out, its tables are the code's."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LONGEST
from pages import PROJECT, blocks, commands, inline_commands, run

from grader.records import STATUSES
from grader.sandbox.tiers import TIERS
from tests.docs.test_commands import RUN
from tools.notebooks.__main__ import main
from utils.assignments import assignment_names
from utils.assignments.places import place_of
from utils.submission.__main__ import main as submission_main

README = (PROJECT / "README.md").read_text(encoding="utf-8")
NAME = "01_kl_divergence"
PYTHON = ".venv/bin/python"

# Who runs a command of the README that make does not: a page that its test follows command for command, and the command there;
# or `test_commands`, for a course of its own.
FOLLOWED = {
    f"make gradescope NB={NAME}": ("instructors-guide.md", f"make gradescope NB={NAME}"),
    "make references": ("authoring.md", "make references COURSE=../statistics"),
    "make notebooks": ("authoring.md", "make notebooks COURSE=../statistics"),
    "make grade": ("authoring.md", "make grade COURSE=../statistics"),
    "make student": ("authoring.md", "make student COURSE=../statistics"),
    "make doctor": ("instructors-guide.md", f"{PYTHON} -m grader doctor"),
    "make mark": ("instructors-guide.md", f"{PYTHON} -m grader mark results"),
    f"{PYTHON} -m grader diff OLD NEW": ("instructors-guide.md", f"{PYTHON} -m grader diff results results-2"),
    f"{PYTHON} -m tools.new_assignment NAME --course DIR": (
        "authoring.md",
        f"{PYTHON} -m tools.new_assignment k_means --course ../statistics",
    ),
}
OF_A_COURSE = {
    f"{PYTHON} -m grader grade FOLDER_OR_ZIP --workers 2": ("grader grade", "--workers 2"),
    f"{PYTHON} -m grader grade CLASS --shard 3/16 --out shards/3": ("grader grade", "--shard", "--out"),
    f"{PYTHON} -m grader merge shards/* --out results": ("grader merge", "--out"),
    f"{PYTHON} -m grader similar RESULTS_OR_SUBMISSIONS --against LAST_YEAR": ("grader similar", "--against"),
    f"{PYTHON} -m pytest grader --submission x.zip": ("pytest grader", "--submission"),
    f"make pdf NB=notebooks/{NAME}.ipynb": ("make pdf", "NB="),
}
WITH_LISTS = f"{PYTHON} -m grader grade FOLDER_OR_ZIP --roster FILE --by-hand FILE --fill FILE"
# What make would run: the tests below run that, on less.
RECIPES = {
    "make grade": f'{PYTHON} -m grader grade "examples/submissions" --out "results" --min-tier E',
    "make grade SUBMISSIONS=path/to/folder OUT=results": f'{PYTHON} -m grader grade "path/to/folder" --out "results" --min-tier C',
    "make lab": ".venv/bin/jupyter lab notebooks",
    f"make hand-in NB=notebooks/{NAME}.ipynb": f'{PYTHON} -m utils.submission zip "notebooks/{NAME}.ipynb" --student ""',
    f"make pdf NB=notebooks/{NAME}.ipynb": f'{PYTHON} -m utils.export "notebooks/{NAME}.ipynb" --student ""',
    "make student": f"{PYTHON} -m tools.student",
    "make bench": f"{PYTHON} -m tools.bench",
    "make notebooks": f"{PYTHON} -m tools.notebooks",
    "make references": f"{PYTHON} -m tools.references",
    "make doctor": f"{PYTHON} -m grader doctor",
    "make mark": f'{PYTHON} -m grader mark "results"',
    f"make gradescope NB={NAME}": f'{PYTHON} -m tools.gradescope_bundle "{NAME}"',
}
FIGURES = (
    f"{PYTHON} -m tools.figures 02_airfoil_vae 03_mnist_vae",
    f"{PYTHON} -m tools.figures NAME --keep runs",
    f"{PYTHON} -m assignments.cifar_dcgan.make_weights",
)


def test_every_command_of_the_readme_is_run_by_a_test() -> None:
    found = {*commands(README), *inline_commands(README)}
    assert found == {*FOLLOWED, *OF_A_COURSE, *RECIPES, *FIGURES, WITH_LISTS, "make help", "make test"}


@pytest.mark.parametrize("command", FOLLOWED)
def test_a_command_that_a_page_shows_is_among_those_that_are_followed(command: str) -> None:
    page, there = FOLLOWED[command]
    assert there in commands((PROJECT / "docs" / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", OF_A_COURSE)
def test_a_command_is_run_for_a_course(command: str) -> None:
    assert [line for line in RUN if all(words in line for words in OF_A_COURSE[command])]


def test_the_guide_grades_with_all_three_lists() -> None:
    options = re.findall(r"--[a-z-]+", WITH_LISTS)
    followed = commands((PROJECT / "docs" / "instructors-guide.md").read_text(encoding="utf-8"))
    assert [line for line in followed if " grader grade " in line and all(option in line for option in options)]


def test_make_help_and_make_test() -> None:
    assert "make grade" in run("make help", PROJECT).stdout
    shown = subprocess.run(
        ["make", "-n", "-o", ".venv/.set-up", "test"], cwd=PROJECT, capture_output=True, text=True, encoding="utf-8"
    )
    (line,) = [line for line in shown.stdout.splitlines() if "pytest" in line]
    arguments = shlex.split(line.partition(" -m pytest ")[2].partition(";")[0])
    assert arguments == ["-n", "4", "--dist", "loadfile", "--no-loadscope-reorder"]  # all tests: no path, no selection


def test_the_files_that_are_begun_first_are_there() -> None:
    assert [name for name in LONGEST if not (PROJECT / "tests" / name).is_file()] == []


@pytest.mark.parametrize("command", RECIPES)
def test_make_runs_what_is_tested(command: str) -> None:
    dry = ["make", "-n", "-o", ".venv/.set-up", *shlex.split(command)[1:]]
    shown = subprocess.run(dry, cwd=PROJECT, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert RECIPES[command] in [line.strip() for line in shown.splitlines()]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a command writes go to the test's own folder."""
    monkeypatch.chdir(tmp_path)


# ---------------------------------------------------------------- the other commands


def test_the_hand_in_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.ipynb"
    path.write_bytes((PROJECT / "notebooks" / path.name).read_bytes())
    assert submission_main(["zip", str(path), "--student", ""]) == 0
    written = {file.name.removeprefix(f"{NAME}_") for file in tmp_path.glob(f"{NAME}_*")}
    assert written == {"submission.zip", "submission.pdf", "receipt.txt"}
    assert (tmp_path / f"{NAME}_submission.pdf").read_bytes().startswith(b"%PDF")


def test_the_notebooks_are_in_step() -> None:
    assert main(["--check", NAME]) == 0


def test_the_programs_that_would_stay_or_take_minutes_are_there() -> None:
    assert (Path(sys.executable).parent / "jupyter-lab").exists()
    help_text = subprocess.run(
        [sys.executable, "-m", "tools.bench", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    ).stdout
    assert "Measure" in help_text


def test_the_pictures_are_those_that_the_named_command_makes() -> None:
    by_notebook, weights = (
        FIGURES[0].split()[3:],
        (PROJECT / "assignments" / "cifar_dcgan" / "make_weights.py").read_text(encoding="utf-8"),
    )
    *shown, scenes = re.findall(r"notebooks/figures/(\w+)\.png", README)
    made = {
        figure
        for name in by_notebook
        for figure in re.findall(r'figure="(\w+)"', (place_of(name).path / "notebook.py").read_text(encoding="utf-8"))
    }
    assert set(shown) <= made
    assert re.search(scenes.removeprefix("04_"), weights), f"{scenes} is not drawn there"
    assert all((PROJECT / "notebooks" / "figures" / f"{picture}.png").exists() for picture in (*shown, scenes))


# ---------------------------------------------------------------- tables

IN_WORDS = {"0.5": "half a minute", "2": "two minutes"}


@pytest.mark.parametrize("name", assignment_names())
def test_a_notebook_s_minutes_and_figures_are_those_that_it_states_itself(name: str) -> None:
    """What was measured is written down once where it was measured; a later measurement must reach both."""
    (row,) = [line.split(" | ") for line in README.splitlines() if f"| `{name}` |" in line]
    stated = (place_of(name).path / "notebook.py").read_text(encoding="utf-8")
    (paragraph,) = re.findall(r"\*\*Time\.\*\*(.*?)\n#\n|\*\*Time\.\*\*(.*?)\n\n", stated, re.DOTALL)
    time = " ".join("".join(paragraph).replace("#", " ").split())
    for minutes in row[4].split(" to "):
        assert IN_WORDS.get(minutes, minutes) in time, f"{minutes} minutes are not what {name} says: {time}"
    if name == "02_airfoil_vae":
        stated += (PROJECT / "docs" / "airfoil-quality.md").read_text(encoding="utf-8")
    for figure in re.findall(r"\d+\.\d+", row[6]):
        assert figure in stated, f"{figure} is not what {name} says"


def test_the_statuses_are_the_grader_s() -> None:
    rows = re.findall(
        r"^\| ([a-z_, ]+) \| [^|]+ \| [^|]+ \|$", README.split("| status |")[1].split("##")[0], re.MULTILINE
    )
    assert [status for row in rows for status in row.split(", ")] == list(STATUSES)


def test_the_tiers_are_the_sandbox_s() -> None:
    for tier in TIERS.values():
        row = f"| {tier.name} | {tier.where} | {tier.confined_by} | {tier.lacks} |"
        assert row in README.replace("`", ""), row


def test_the_worked_example_is_the_one_that_is_tried() -> None:
    (example,) = [block.text for block in blocks(README) if block.language == "python"]
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    page = (PROJECT / "docs" / "authoring.md").read_text(encoding="utf-8")
    for part in example.split("\n\n"):
        assert part.strip("\n") in page, part


def test_it_is_read_in_ten_minutes() -> None:
    assert len(README.splitlines()) <= 200
    assert len(re.findall(r"\w+", README)) < 2200  # at 220 words a minute
