"""docs/authoring.md, its last part: from an empty folder to a course of two notebooks without torch, graded, proved and packed.

The page's own blocks and commands are followed; then the course is looked at as students, Gradescope and an attacker see it.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from pages import PROJECT, blocks, commands, run

from grader.records import Call, CellSource, Job
from grader.sandbox.box import Box
from tools.notebooks import solved_notebook
from utils.assignments.places import this_course

PAGE = (PROJECT / "docs" / "authoring.md").read_text(encoding="utf-8").partition("\n## A course of one's own\n")[2]
STEP = re.compile(
    r"^\*\*`\.\./statistics/(?P<path>[\w/.]+)`\*\*, (?P<where>[^\n]+):\n\n```(?:python|yaml)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NAMES = ("01_linear_regression", "02_k_means")
_WATCHED = ("assignments", "docs", "examples", "grader", "notebooks", "tests", "tools", "utils")


def _fingerprint() -> dict[str, str]:
    """Every file of this project that a command could have touched."""
    files = [path for part in _WATCHED for path in (PROJECT / part).rglob("*")]
    files += [*PROJECT.glob("*.*"), *PROJECT.glob("dist/*"), *PROJECT.glob("results/*")]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The course after the page has been followed, and what each command printed."""
    root, before, shown = tmp_path_factory.mktemp("empty place") / "statistics", _fingerprint(), {}
    for command in commands(PAGE):
        if "tools.notebooks" in command or command.startswith("make notebooks"):
            _follow(root)
        done = run(command.replace("../statistics", shlex.quote(str(root))), PROJECT)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        shown[command] = done.stdout
    assert _fingerprint() == before, "a file of this project was touched"
    return root, shown


def _follow(root: Path) -> None:
    for step in STEP.finditer(PAGE):
        path = root / step["path"]
        assert path.is_file(), f"{step['path']} is not made by tools.new_assignment"
        if step["where"] == "in its place":
            path.write_text(step["text"], encoding="utf-8")
            continue
        assert step["where"] == "in the place of its question"
        old = path.read_text(encoding="utf-8")
        start, end = old.index("# %% [markdown]\n# ## 1 "), old.index("# %%\nhand_in(")
        path.write_text(f"{old[:start]}{step['text']}\n{old[end:]}", encoding="utf-8")


@pytest.fixture
def here(course: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE", str(course[0]))
    assert this_course().root == course[0]
    return course[0]


def _results(root: Path) -> dict[str, dict]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in root.glob("results/**/results.json")]
    return {results["extra_data"]["student"]: results for results in found}


def test_every_block_has_its_place() -> None:
    assert len(STEP.findall(PAGE)) == len([block for block in blocks(PAGE) if block.language]) == 13


def test_a_graded_class_is_at_most_ten_commands_away() -> None:
    asked = commands(PAGE)
    assert asked.index("make grade COURSE=../statistics") + 1 <= 10


def test_the_class_is_graded_as_its_rule_says(course: tuple[Path, dict[str, str]]) -> None:
    root, _ = course
    results = _results(root)
    of_one = {name: one for name, one in results.items() if name.startswith("linear_regression_")}
    assert len(of_one) == 10
    full = {
        name for name, one in results.items() if one["score"] == sum(test["max_score"] for test in one["tests"]) > 0
    }
    assert {name for name in results if re.search("_(solved|right_.*|tags_dropped)$", name)} <= full
    slips = [one for name, one in results.items() if "_slip_" in name]
    assert len(slips) == 9
    assert all(any(test["score"] == 0 for test in one["tests"]) for one in slips)
    assert all(any(test["extra_data"].get("slip") for test in one["tests"]) for one in slips), "each slip is named"
    assert results["k_means_untouched"]["score"] == 0
    assert (root / "results" / "class.html").is_file()


def test_the_proof_finds_nothing_to_mend(course: tuple[Path, dict[str, str]]) -> None:
    root, shown = course
    assert "nothing to mend" in shown[".venv/bin/python -m tests.validity --course ../statistics"]
    text = (root / "docs" / "validity.md").read_text(encoding="utf-8")
    assert all(f"## {name}" in text for name in NAMES)


# ---------------------------------------------------------------- without torch


def _loads(code: str, root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT,
        env={**os.environ, "COURSE": str(root), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


def test_torch_is_not_imported_by_the_grader(course: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    root, _ = course
    code = (
        "import sys\nfrom grader.cli import main\nmain(sys.argv[1:])\nprint({'torch', 'matplotlib'} & set(sys.modules))"
    )
    submission = root / "examples" / "submissions" / "k_means_solved.zip"
    assert _loads(code, root, "grade", str(submission), "--out", str(tmp_path / "out")) == "set()"


def test_torch_is_not_imported_by_the_sandbox_and_answers_get_arrays(here: Path, monkeypatch) -> None:
    monkeypatch.setattr("grader.sandbox.box.ZYGOTE", "grader.sandbox.zygote")  # those of `tests.machines` load torch
    source = "import sys\ndef assign(x, centres):\n    return float('torch' in sys.modules) + 2 * (type(x).__name__ != 'ndarray')"
    with Box(list(NAMES)) as box:
        (run,) = box.run(_job(source)).runs.values()
        assert run.status == "ran"
        assert run.values["labels"] == 0.0
        with suppress(FileNotFoundError, PermissionError):  # no /proc; or an ordinary user, who may not look there
            mapped = Path(f"/proc/{box.pid}/maps").read_text(encoding="utf-8", errors="replace")
            assert "torch" not in mapped


def _job(source: str) -> Job:
    from grader.rubric.draws import job_of
    from utils.assignments import load_assignment

    inputs = {"x": [[0.0]], "centres": [[0.0]]}
    import numpy as np

    call = Call(
        name="a#public0",
        task="k_means.step.assign",
        function="assign",
        inputs={n: np.array(v) for n, v in inputs.items()},
        is_public=True,
        wall_seconds=10.0,
    )
    return job_of(load_assignment(NAMES[1]), (CellSource(5, source, ("k_means.step.assign",)),), (call,))


# ---------------------------------------------------------------- what an answer can see of the course


def test_an_answer_sees_probes_and_declared_data_and_nothing_else(here: Path, tmp_path: Path, monkeypatch) -> None:
    root = tmp_path / "seen"
    shutil.copytree(here, root, ignore=shutil.ignore_patterns("dist", "results"))
    monkeypatch.setenv("COURSE", str(root))
    (root / "data").mkdir()
    for name in ("declared.csv", "other.csv"):
        (root / "data" / name).write_text("1,2\n", encoding="utf-8")
    manifest = root / "assignments" / "k_means" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["about"]["data"] = {"title": "points", "files": ["declared.csv"], "mend": "unpack", "bundled": True}
    manifest.write_text(json.dumps(content), encoding="utf-8")
    files = [str(path) for path in sorted(root.rglob("*")) if path.is_file()]
    assert len(files) > 20
    source = (
        "import numpy as np\n"
        f"FILES = {files!r}\n"
        "def readable(path):\n"
        "    try:\n"
        "        return float(bool(open(path, 'rb').read(1)))\n"
        "    except OSError:\n"
        "        return 0.0\n"
        "def assign(x, centres):\n"
        "    return np.array([readable(path) for path in FILES])\n"
    )
    with Box(list(NAMES)) as box:
        if box.tier in ("D", "E"):
            pytest.skip(f"tier {box.tier} keeps no file secret")
        (run,) = box.run(_job(source)).runs.values()
    seen = {str(Path(file).relative_to(root)) for file, flag in zip(files, run.values["labels"], strict=True) if flag}
    assert seen == {
        "assignments/k_means/probes.py",
        "assignments/linear_regression/probes.py",
        "data/declared.csv",
    }


# ---------------------------------------------------------------- bundles


def test_the_student_bundle_needs_no_torch_and_hands_in(course: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    root, _ = course
    with zipfile.ZipFile(root / "dist" / "student.zip") as archive:
        archive.extractall(tmp_path)
    home = tmp_path / "statistics"
    requirements = (home / "requirements.txt").read_text(encoding="utf-8")
    assert "numpy==" in requirements
    assert "jupyterlab==" in requirements
    assert not re.search("torch|matplotlib|pytest", requirements)
    assert "torch" not in (home / "README.md").read_text(encoding="utf-8").lower()
    shown = [path.name for path in home.glob("assignments/*/*")]
    assert set(shown) == {"manifest.json"}
    path = home / "notebooks" / "01_linear_regression.ipynb"
    command = [sys.executable, "-c", f"import sys; sys.path[:] = [{str(home)!r}] + [p for p in sys.path if 'packages' in p or 'lib' in p]\n"
               "from utils.submission.__main__ import main; main(['zip', 'notebooks/01_linear_regression.ipynb'])\n"
               "print({'torch'} & set(sys.modules))"]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE", str(root))
        path.write_text(nbformat.writes(solved_notebook(NAMES[0])), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "COURSE"}
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=300, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Every graded cell and every response has an answer." in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"
    handed_in = next((home / "notebooks").glob("*_submission.zip"))
    from grader.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE", str(root))
        assert main(["grade", str(handed_in), "--out", str(tmp_path / "out")]) == 0
    (results,) = (tmp_path / "out").glob("*/results.json")
    assert json.loads(results.read_text(encoding="utf-8"))["score"] == 5


def test_a_solved_notebook_runs_and_its_tests_pass(here: Path) -> None:
    from nbclient import NotebookClient

    for name in NAMES:
        notebook = solved_notebook(name)
        notebook.cells = notebook.cells[:-1]  # the hand-in has its own test
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(here / "notebooks")}})
        client.execute(env=os.environ | {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"})
        printed = "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))
        assert "passed" in printed
        assert "Data: this notebook makes its own." in printed
        assert "torch" not in printed


def test_gradescope_s_bundle_grades_without_torch(course: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    root, _ = course
    with zipfile.ZipFile(root / "dist" / "gradescope-02_k_means.zip") as archive:
        archive.extractall(tmp_path / "source")
        names = archive.namelist()
    assert not re.search("torch|matplotlib", (tmp_path / "source" / "requirements.txt").read_text(encoding="utf-8"))
    assert "assignments/k_means/references/values.npz" in names
    assert not [name for name in names if re.search(r"assignments/.*(notebook|slips|right|attacks)\.py", name)]
    bundle = tmp_path / "source" / "bundle.json"
    settings = json.loads(bundle.read_text(encoding="utf-8")) | {"min_tier": "E"}
    bundle.write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "submission").mkdir()
    (tmp_path / "results").mkdir()
    shutil.copy2(root / "examples" / "submissions" / "k_means_solved.zip", tmp_path / "submission")
    environment = {name: value for name, value in os.environ.items() if name != "COURSE"}
    code = (
        "import sys; sys.path.insert(0, '.')\nfrom grader.gradescope import main\nmain()\nprint('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path / "source",
        env={**environment, "AUTOGRADER_ROOT": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False"
    results = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == 6, results
