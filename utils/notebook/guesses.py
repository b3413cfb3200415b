"""What a student guessed before the experiments, read from the text of the notebook; nothing is run.

A guess is kept only where it is one of the letters that the assignment names: whatever else stands there is no guess, and
no text of a student's goes any further.
"""

import ast
from collections.abc import Iterator

from utils.assignments import Assignment
from utils.notebook.cell_code import parse
from utils.notebook.cells import Notebook

_LONGEST = 2_000  # characters of a cell that holds a guess: it is one line


def read_guesses(notebook: Notebook, assignment: Assignment) -> dict[str, str]:
    """The guesses of a hand-in.

    Args:
        notebook: The notebook as read.
        assignment: Its predictions.

    Returns:
        Prediction's id to the letter guessed, in the order of the assignment; those without a guess are left out. Where a
        prediction stands twice, the last that is a guess counts.
    """
    choices = {prediction.id: prediction.choices for prediction in assignment.predictions}
    found: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.kind == "code" and "predict" in cell.source[:_LONGEST] and len(cell.source) <= _LONGEST:
            for question, guess in _calls(cell.source):
                if guess in choices.get(question, {}):
                    found[question] = guess
    return {question: found[question] for question in choices if question in found}


def _calls(source: str) -> Iterator[tuple[str, str]]:
    tree = parse(source)[1]
    if not isinstance(tree, ast.Module):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "predict":
            given = dict(zip(("guess", "question"), node.args, strict=False))
            given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            guess, question = _text(given.get("guess")), _text(given.get("question"))
            if guess and question:
                yield question, guess.strip(" .()").upper()


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
