"""The surface of an answer: the names, comments and lines a student chose, and the words of a response."""

import ast
import io
import re
import tokenize

from grader.similarity.structure import Fragments
from utils.notebook.cell_code import parse

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|\$[^$]{2,80}\$")
_RUN = 3  # words in a row
_LONGEST = 20_000  # characters of a text
_SHORTEST_LINE = 12
_MOST = 4_000


def surface(source: str) -> Fragments:
    """What is particular about how a cell is written, with the places where it stands.

    Args:
        source: The cell.

    Returns:
        `name:…`, `comment:…` and `line:…` with their spans.
    """
    code, tree = parse(source)
    found: Fragments = {}
    if isinstance(tree, ast.Module):
        for node in ast.walk(tree):
            name = _chosen_name(node)
            if name:
                found.setdefault(f"name:{name}", []).append(
                    (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0)  # type: ignore[attr-defined]
                )
    for number, line in enumerate(code.split("\n"), 1):
        bare = " ".join(line.split())
        if len(bare) >= _SHORTEST_LINE:
            width = len(line.encode("utf-8", "replace"))
            found.setdefault(f"line:{bare}", []).append((number, width - len(line.lstrip().encode()), number, width))
    for text, number, column in _comments(code):
        runs = _runs(text)
        for run in runs:
            found.setdefault(f"comment:{run}", []).append((number, column, number, column + len(text.encode())))
    return dict(list(found.items())[:_MOST])


def words(text: str) -> Fragments:
    """Runs of words of a response, with the places where they stand (line 1, characters of the text)."""
    found: Fragments = {}
    matches = list(_WORD.finditer(text[:_LONGEST]))
    for n in range(len(matches) - _RUN + 1):
        group = matches[n : n + _RUN]
        key = "words:" + " ".join(match[0].casefold() for match in group)
        found.setdefault(key, []).append((1, group[0].start(), 1, group[-1].end()))
    return found


def _chosen_name(node: ast.AST) -> str:
    """A name that an answer gives to something."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return node.attr
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    return node.arg if isinstance(node, ast.arg) else ""


def _comments(code: str) -> list[tuple[str, int, int]]:
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.STRING and token.string[:3] in ('"""', "'''"):
                found.append((token.string[:200], *token.start))
            if token.type == tokenize.COMMENT:
                found.append((token.string, *token.start))
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # what stood before the damage counts
    return found


def _runs(text: str) -> list[str]:
    found = [match[0].casefold() for match in _WORD.finditer(text)]
    if len(found) < _RUN:
        return [" ".join(found)] if found else []
    return [" ".join(found[n : n + _RUN]) for n in range(len(found) - _RUN + 1)]
