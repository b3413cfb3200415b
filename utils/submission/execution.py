"""Whether the cells of the file ran, in their order, without errors: what a person who reads the notebook will see."""

import re
from collections.abc import Sequence

from utils.exercise.said import OF_OURS
from utils.notebook.cells import Cell, Notebook
from utils.submission.findings import is_hand_in, name_cells

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_AGAIN = "Restart the kernel, run all cells, save"


def find_execution_warnings(notebook: Notebook) -> list[str]:
    """Find cells that did not run, ran out of order, stopped with an error, or ran in short form.

    Args:
        notebook: The notebook as read. The cell that hands in is left out: it is still running.

    Returns:
        At most one sentence each.
    """
    cells = code_cells(notebook)
    return [*_not_run(cells), *_out_of_order(cells), *_stopped(cells), *_short_runs(cells), *_of_ours(cells)]


def code_cells(notebook: Notebook) -> list[Cell]:
    """The code cells with something in them, but for the one that hands in."""
    return [
        cell for cell in notebook.cells if cell.kind == "code" and cell.source.strip() and not is_hand_in(cell.source)
    ]


def _not_run(cells: Sequence[Cell]) -> list[str]:
    waiting = [cell.number for cell in cells if cell.execution_count is None]
    if not waiting:
        return []
    if len(waiting) == len(cells):
        return [f"No cell has been run, so the file shows no results. {_AGAIN}."]
    have = "has" if len(waiting) == 1 else "have"
    return [f"{name_cells(waiting).capitalize()} {have} not been run, or not since they were changed. {_AGAIN}."]


def _out_of_order(cells: Sequence[Cell]) -> list[str]:
    order = [(cell.number, cell.execution_count) for cell in cells if cell.execution_count is not None]
    counts = [count for _, count in order]
    early = [number for at, (number, count) in enumerate(order) if count < max(counts[:at], default=0)]
    late = [number for at, (number, count) in enumerate(order) if count > min(counts[at:])]
    if not early:
        return []
    told = (
        f"{name_cells(late)} ran after a cell below"
        if len(late) <= len(early)
        else f"{name_cells(early)} ran before a cell above"
    )
    return [f"{told.capitalize()}: a fresh run may give something else. {_AGAIN}."]


def _stopped(cells: Sequence[Cell]) -> list[str]:
    errors = [
        (cell.number, output) for cell in cells for output in cell.outputs if output.get("output_type") == "error"
    ]
    if not errors:
        return []
    numbers = sorted({number for number, _ in errors})
    first = f"{errors[0][1].get('ename', 'error')}: {errors[0][1].get('evalue', '')}"
    said = (
        " ".join(_COLOURS.sub("", first).split()).encode("utf-8", "replace").decode()
    )  # JSON can spell half a character
    said = said if len(said) <= 150 else f"{said[:150]}…"
    which = f" in cell {numbers[0]}" if len(numbers) > 1 else ""
    return [f"{name_cells(numbers).capitalize()} stopped with an error{which and '; the first' + which}: {said}"]


def _short_runs(cells: Sequence[Cell]) -> list[str]:
    said = [str(output.get("text")) for cell in cells for output in cell.outputs if cell.source.startswith("# SETUP")]
    if not any("FAST=1: short runs" in text for text in said):
        return []
    return [f"The notebook ran with FAST=1, so its pictures are rougher. Start Jupyter without FAST. {_AGAIN}."]


def _of_ours(cells: Sequence[Cell]) -> list[str]:
    numbers = [cell.number for cell in cells if any(OF_OURS in str(output.get("text")) for output in cell.outputs)]
    if not numbers:
        return []
    show = "shows" if len(numbers) == 1 else "show"
    return [
        f"{name_cells(numbers).capitalize()} {show} weights of ours, which are not yours to hand in. "
        f"Set LOAD_OURS = False. {_AGAIN}."
    ]
