"""The Makefile and what is said of it agree."""

import re
import subprocess
from pathlib import Path

from pages import pages

from utils.assignments import assignment_names, load_assignment

PROJECT = Path(__file__).parents[2]
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):.*  ## ", MAKEFILE, re.MULTILINE))


def test_help_lists_every_target() -> None:
    shown = subprocess.run(
        ["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", shown, re.MULTILINE)) == TARGETS
    phony = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split())
    assert phony == TARGETS


def _named_targets(page: Path) -> set[str]:
    """The targets in a page's code: `make x` in a line of its own or in the text."""
    return set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_target_that_a_page_names_is_there() -> None:
    for page in pages():
        if page.parent.name != "student_files":  # about the student bundle's own Makefile
            assert _named_targets(page) <= TARGETS, f"{page.name} names {_named_targets(page) - TARGETS}"


def test_every_target_is_documented() -> None:
    named = set().union(*(_named_targets(PROJECT / page) for page in ("README.md", "CONTRIBUTING.md")))
    assert named >= TARGETS, f"no page says what {TARGETS - named} is for"


def test_the_student_bundles_targets_are_those_its_readme_names() -> None:
    folder = PROJECT / "tools" / "student_files"
    targets = set(
        re.findall(r"^([a-z][a-z-]*):.*  ## ", (folder / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert _named_targets(folder / "README.md") == targets - {"help"}


def test_the_readmes_points_are_the_notebooks() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for name in assignment_names():
        row = re.search(rf"^\| \d \| `{name}`.*?\| (\d+), (\d+), (\d+) \|", readme, re.MULTILINE)
        assert row, f"README has no row for {name}"
        assignment = load_assignment(name)
        assert tuple(map(int, row.groups())) == (
            assignment.auto_points,
            assignment.manual_points,
            assignment.quality_points,
        )


def test_a_set_up_project_is_left_alone(tmp_path: Path) -> None:
    """`make setup` does nothing the second time: its stamp is newer than what it depends on."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".set-up").touch()
    done = subprocess.run(["make", "setup"], cwd=tmp_path, capture_output=True, text=True, check=True, encoding="utf-8")
    assert "Nothing to be done" in done.stdout or not done.stdout.strip()
    assert "Setting up" not in done.stdout


def test_the_gate_runs_the_readmes_test_command() -> None:
    assert "make test" in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert "\nmake test\n" in (PROJECT / "README.md").read_text(encoding="utf-8")
