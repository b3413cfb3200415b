"""The structure of an answer: its fragments, whatever its names, order, comments and layout.

Statements are followed in order, and a name stands for what it was last assigned. Where that depends on the way the program
takes (loops, branches) it stands for nothing in particular.
"""

import ast
from collections.abc import Iterator, Sequence

from grader.similarity import terms
from grader.similarity.expressions import Expressions, assigned, parameters
from grader.similarity.terms import Term
from utils.notebook.cell_code import parse

Span = tuple[int, int, int, int]  # line from 1, column in UTF-8 bytes, and the same of the end
Fragments = dict[str, list[Span]]

_LEAST = 3  # operations and leaves of a fragment: below that everybody writes it
_MOST = 4_000  # fragments of a cell: what has more holds data


def structure(source: str) -> Fragments:
    """The fragments of a cell's code with the places where they stand.

    Args:
        source: The cell.

    Returns:
        Fragments by digest; none if the cell cannot be parsed or is nested too deep to be followed.
    """
    tree = parse(source)[1]
    if not isinstance(tree, ast.Module):
        return {}
    found: Fragments = {}

    def emit(term: Term, node: ast.AST) -> None:
        deep = term.deep  # at once, or a long chain of assignments would be followed in one go
        if term.size < _LEAST or len(found) >= _MOST:
            return
        span = _span(node)
        for key in (f"d{deep}", *(f"n{terms.digest(text)}" for text in term.near[2:])):
            places = found.setdefault(key, [])
            if span not in places:
                places.append(span)

    try:
        Statements({}, emit).run(tree.body)
    except RecursionError:
        return {}
    return found


class Statements(Expressions):
    """Follows statements in order."""

    def run(self, body: Sequence[ast.stmt]) -> None:
        for statement in sorted(body, key=_rank):  # functions first: a name may be used above its definition
            method = getattr(self, f"_do_{type(statement).__name__.lower()}", self._do_other)
            method(statement)

    def _do_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.emit(terms.call("with", [self.read(decorator)]), decorator)
        inner = Statements({**self.names, **parameters(node.args)}, self.emit)
        inner.run(_without_docstring(node.body))
        self.names |= {name: value for name, value in inner.names.items() if name.startswith("self.")}

    _do_asyncfunctiondef = _do_functiondef

    def _do_classdef(self, node: ast.ClassDef) -> None:
        inner = Statements(dict(self.names), self.emit)
        body = _without_docstring(node.body)
        made = [part for part in body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
        inner.run(made)  # what the object holds is known to every method
        for part in body:
            if part not in made:
                inner.run([part])

    def _do_assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign(target, node.value)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        pairs = _pairs(target, value)
        if pairs:
            read = [(place, self.read(part)) for place, part in pairs]
            for place, term in read:
                self._store(place, term)
            return
        self._store(target, self.read(value))

    def _store(self, target: ast.expr, term: Term) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for n, part in enumerate(target.elts):
                self._store(part, terms.call("item", [term, terms.number(float(n))]))
            return
        for name in assigned(target):
            self.bind(name, term)
        if isinstance(target, ast.Subscript):
            self.emit(terms.call("set", [self.read(target), term]), target)

    def _do_augassign(self, node: ast.AugAssign) -> None:
        same = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        self._store(node.target, self.read(same))

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, node.value)

    def _do_return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.emit(terms.call("return", [self.read(node.value)]), node.value)

    def _do_expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.read(node.value)

    def _do_for(self, node: ast.For | ast.AsyncFor) -> None:
        self.emit(terms.call("loop", [self.read(node.iter)]), node.iter)
        self._forget([node.target, *_targets(node.body)])
        self.run(node.body)
        self._forget(_targets(node.body))
        self.run(node.orelse)

    _do_asyncfor = _do_for

    def _do_while(self, node: ast.While) -> None:
        self._forget(_targets(node.body))
        self.emit(terms.call("loop", [self.read(node.test)]), node.test)
        self.run(node.body)
        self._forget(_targets(node.body))
        self.run(node.orelse)

    def _do_if(self, node: ast.If) -> None:
        self.emit(terms.call("if", [self.read(node.test)]), node.test)
        for branch in (node.body, node.orelse):
            inner = Statements(dict(self.names), self.emit)
            inner.run(branch)
        self._forget(_targets([node]))

    def _do_with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            term = self.read(item.context_expr)
            self.emit(terms.call("with", [term]), item.context_expr)
            if item.optional_vars is not None:
                self._store(item.optional_vars, term)
        self.run(node.body)

    _do_asyncwith = _do_with

    def _do_try(self, node: ast.Try) -> None:
        for branch in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.finalbody):
            inner = Statements(dict(self.names), self.emit)
            inner.run(branch)
        self._forget(_targets([node]))

    def _do_raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self.emit(terms.call("raise", [self.read(node.exc)]), node)

    def _do_assert(self, node: ast.Assert) -> None:
        self.emit(terms.call("assert", [self.read(node.test)]), node.test)

    def _do_other(self, node: ast.stmt) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.read(child)
            elif isinstance(child, ast.stmt):
                self.run([child])

    def _forget(self, targets: list[ast.expr]) -> None:
        for target in targets:
            for name in assigned(target):
                self.bind(name, None)


def _rank(statement: ast.stmt) -> bool:
    return not isinstance(statement, ast.FunctionDef | ast.ClassDef)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_text else body


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """`a, b = x, y` as two assignments; nothing where the sides do not match."""
    sides = (ast.Tuple, ast.List)
    if not (isinstance(target, sides) and isinstance(value, sides)) or len(target.elts) != len(value.elts):
        return []
    if any(isinstance(part, ast.Starred) for part in (*target.elts, *value.elts)):
        return []
    return list(zip(target.elts, value.elts, strict=True))


def _targets(body: list[ast.stmt]) -> list[ast.expr]:
    return list(_targets_in(body))


def _targets_in(body: list[ast.stmt]) -> Iterator[ast.expr]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign):
                yield from node.targets
            elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr | ast.For):
                yield node.target
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                yield node.optional_vars


def _span(node: ast.AST) -> Span:
    place = (getattr(node, key, 0) or 0 for key in ("lineno", "col_offset", "end_lineno", "end_col_offset"))
    line, column, end_line, end_column = place
    return line, column, end_line, end_column
