"""A made class as files, the way it is handed in."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from grader.similarity.answers import Answers
from tools.notebooks import student_notebook
from utils.assignments import load_assignment
from utils.notebook.extraction import tag_line


def notebook_bytes(student: Answers) -> bytes:
    """A student's notebook: the one they were given, with their answers in it; the tag stays the first line."""
    content = json.loads(_given(student.notebook))
    tasks = {f"# AUTOGRADED ({task.points}) {task.word}": task.id for task in load_assignment(student.notebook).tasks}
    for cell in content["cells"]:
        tag = tag_line(cell["source"]) if cell["cell_type"] == "code" else None
        task = tasks.get(tag or "")
        if task in student.code:
            source = student.code[task]
            cell["source"] = source if tag_line(source) else f"{tag}\n{source}"
    return json.dumps(content).encode()


@cache
def _given(notebook: str) -> str:
    content: dict[str, Any] = json.loads(nbformat.writes(student_notebook(notebook)))
    for cell in content["cells"]:
        if isinstance(cell["source"], list):
            cell["source"] = "".join(cell["source"])
    return json.dumps(content)


def write_class(students: tuple[Answers, ...], folder: Path) -> None:
    """One notebook a student, named after them."""
    folder.mkdir(parents=True, exist_ok=True)
    for student in students:
        (folder / f"{student.student.replace(' ', '_')}.ipynb").write_bytes(notebook_bytes(student))
