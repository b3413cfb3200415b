"""Which versions are promised: once in pyproject.toml, said alike everywhere, and what is promised is what is tried."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verdicts import differences
from tests.versions import PYTHONS, VERSIONS, Tried, Versions, page
from tools.gradescope_bundle import requirements
from utils.assignments import assignment_names
from utils.exercise import pins, setup_cell

PROJECT = Path(__file__).parents[2]


def _text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def _promised() -> tuple[int, int]:
    """The oldest Python 3 and the first that is too new."""
    oldest, beyond = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', _text("pyproject.toml")).groups()
    return int(oldest), int(beyond)


# ---------------------------------------------------------------- Pythons


@pytest.mark.parametrize("makefile", ["Makefile", "tools/student_files/Makefile"])
def test_set_up_refuses_what_is_not_promised(makefile: str) -> None:
    oldest, beyond = _promised()
    check = re.search(r"\$\(PYTHON\) -c '(import sys; sys\.exit\(.*\))'", _text(makefile))[1]
    for minor in range(oldest - 2, beyond + 2):
        version = f"import sys; sys.version_info, sys.version = (3, {minor}, 1), '3.{minor}.1 x'; {check}"
        done = subprocess.run([sys.executable, "-c", version], capture_output=True, text=True, encoding="utf-8")
        assert (done.returncode == 0) == (oldest <= minor < beyond), minor
        if done.returncode:
            assert f"Python 3.{oldest} to 3.{beyond - 1} is needed, this is 3.{minor}.1: name one" in done.stderr


def test_pages_and_notebooks_say_the_same_pythons() -> None:
    oldest, beyond = _promised()
    assert f"Python 3.{oldest} to 3.{beyond - 1}" in _text("tools/student_files/README.md")
    assert f"sys.version_info < (3, {oldest})" in _text("utils/exercise/setup_cell.py")
    assert {f"3.{minor}" for minor in range(oldest, beyond)} < set(PYTHONS)
    said = re.search(r"Python 3\.(\d+) to 3\.(\d+), `git` and `make`", _text("README.md"))
    tried = {int(one.python.removeprefix("3.")) for one in VERSIONS if not one.instead}
    assert tried == set(range(int(said[1]), int(said[2]) + 1))


def test_a_pin_is_the_one_for_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for line in _text("requirements.txt").splitlines() if line.startswith("numpy==")]
    assert len(lines) == 2
    for minor, line in ((10, lines[0]), (13, lines[0]), (14, lines[1])):
        monkeypatch.setattr(pins.sys, "version_info", (3, minor, 0))
        assert pins.pinned("numpy", "torch").split() == [line.partition(";")[0], "torch==2.13.0"]


def test_an_autograder_gets_the_pins_of_every_python() -> None:
    found = [line for line in requirements(assignment_names()[0]).splitlines() if line.startswith("numpy==")]
    assert [line.partition("; ")[2] for line in found] == ['python_version < "3.14"', 'python_version >= "3.14"']


# ---------------------------------------------------------------- packages


def test_the_oldest_versions_that_a_notebook_accepts_are_tried() -> None:
    (oldest,) = [one for one in VERSIONS if one.name == "oldest"]
    for package in ("torch", "torchvision"):
        assert dict(oldest.instead)[package].startswith(f"{setup_cell._AT_LEAST[package]}.")


def test_another_status_other_points_and_another_slip_are_differences() -> None:
    here = {"a": {"x": ["passed", 1.0, ""], "y": ["wrong", 0.0, "swapped"]}, "b": {"x": ["passed", 1.0, ""]}}
    assert differences(here, here) == []
    there = {"a": {"x": ["partial", 0.5, ""], "y": ["wrong", 0.0, ""]}, "c": {}}
    assert differences(here, there) == [
        "a: x passed 1 -> partial 0.5; y wrong 0 (swapped) -> wrong 0",
        "b: x passed 1 -> nothing",
    ]


def test_the_page_says_what_differs_and_what_was_not_tried() -> None:
    tried = [
        Tried(Versions("oldest", "3.10"), ("3.10.1", "2.2.0", "0.17.0", "1.26.4"), 7, ("a: x passed 1 -> nothing",)),
        Tried(Versions("newest", "3.99"), why_not="no Python 3.99 here"),
    ]
    text = page(tried, {"somewhere": ["", "no numpy==2.2.6"]})
    assert "| oldest | 3.10.1 | 2.2.0 | 0.17.0 | 1.26.4 | 7 | 1 |" in text
    assert "- oldest: a: x passed 1 -> nothing" in text
    assert "| newest | 3.99 | not tried: no Python 3.99 here |" in text
    assert "| somewhere | yes | no numpy==2.2.6 |" in text
