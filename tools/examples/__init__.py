"""The example class, from `examples/students/*.py`; `python -m tools.examples [--out DIR]` writes the files handed in.

A course without that folder gets a class made by rule from what its assignments hold anyway: of each notebook the solution,
the untouched one, every right answer, every slip, and a few damaged files.
"""

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grader.authoring.slips import Variant, load_slips, parse_variants
from tools.notebooks import solved_notebook, student_notebook
from utils.assignments import assignment_names, load_assignment
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import place_of, shown, this_course
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks

_DIRECTIVE = re.compile(r"^# (base|form|damage|expect|score|notebook): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """One student's file and the outcome it must have."""

    student: str
    notebook: str
    base: str
    form: str
    damages: tuple[str, ...]
    answers: tuple[Variant, ...]
    score: float | None
    expected: dict[str, tuple[str, str]]  # check -> status, slip


def load_example(path: Path) -> Example:
    """Read one student's description."""
    text = path.read_text(encoding="utf-8")
    head = text.partition("\n# %% ")[0]
    found: dict[str, list[str]] = {}
    for key, value in _DIRECTIVE.findall(head):
        found.setdefault(key, []).append(value.strip())
    expected = {
        words[0]: (words[1], words[2] if len(words) > 2 else "") for words in map(str.split, found.get("expect", []))
    }
    return Example(
        student=path.stem,
        notebook=found.get("notebook", assignment_names()[:1])[0],
        base=found.get("base", ["student"])[0],
        form=found.get("form", ["zip"])[0],
        damages=tuple(found.get("damage", [])),
        answers=parse_variants(text),
        score=float(found["score"][0]) if "score" in found else None,
        expected=expected,
    )


def load_examples() -> list[Example]:
    """The whole class, by name."""
    described = sorted((this_course().root / "examples" / "students").glob("*.py"))
    if described:
        return [load_example(path) for path in described]
    return [example for name in assignment_names() for example in by_rule(name)]


def by_rule(name: str) -> list[Example]:
    """A class for one notebook: right, wrong, untouched and damaged, ten where it has three slips and two right answers."""
    place, points = place_of(name), float(load_assignment(name).auto_points)
    right = parse_variants((place.path / "right.py").read_text(encoding="utf-8")) if place.has("right") else ()

    def example(what: str, base: str = "solved", answer: Variant | None = None, damage: str = "", score: float | None = None) -> Example:  # fmt: skip
        answers, damages = ((answer,) if answer else ()), ((damage,) if damage else ())
        return Example(
            student=f"{place.folder}_{what}",
            notebook=name,
            base=base,
            form="zip",
            damages=damages,
            answers=answers,
            score=score,
            expected={},
        )

    return [
        example("solved", score=points),
        example("untouched", base="student", score=0.0),
        *(example(f"right_{one.name}", answer=one, score=points) for one in right),
        *(example(f"slip_{one.name}", answer=one) for one in load_slips(name)),
        example("tags_dropped", damage="tags_dropped", score=points),
        example("cell_duplicated", damage="cell_duplicated"),
        example("truncated", damage="truncated"),
    ]


def build(example: Example) -> tuple[str, bytes]:
    """Make a student's file.

    Returns:
        Its name and its bytes; the same example gives the same bytes.
    """
    notebook = with_answers(example.notebook, example.answers, example.base)
    for damage in example.damages:
        if damage in _NOTEBOOK_DAMAGES:
            _NOTEBOOK_DAMAGES[damage](notebook)
    data = json.dumps(notebook, ensure_ascii=False, indent=1).encode()
    for damage in example.damages:
        if damage in _FILE_DAMAGES:
            data = _FILE_DAMAGES[damage](data)
    if "not_a_notebook" in example.damages:
        return f"{example.student}.zip", data
    if example.form == "notebook":
        return f"{example.student}.ipynb", data
    return f"{example.student}.zip", zipped({f"{example.notebook}.ipynb": data})


def with_answers(name: str, answers: tuple[Variant, ...], base: str = "solved") -> NotebookNode:
    """A notebook in which some tasks are answered another way.

    Args:
        name: The assignment.
        answers: Replaced cells; replacements apply to the solution's cell.
        base: "solved" or "student", for all other cells.

    Raises:
        ValueError: If an answer names a task that the notebook does not have, or a replacement does not apply.
    """
    notebook = solved_notebook(name) if base == "solved" else student_notebook(name)
    solutions = _cells_by_task(solved_notebook(name), name)
    positions = {task: number for task, (number, _) in _cells_by_task(notebook, name).items()}
    points = {task.id: (task.points, task.word) for task in load_assignment(name).tasks}
    for answer in answers:
        if answer.task not in positions:
            raise ValueError(f"{answer.name}: {name} has no task {answer.task}")
        source = answer.cell(solutions[answer.task][1])
        tag = "" if source.lstrip().startswith("#") else "# AUTOGRADED ({:g}) {}\n".format(*points[answer.task])
        notebook.cells[positions[answer.task] - 1].source = tag + source
    return notebook


def _cells_by_task(notebook: NotebookNode, name: str) -> dict[str, tuple[int, str]]:
    found = find_tasks(read_notebook(nbformat.writes(notebook).encode()), load_assignment(name)).found
    return {source.task: (source.cell, source.source) for source in found}


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip with fixed dates, so that the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# ---------------------------------------------------------------- what editors, disks and people do to a notebook


def _autograded(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.source.startswith("# AUTOGRADED")]


def _drop_tags(notebook: NotebookNode) -> None:
    for cell in _autograded(notebook):
        cell.source = cell.source.partition("\n")[2]


def _retype_tags(notebook: NotebookNode) -> None:
    for cell in _autograded(notebook):
        cell.source = "#autograded(5)\n" + cell.source.partition("\n")[2]


def _turn_into_markdown(notebook: NotebookNode) -> None:
    cell = _autograded(notebook)[0]
    cell.cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)


def _duplicate_cell(notebook: NotebookNode) -> None:
    cell = _autograded(notebook)[0]
    broken = nbformat.from_dict({**cell, "source": cell.source + "\n    return )"})
    notebook.cells.insert(notebook.cells.index(cell), nbformat.from_dict(cell))
    notebook.cells.append(broken)


def _truncate(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _become_pdf(data: bytes) -> bytes:
    return b"%PDF-1.7\n1 0 obj\n"


_NOTEBOOK_DAMAGES = {
    "tags_dropped": _drop_tags,
    "tags_retyped": _retype_tags,
    "cell_turned_into_markdown": _turn_into_markdown,
    "cell_duplicated": _duplicate_cell,
}
_FILE_DAMAGES = {"truncated": _truncate, "not_a_notebook": _become_pdf}
