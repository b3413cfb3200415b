"""Pictures that a person who grades must see: drawn below a question of theirs, and in the file."""

import ast
import re
from collections.abc import Iterator

from utils.assignments import Assignment
from utils.notebook.cell_code import parse
from utils.notebook.cells import Cell, Notebook
from utils.notebook.extraction import tag_line
from utils.notebook.responses import questions_above
from utils.submission.execution import code_cells
from utils.submission.findings import name_cells

_DRAWS = re.compile(r"plot_\w+|vis_\w+|show_images|show|savefig")


def find_missing_figures(notebook: Notebook, assignment: Assignment) -> list[str]:
    """Find the cells that draw for a person's eye and show nothing in the file.

    Args:
        notebook: The notebook as read.
        assignment: Says which questions a person grades.

    Returns:
        One sentence a question, in the order of the questions.
    """
    above = questions_above(notebook, assignment, ends_with_part=True)
    missing: dict[str, list[int]] = {}
    cells = code_cells(notebook)
    if all(cell.execution_count is None for cell in cells):
        return []  # nothing ran, which is said elsewhere
    for cell in cells:
        if tag_line(cell.source) is None and _draws(cell) and not _shows_picture(cell):
            missing.setdefault(above.get(cell.number, ""), []).append(cell.number)
    return [
        f"{question.number} {question.id} is judged with its pictures, and {name_cells(missing[question.id])} "
        f"{'shows' if len(missing[question.id]) == 1 else 'show'} none. Run the notebook and save it."
        for question in assignment.questions
        if question.id in missing and question.points_of("manual") + question.points_of("quality")
    ]


def _draws(cell: Cell) -> bool:
    tree = parse(cell.source)[1]
    return isinstance(tree, ast.Module) and any(_DRAWS.fullmatch(name) for name in _called(tree))


def _called(tree: ast.AST) -> Iterator[str]:
    """The names a cell calls when it runs; what its functions would call is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from _called(node)


def _shows_picture(cell: Cell) -> bool:
    bundles = [output.get("data") for output in cell.outputs]
    return any(isinstance(data, dict) and any(kind.startswith("image/") for kind in data) for data in bundles)
