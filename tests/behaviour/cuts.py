"""Cuts: a cell with the gradient cut at one expression, at every expression there is."""

import ast
from collections.abc import Iterator

_LEFT_ALONE = (ast.JoinedStr, ast.arguments)
_NEVER = (ast.Constant, ast.JoinedStr, ast.Starred, ast.Slice, ast.Lambda)


def cut_sources(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Every expression of a function's body, one at a time, behind a helper that cuts its gradient.

    Yields:
        The function, the expression (numbered where it occurs several times), and the cell's source.
    """
    for where, function in _functions(tree):
        seen: dict[str, int] = {}
        for parent, field, index, node in list(_expressions(function)):
            text = ast.unparse(node)
            seen[text] = seen.get(text, 0) + 1
            cut = ast.Call(ast.Name("_cut", ast.Load()), [node], [])
            _put(parent, field, index, cut)
            try:
                source = ast.unparse(tree)
            finally:
                _put(parent, field, index, node)
            number = f" ({seen[text]})" if seen[text] > 1 else ""
            yield where, f"{text[:80]}{number}", source


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name != "__init__":
                    yield f"{node.name}.{inner.name}", inner


def _expressions(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    for statement in function.body:
        yield from _inside(statement)


def _inside(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    if _reads_no_values(node):
        return
    for field, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for n, child in enumerate(children):
            if not isinstance(child, ast.AST):
                continue
            if isinstance(child, ast.expr) and _may_hold_a_tensor(child, node, field):
                yield node, field, n if isinstance(value, list) else None, child
            if not isinstance(child, _LEFT_ALONE):
                yield from _inside(child)


def _reads_no_values(node: ast.AST) -> bool:
    """Places where a tensor gives its shape, type or device alone: no gradient passes there."""
    if isinstance(node, ast.Attribute):
        return node.attr in ("shape", "device", "dtype", "ndim")
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name.endswith("_like") or name in ("len", "size", "dim")
    return False


def _may_hold_a_tensor(node: ast.expr, parent: ast.AST, field: str) -> bool:
    if isinstance(node, _NEVER) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return False
    if isinstance(parent, ast.Call) and (
        field == "func" or ast.unparse(parent.func).endswith(("expand_as", "view_as"))
    ):
        return False
    if isinstance(parent, ast.Expr) or field in ("slice", "decorator_list", "returns", "annotation"):
        return False
    is_self = isinstance(node, ast.Name) and node.id in ("self", "torch", "nn", "F", "math", "np", "optim", "device")
    return not is_self


def _put(parent: ast.AST, field: str, index: int | None, node: ast.expr) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node
