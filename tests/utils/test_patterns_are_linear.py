"""Every regular expression over a stranger's text takes time in proportion to it.

The patterns are taken from the sources, all of them, and each is tried on texts made from itself: the pattern's own characters,
one of its repeated pieces thirty thousand times, and an end that does not fit. Two unbounded neighbours that take the same
characters cost seconds there, a linear pattern milliseconds.
"""

import ast
import re
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

try:
    from re import _constants as constants  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_constants as constants
    import sre_parse as parser

PROJECT = Path(__file__).resolve().parents[2]
CALLS = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
LENGTH, SECONDS = 30_000, 0.25
ENDS = ("\x00", "\n\x00", "(", "é\x00", "")
# Given short texts alone: names of at most 255 characters (grader/platforms), our own files of slips.
SHORT = {"grader/platforms/layouts.py", "grader/platforms/hand_ins.py", "grader/authoring/slips.py"}


def patterns() -> Iterator[tuple[str, str, int, set[str]]]:
    """Where it stands, the pattern, its flags, the methods used; of an f-string what is written out, a word for what is put in."""
    for folder in ("utils", "grader"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            name = str(path.relative_to(PROJECT))
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if name in SHORT or not _is_call(node) or (text := _text(node.args[0])) is None:  # type: ignore[attr-defined]
                    continue
                flags = "|".join(
                    ast.unparse(n)
                    for n in [*node.args[1:], *(k.value for k in node.keywords)]  # type: ignore[attr-defined]
                    if "re." in ast.unparse(n)
                )
                yield f"{name}:{node.lineno}", text, eval(flags or "0", {"re": re}), _used_as(node, tree)  # type: ignore[attr-defined]


def _used_as(call: ast.Call, tree: ast.Module) -> set[str]:
    """The methods a pattern is used by: matching at one place is cheaper than searching at all."""
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr != "compile":
        return {call.func.attr}
    assigned = [n.targets[0] for n in tree.body if isinstance(n, ast.Assign) and n.value is call]
    name = ast.unparse(assigned[0]) if assigned else ""
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == name}
    return used & CALLS or {"match", "search"}


def _is_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS
        and isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and bool(node.args)
    )  # fmt: skip


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "9" for part in node.values)
    return None


def pumped(pattern: str, flags: int) -> Iterator[str]:
    """Texts made from a pattern: all up to one of its unbounded pieces once, this piece many times."""
    pieces = list(_pieces(parser.parse(pattern, flags)))
    for n, (_, is_unbounded) in enumerate(pieces):
        if is_unbounded:
            before = "".join(text for text, _ in pieces[:n])
            for unit in dict.fromkeys((pieces[n][0], before[-20:] + pieces[n][0], " ", "\n", "9")):
                for end in ENDS:
                    yield before + unit * (LENGTH // max(1, len(unit))) + end


def _pieces(tree) -> Iterator[tuple[str, bool]]:
    for op, value in tree:
        if op in (constants.MAX_REPEAT, constants.MIN_REPEAT) or str(op) == "POSSESSIVE_REPEAT":
            low, high, inner = value
            unit = "".join(text for text, _ in _pieces(inner))
            if high is constants.MAXREPEAT:
                yield unit, True
                yield from _pieces(inner)
            else:
                yield unit * max(1, low), False
        elif op is constants.SUBPATTERN:
            yield from _pieces(value[-1])
        elif op is constants.BRANCH:
            yield from max((list(_pieces(branch)) for branch in value[1]), key=len)
        elif op is constants.LITERAL:
            yield chr(value), False
        elif op is constants.NOT_LITERAL:
            yield "x" if value != ord("x") else "y", False
        elif op is constants.ANY:
            yield "x", False
        elif op is constants.IN:
            yield _one_of(value), False


def _one_of(members) -> str:
    for candidate in " x9\n\t;a<\"'{\\.-_(":
        if _contains(members, candidate):
            return candidate
    return "x"


def _contains(members, character: str) -> bool:
    negate, found = False, False
    categories = {"SPACE": str.isspace, "DIGIT": str.isdigit, "WORD": lambda c: c.isalnum() or c == "_"}
    for op, value in members:
        if op is constants.NEGATE:
            negate = True
        elif op is constants.LITERAL:
            found |= ord(character) == value
        elif op is constants.RANGE:
            found |= value[0] <= ord(character) <= value[1]
        elif op is constants.CATEGORY:
            name = str(value).removeprefix("CATEGORY_")
            found |= not categories[name[4:]](character) if name.startswith("NOT_") else categories[name](character)
    return found != negate


FOUND = list(patterns())


class _TooLong(BaseException):
    """Raised by the clock, inside the match."""


def is_linear(pattern: str, flags: int, methods: Iterable[str] = ("match",)) -> bool:
    compiled = re.compile(pattern, flags)
    anchored = {"match": compiled.match, "fullmatch": compiled.fullmatch}
    tried = {anchored.get(method, compiled.search) for method in methods}

    def stop(*_: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, stop)
    try:
        for text in dict.fromkeys(pumped(pattern, flags)):
            for match in tried:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                match(text)
        return True
    except _TooLong:
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def test_the_search_finds_patterns_and_a_quadratic_one():
    assert len(FOUND) > 40
    assert not is_linear(r"^\s*a\s*:?\s*b", 0)
    assert is_linear(r"^\s*a\s*(?::\s*)?b", 0)


@pytest.mark.parametrize(("where", "pattern", "flags", "methods"), FOUND, ids=[f"{f[0]} {f[1][:30]}" for f in FOUND])
def test_a_pattern_takes_time_in_proportion(where: str, pattern: str, flags: int, methods: set[str]):
    assert is_linear(pattern, flags, methods), where
