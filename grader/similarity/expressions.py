"""From Python's syntax tree to terms: one function a kind of expression."""

import ast
import math
from collections.abc import Callable

from grader.similarity import terms
from grader.similarity.spellings import DROPPED, LABELS, one_name
from grader.similarity.terms import Term

Names = dict[str, Term | None]  # what a name stands for; None: several things, or nobody knows
Emit = Callable[[Term, ast.AST], None]

_MODULES = frozenset(
    {"torch", "nn", "F", "np", "math", "functional", "distributions", "optim", "utils", "data", "init"}
)
_ALGEBRA: dict[str, Callable[..., Term]] = {
    "add": terms.add,
    "mul": terms.mul,
    "sub": lambda a, b: terms.add(a, terms.negative(b)),
    "div": lambda a, b: terms.mul(a, terms.power(b, terms.number(-1.0))),
    "neg": terms.negative,
    "pow": terms.power,
    "square": lambda a: terms.power(a, terms.number(2.0)),
    "sqrt": lambda a: terms.power(a, terms.number(0.5)),
}
_ARITY = {"add": 2, "mul": 2, "sub": 2, "div": 2, "neg": 1, "pow": 2, "square": 1, "sqrt": 1}
_OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_TURNED = {ast.Gt: ast.Lt, ast.GtE: ast.LtE}


class Expressions:
    """Turns expressions into terms; `emit` is told every term with the place it stands at."""

    def __init__(self, names: Names, emit: Emit) -> None:
        self.names = names
        self.emit = emit

    def read(self, node: ast.AST | None) -> Term:
        if node is None:
            return terms.leaf("none")
        method = getattr(self, f"_{type(node).__name__.lower()}", self._other)
        term = method(node)
        if not term.is_name:
            self.emit(term, node)
        return term

    def bind(self, name: str, value: Term | None) -> None:
        self.names[name] = value

    def _constant(self, node: ast.Constant) -> Term:
        value = node.value
        if isinstance(value, bool) or value is None or value is Ellipsis:
            return terms.leaf(f"{value}".lower())
        if isinstance(value, int | float):
            try:
                return terms.number(float(value))
            except OverflowError:
                return terms.leaf("large")
        return terms.leaf("text:" + str(value)[:200])

    def _name(self, node: ast.Name) -> Term:
        if node.id in self.names:
            value = self.names[node.id]
            return terms.name("v", value.meant if value else None)
        return terms.leaf(node.id)

    def _attribute(self, node: ast.Attribute) -> Term:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            key = f"self.{node.attr}"
            value = self.names.get(key)
            return terms.name("a", value.meant) if value else terms.leaf(key)
        if _is_module(node.value, self.names):
            return terms.number(math.pi) if node.attr == "pi" else terms.leaf(one_name(node.attr))
        return terms.call(one_name(node.attr), [self.read(node.value)])

    def _call(self, node: ast.Call) -> Term:
        operation, parts = self._callee(node.func)
        labels = [""] * len(parts)
        for argument in node.args:
            parts.append(self.read(argument))
            labels.append("")
        for keyword in sorted(node.keywords, key=lambda keyword: keyword.arg or ""):
            label = LABELS.get(keyword.arg or "", keyword.arg or "**")
            value = self.read(keyword.value)
            is_switch = value.operation in ("true", "false", "none") or value.operation.startswith("text:")
            parts.append(terms.leaf(f"{label}:{value.operation}") if is_switch else value)
            labels.append(label)
        if operation in DROPPED and len(parts) == 1:
            return parts[0] if not parts[0].is_name else terms.name("v", parts[0].meant)
        if operation in _ALGEBRA and len(parts) == _ARITY[operation]:
            return _ALGEBRA[operation](*parts)
        if operation == "len" and len(parts) == 1:
            return terms.call("item", [terms.call("shape", parts), terms.number(0.0)])
        if operation == "shape" and len(parts) == 2:
            return terms.call("item", [terms.call("shape", parts[:1]), parts[1]])
        if operation == "apply" and parts and parts[0].meant.operation in _LAYERS:
            layer = parts[0].meant
            return terms.call(layer.operation, [*layer.parts, *parts[1:]])
        return terms.call(operation, parts, labels)

    def _callee(self, function: ast.expr) -> tuple[str, list[Term]]:
        """What is called, and the object it is a method of."""
        if isinstance(function, ast.Attribute):
            is_own = isinstance(function.value, ast.Name) and function.value.id == "self"
            if is_own and f"self.{function.attr}" in self.names:
                return "apply", [self._attribute(function)]
            if _is_module(function.value, self.names):
                return one_name(function.attr), []
            return one_name(function.attr), [self.read(function.value)]
        if isinstance(function, ast.Name) and function.id not in self.names:
            return one_name(function.id), []
        return "apply", [self.read(function)]

    def _binop(self, node: ast.BinOp) -> Term:
        left, right = self.read(node.left), self.read(node.right)
        operation = _OPERATORS.get(type(node.op))
        if operation:
            return _ALGEBRA[operation](left, right)
        return terms.call(type(node.op).__name__.lower(), [left, right])

    def _unaryop(self, node: ast.UnaryOp) -> Term:
        operand = self.read(node.operand)
        if isinstance(node.op, ast.USub):
            return terms.negative(operand)
        return operand if isinstance(node.op, ast.UAdd) else terms.call("not", [operand])

    def _compare(self, node: ast.Compare) -> Term:
        parts = [self.read(part) for part in (node.left, *node.comparators)]
        kinds: list[type] = [type(operator) for operator in node.ops]
        if len(kinds) == 1 and kinds[0] in _TURNED:
            kinds, parts = [_TURNED[kinds[0]]], parts[::-1]
        return terms.call("compare " + " ".join(kind.__name__ for kind in kinds), parts)

    def _boolop(self, node: ast.BoolOp) -> Term:
        parts = tuple(self.read(value) for value in node.values)
        return Term(type(node.op).__name__.lower(), parts, is_unordered=True)

    def _ifexp(self, node: ast.IfExp) -> Term:
        return terms.call("if", [self.read(node.test), self.read(node.body), self.read(node.orelse)])

    def _subscript(self, node: ast.Subscript) -> Term:
        return terms.call("item", [self.read(node.value), self.read(node.slice)])

    def _slice(self, node: ast.Slice) -> Term:
        return terms.call("slice", [self.read(part) for part in (node.lower, node.upper, node.step)])

    def _tuple(self, node: ast.Tuple | ast.List) -> Term:
        return terms.call("sequence", [self.read(part) for part in node.elts])

    _list = _tuple

    def _set(self, node: ast.Set) -> Term:
        return Term("set", tuple(self.read(part) for part in node.elts), is_unordered=True)

    def _dict(self, node: ast.Dict) -> Term:
        pairs = [
            terms.call("pair", [self.read(key), self.read(value)])
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        return Term("dict", tuple(pairs), is_unordered=True)

    def _starred(self, node: ast.Starred) -> Term:
        return self.read(node.value)

    def _await(self, node: ast.Await) -> Term:
        return self.read(node.value)

    def _namedexpr(self, node: ast.NamedExpr) -> Term:
        value = self.read(node.value)
        self.bind(node.target.id, value)
        return value

    def _lambda(self, node: ast.Lambda) -> Term:
        inner = Expressions({**self.names, **parameters(node.args)}, self.emit)
        return terms.call("function", [inner.read(node.body)])

    def _listcomp(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Term:
        inner = self._within(node.generators)
        return terms.call("each", [inner.read(node.elt)])

    _generatorexp = _setcomp = _listcomp

    def _dictcomp(self, node: ast.DictComp) -> Term:
        inner = self._within(node.generators)
        return terms.call("each", [inner.read(node.key), inner.read(node.value)])

    def _within(self, generators: list[ast.comprehension]) -> "Expressions":
        inner = Expressions(dict(self.names), self.emit)
        for generator in generators:
            inner.emit(terms.call("loop", [inner.read(generator.iter)]), generator.iter)
            for name in assigned(generator.target):
                inner.bind(name, None)
            for test in generator.ifs:
                inner.emit(terms.call("if", [inner.read(test)]), test)
        return inner

    def _joinedstr(self, node: ast.JoinedStr) -> Term:
        return terms.call(
            "text", [self.read(value.value) for value in node.values if isinstance(value, ast.FormattedValue)]
        )

    def _other(self, node: ast.AST) -> Term:
        parts = [self.read(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return terms.call(type(node).__name__.lower(), parts)


_LAYERS = frozenset(
    {"relu", "sigmoid", "tanh", "flatten", "binary_cross_entropy", "mse_loss", "leaky_relu", "softplus"}
)


def _is_module(node: ast.expr, names: Names) -> bool:
    """`torch`, `nn`, `torch.nn.functional`: where a function is taken from says nothing."""
    if isinstance(node, ast.Attribute):
        return node.attr in _MODULES and _is_module(node.value, names)
    return isinstance(node, ast.Name) and node.id in _MODULES and node.id not in names


def parameters(arguments: ast.arguments) -> Names:
    """A function's parameters, told apart by their place alone."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    places = [argument.arg for argument in every if argument.arg != "self"]
    names: Names = {name: terms.leaf(f"parameter {n}") for n, name in enumerate(places)}
    return names | {extra.arg: None for extra in (arguments.vararg, arguments.kwarg) if extra}


def assigned(target: ast.AST) -> list[str]:
    """The names that an assignment to a target gives another value, attributes of `self` as `self.name`."""
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
        return [f"self.{target.attr}"]
    if isinstance(target, ast.Tuple | ast.List):
        return [name for part in target.elts for name in assigned(part)]
    return assigned(target.value) if isinstance(target, ast.Starred) else []
