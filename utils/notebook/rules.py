"""What an answer may not use: packages beyond the import cell's, and names the notebook rules out."""

import ast
from collections.abc import Iterable

# Ways round the rule below: code from a string is code nobody has looked at.
_DYNAMIC = {"__import__", "exec", "eval", "compile"}


def forbidden_uses(tree: ast.Module, imports: Iterable[str], not_allowed: Iterable[str]) -> list[tuple[int, str]]:
    """Find imports and names that an answer may not use.

    Args:
        tree: The parsed cell.
        imports: Dotted names imported in the notebook's import cell; anything in the same packages may be imported.
        not_allowed: Dotted names ruled out all the same, for example `torch.distributions`.

    Returns:
        (line, what) for each use, in the order of the lines; empty if the cell keeps the rules.
    """
    packages = {name.split(".")[0] for name in imports} | {"__future__"}
    ruled_out = tuple(not_allowed)
    uses: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        uses += [(node.lineno, what) for what in _uses(node, packages, ruled_out)]  # type: ignore[attr-defined]
    return sorted(set(uses))


def _uses(node: ast.AST, packages: set[str], ruled_out: tuple[str, ...]) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"import {alias.name}" for alias in node.names if _is_ruled_out(alias.name, packages, ruled_out)]
    if isinstance(node, ast.ImportFrom):
        module = node.module or "."
        return [
            f"from {module} import {alias.name}"
            for alias in node.names
            if node.level or _is_ruled_out(module, packages, ruled_out) or f"{module}.{alias.name}" in ruled_out
        ]
    if isinstance(node, ast.Attribute):
        return [name for name in ruled_out if node.attr == name.split(".")[-1]]
    if isinstance(node, ast.Name):
        return [node.id] if node.id in _DYNAMIC else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        strings = {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
        return [name for name in ruled_out if name.split(".")[-1] in strings]
    return []


def _is_ruled_out(module: str, packages: set[str], ruled_out: tuple[str, ...]) -> bool:
    inside = any(module == name or module.startswith(f"{name}.") for name in ruled_out)
    return inside or module.split(".")[0] not in packages
