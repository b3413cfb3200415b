"""One change at a time to a syntax tree, of the kinds that usual slips are.

An operator, a term left out, a constant, an axis, a reduction, a sign, a comparison, the order of arguments, a call, keyword
or statement left out, one name for its twin (mu for logvar, real for fake). Signatures, f-strings and progress bars stay as
the notebook gives them.
"""

import ast
from collections.abc import Iterator

Changes = Iterator[tuple[str, ast.AST]]

_OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Div,
}  # fmt: skip
_COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_EXCLUSIVE = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)  # turned round by the comparison's own mutant
_FUNCTIONS = {
    "mean": "sum", "sum": "mean", "max": "min", "min": "max", "amax": "amin", "argmax": "argmin", "std": "var",
    "eval": "train", "train": "eval", "randn": "rand", "rand": "randn", "randn_like": "rand_like", "zeros": "ones",
    "zeros_": "ones_", "normal_": "uniform_", "ones": "zeros", "zeros_like": "ones_like", "ones_like": "zeros_like",
    "full": "zeros", "log": "exp", "exp": "log", "ceil": "floor", "floor": "ceil", "sigmoid": "tanh", "Sigmoid": "Tanh",
    "MSELoss": "L1Loss", "mse_loss": "l1_loss", "BCEWithLogitsLoss": "BCELoss", "BCELoss": "MSELoss",
    "binary_cross_entropy": "mse_loss", "binary_cross_entropy_with_logits": "binary_cross_entropy", "Adam": "SGD",
    "inference_mode": "enable_grad", "no_grad": "enable_grad", "unsqueeze": "squeeze", "ReLU": "Identity",
    "LeakyReLU": "Identity", "BatchNorm2d": "InstanceNorm2d", "expand": "reshape", "all": "any", "any": "all",
}  # fmt: skip
_TWINS = (
    ("mu", "logvar"), ("mu", "log_var"), ("mu", "log_sigma"), ("_q", "_p"), ("1", "2"), ("encoder", "decoder"),
    ("generator", "discriminator"), ("real", "fake"), ("rec", "prior"), ("rec", "kl"), ("x", "x_hat"), ("y", "y_hat"),
    ("x", "y"), ("x", "z"), ("samples", "codes"),
)  # fmt: skip
_MODULES = {"torch", "nn", "F", "math", "np", "optim", "self", "init", "functional"}
_LEFT_ALONE = (ast.JoinedStr, ast.arguments)
_BAR = "tqdm"
_KEPT_CALLS = {"len", "range", "zip", "enumerate", "isinstance", "super", "list", "tuple", "dict", "sorted", _BAR}


def changed_sources(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every change to a tree, one at a time; the tree is afterwards as it was.

    Yields:
        The kind of the change and the source with it; several changes may give the same source, or the one there was.
    """
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for parent, field, value in _fields(tree):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            changes = _other_bodies(value, field == "body" and not isinstance(parent, ast.Module))
        elif isinstance(value, list):
            changes = _other_lists(parent, field, value, names)
        else:
            changes = ((kind, new) for kind, new in _other_nodes(value, parent, names))
        for kind, new in list(changes):
            setattr(parent, field, new)
            try:
                text = ast.unparse(tree)
                compile(text, "<mutant>", "exec", dont_inherit=True)
            except (SyntaxError, AttributeError):
                continue  # a place where the other node cannot stand
            finally:
                setattr(parent, field, value)
            yield kind, text


def _fields(node: ast.AST) -> Iterator[tuple[ast.AST, str, object]]:
    """Every field that holds a node or a list of nodes, outermost first.

    Signatures, f-strings and what a progress bar says are left alone: they are the notebook's, not the answer.
    """
    is_bar = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == _BAR
    for field, value in ast.iter_fields(node):
        if is_bar and field != "args":
            continue
        if isinstance(value, ast.AST) and not isinstance(value, _LEFT_ALONE):
            yield node, field, value
            yield from _fields(value)
        elif isinstance(value, list):
            yield node, field, value
            for child in value:
                if isinstance(child, ast.AST) and not isinstance(child, _LEFT_ALONE):
                    yield from _fields(child)


# ---------------------------------------------------------------- statements


def _other_bodies(body: list, is_block: bool) -> Iterator[tuple[str, list]]:
    bound: set[str] = set()
    for n, statement in enumerate(body):
        rest = body[:n] + body[n + 1 :]
        if is_block and _can_go(statement, bound):
            yield "statement left out", rest or [ast.Pass()]
        if isinstance(statement, ast.With):
            yield "context left out", body[:n] + statement.body + body[n + 1 :]
        following = body[n + 1] if n + 1 < len(body) else None
        if _is_call(statement) and following is not None and _is_call(following):
            yield "statements swapped", [*body[:n], following, statement, *body[n + 2 :]]
        bound |= {
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }


def _can_go(statement: ast.stmt, bound: set[str]) -> bool:
    """Whether the code can still mean something without it: not where a name would then be unknown."""
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
        return isinstance(target, ast.Subscript) or (isinstance(target, ast.Name) and target.id in bound)
    if isinstance(statement, ast.If):
        return not statement.orelse
    return _is_call(statement) or isinstance(statement, ast.AugAssign | ast.For | ast.Break | ast.Continue)


def _is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)


# ---------------------------------------------------------------- lists of expressions


def _other_lists(parent: ast.AST, field: str, items: list, names: set[str]) -> Iterator[tuple[str, list]]:
    for n, item in enumerate(items):
        if isinstance(item, ast.AST) and field not in (
            "keywords",
            "decorator_list",
            "targets",
            "generators",
            "handlers",
        ):
            for kind, new in _other_nodes(item, parent, names):
                yield kind, [*items[:n], new, *items[n + 1 :]]
    if field in ("keywords", "decorator_list") or (field in ("args", "elts") and _is_chain(parent)):
        what = {"keywords": "keyword", "decorator_list": "decorator"}.get(field, "element")
        for n in range(len(items)):
            yield f"{what} left out", items[:n] + items[n + 1 :]
    elif field == "args" and isinstance(parent, ast.Call) and len(items) > 1:
        yield "argument left out", items[:-1]
    is_ordered = (field == "args" and isinstance(parent, ast.Call)) or (
        field == "elts" and not isinstance(parent, ast.Set)
    )
    if is_ordered or (field == "values" and isinstance(parent, ast.Dict)):
        for n in range(len(items) - 1):
            yield "order", [*items[:n], items[n + 1], items[n], *items[n + 2 :]]


def _is_chain(parent: ast.AST) -> bool:
    """A list of layers, where one may be missing."""
    return isinstance(parent, ast.List) or (
        isinstance(parent, ast.Call) and ast.unparse(parent.func).endswith("Sequential")
    )


# ---------------------------------------------------------------- expressions


def _other_nodes(node: object, parent: ast.AST, names: set[str]) -> Changes:
    if isinstance(node, ast.BinOp):
        yield from _operations(node)
    elif isinstance(node, ast.UnaryOp):
        yield from _signs(node)
    elif isinstance(node, ast.Constant):
        yield from (("constant", ast.Constant(value)) for value in _other_values(node.value))
    elif isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "comparison", ast.BoolOp(other, node.values)
    elif isinstance(node, ast.Call):
        yield from _calls(node, parent)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield "index left out", node.value
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield from _twins(node, names)
    if isinstance(parent, ast.Return) and isinstance(node, ast.BinOp | ast.Call):
        yield "sign", ast.UnaryOp(ast.USub(), node)
    if isinstance(parent, ast.If | ast.IfExp) and node is parent.test and not _is_turned(node):
        yield "comparison", ast.UnaryOp(ast.Not(), node)


def _operations(node: ast.BinOp) -> Changes:
    if type(node.op) in _OPERATORS:
        yield "operator", ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    yield "operand left out", node.left
    if isinstance(node.op, ast.Add | ast.Mult | ast.MatMult):
        yield "operand left out", node.right
    elif isinstance(node.op, ast.Sub):
        yield "operand left out", ast.UnaryOp(ast.USub(), node.right)


def _signs(node: ast.UnaryOp) -> Changes:
    yield "sign", node.operand
    if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant) and node.operand.value == 1:
        yield "constant", ast.Constant(0)  # an axis: the first for the last


def _other_values(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return {0: [1], 1: [0, 2]}.get(value, [value + 1])
    if isinstance(value, float):
        return [2 * value] if value else [1.0]
    return {"mean": ["sum"], "sum": ["mean"]}.get(value, []) if isinstance(value, str) else []


def _comparisons(node: ast.Compare) -> Changes:
    for n, operator in enumerate(node.ops):
        for other in _COMPARISONS.get(type(operator), ()):
            yield "comparison", ast.Compare(node.left, [*node.ops[:n], other(), *node.ops[n + 1 :]], node.comparators)


def _is_turned(node: object) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return True
    return isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], _EXCLUSIVE)


def _calls(node: ast.Call, parent: ast.AST) -> Changes:
    if isinstance(parent, ast.Expr):
        return  # leaving out the statement is a mutant of its own
    function = node.func
    is_method = isinstance(function, ast.Attribute) and not (
        isinstance(function.value, ast.Name | ast.Attribute) and ast.unparse(function.value).split(".")[0] in _MODULES
    )
    word = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if word[:1].isupper() or word in _KEPT_CALLS:
        return
    if is_method and isinstance(function, ast.Attribute):
        yield "call left out", function.value
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield "call left out", node.args[0]


def _slices(node: ast.Slice) -> Changes:
    if node.lower is not None:
        yield "index", ast.Slice(None, node.upper, node.step)
    if node.upper is not None:
        yield "index", ast.Slice(node.lower, None, node.step)


def _twins(node: ast.Name | ast.Attribute, names: set[str]) -> Changes:
    word = node.id if isinstance(node, ast.Name) else node.attr
    others = {_FUNCTIONS[word]: "reduction" if word in ("mean", "sum") else "function"} if word in _FUNCTIONS else {}
    for pair in _TWINS:
        for one, two in (pair, pair[::-1]):
            other = two if word == one else word.replace(one, two) if len(one) > 1 or one.isdigit() else word
            if other != word and other in names:
                others.setdefault(other, "twin")
    for other, kind in others.items():
        yield (
            kind,
            ast.Name(other, node.ctx) if isinstance(node, ast.Name) else ast.Attribute(node.value, other, node.ctx),
        )
