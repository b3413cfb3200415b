"""What the same answers cost with nbgrader and with otter-grader, where they are installed, in the same run.

    OTHER_GRADERS=/path/to/python python -m tools.bench others

They may be installed in an environment of their own, with the packages that the first notebook imports: OTHER_GRADERS names its
Python. Each gets the notebook's import and given cells, the same answers, and the notebook's visible tests as its tests:
fewer questions than this grader asks, no inputs drawn for each submission, and no sandbox.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grader.authoring.measurement import Measurement, ratios
from tools.bench.cold import time_alone, time_class
from tools.bench.grading import submissions
from tools.bench.timing import seconds_of
from utils.assignments.places import PROJECT

VARIABLE = "OTHER_GRADERS"
_KEPT = ("# IMPORTS", "# GIVEN", "# AUTOGRADED", "# TEST")
_CASE = """>>> import contextlib, io
>>> with contextlib.redirect_stdout(io.StringIO()):
...     exec({source!r})
"""


@dataclass(frozen=True)
class Other:
    """Another grader: how an assignment is made for it, and how a class is graded."""

    name: str
    package: str
    prepare: Callable[[Path, NotebookNode], None]
    grade: Callable[[Path, dict[str, NotebookNode]], None]


def missing() -> str:
    """Which of them cannot be measured here, in a sentence; "" where both can."""
    absent = [other.name for other in OTHERS if not _is_installed(other)]
    return f"Not measured: {' and '.join(absent)}, not installed for {_python()} ({VARIABLE})." if absent else ""


def measure(count: int = 20, many: int = 300, rounds: int = 1) -> list[Measurement]:
    """Grade one hand-in, `count` and `many`, each from a cold start with two workers, and with the others one and `count`.

    Returns:
        How many times as long the others take; for `many`, at their rate for `count`.
    """
    others = [other for other in OTHERS if _is_installed(other)]
    if not others:
        return []
    alone, few, class_ = [], [], []
    theirs: dict[str, list[tuple[float, float]]] = {other.name: [] for other in others}
    for _ in range(rounds):
        alone.append(time_alone())
        few.append(time_class(count, 2)["wall_seconds"])
        class_.append(time_class(many, 2)["wall_seconds"])
        for other in others:
            theirs[other.name].append((time_other(other, 1), time_other(other, count)))
    found = []
    for name, times in theirs.items():
        theirs_few = [time for _, time in times]
        rate = [many / count * time for time in theirs_few]
        found += [
            Measurement(f"{name}: a submission, of {count}", tuple(time / count for time in theirs_few), "wall s"),
            ratios(f"{name} against this grader: one hand-in alone", [time for time, _ in times], alone),
            ratios(f"{name} against this grader: {count} hand-ins", theirs_few, few),
            ratios(f"{name}, at that rate, against this grader: {many} hand-ins", rate, class_),
        ]
    return found


def time_other(other: Other, count: int) -> float:
    """Wall seconds for a class with another grader; what an instructor does once beforehand is left out."""
    class_ = {student: _cells(data) for student, data in submissions(count)}
    with tempfile.TemporaryDirectory() as folder:
        other.prepare(Path(folder), class_["s00000"])  # whose answers are right
        return seconds_of(lambda: other.grade(Path(folder), class_))[0]


def _cells(data: bytes) -> NotebookNode:
    """A hand-in with what is needed to grade it alone, and no metadata."""
    cells = [cell for cell in nbformat.reads(data.decode(), as_version=4).cells if cell.source.startswith(_KEPT)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = [nbformat.v4.new_code_cell(cell.source) for cell in cells]
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number}"  # the same in every hand-in, as the instructor's version has it
    return nbformat.v4.new_notebook(cells=made, metadata=kernel)


def _python() -> str:
    return os.environ.get(VARIABLE) or sys.executable


def _is_installed(other: Other) -> bool:
    look = [_python(), "-c", f"import importlib.metadata as m; m.version({other.package!r})"]
    return subprocess.run(look, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _run(folder: Path, *command: str) -> None:
    programs = f"{Path(_python()).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # they start some by name
    own = {"PATH": programs, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [_python(), "-m", *command],
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")


# ---------------------------------------------------------------- nbgrader


def _prepare_nbgrader(folder: Path, right: NotebookNode) -> None:
    _write(folder / "source/ps1/hw.ipynb", _tagged(right))
    _run(folder, "nbgrader", "generate_assignment", "ps1")


def _grade_nbgrader(folder: Path, class_: dict[str, NotebookNode]) -> None:
    for student, notebook in class_.items():
        _write(folder / f"submitted/{student}/ps1/hw.ipynb", _tagged(notebook))
    _run(folder, "nbgrader", "autograde", "ps1")
    _run(folder, "nbgrader", "generate_feedback", "ps1")
    assert len(list(folder.glob("feedback/*/ps1/hw.html"))) == len(class_)


def _tagged(notebook: NotebookNode) -> NotebookNode:
    for number, cell in enumerate(notebook.cells):
        is_test, is_answer = (cell.source.startswith(tag) for tag in ("# TEST", "# AUTOGRADED"))
        if is_test or is_answer:
            kind = {"grade": is_test, "solution": is_answer, "locked": is_test, "task": False, "schema_version": 3}
            cell.metadata["nbgrader"] = {**kind, "grade_id": f"cell-{number}", **({"points": 1} if is_test else {})}
    return notebook


# ---------------------------------------------------------------- otter


def _prepare_otter(folder: Path, right: NotebookNode) -> None:
    (folder / "tests").mkdir()
    for number, cell in enumerate(cell for cell in right.cells if cell.source.startswith("# TEST")):
        case = {"code": _CASE.format(source=cell.source), "hidden": False, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": f"q{number}", "points": 1, "suites": [suite]}
        (folder / f"tests/q{number}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n", encoding="utf-8")
    _run(folder, "otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment")


def _grade_otter(folder: Path, class_: dict[str, NotebookNode]) -> None:
    for student, notebook in class_.items():
        notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith("# TEST")]
        (folder / student).mkdir()
        _write(folder / f"{student}.ipynb", notebook)
        _run(folder, "otter", "run", "-a", "autograder.zip", "-o", student, f"{student}.ipynb")
        assert json.loads((folder / student / "results.json").read_text(encoding="utf-8"))["tests"]


def _write(path: Path, notebook: NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")


OTHERS = (
    Other("nbgrader", "nbgrader", _prepare_nbgrader, _grade_nbgrader),
    Other("otter-grader", "otter-grader", _prepare_otter, _grade_otter),
)
