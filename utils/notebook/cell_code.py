"""One cell's code as text: parsed as the notebook would run it, its names, and what it does whatever its spelling."""

import ast
import warnings

from utils.notebook.by_digest import by_digest, digest

_SAYS_NOTHING = ("ctx", "kind", "type_comment", "type_ignores")  # of a tree's fields: where a node stands says as much
MAX_CODE = 50_000  # characters of a cell that is parsed: what is longer holds data, not an answer


def parse(source: str) -> tuple[str, ast.Module | SyntaxError]:
    """Parse a cell's code the way the notebook would run it.

    Args:
        source: The text of the cell; IPython magics (`%`, `%%`, `!`, `?`) may stand in it.

    Returns:
        The code to compile, with magics blanked so that line numbers stay, and its tree or the error.
    """
    tree = _tree(source)
    if isinstance(tree, ast.Module):
        return source, tree
    if len(source) > MAX_CODE:
        return source, tree
    blanked = without_magics(source)
    mended = _tree(blanked)
    return (blanked, mended) if isinstance(mended, ast.Module) else (blanked, tree if blanked == source else mended)


def _tree(source: str) -> ast.Module | SyntaxError:
    if len(source) > MAX_CODE:
        return SyntaxError(f"the cell has more than {MAX_CODE:,} characters", ("", 1, 0, ""))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a backslash in a string: the student's to see, not the grader's
            return ast.parse(source)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):  # a null byte; ten thousand brackets
        return SyntaxError("the cell cannot be read as Python", ("", 1, 0, ""))


def without_magics(source: str) -> str:
    """The code with IPython's own lines blanked, so that the others keep their numbers."""
    return "\n".join("" if is_magic(line) else line for line in source.split("\n"))


def is_magic(line: str) -> bool:
    """Whether a line is IPython's and not Python's."""
    stripped = line.strip()
    return stripped.startswith(("%", "!", "?")) or (
        stripped.endswith("?") and stripped[:-1].replace(".", "_").isidentifier()
    )


def defined_names(tree: ast.Module) -> set[str]:
    """The names a cell defines at top level: functions, classes, and plain assignments such as `D_KL = lambda ...`."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def names_read(source: str) -> set[str]:
    """The names that a cell reads: those it calls, hands on or builds classes on, and none that a text mentions. Empty if it does not parse."""
    tree = parse(source)[1]
    if not isinstance(tree, ast.Module):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


@by_digest()
def normalised_code(source: str) -> str:
    """What a cell does, as a digest: comments, docstrings and spacing do not count. Empty if it does not parse.

    The same on every Python from 3.10 on: a notebook runs on one, and is graded on another.
    """
    tree = parse(source)[1]
    return digest(_spelled(_without_docstrings(tree))).hex() if isinstance(tree, ast.Module) else ""


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _spelled(tree: ast.AST) -> str:
    """A tree as text: each node's kind and fields, then what they hold. `ast.unparse` and `ast.dump` say it otherwise on each Python."""
    said: list[str] = []
    waiting: list[object] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.JoinedStr):
            one = ast.JoinedStr(_joined(one.values))
        if isinstance(one, ast.AST):
            fields = {
                name: value
                for name, value in ast.iter_fields(one)
                if name not in _SAYS_NOTHING and value is not None and value != []
            }
            said.append(f"{type(one).__name__}({','.join(fields)})")
            waiting += reversed(fields.values())
        elif isinstance(one, list):
            said.append(f"[{len(one)}]")
            waiting += reversed(one)
        else:  # hexadecimal, as a whole number of ten thousand digits has no decimal spelling
            said.append(hex(one) if type(one) is int else ascii(one))
    return "\n".join(said)


def _joined(pieces: list[ast.expr]) -> list[ast.expr]:
    """An f-string's pieces, those of plain text that stand side by side as one: how many there are changes with Python's version."""
    made: list[ast.expr] = []
    for piece in pieces:
        if isinstance(piece, ast.Constant) and made and isinstance(made[-1], ast.Constant):
            made[-1] = ast.Constant(str(made[-1].value) + str(piece.value))
        elif not isinstance(piece, ast.Constant) or piece.value:
            made.append(piece)
    return made
