"""What a score depends on: every file is on one side or the other, and what is changed there, or elsewhere, tells."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import PROJECT
from support import answers

from grader.classes.batch import Settings, Work, key_of
from grader.rubric import resume_key
from tools.gradescope_bundle import build
from utils.assignments.places import Course

NAME = "02_airfoil_vae"
NOTEBOOK_1 = "01_kl_divergence"
MOVES = (
    "grader/authoring/judges.py",
    "grader/classes/batch.py",
    "grader/probe_kit/tools.py",
    "grader/records.py",
    "grader/report/results.py",
    "grader/rubric/draws.py",
    "grader/sandbox/child.py",
    "grader/stages/compare.py",
    "utils/__init__.py",
    "utils/assignments/__init__.py",
    "utils/datasets/airfoils.py",
    "utils/exercise/expect.py",
    "utils/notebook/extraction.py",
    "utils/notebook/rules.py",
    "utils/plotting/curves.py",
    "utils/training/optimisation.py",
    "assignments/airfoil_vae/checks/quality.py",
    "assignments/airfoil_vae/manifest.json",
    "assignments/airfoil_vae/probes.py",
    "assignments/airfoil_vae/references/about.json",
    "assignments/airfoil_vae/references/values.npz",
    "data/airfoils.npz",
)
DOES_NOT = (
    "README.md",
    "docs/validity.md",
    "grader/cli.py",
    "grader/classes/pool.py",
    "grader/doctor.py",
    "grader/platforms/layouts.py",
    "grader/report/class_page.py",
    "grader/report/templates/feedback.html",
    "grader/similarity/page.py",
    "tools/student.py",
    "utils/export/colours.py",
    "utils/submission/check.py",
    "assignments/airfoil_vae/about.toml",
    "assignments/airfoil_vae/attacks.py",
    "assignments/airfoil_vae/notebook.py",
    "assignments/airfoil_vae/right.py",
    "assignments/airfoil_vae/slips.py",
    "assignments/airfoil_vae/survivors.yaml",
    "assignments/mnist_vae/checks/__init__.py",
    "assignments/mnist_vae/references/about.json",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("project")
    for part in ("assignments", "data/airfoils.npz", "docs", "grader", "tools", "utils", "README.md"):
        (copy / part).parent.mkdir(exist_ok=True)
        if (PROJECT / part).is_dir():
            shutil.copytree(PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / part, copy / part)
    return copy


def _digest(project: Path) -> str:
    return resume_key.digest(Course(project).place(NAME), project)


def _changed(path: Path) -> None:
    if path.suffix == ".json":
        found = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(found | {"more": 1}), encoding="utf-8")
    else:
        path.write_bytes(path.read_bytes() + b"\n#\n")


@pytest.mark.parametrize("name", [*MOVES, *DOES_NOT])
def test_a_changed_file_tells_where_it_can_move_a_score_and_nowhere_else(project: Path, name: str) -> None:
    before, content = _digest(project), (project / name).read_bytes()
    _changed(project / name)
    try:
        assert (_digest(project) != before) == (name in MOVES)
    finally:
        (project / name).write_bytes(content)
    assert _digest(project) == before


def test_a_new_assignment_tells_for_a_hand_in_may_be_taken_for_it(project: Path) -> None:
    before = _digest(project)
    manifest = json.loads((project / "assignments/kl_divergence/manifest.json").read_text(encoding="utf-8"))
    other = project / "assignments" / "another"
    other.mkdir()
    (other / "manifest.json").write_text(json.dumps(manifest | {"notebook": "09_another"}), encoding="utf-8")
    try:
        assert _digest(project) != before
    finally:
        shutil.rmtree(other)


def _is_below(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}/") for part in parts)


def test_every_module_is_on_one_side() -> None:
    modules = {
        p.relative_to(PROJECT).as_posix() for part in ("grader", "utils") for p in (PROJECT / part).rglob("*.py")
    }
    assert sorted(name for name in modules if not _is_below(name, (*resume_key.ENGINE, *resume_key.NO_PART))) == []
    listed = (*resume_key.ENGINE, *resume_key.NO_PART)
    assert [part for part in listed if not (PROJECT / part).exists()] == []
    decisive = {path.relative_to(PROJECT).as_posix() for path in resume_key.engine_files()}
    assert {name for name in modules if not _is_below(name, resume_key.NO_PART)} <= decisive


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def _modules_of(name: str) -> Iterator[Path]:
    path = PROJECT / name.replace(".", "/")
    yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())


def test_whatever_grading_imports_is_listed() -> None:
    todo = [PROJECT / "grader/stages/pipeline.py", PROJECT / "grader/report/results.py"]
    todo += (PROJECT / "grader/sandbox").glob("*.py")
    for folder in (path.parent for path in (PROJECT / "assignments").glob("*/manifest.json")):
        todo += [
            path for path in (folder / "probes.py", folder / "checks.py", *folder.glob("checks/*.py")) if path.exists()
        ]
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += [file for name in _imported(path) for file in _modules_of(name)]
    reached = {path for path in seen if path.relative_to(PROJECT).parts[0] in ("grader", "utils")}
    assert len(reached) > 40
    assert sorted(str(path) for path in reached - set(resume_key.engine_files())) == []


_KEY = """
import sys
from grader.classes.batch import Settings, Work, key_of
print(key_of(Work("ada", "ada.ipynb", b"an answer"), Settings(sys.argv[1], "secret"), sys.argv[2]))
"""


def test_the_bundle_for_the_platform_has_the_same_key(tmp_path: Path) -> None:
    build(NAME, tmp_path / "bundle.zip", "secret")
    shutil.unpack_archive(tmp_path / "bundle.zip", tmp_path / "source")
    for notebook in (NAME, ""):  # "": rejected before anybody knew what it is
        run = subprocess.run(
            [sys.executable, "-c", _KEY, NAME, notebook],
            cwd=tmp_path / "source", env=os.environ | {"PYTHONPATH": str(tmp_path / "source"), "PYTHONSAFEPATH": ""},
            capture_output=True, text=True, encoding="utf-8",
        )  # fmt: skip
        assert run.stdout.strip() == key_of(
            Work("ada", "ada.ipynb", b"an answer"), Settings(NAME, "secret"), notebook
        ), run.stderr


# ---------------------------------------------------------------- seen from the command

FORBIDDEN = "def D_KL(mu, logvar):\n    from torch.distributions import Normal, kl_divergence\n" + (
    "    return kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0., 1.)).mean()\n"
)


def _grade(project: Path, folder: Path, out: Path) -> tuple[str, dict]:
    run = subprocess.run(
        [sys.executable, "-m", "grader", "grade", str(folder), "--out", str(out), "--workers", "0", "--min-tier", "E"],
        cwd=project, env=os.environ | {"PYTHONPATH": str(project), "GRADER_SALT": "tests"},
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads(next(out.glob("*/results.json")).read_text(encoding="utf-8"))


def test_a_rule_regrades_and_a_template_shows_without(project: Path, tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.ipynb").write_bytes(answers(NOTEBOOK_1, {"kl.D_KL": FORBIDDEN}))
    said, before = _grade(project, tmp_path / "class", tmp_path / "out")
    assert "1 graded in" in said
    statuses = {test["extra_data"]["status"] for test in before["tests"] if "extra_data" in test}
    assert "forbidden" in statuses, before["tests"]

    template = project / "grader/report/templates/feedback.html"
    template.write_text(template.read_text(encoding="utf-8").replace("<main", "<!-- anew --><main"), encoding="utf-8")
    said, same = _grade(project, tmp_path / "class", tmp_path / "out")
    assert "0 graded, 1 kept from before" in said
    assert same == before
    assert "<!-- anew -->" in next((tmp_path / "out").glob("*/feedback.html")).read_text(encoding="utf-8")

    manifest = project / "assignments/kl_divergence/manifest.json"
    rules = json.loads(manifest.read_text(encoding="utf-8")) | {"not_allowed": []}
    manifest.write_text(json.dumps(rules), encoding="utf-8")
    said, after = _grade(project, tmp_path / "class", tmp_path / "out")
    assert "1 graded in" in said
    assert after["score"] > before["score"], after["tests"]
