"""The reference solution as names: what bundled weights, benchmarks and evidence are made with."""

from typing import Any

from tools.gap_marks import keep_solutions
from tools.notebook_source import read_source


def solution_names(notebook: str) -> dict[str, Any]:
    """Run the import, given and solved autograded cells of a notebook's source; returns the names they define."""
    names: dict[str, Any] = {"__name__": notebook}
    for cell in read_source(notebook).cells:
        if cell.role in ("imports", "given", "autograded"):
            exec(keep_solutions(cell), names)
    return names
