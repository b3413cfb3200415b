"""How to see that a gap is still open: the cell still holds the `raise` that the student was given."""

import ast


def count_gaps(tree: ast.AST) -> int:
    """Count the `raise NotImplementedError` in a parsed cell.

    Args:
        tree: The cell, parsed.

    Returns:
        How many there are, with or without a message, at any depth.
    """
    return sum(_is_gap(node) for node in ast.walk(tree))


def _is_gap(node: ast.AST) -> bool:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
