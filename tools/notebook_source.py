"""A notebook's single source, `assignments/NAME/notebook.py`, as cells and questions.

Reading is lenient: what does not follow the conventions is read as plain text or code, and `tools.conventions` says so.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import jupytext

from utils.assignments import KINDS, Part
from utils.assignments.about import find_fault
from utils.assignments.course import parse_toml, wrong_key
from utils.assignments.places import CourseError, Place, shown, this_course

ROOT = Path(__file__).resolve().parent.parent

# Magics stay comments: a source is Python, and a comment that begins with a shell word must not become a command.
_FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

TAG = re.compile(r"# AUTOGRADED \((\d+)\) (\w+)")
HEADING = re.compile(r"#{2,4} (\d+(?:\.\d+)*) (\S.*)")
_PART = rf"(?:{'|'.join(KINDS)})(?: \d+)?"
QUESTION = re.compile(rf"\*\*`([\w.]+)`\*\*((?: · {_PART})+)")
QUESTION_LIKE = re.compile(r"\s*\*\*`[\w.]+`\*\*\s*·")
RESPONSE = "**RESPONSE:**"
POINTS_TABLE = "{{points_table}}"
NOT_ALLOWED = "# NOT ALLOWED:"
KINDS_IN_WORDS = ", ".join(KINDS)


@dataclass(frozen=True)
class SourceCell:
    """One cell of the source. `number` counts all cells from 1 and is the same in the student's notebook."""

    number: int
    kind: str  # "code" or "markdown"
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    line: int = field(default=0, compare=False)  # of the source, where the cell begins

    @property
    def first_line(self) -> str:
        return self.text.split("\n", 1)[0].rstrip()

    @property
    def role(self) -> str:
        """What the first line makes of the cell: setup, imports, given, autograded, test, code, response or text."""
        if self.kind != "code":
            return "response" if self.text.startswith(RESPONSE) else "text"
        words = {"# SETUP": "setup", "# IMPORTS": "imports", "# GIVEN": "given", "# TEST": "test"}
        if self.first_line.startswith("# AUTOGRADED"):
            return "autograded"
        return next((role for start, role in words.items() if re.match(rf"{start}\b", self.first_line)), "code")

    @property
    def tag(self) -> tuple[int, str]:
        """Points and word of an autograded cell; (0, "") where the tag is not in its form."""
        match = TAG.fullmatch(self.first_line)
        return (int(match[1]), match[2]) if match else (0, "")


@dataclass(frozen=True)
class SourceQuestion:
    """A heading with its `**`id`** · kind points` line, and the cells up to the next question."""

    id: str
    number: str
    title: str
    parts: tuple[Part, ...]
    heading: SourceCell
    cells: tuple[SourceCell, ...]

    def cells_of(self, role: str) -> list[SourceCell]:
        return [cell for cell in self.cells if cell.role == role]

    @property
    def auto_points(self) -> int:
        return sum(part.points for part in self.parts if part.kind == "auto")

    def task_id(self, cell: SourceCell) -> str:
        """The question's id, with the cell's word where the question has several autograded cells."""
        return f"{self.id}.{cell.tag[1]}" if len(self.cells_of("autograded")) > 1 else self.id


@dataclass(frozen=True)
class NotebookSource:
    """One source file, read."""

    name: str
    cells: tuple[SourceCell, ...]
    about: dict[str, Any] = field(default_factory=lambda: {"number": 0, "packages": []})  # the content of `about.toml`

    @property
    def path(self) -> Path:
        return this_course().place(self.name).path / "notebook.py"

    @property
    def title(self) -> str:
        return self.cells[0].first_line.removeprefix("# ") if self.cells else ""

    @cached_property
    def questions(self) -> tuple[SourceQuestion, ...]:
        starts = [i for i, cell in enumerate(self.cells) if find_question_line(cell)]
        ends = [*starts[1:], len(self.cells)]
        return tuple(
            _question(self.cells[start], self.cells[start + 1 : end]) for start, end in zip(starts, ends, strict=False)
        )

    def cells_of(self, role: str) -> list[SourceCell]:
        return [cell for cell in self.cells if cell.role == role]

    def question_above(self, cell: SourceCell) -> SourceQuestion | None:
        """The question a cell belongs to, if any."""
        return next((question for question in self.questions if cell in question.cells), None)


def source_names() -> list[str]:
    """The notebooks that have a source, in order."""
    return sorted(f"{read_about(place)['number']:02}_{place.folder}" for place in _with_source())


def _with_source() -> list[Place]:
    return [place for place in this_course().places() if (place.path / "notebook.py").is_file()]


def read_about(place: Place) -> dict[str, Any]:
    """What an assignment declares.

    Raises:
        CourseError: If `about.toml` is missing, or declares something that `utils.assignments.about` does not know.
    """
    path = place.path / "about.toml"
    if not path.is_file():
        raise CourseError(f"{shown(path)}, line 1: the file is missing; write `number = 1` and `packages = []`.")
    text = path.read_text(encoding="utf-8")
    declared = parse_toml(text, path)
    if fault := find_fault(declared):
        raise wrong_key(text, path, *fault)
    return declared


def read_source(name: str) -> NotebookSource:
    """Read the source of one notebook.

    Args:
        name: The notebook's name, e.g. "07_flows".

    Returns:
        Its cells and questions, not yet checked.

    Raises:
        FileNotFoundError: If there is no such source.
    """
    place = this_course().place(name)
    if name not in source_names():
        raise FileNotFoundError(f"No notebook source is called {name!r}; there are: {', '.join(source_names())}.")
    return replace(
        parse_source(name, (place.path / "notebook.py").read_text(encoding="utf-8")), about=read_about(place)
    )


@lru_cache(maxsize=16)
def parse_source(name: str, text: str) -> NotebookSource:
    """Read a source from its text."""
    notebook = jupytext.reads(text, fmt=_FORMAT)
    marks = [number for number, line in enumerate(text.split("\n"), 1) if re.match(r"# ?%%", line)]
    marks = [1] * (len(notebook.cells) - len(marks)) + marks  # what stands above the first mark is a cell too
    cells = [
        SourceCell(number, cell.cell_type, cell.source, _own_metadata(cell.metadata), line)
        for number, (cell, line) in enumerate(zip(notebook.cells, marks, strict=False), 1)
    ]
    return NotebookSource(name, tuple(cells))


def find_question_line(cell: SourceCell) -> tuple[int, re.Match[str]] | None:
    """Where in a text cell the line `**`id`** · kind points` stands, as (line index, match)."""
    if cell.role != "text":
        return None
    matches = ((index, QUESTION.fullmatch(line.rstrip())) for index, line in enumerate(cell.text.split("\n")))
    return next(((index, match) for index, match in matches if match), None)


def imported_modules(code: str) -> list[str]:
    """The dotted names of the modules that a piece of code imports, in order, each once."""
    names: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or ".")
    return list(dict.fromkeys(names))


def _question(heading: SourceCell, cells: tuple[SourceCell, ...]) -> SourceQuestion:
    index, match = find_question_line(heading) or (0, None)
    assert match is not None  # only cells with the line start a question
    above = HEADING.fullmatch(heading.text.split("\n")[index - 1].rstrip()) if index else None
    number, title = (above[1], above[2]) if above else ("", "")
    return SourceQuestion(
        id=match[1], number=number, title=title, parts=tuple(_parts(match[2])), heading=heading, cells=tuple(cells)
    )


def _parts(text: str) -> Iterator[Part]:
    for part in filter(None, text.split(" · ")):
        word, *points = part.split()
        kind = next(kind for kind in KINDS if kind == word)
        yield Part(kind, int(points[0]) if points else 0)


def _own_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != "lines_to_next_cell"}
