"""Build the student notebooks and their manifests from `assignments/NAME/notebook.py`.

    python -m tools.notebooks [NAME ...]            write notebooks/NAME.ipynb and what belongs to it
    python -m tools.notebooks --check [NAME ...]    write nothing; say which of them are out of step
    python -m tools.notebooks --solved DIR          write the solved notebooks, not executed, to DIR

The conventions a source must keep are those of CONTRIBUTING.md; `tools.conventions` checks them.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from tools.conventions import ConventionError, find_violations
from tools.gap_marks import keep_solutions, open_gaps
from tools.manifests import build_manifest
from tools.notebook_source import POINTS_TABLE, NotebookSource, SourceCell, read_source, source_names
from utils.assignments import KINDS, Assignment, Question, parse_assignment
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import shown, this_course

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
        folder / f"{name}.ipynb": _to_text(student_notebook(name)).encode(),
        **{folder / "figures" / picture.name: picture.read_bytes() for picture in pictures},
        place.manifest: described.encode(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when all is well, 1 with one sentence a problem otherwise."""
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m tools.notebooks", description="Build the notebooks from their sources."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks to build; default: all")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is out of step")
    parser.add_argument("--solved", type=Path, metavar="DIR", help="write the solved notebooks to this folder")
    add_course_option(parser)
    options = parser.parse_args(arguments)
    problems: list[str] = []
    try:
        names = options.names or source_names()
    except ValueError as error:
        names, problems = [], [str(error)]
    for name in names:
        try:
            problems += _build(name, options.check, options.solved)
        except (ConventionError, FileNotFoundError, ValueError) as error:
            problems.append(str(error))
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


def _build(name: str, is_check: bool, solved_folder: Path | None) -> list[str]:
    files = (
        {solved_folder / f"{name}.ipynb": _to_text(solved_notebook(name)).encode()}
        if solved_folder
        else expected_files(name)
    )
    stale = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    if is_check:
        return [f"{shown(path)} is out of step with its source; run `make notebooks` and commit it." for path in stale]
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
        print(f"wrote {shown(path)}")
    return []


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
        notebook.cells.append(new(text, id=cell_id, metadata=dict(cell.metadata)))
    nbformat.validate(notebook)
    return notebook


def _cell_ids(name: str, texts: list[str]) -> list[str]:
    """An id that follows from the cell's text, so that an edit changes the ids of the edited cells alone."""
    seen: Counter[str] = Counter()
    ids = []
    for text in texts:
        seen[text] += 1
        ids.append(hashlib.sha256(f"{name}\n{seen[text]}\n{text}".encode()).hexdigest()[:12])
    return ids


def _gap_name(source: NotebookSource, cell: SourceCell) -> str:
    """What an open gap calls itself: the task's word, else the question it belongs to."""
    question = source.question_above(cell)
    return cell.tag[1] or (question.id if question else source.name)


def _kinds(question: Question) -> str:
    if len(question.parts) == 1:
        return question.parts[0].kind
    return ", ".join(f"{part.kind} {part.points}" for part in question.parts)


def _to_text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, version=4) + "\n"


if __name__ == "__main__":
    sys.exit(main())
