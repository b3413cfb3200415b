"""The manifest of a notebook: what `utils.assignments` reads, derived from the notebook's source and its `about.toml`."""

import ast
from typing import Any

from tools.notebook_source import NOT_ALLOWED, NotebookSource, SourceCell, SourceQuestion, imported_modules
from tools.open_gaps import gap_name, open_gaps
from tools.predictions import find_predictions
from utils.assignments import SCHEMA
from utils.assignments.gaps import count_gaps
from utils.exercise.points import name_of_test


def build_manifest(source: NotebookSource) -> dict[str, Any]:
    """Derive the manifest from a source that keeps the conventions.

    Args:
        source: The source.

    Returns:
        The content of `manifest.json`, in the schema `utils.assignments.parse_assignment` reads.
    """
    imports = source.cells_of("imports")[0].text
    return {
        "schema": SCHEMA,
        "notebook": source.name,
        "title": source.title,
        "about": source.about,
        "prelude": [imports, *(cell.text for cell in source.cells_of("given"))],
        "imports": imported_modules(imports),
        "not_allowed": _not_allowed(imports),
        "questions": [_question(question) for question in source.questions],
        "predictions": [
            {"id": one.id, "number": one.number, "question": one.question, "choices": one.choices, "right": one.right}
            for one in find_predictions(source)
        ],
    }


def _question(question: SourceQuestion) -> dict[str, Any]:
    return {
        "id": question.id,
        "number": question.number,
        "title": question.title,
        "parts": [{"kind": part.kind, "points": part.points} for part in question.parts],
        "tasks": [_task(question, cell, tests) for cell, tests in _with_tests(question)],
    }


def _with_tests(question: SourceQuestion) -> list[tuple[SourceCell, list[str]]]:
    """Each autograded cell with the names of the tests behind it, up to the next one."""
    found: list[tuple[SourceCell, list[str]]] = []
    for cell in question.cells:
        if cell.role == "autograded":
            found.append((cell, []))
        elif cell.role == "test" and found:
            found[-1][1].append(name_of_test(cell.text))
    return found


def _task(question: SourceQuestion, cell: SourceCell, tests: list[str]) -> dict[str, Any]:
    points, word = cell.tag
    untouched = open_gaps(cell, gap_name(question, word))
    definitions = ast.FunctionDef | ast.ClassDef
    return {
        "id": question.task_id(cell),
        "word": word,
        "points": points,
        "defines": [node.name for node in ast.parse(cell.text).body if isinstance(node, definitions)],
        "untouched_source": untouched,
        "gaps": count_gaps(ast.parse(untouched)),
        "tests": tests,
    }


def _not_allowed(imports: str) -> list[str]:
    lines = [line.removeprefix(NOT_ALLOWED) for line in imports.split("\n") if line.startswith(NOT_ALLOWED)]
    return [name.strip() for line in lines for name in line.split(",")]
