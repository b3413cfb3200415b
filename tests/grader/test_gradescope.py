"""Gradescope: the bundle is laid out and run as the platform does, and always leaves results that the platform takes."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from grader.gradescope import fault, read_metadata, salt_for
from tests.autograder import METADATA
from tests.gradescope_figures import SECRET, WRONG, attack, case, run_cases
from tests.places import why_not
from tests.support import answers
from tools.gradescope_bundle import build, requirements
from tools.notebooks import student_notebook
from utils.assignments import assignment_names

NAME = "01_kl_divergence"
LIMIT_MIB, LIMIT_CPU_SECONDS = 768, 300  # half a CPU for ten minutes
CASES = {
    "right": case(NAME),
    "wrong and hostile": attack("eight_gigabytes", {"kl.elbo": WRONG[NAME][1]}),  # all attacks: test_attacks
    "damaged": {"hw.ipynb": answers(NAME)[:5000]},
    "empty": {},
    "our fault": {"hw.ipynb": answers(NAME), "BREAK": b"stages/compare.py"},
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict]:
    if reason := why_not("B"):
        pytest.skip(reason)
    return run_cases(NAME, CASES)


def _check_schema(results: dict) -> None:
    """As the platform's documentation has it."""
    kinds = {
        "score": int | float, "execution_time": int | float, "output": str, "output_format": str, "test_output_format": str,
        "test_name_format": str, "visibility": str, "stdout_visibility": str, "extra_data": dict, "tests": list, "leaderboard": list,
    }  # fmt: skip
    test_kinds = {
        "score": int | float, "max_score": int | float, "status": str, "name": str, "name_format": str, "number": str, "output": str,
        "output_format": str, "tags": list, "visibility": str, "extra_data": dict,
    }  # fmt: skip
    assert isinstance(results["score"], int | float), "without a score the platform shows an error"
    for thing, allowed in [(results, kinds), *((test, test_kinds) for test in results.get("tests", []))]:
        assert all(isinstance(value, allowed[key]) for key, value in thing.items()), thing.keys()
        assert thing.get("status", "passed") in ("passed", "failed")
        assert thing.get("visibility", "visible") in ("hidden", "after_due_date", "after_published", "visible")


@pytest.mark.parametrize("name", list(CASES))
def test_every_submission_leaves_results_within_the_limits(outcomes: dict[str, dict], name: str) -> None:
    outcome = outcomes[name]
    _check_schema(outcome["results"])
    assert outcome["exit"] == 0, outcome["stdout"]
    assert outcome["peak_mib"] < LIMIT_MIB - 64, "room for the platform's own process"
    assert outcome["cpu_seconds"] < LIMIT_CPU_SECONDS / 3
    assert SECRET not in json.dumps(outcome["results"])


def test_scores_are_those_of_the_grader(outcomes: dict[str, dict]) -> None:
    assert outcomes["right"]["results"]["score"] == 35
    assert outcomes["right"]["results"]["extra_data"]["tier"] == "B"
    assert outcomes["right"]["results"]["extra_data"]["student"] == "Zoë Müller"
    assert outcomes["right"]["results"]["extra_data"]["members"][0]["email"] == "zoe@example.org"


def test_a_wrong_answer_and_an_attack_cost_their_own_points(outcomes: dict[str, dict]) -> None:
    results = outcomes["wrong and hostile"]["results"]
    assert results["score"] == 25
    assert results["extra_data"]["status"] == "partial"
    lost = {
        test["extra_data"]["task"]: test["extra_data"]["status"] for test in results["tests"] if test.get("score") == 0
    }
    assert {task: lost[task] for task in ("kl.D_KL", "kl.elbo")} == {"kl.D_KL": "memory", "kl.elbo": "wrong"}


@pytest.mark.parametrize(
    ("name", "words"),
    [("damaged", "not valid JSON"), ("empty", "No file was handed in")],
)
def test_what_cannot_be_graded_is_said(outcomes: dict[str, dict], name: str, words: str) -> None:
    assert words in outcomes[name]["results"]["output"]
    assert outcomes[name]["results"]["score"] == 0


def test_a_fault_of_ours_is_said_before_anything_else_can_be(outcomes: dict[str, dict]) -> None:
    results = outcomes["our fault"]["results"]
    assert results["output"].startswith("Something went wrong on our side")
    assert results["extra_data"]["status"] == "grader_error"
    assert "a mistake of ours" not in json.dumps(results)
    assert "a mistake of ours" in outcomes["our fault"]["stdout"]


def test_references_and_results_are_closed(outcomes: dict[str, dict]) -> None:
    assert outcomes["right"]["modes"] == {"results": "0o700", "source/assignments/kl_divergence/references": "0o700"}


def test_staff_alone_read_the_details_of_a_fault() -> None:
    results = fault("Traceback: secret details")
    _check_schema(results)
    assert "secret" not in results["output"]
    assert [test["visibility"] for test in results["tests"]] == ["hidden"]


def test_the_seed_depends_on_assignment_and_students_alone() -> None:
    salt = salt_for("s", METADATA)
    assert salt_for("s", METADATA | {"id": 2, "created_at": "later"}) == salt
    assert salt_for("s", METADATA | {"users": [{"id": 2}]}) != salt
    assert salt_for("s", METADATA | {"assignment": {"id": 1}}) != salt
    assert salt_for("t", METADATA) != salt
    assert all(salt_for("s", broken) for broken in ({}, {"users": 3}, {"users": ["x"], "assignment": []}))


@pytest.mark.parametrize("text", ["{", "[]", "3", ""])
def test_metadata_of_another_shape_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text, encoding="utf-8")
    assert read_metadata(tmp_path / "m.json") == {}


def test_the_bundle_holds_what_it_needs_and_no_solutions(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"wheel")
    build(NAME, tmp_path / "b.zip", SECRET, "https://example.org/a b", tmp_path)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = archive.namelist()
        modes = {name: archive.getinfo(name).external_attr >> 16 for name in names}
        setup, run = (archive.read(name).decode() for name in ("setup.sh", "run_autograder"))
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert "wheels/x.whl" in names
    assert "--extra-index-url 'https://example.org/a b'" in setup
    staffs = re.compile(
        r"assignments/\w+/(notebook|slips|right|attacks)\.py|assignments/airfoil_vae/(references|checks|probes)"
    )
    assert not [name for name in names if staffs.match(name)]
    for script in (setup, run):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, encoding="utf-8")


@pytest.mark.parametrize("name", assignment_names())
def test_a_picture_that_was_given_is_no_students_there_either(tmp_path: Path, name: str) -> None:
    """What a person is shown of a notebook that nobody has worked on is the same from the bundle as here: no picture."""
    build(name, tmp_path / "b.zip", SECRET)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path)
    (tmp_path / "given.ipynb").write_bytes(nbformat.writes(student_notebook(name)).encode())
    script = (
        "import sys; from pathlib import Path; from grader.stages.written import written_parts; "
        "from utils.assignments import load_assignment; from utils.notebook.cells import read_notebook; "
        "notebook = read_notebook(Path('given.ipynb').read_bytes()); "
        "print(sum(len(part.pictures) for part in written_parts(notebook, load_assignment(sys.argv[1]))))"
    )
    plain = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "COURSE")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, name], cwd=tmp_path, env={**plain, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    assert done.stdout.split() == ["0"]


def test_pins_are_those_of_the_project_without_the_students_tools() -> None:
    lines = requirements(NAME).splitlines()
    assert all("==" in line for line in lines)
    assert not [line for line in lines if line.startswith(("jupyterlab", "pytest", "torchvision"))]
    assert any(line.startswith("torchvision==") for line in requirements("04_cifar_dcgan").splitlines())
