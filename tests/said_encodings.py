"""Where text is read, written or piped without saying how it is encoded: there the locale decides, and it differs.

    python -m tests.said_encodings [--fix]

lists the places, or writes `encoding="utf-8"` into them. `make test` demands that there are none.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = ("grader", "utils", "tools", "tests", "assignments")
_ANSWERS = ("attacks.py", "right.py", "slips.py", "notebook.py")
_TEXT_METHODS = {"read_text": 0, "write_text": 1}  # how many arguments stand before the encoding
_PROCESSES = {"run", "Popen", "check_output", "check_call", "call"}


def python_files() -> list[Path]:
    """Every module of the project; answers are pieces of notebooks and none."""
    found = (path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))
    return sorted(path for path in found if path.parent.parent.name != "assignments" or path.name not in _ANSWERS)


def unsaid(source: str) -> list[ast.Call]:
    """The calls in a module that leave the encoding of text to the locale.

    Raises:
        SyntaxError: If it is no Python.
    """
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _leaves_it(node)]


def _leaves_it(call: ast.Call) -> bool:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in named or None in named:  # `**options` may hold it
        return False
    attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if attribute in _TEXT_METHODS:
        return len(call.args) <= _TEXT_METHODS[attribute]
    if attribute in _PROCESSES and _is_true(named.get("text") or named.get("universal_newlines")):
        return True
    is_function = isinstance(call.func, ast.Name) and call.func.id == "open"
    is_path = attribute == "open" and not _is_other(call.func.value)  # type: ignore[attr-defined]
    mode = named.get("mode") or (call.args[is_function] if len(call.args) > is_function else None)
    return (is_function or is_path) and _is_text(mode)


def _is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _is_text(mode: ast.expr | None) -> bool:
    """Whether a file opened so holds text. What is not written down as a mode is none: `archive.open(name)`."""
    return mode is None or (
        isinstance(mode, ast.Constant) and isinstance(mode.value, str) and set(mode.value) <= set("rwxat+")
    )


def _is_other(value: ast.expr) -> bool:
    """Whether what `open` is asked of is no path: modules, archives and courses have an `open` of their own."""
    name = getattr(value, "id", getattr(value, "attr", ""))
    return name in ("os", "Image", "webbrowser", "archive", "zipfile", "tarfile", "course")


def mended(source: str) -> str:
    """The module with `encoding="utf-8"` in all of them."""
    lines = source.encode().splitlines(keepends=True)
    for call in sorted(unsaid(source), key=lambda call: (call.end_lineno, call.end_col_offset), reverse=True):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        last = max(((one.end_lineno, one.end_col_offset) for one in given), default=None)
        line, end = last or (call.end_lineno, call.end_col_offset - 1)  # without arguments: in front of the bracket
        comma = b", " if last else b""
        lines[line - 1] = lines[line - 1][:end] + comma + b'encoding="utf-8"' + lines[line - 1][end:]
    return b"".join(lines).decode()


def findings() -> Iterator[str]:
    """File and line of each of them."""
    for path in python_files():
        for call in unsaid(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(PROJECT).as_posix()}:{call.lineno}: {ast.unparse(call.func)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true", help="mend them")
    if parser.parse_args().fix:
        for path in python_files():
            source = path.read_text(encoding="utf-8")
            if unsaid(source):
                path.write_text(mended(source), encoding="utf-8")
    found = list(findings())
    print("\n".join([*found, f"{len(found)} found."]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
