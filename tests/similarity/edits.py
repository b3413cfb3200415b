"""Edits of an answer's code that leave what it does: what students choose by taste, and what somebody changes to hide a copy.

Each is a function (source, random) -> source. They work on Python's own syntax tree and text, know nothing of the measure,
and are not its rules turned round: what it makes alike was written down elsewhere. Answers that do not parse stay as they are.
"""

import ast
import builtins
import io
import keyword
import random
import re
import tokenize
from collections.abc import Callable

Edit = Callable[[str, random.Random], str]
TAG = "# AUTOGRADED"


def on_tree(change: Callable[[ast.Module, random.Random], None]) -> Edit:
    """An edit from a change of the tree; comments are lost, as with every tool that rewrites code."""

    def edit(source: str, chance: random.Random) -> str:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return source
        change(tree, chance)
        return ast.unparse(ast.fix_missing_locations(tree))

    return edit


# ---------------------------------------------------------------- names


def renamed(vocabulary: Callable[[random.Random], str], keep: frozenset[str]) -> Edit:
    """Every name that an answer itself gives gets another, `keep` and parameters aside."""

    def edit(source: str, chance: random.Random) -> str:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return source
        own = sorted(_given_names(tree) - keep - set(dir(builtins)))
        new: dict[str, str] = {}
        taken = set(re.findall(r"\w+", source))
        for name in own:
            candidate = vocabulary(chance)
            while candidate in taken or keyword.iskeyword(candidate):
                candidate = f"{candidate}{chance.randrange(2, 9)}"
            taken.add(candidate)
            new[name] = candidate
        return _with_names(source, new)

    return edit


def _given_names(tree: ast.AST) -> set[str]:
    names = set()
    parameters = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        ):
            names.add(node.attr)
    return names - parameters


def _with_names(source: str, new: dict[str, str]) -> str:
    """By tokens, so that comments and layout stay; keywords of calls are not names."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    lines = source.split("\n")
    depths = _depths(tokens)
    for n in range(len(tokens) - 1, -1, -1):
        token = tokens[n]
        if token.type != tokenize.NAME or token.string not in new:
            continue
        before = tokens[n - 1].string if n else ""
        after = tokens[n + 1].string if n + 1 < len(tokens) else ""
        if after == "=" and depths[n]:  # a keyword of a call
            continue
        is_attribute = before == "." and not (n > 1 and tokens[n - 2].string == "self")
        if is_attribute:
            continue
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new[token.string] + line[column + len(token.string) :]
    return "\n".join(lines)


def _depths(tokens: list[tokenize.TokenInfo]) -> list[int]:
    """How many brackets are open at each token."""
    depth, found = 0, []
    for token in tokens:
        depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
        found.append(depth)
    return found


# ---------------------------------------------------------------- order


@on_tree
def reordered(tree: ast.Module, chance: random.Random) -> None:
    """Independent neighbours change places; so do methods, keywords, and the sides of sums and products."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            _shuffle_neighbours(body, chance)
        if isinstance(node, ast.Call):
            chance.shuffle(node.keywords)
        if isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            rest = [part for part in node.body if part not in methods]
            chance.shuffle(methods)
            node.body = rest + methods
    swap_sides(tree, chance)


def swap_sides(tree: ast.Module, chance: random.Random) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult) and chance.random() < 0.7:
            node.left, node.right = node.right, node.left
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _MIRRORED:
            node.left, node.comparators = node.comparators[0], [node.left]
            node.ops = [_MIRRORED[type(node.ops[0])]()]


_MIRRORED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}


def _shuffle_neighbours(body: list[ast.stmt], chance: random.Random) -> None:
    for _ in range(2 * len(body)):
        n = chance.randrange(max(1, len(body) - 1))
        if n + 1 < len(body) and _independent(body[n], body[n + 1]):
            body[n], body[n + 1] = body[n + 1], body[n]


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    if not (isinstance(first, ast.Assign) and isinstance(second, ast.Assign)):
        return False
    written = [_names(target) for statement in (first, second) for target in statement.targets]
    read = [_names(first.value), _names(second.value)]
    return not (written[0] & (written[-1] | read[1]) or written[-1] & read[0])


def _names(node: ast.AST) -> set[str]:
    plain = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - {"self"}
    return plain | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


# ---------------------------------------------------------------- comments and layout


def commented(phrases: list[str], share: float) -> Edit:
    """Comments between the lines."""

    def edit(source: str, chance: random.Random) -> str:
        closed = _closed_lines(source)
        lines = []
        for number, line in enumerate(source.split("\n"), 1):
            bare = line.strip()
            if (
                number in closed
                and bare
                and not bare.startswith(("#", "else", "elif", "except"))
                and chance.random() < share
            ):
                indent = line[: len(line) - len(line.lstrip())]
                lines.append(f"{indent}# {chance.choice(phrases)}")
            lines.append(line)
        return "\n".join(lines)

    return edit


def _closed_lines(source: str) -> set[int]:
    """Lines that begin a statement: not inside brackets or a text of several lines."""
    try:
        return {node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)}
    except SyntaxError:
        return set()


def uncommented(source: str, chance: random.Random) -> str:
    """Without comments and docstrings; the tag stays."""
    tag = source.split("\n", 1)[0]
    bare = _without_docstrings(source, chance)
    return f"{tag}\n{bare}" if tag.startswith(TAG) else bare


@on_tree
def _without_docstrings(tree: ast.Module, chance: random.Random) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) and len(node.body) > 1:
            node.body = node.body[1:]


def spaced(source: str, chance: random.Random) -> str:
    """Blank lines here and there, and other spaces around operators, where brackets do not hang over lines."""
    lines = []
    for line in source.split("\n"):
        balanced = all(line.count(a) == line.count(b) for a, b in ("()", "[]", "{}", ('"""', '"')))
        if balanced and chance.random() < 0.4 and '"' not in line and "#" not in line:
            line = re.sub(r" ([*/]) ", r"\1", line) if chance.random() < 0.5 else line.replace(", ", ",")
        lines.append(line)
        if balanced and chance.random() < 0.1 and line.startswith("    ") and not line.rstrip().endswith(","):
            lines.append("")
    return "\n".join(lines)


# ---------------------------------------------------------------- structure


@on_tree
def loops_rewritten(tree: ast.Module, chance: random.Random) -> None:
    """`for` over a range counts by hand in a `while`, `for` over a sequence goes by number, comprehensions become loops."""
    for node in reversed(list(ast.walk(tree))):  # inner loops first
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                setattr(node, field, [new for statement in body for new in _loop_rewritten(statement, chance)])


def _loop_rewritten(statement: ast.stmt, chance: random.Random) -> list[ast.stmt]:
    comprehension = _comprehension(statement)
    if comprehension is not None:
        name = f"collected{chance.randrange(100)}"
        appended = f"{name}.append({ast.unparse(comprehension.elt)})"
        head = comprehension.generators[0]
        test = f"    if {ast.unparse(head.ifs[0])}:\n    " if head.ifs else ""
        loop = f"{name} = []\nfor {ast.unparse(head.target)} in {ast.unparse(head.iter)}:\n{test}    {appended}"
        rest = ast.unparse(statement).replace(ast.unparse(comprehension), name, 1)
        return _parsed(f"{loop}\n{rest}", statement)
    if not isinstance(statement, ast.For) or statement.orelse:
        return [statement]
    inner = "\n".join("    " + line for part in statement.body for line in ast.unparse(part).split("\n"))
    target, over = ast.unparse(statement.target), statement.iter
    counter = f"k{chance.randrange(100)}"
    if "continue" in inner:
        return [statement]
    if isinstance(over, ast.Call) and ast.unparse(over.func) == "range" and len(over.args) == 1:
        end = ast.unparse(over.args[0])
        use = f"    {target} = {counter}\n" if target != "_" else ""
        return _parsed(f"{counter} = 0\nwhile {counter} < {end}:\n{use}{inner}\n    {counter} += 1", statement)
    text = f"{counter} = iter({ast.unparse(over)})\nwhile True:\n    try:\n        {target} = next({counter})\n"
    return _parsed(f"{text}    except StopIteration:\n        break\n{inner}", statement)


def _comprehension(statement: ast.stmt) -> ast.ListComp | None:
    if not isinstance(statement, ast.Assign | ast.Return | ast.Expr):
        return None
    found = [node for node in ast.walk(statement) if isinstance(node, ast.ListComp) and len(node.generators) == 1]
    return found[0] if len(found) == 1 and len(found[0].generators[0].ifs) < 2 else None


def _parsed(text: str, fallback: ast.stmt) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except SyntaxError:
        return [fallback]


@on_tree
def lines_split(tree: ast.Module, chance: random.Random) -> None:
    """Calls inside a returned or assigned expression get a line and a name of their own."""
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                setattr(node, field, [new for statement in body for new in _split(statement, chance)])


def _split(statement: ast.stmt, chance: random.Random) -> list[ast.stmt]:
    if not isinstance(statement, ast.Assign | ast.Return) or statement.value is None:
        return [statement]
    before: list[ast.stmt] = []
    names = ["tmp", "val", "part", "res", "out_", "aux", "inner", "piece"]

    class Split(ast.NodeTransformer):
        def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
            return node

        visit_ListComp = visit_GeneratorExp = visit_DictComp = visit_Lambda  # type: ignore[assignment]

        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            if node is statement.value or chance.random() < 0.4 or any(isinstance(a, ast.Starred) for a in node.args):  # type: ignore[attr-defined]
                return node
            if ast.unparse(node).startswith("super("):
                return node
            name = f"{chance.choice(names)}{chance.randrange(100)}"
            before.append(ast.Assign([ast.Name(name, ast.Store())], node, lineno=0))
            return ast.Name(name, ast.Load())

    changed = Split().visit(statement)
    return [*before, changed]


@on_tree
def variables_inlined(tree: ast.Module, chance: random.Random) -> None:
    """A local variable that is assigned and used once disappears into its use."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for statement in list(function.body):
            if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
                continue
            name = statement.targets[0].id
            uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
            loads = [node for node in uses if isinstance(node.ctx, ast.Load)]
            position = function.body.index(statement)
            if len(uses) == 2 and len(loads) == 1 and position + 1 < len(function.body):
                value = statement.value

                class Inline(ast.NodeTransformer):
                    def visit_Name(self, node: ast.Name, load: ast.Name = loads[0], value: ast.expr = value) -> ast.AST:
                        return value if node is load else node

                function.body.remove(statement)
                Inline().visit(function)


DEAD = (
    "if False:\n    print('never')",
    "debug = None",
    "shapes = []",
    "assert True",
    "n_calls = 0\nn_calls += 1",
    "verbose = False\nif verbose:\n    print('here')",
    "unused = [k * 2 for k in range(3)]",
)


@on_tree
def dead_code(tree: ast.Module, chance: random.Random) -> None:
    """Lines that do nothing, at several places."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.For):
            for _ in range(chance.randrange(1, 3)):
                at = chance.randrange(len(node.body) + 1) if not isinstance(node.body[-1], ast.Return) else 0
                node.body[at:at] = ast.parse(chance.choice(DEAD)).body


sides_swapped = on_tree(swap_sides)


@on_tree
def helpers_made(tree: ast.Module, chance: random.Random) -> None:
    """What a function returns or assigns is worked out in a function of its own, which is given what it needs."""
    helpers: list[ast.stmt] = []
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        local = _given_names(function) | {argument.arg for argument in function.args.args}
        for statement in ast.walk(function):
            if not isinstance(statement, ast.Assign | ast.Return) or statement.value is None or chance.random() < 0.5:
                continue
            text = ast.unparse(statement.value)
            if not isinstance(statement.value, ast.BinOp | ast.Call) or "super" in text or len(text) < 12:
                continue
            used = sorted({node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)} & local)
            inner = {node.arg for node in ast.walk(statement.value) if isinstance(node, ast.arg)}
            name = f"helper{len(helpers)}"
            arguments = ", ".join(used)
            if inner & set(used):
                continue
            helpers += ast.parse(f"def {name}({arguments}):\n    return {text}").body
            statement.value = ast.parse(f"{name}({arguments})", mode="eval").body
    tree.body = helpers + tree.body


@on_tree
def operators_as_functions(tree: ast.Module, chance: random.Random) -> None:
    """`torch.add(a, b)` for `a + b`, and the like, at most places."""
    names = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}

    class Functions(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
            self.generic_visit(node)
            if type(node.op) not in names or chance.random() < 0.3:
                return node
            called = ast.parse(f"torch.{names[type(node.op)]}", mode="eval").body
            return ast.Call(called, [node.left, node.right], [])

    Functions().visit(tree)
