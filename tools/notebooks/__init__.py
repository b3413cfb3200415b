"""Build the student notebooks and their manifests from `assignments/NAME/notebook.py`; `python -m tools.notebooks` writes them.

The conventions a source must keep are those of CONTRIBUTING.md; `tools.conventions` checks them.
"""

import base64
import ast
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from tools.conventions import ConventionError, find_violations
from tools.open_gaps import gap_name, keep_solutions, open_gaps
from tools.manifests import build_manifest
from tools.notebook_source import POINTS_TABLE, NotebookSource, SourceCell, read_source, source_names
from utils.assignments import KINDS, Assignment, Question, parse_assignment
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import shown, this_course
from utils.notebook.cell_code import defined_names
from utils.notebook.scaffold import marked
from utils.submission.findings import GO_FURTHER

_PICTURE = re.compile(r"!\[[^\]]*\]\((figures/\w+\.png)\)")
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def student_notebook(name: str) -> NotebookNode:
    """Build the student's version: solutions replaced, no outputs.

    Args:
        name: The notebook's name, e.g. "07_flows".

    Returns:
        The notebook, nbformat 4.5; the same source gives the same bytes.

    Raises:
        ConventionError: If the source breaks a convention.
        FileNotFoundError: If there is no such source.
    """
    source = _read_checked(name)
    return _render(source, lambda cell: open_gaps(cell, _gap_name(source, cell)))


def solved_notebook(name: str) -> NotebookNode:
    """Build the solved version: as the student's, with the answers in place; not executed.

    Raises:
        ConventionError: If the source breaks a convention.
        FileNotFoundError: If there is no such source.
    """
    return _render(_read_checked(name), keep_solutions)


def manifest(name: str) -> dict[str, Any]:
    """Build the manifest, the content of `manifest.json`.

    Raises:
        ConventionError: If the source breaks a convention.
        FileNotFoundError: If there is no such source.
    """
    return build_manifest(_read_checked(name))


def render_points_table(assignment: Assignment) -> str:
    """The questions with their points, as a Markdown table with totals."""
    rows = ["| | exercise | id | kind | points |", "|---|---|---|---|---:|"]
    for question in assignment.questions:
        rows.append(
            f"| {question.number} | {question.title} | `{question.id}` | {_kinds(question)} | {question.points or ''} |"
        )
    sums = {kind: sum(question.points_of(kind) for question in assignment.questions) for kind in KINDS}
    totals = ", ".join(f"{kind} {points}" for kind, points in sums.items() if points)
    return "\n".join([*rows, f"| | **total** | | {totals} | **{assignment.total_points}** |"])


def expected_files(name: str) -> dict[Path, bytes]:
    """What stands in the generated files of one notebook, by path: the notebook, its pictures and its manifest."""
    place = this_course().place(name)
    folder = place.course.root / "notebooks"
    pictures = sorted((place.path / "figures").glob("*.png"))
    described = json.dumps(manifest(name), indent=1, ensure_ascii=False) + "\n"
    return {
        folder / f"{name}.ipynb": as_text(student_notebook(name)).encode(),
        **{folder / "figures" / picture.name: picture.read_bytes() for picture in pictures},
        place.manifest: described.encode(),
    }


def _read_checked(name: str) -> NotebookSource:
    source = read_source(name)
    violations = find_violations(source)
    if violations:
        raise ConventionError(violations)
    return source


def _render(source: NotebookSource, render_cell: Callable[[SourceCell], str]) -> NotebookNode:
    table = render_points_table(parse_assignment(build_manifest(source)))
    student_texts = [open_gaps(cell, _gap_name(source, cell)) for cell in source.cells]
    notebook = v4.new_notebook(metadata=_METADATA)
    for cell, cell_id in zip(source.cells, _cell_ids(source.name, student_texts), strict=True):
        new = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
        text = render_cell(cell).replace(POINTS_TABLE, table)
        if cell.kind == "markdown":
            text = _embedded(text, source.name)
        own = marked(text) if cell.kind == "code" else {}
        notebook.cells.append(new(text, id=cell_id, metadata={**cell.metadata, **own}))
    nbformat.validate(notebook)
    return notebook


def _embedded(text: str, name: str) -> str:
    """A text with the pictures it names inside it: on Colab a notebook comes without its folder.

    The picture's bytes stand at the end, so that whoever opens the cell reads the text first.
    """
    pictures = {found: this_course().place(name).path / found for found in _PICTURE.findall(text)}
    encoded = {
        found: base64.b64encode(path.read_bytes()).decode("ascii") for found, path in pictures.items() if path.is_file()
    }
    for found in encoded:
        text = text.replace(f"]({found})", f"][{found}]")
    return "\n\n".join([text, *(f"[{found}]: data:image/png;base64,{data}" for found, data in encoded.items())])


def _cell_ids(name: str, texts: list[str]) -> list[str]:
    """An id that follows from the cell's text, so that an edit changes the ids of the edited cells alone."""
    seen: Counter[str] = Counter()
    ids = []
    for text in texts:
        seen[text] += 1
        ids.append(hashlib.sha256(f"{name}\n{seen[text]}\n{text}".encode()).hexdigest()[:12])
    return ids


def _gap_name(source: NotebookSource, cell: SourceCell) -> str:
    """What an open gap calls itself; above the first question it goes by the notebook."""
    if cell.first_line == GO_FURTHER:
        return f"go further, {defined_names(ast.parse(cell.text)).pop()}"
    question = source.question_above(cell)
    return gap_name(question, cell.tag[1]) if question else source.name


def _kinds(question: Question) -> str:
    if len(question.parts) == 1:
        return question.parts[0].kind
    return ", ".join(f"{part.kind} {part.points}" for part in question.parts)


def as_text(notebook: NotebookNode) -> str:
    """A notebook as its file holds it."""
    return nbformat.writes(notebook, version=4) + "\n"
