"""What an answer may not use: packages beyond the import cell's, and names the notebook rules out.

The standard library's harmless modules are fine anywhere: those that compute, or describe types and classes, and are no
door to files, other processes, the network, or to modules by their name.
"""

import ast
from collections.abc import Iterable

from utils.notebook.cell_code import parse

_HARMLESS = {
    # types and classes
    "__future__", "abc", "collections", "dataclasses", "enum", "numbers", "types", "typing",
    # functions and values
    "contextlib", "copy", "functools", "itertools", "operator", "weakref",
    # numbers
    "bisect", "cmath", "decimal", "fractions", "heapq", "math", "random", "statistics",
    # words, clocks, messages
    "calendar", "datetime", "json", "logging", "pprint", "re", "string", "textwrap", "time", "unicodedata", "warnings",
}  # fmt: skip

# Ways round the rule below: code from a string is code nobody has looked at.
_DYNAMIC = {"__import__", "exec", "eval", "compile"}


def forbidden_uses(tree: ast.Module, imports: Iterable[str], not_allowed: Iterable[str]) -> list[tuple[int, str]]:
    """Find imports and names that an answer may not use.

    Args:
        tree: The parsed cell.
        imports: Dotted names imported in the notebook's import cell; anything in the same packages may be imported,
            and so may the harmless modules of the standard library.
        not_allowed: Dotted names ruled out all the same, for example `torch.distributions`.

    Returns:
        (line, what) for each use, in the order of the lines; empty if the cell keeps the rules.
    """
    packages = _packages(imports) | _HARMLESS
    ruled_out = tuple(not_allowed)
    uses: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        uses += [(node.lineno, what) for what in _uses(node, packages, ruled_out)]  # type: ignore[attr-defined]
    return sorted(set(uses))


def harmless_imports(tree: ast.Module, imports: Iterable[str]) -> list[tuple[int, str]]:
    """Find imports of the standard library that an answer makes itself: allowed, and worth a remark.

    Args:
        tree: The parsed cell.
        imports: As for `forbidden_uses`.

    Returns:
        (line, module) for each, in the order of the lines.
    """
    extra = _HARMLESS - _packages(imports) - {"__future__"}
    found: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] in extra}
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in extra:
            found.add((node.lineno, node.module or ""))
    return sorted(found)


def said_of(source: str, imports: Iterable[str], not_allowed: Iterable[str]) -> tuple[str, str]:
    """What the rules say of an answer: what it must not do, and what is worth a remark; "" where there is nothing.

    Args:
        source: The code of its cell.
        imports: As for `forbidden_uses`.
        not_allowed: As for `forbidden_uses`.
    """
    tree = parse(source)[1]
    if not isinstance(tree, ast.Module):
        return "", ""
    if uses := forbidden_uses(tree, imports, not_allowed):
        line, what = uses[0]
        return f"line {line} uses `{what}`, which this notebook does not allow in an answer", ""
    return "", remark_on_imports(tree, imports)


def remark_on_imports(tree: ast.Module, imports: Iterable[str]) -> str:
    """What is said about imports that are allowed though the import cell does not hold them; "" where there are none."""
    modules = sorted({module for _, module in harmless_imports(tree, imports)})
    names = " and ".join(f"`{module}`" for module in modules)
    return f"imports {names} of the standard library, which is allowed" if modules else ""


def _packages(imports: Iterable[str]) -> set[str]:
    return {name.split(".")[0] for name in imports}


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
