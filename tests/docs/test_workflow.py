""".github/workflows: sound by its schema, and every command in it is one that a page tells its reader to type."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pages import PROJECT, commands

from tools.notebook_source import source_names

WORKFLOW = PROJECT / ".github" / "workflows" / "course.yml"
JOBS = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
STUDENTS = (
    (PROJECT / "tools" / "student_files" / "README.md")
    .read_text(encoding="utf-8")
    .replace("{{first}}", source_names()[0])
)
UNPACK = {"unzip student.zip", "Expand-Archive student.zip ."}


def _lint(path: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "check-jsonschema"
    command = [str(program), "--builtin-schema", "vendor.github-workflows", str(path)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def _run(job: str) -> list[str]:
    """The commands of a job but for a named step, which stands in for a program that would stay open."""
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step and "name" not in step]


def test_the_linter_finds_nothing() -> None:
    done = _lint(WORKFLOW)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("right", "wrong"), [("runs-on:", "run-on:"), ("- run: make test", "- runs: make test")])
def test_the_linter_would_find_something(tmp_path: Path, right: str, wrong: str) -> None:
    spoilt = tmp_path / "course.yml"
    spoilt.write_text(WORKFLOW.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    assert _lint(spoilt).returncode == 1


def test_the_staff_s_job_runs_the_readme_s_two_commands_and_nothing_else() -> None:
    assert (
        _run("staff")
        == [command for command in commands(README) if command.startswith("make ")]
        == ["make grade", "make test"]
    )
    assert {name.rpartition("-")[2] for name in JOBS["staff"]["strategy"]["matrix"]["system"]} == {"24.04", "arm"}


@pytest.mark.parametrize("job", [job for job in JOBS if job.startswith("student-")])
def test_a_student_s_job_runs_what_the_bundle_s_readme_says(job: str) -> None:
    said = {*commands(STUDENTS), *re.findall(r"`([^`\n]+)`", STUDENTS)}
    ran = set(_run(job)) - UNPACK
    assert len(ran) >= 4
    assert ran - said == set()


def test_all_promised_pythons_are_in_it() -> None:
    requires = re.search(
        r'requires-python = ">=([\d.]+),<3\.(\d+)"', (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    )
    oldest, newest = requires[1], f"3.{int(requires[2]) - 1}"
    for job in ("student-macos", "student-windows"):
        pythons = JOBS[job]["strategy"]["matrix"]["python"]
        assert (pythons[0], pythons[-1]) == (oldest, newest)


def test_only_reading_is_allowed_and_no_credential_is_kept() -> None:
    assert yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}
    checkouts = [
        step for job in JOBS.values() for step in job["steps"] if step.get("uses", "").startswith("actions/checkout")
    ]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
