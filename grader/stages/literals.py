"""Numbers written out where the notebook has a name for them: right where its text says so (`LITERALS` of the checks).

Training is watched on a small scale, so a probe gives NUM_EPOCHS and BATCH_SIZE other values. An answer that says 25 and
128 is run with the names in their place. Lines stay as they are, so that an error is still found in the student's own.
"""

import ast
from dataclasses import replace

from grader.records import CellSource, Reading
from grader.rubric import Rubric
from grader.sandbox.script import merge_cells
from utils.notebook.cell_code import parse


def cells_of(rubric: Rubric, reading: Reading) -> tuple[CellSource, ...]:
    """The cells of a submission that may run, in the notebook's order, with names for the numbers that have one."""
    return tuple(named(cell, rubric) for cell in merge_cells(reading.runnable))


def named(cell: CellSource, rubric: Rubric) -> CellSource:
    """A cell with names for its numbers, where its task allows them."""
    names = {number: name for task in cell.tasks for number, name in rubric.literals.get(task, {}).items()}
    return replace(cell, source=with_names(cell.source, names)) if names else cell


def with_names(source: str, names: dict[int, str]) -> str:
    """Code with names in place of whole numbers.

    Args:
        source: A cell.
        names: By number.
    """
    tree = parse(source)[1]
    if not isinstance(tree, ast.Module):
        return source
    numbers = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    lines = source.encode().split(b"\n")  # columns are counted in bytes
    for node in sorted(numbers, key=lambda node: node.col_offset, reverse=True):
        name = names.get(node.value) if type(node.value) is int else None
        if name is not None:
            line = lines[node.lineno - 1]
            lines[node.lineno - 1] = line[: node.col_offset] + name.encode() + line[node.end_col_offset :]
    return b"\n".join(lines).decode()
