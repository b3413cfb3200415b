"""One cell's code as text: parsed as the notebook would run it, its names, and what it does whatever its spelling."""

import ast
import warnings

from utils.notebook.by_digest import by_digest, digest

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


@by_digest()
def normalised_code(source: str) -> str:
    """What a cell does, as a digest: comments, docstrings and spacing do not count. Empty if it does not parse."""
    return digest(text).hex() if (text := _unparsed(source)) else ""


def _unparsed(source: str) -> str:
    tree = parse(source)[1]
    if not isinstance(tree, ast.Module):
        return ""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    try:
        return ast.unparse(tree)
    except (RecursionError, ValueError):  # ten thousand terms, a number of ten thousand digits
        return ""
