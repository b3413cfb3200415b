"""Every command, run: for a course of one small notebook in an empty folder, which keeps all that is written out of this project.

`RUN` is what a reader may type, with the folders filled in, in an order in which each finds what it
needs. The pages' own commands are run by those pages' tests, see `test_readme`.
"""

import hashlib
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from pages import PROJECT, run

from grader.cli import _parser
from tools.bench.__main__ import _names

PYTHON = ".venv/bin/python"
CLASS = "{course}/examples/submissions"
RUN = {
    f"{PYTHON} -m tools.new_assignment sums --course {{course}}": "assignments/sums/notebook.py",
    f"{PYTHON} -m tools.notebooks --course {{course}}": "notebooks/01_sums.ipynb",
    f"{PYTHON} -m tools.notebooks --check --course {{course}}": "",
    f"{PYTHON} -m tools.notebooks --solved {{course}}/solved --course {{course}}": "solved/01_sums.ipynb",
    f"{PYTHON} -m tools.references 01_sums --course {{course}}": "assignments/sums/references/values.npz",
    f"{PYTHON} -m tools.examples --course {{course}}": "examples/submissions/sums_solved.zip",
    f"{PYTHON} -m grader grade {CLASS} --course {{course}} --workers 2 --min-tier E": "results/grades.csv",
    f"{PYTHON} -m grader grade {CLASS} --shard 1/1 --out {{course}}/shards/1 --course {{course}} --min-tier E": "shards/1/shard.json",
    f"{PYTHON} -m grader merge {{course}}/shards/1 --out {{course}}/merged --course {{course}}": "merged/grades.csv",
    f"{PYTHON} -m grader serve {{course}}/socket --workers 1 --min-tier E --course {{course}} > {{course}}/serve.log & "
    "for n in $(seq 600); do test -S {course}/socket && break; sleep 0.2; done; "
    f"{PYTHON} -m grader grade {CLASS} --server {{course}}/socket --out {{course}}/served --course {{course}} --min-tier E; "
    "code=$?; kill $!; wait $!; exit $code": "served/grades.csv",
    f"{PYTHON} -m grader diff {{course}}/results {{course}}/results --course {{course}}": "",
    f"{PYTHON} -m grader similar {{course}}/results --against {CLASS} --course {{course}}": "results/similar.html",
    f"{PYTHON} -m grader mark {{course}}/results --sheet {{course}}/marks.csv --course {{course}}": "marks.csv",
    f"{PYTHON} -m grader mark {{course}}/results --write --course {{course}}": "results/sums_solved/feedback.html",
    f"{PYTHON} -m grader feedback {{course}}/results --for email --course {{course}}": "results/feedback-email.zip",
    f"{PYTHON} -m grader doctor --course {{course}}": "",
    f"COURSE={{course}} {PYTHON} -m pytest grader --submission {CLASS}/sums_solved.zip -p no:cacheprovider": "",
    f"COURSE={{course}} PYTHONPATH={{project}} {PYTHON} -m pytest --nbval-lax {{course}}/solved/01_sums.ipynb -p no:cacheprovider": "",
    f"{PYTHON} -m tools.figures 01_sums --course {{course}}": "",
    f"{PYTHON} -m tools.weights 01_sums --course {{course}}": "",
    f"{PYTHON} -m tools.bench starting --rounds 1 --course {{course}}": "",
    f"{PYTHON} -m tests.mutants 01_sums --course {{course}}": "",
    "make pdf NB={course}/notebooks/01_sums.ipynb COURSE={course}": "notebooks/01_sums.pdf",
    "make hand-in NB={course}/notebooks/01_sums.ipynb COURSE={course}": "notebooks/01_sums_submission.zip",
}  # fmt: skip
SAYS = {
    "--workers 2": "10 graded",
    "--shard 1/1": "shard 1 of 1 is in",
    "grader merge": "10 results of 1 shards merged",
    "grader serve": "10 graded",
    "grader diff": "Nothing changed for 10 students",
    "grader similar": "01_sums: 9 hand-ins, 117 pairs compared",
    "grader doctor": "01_sums",
    "pytest grader": "score: 4 of 4 points",
    "--nbval-lax": "5 passed",
    "tools.bench": "the sandbox with this course's notebooks",
    "tests.mutants": "0 to explain or to mend",
}
ELSEWHERE = {  # asked of a course by the page that test_course follows, command for command
    "tests.validity", "tests.threat_model", "tools.student", "tools.gradescope_bundle",
}  # fmt: skip


def files_of_the_project() -> dict[str, str]:
    """A digest of every file that belongs to the project or lies in it unasked; what tools keep for themselves is left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "-z"], cwd=PROJECT, capture_output=True, text=True, encoding="utf-8"
    )
    kept = (
        "__pycache__",
        ".pytest_cache",
        ".hypothesis",
        ".mypy_cache",
        ".ruff_cache",
        ".ipynb_checkpoints",
        ".venv",
        "data",
    )
    names = [name for name in listed.stdout.split("\0") if name and not set(kept) & set(Path(name).parts)]
    if not names:
        pytest.skip("no git checkout: nobody can say what belongs to it")
    return {
        name: hashlib.sha256((PROJECT / name).read_bytes()).hexdigest() for name in names if (PROJECT / name).is_file()
    }


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command printed; none failed, each wrote what it should, and none touched this project."""
    root, before, found = tmp_path_factory.mktemp("empty place") / "course", files_of_the_project(), {}
    for command, made in RUN.items():
        done = run(command.format(course=shlex.quote(str(root)), project=shlex.quote(str(PROJECT))), PROJECT)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert not made or (root / made).is_file(), f"{command} has not written {made}"
        found[command] = done.stdout
    assert files_of_the_project() == before, "a file of this project was touched"
    return found


@pytest.mark.parametrize("command", SAYS)
def test_a_command_says_what_it_did(command: str, said: dict[str, str]) -> None:
    (text,) = [text for line, text in said.items() if command in line]
    assert SAYS[command] in text


def test_every_program_that_takes_a_course_is_run_for_one() -> None:
    """By rule: whatever offers --course."""
    offering = {
        path.relative_to(PROJECT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__main__")
        for folder in ("tools", "grader", "tests")
        for path in (PROJECT / folder).rglob("*.py")
        if not path.name.startswith("test_") and "add_course_option(" in path.read_text(encoding="utf-8")
    }
    asked = {command.partition(" -m ")[2].split()[0] for command in RUN if " -m " in command}
    assert {name for name in offering if name.split(".")[0] != "grader"} - asked == ELSEWHERE
    assert "grader.cli" in offering
    (commands,) = [action.choices for action in _parser()._actions if action.dest == "command"]
    assert {command.partition(" -m grader ")[2].split(" ")[0] for command in RUN} - {""} == set(commands)


def _named(pattern: str) -> set[tuple[str, str]]:
    """What stands behind `python -m` in a page, a notebook, a docstring or a recipe, with the file."""
    files = [PROJECT / "Makefile"]
    for folder in (".", "assignments", "docs", "examples", "grader", "notebooks", "tests", "tools", "utils"):
        found = PROJECT.glob("*.md") if folder == "." else (PROJECT / folder).rglob("*")
        files += [path for path in found if path.suffix in (".md", ".py", ".ipynb")]
    texts = ((path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8")) for path in files)
    return {(name, match[1]) for name, text in texts for match in re.finditer(pattern, text)}


def test_every_program_that_a_text_names_is_there() -> None:
    named = _named(r"python -m ((?:tools|tests|grader|utils|assignments)\b[\w.]*\w)")
    places = {module: PROJECT / module.replace(".", "/") for _, module in named}
    assert len(places) > 20
    missing = {
        m for m, path in places.items() if not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file())
    }
    assert sorted((name, module) for name, module in named if module in missing) == []


def test_what_the_measurements_are_called_is_right_wherever_it_is_said() -> None:
    page = (PROJECT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    said = {("docs/benchmarks.md", name) for name in re.findall(r"^## (\w+)$", page, re.MULTILINE)}
    said |= _named(r"python -m tools\.bench ([a-z_]\w*)")
    assert sorted((name, word) for name, word in said if word not in _names()) == []
