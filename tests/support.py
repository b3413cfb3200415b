"""What several tests need: a solved notebook with some of its answers replaced, as the bytes a student hands in."""

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

import nbformat

from grader.records import Verdict
from tools.notebooks import solved_notebook
from utils.assignments import load_assignment
from utils.notebook.extraction import tag_line


def answers(notebook: str, replaced: Mapping[str, str | None] | None = None) -> bytes:
    """The solved notebook with other answers to some tasks.

    Args:
        notebook: Its name, e.g. "01_kl_divergence".
        replaced: Task to the source of its cell; the tag is put in front where the source has none. None: no such cell.

    Returns:
        The bytes of an .ipynb file; the same arguments give the same bytes.

    Raises:
        KeyError: If the notebook has no such task.
    """
    content = copy.deepcopy(_solved(notebook))
    tasks = {task.id: task for task in load_assignment(notebook).tasks}
    for task_id, source in (replaced or {}).items():
        tag = f"# AUTOGRADED ({tasks[task_id].points}) {tasks[task_id].word}"
        cell = next(cell for cell in content.cells if cell.cell_type == "code" and tag_line(cell.source) == tag)
        if source is None:
            content.cells.remove(cell)
        else:
            cell.source = source if tag_line(source) else f"{tag}\n{source}"
    return nbformat.writes(content).encode()


@cache
def _solved(notebook: str) -> nbformat.NotebookNode:
    return solved_notebook(notebook)


def one_verdict(**changes: Any) -> Verdict:
    """A check that passed with all of its 35 points, but for what is given."""
    plain = {"check": "kl.D_KL.values", "task": "kl.D_KL", "title": "a title", "number": "1.3", "status": "passed"}
    worth = {"points": 35, "max_points": 35, "sentence": "A sentence."}
    return Verdict(**(plain | worth | changes))
