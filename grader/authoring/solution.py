"""The reference solution as names: what bundled weights, benchmarks and evidence are made with."""

from typing import Any

from grader.rubric.references import load_references
from utils.assignments import load_assignment


def solution_names(notebook: str) -> dict[str, Any]:
    """Run the import, given and solved autograded cells of a notebook; returns the names they define.

    Raises:
        FileNotFoundError: If its reference values, which hold the solution, have not been made.
    """
    names: dict[str, Any] = {"__name__": notebook}
    solved = (cell.source for cell in load_references(notebook).solution)
    for source in (*load_assignment(notebook).prelude, *solved):
        exec(compile(source, "<solution>", "exec"), names)
    return names
