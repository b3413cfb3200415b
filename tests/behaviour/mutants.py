"""Behavioural mutants: any right answer of any task, made to behave otherwise by a rule that knows nothing of the task.

    for mutant in mutants_of("kl.elbo", cell, constants):
        print(mutant.target, mutant.change)

A mutant is the answer's cell with code behind it that wraps a function, a method or a constructor (`library`), or the cell
with the gradient cut at one expression.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.behaviour import library
from tests.behaviour.cuts import cut_sources


@dataclass(frozen=True)
class Mutant:
    """One change of behaviour. `target` says of what, `change` says how; with the task they name it."""

    task: str
    target: str  # "elbo", "VAE.loss", "VAE.loss, argument x"
    change: str  # "noise: cached by shape"
    cell: str
    wrapping: str  # the line that makes the change; "" where the cell itself is changed

    @property
    def key(self) -> tuple[str, str, str]:
        return self.task, self.target, self.change

    @property
    def source(self) -> str:
        """The cell to hand in."""
        return f"{self.cell}\n{library.LIBRARY}\n\n{self.wrapping}\n"


@dataclass(frozen=True)
class Target:
    """A function or method that a cell defines."""

    name: str  # "elbo", "VAE.loss"
    arguments: tuple[str, ...]  # without self
    defaults: tuple[str, ...]
    is_method: bool
    returns: int  # how many values, as far as the text shows


def mutants_of(task: str, cell: str, constants: tuple[float, ...], visible: str = "") -> list[Mutant]:
    """All behavioural mutants of a cell.

    Args:
        task: The task it answers.
        cell: A right answer.
        constants: Numbers that the notebook names, to stand in for arguments.
        visible: The arguments' shapes that the visible test uses, as `library` writes them.
    """
    tree = ast.parse(cell)
    found = [
        Mutant(task, target.name, change, cell, _line(target, wrapper, index))
        for target in targets_of(tree)
        for change, wrapper, index in _wrappers(target, cell, constants)
    ]
    for name, change, wrapper in _constructors(tree):
        line = f"{name}.__init__ = _after_init({wrapper})({name}.__init__)"
        found.append(Mutant(task, name, change, cell, line))
    found += [Mutant(task, where, f"gradient cut at `{what}`", source, "") for where, what, source in cut_sources(tree)]
    return list({mutant.key: mutant for mutant in found}.values())


def _line(target: Target, wrapper: str, index: int) -> str:
    names = [*(["self"] if target.is_method else []), *target.arguments]
    return f"_SIGNATURE = {names!r}\n{target.name} = ({wrapper})({target.name})"


# ---------------------------------------------------------------- what is there to wrap


def targets_of(tree: ast.Module) -> Iterator[Target]:
    """The functions and methods that a cell defines, but constructors."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield _target(node.name, node, False)
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name != "__init__" and not _is_static(inner):
                    yield _target(f"{node.name}.{inner.name}", inner, True)


def _is_static(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)


def _target(name: str, node: ast.FunctionDef, is_method: bool) -> Target:
    arguments = [arg.arg for arg in node.args.args][1 if is_method else 0 :]
    defaults = arguments[len(arguments) - len(node.args.defaults) :]
    returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None]
    most = max((_values(value) for value in returned), default=0)
    return Target(name, tuple(arguments), tuple(defaults), is_method, most)


def _values(node: ast.expr) -> int:
    if isinstance(node, ast.Tuple):
        return sum(_values(one) for one in node.elts)
    return sum(_values(one) for one in node.values) if isinstance(node, ast.Dict) else 1


# ---------------------------------------------------------------- the rules

_ROUND = {
    "without gradients": "_no_grad",
    "gradients switched off for good": "_grad_left_off",
    "seeded inside": "_seeded",
    "seeded inside, the generator put back": "_seeded_apart",
    "the generator seeded afterwards": "_seeded_afterwards",
    "the generator put back": "_state_put_back",
    "evaluation mode before": "_mode('before', False)",
    "training mode before": "_mode('before', True)",
    "evaluation mode afterwards": "_mode('after', False)",
    "training mode afterwards": "_mode('after', True)",
    "parameters frozen": "_frozen",
    "parameters moved": "_nudged",
    "gradients never cleared": "_kept_gradients",
}


_OF_EACH_RESULT = ("detached", "float64", "half", "times 1.01", "squeezed at size 1 in dimension 0")


@cache
def _names_of(table: str) -> list[str]:
    """The keys of one of the library's tables."""
    tree = ast.parse(library.LIBRARY)
    node = next(n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == table)
    assert isinstance(node, ast.Dict)
    return [key.value for key in node.keys if isinstance(key, ast.Constant)]


# Where a rule can have something to change: what the cell's text must hold.
_LAYERS = re.compile(r"nn\.(Linear|Conv)")
_DRAWS = re.compile(r"rand|normal|rsample|reparametrize|draw_codes")
_TRAINS = re.compile(r"\.step\(")
_HAS_MODEL = re.compile(r"nn\.Module|model|vae|_generator")
_DATA = re.compile(r"data|loader|samples$|^samples|images")


def _wrappers(target: Target, cell: str, constants: tuple[float, ...]) -> Iterator[tuple[str, str, int]]:
    """What is done to a function: in words, the wrapper, and the argument it is about."""
    first = 1 if target.is_method else 0
    draws, trains = bool(_DRAWS.search(cell)), bool(_TRAINS.search(cell))
    for change, wrapper in _ROUND.items():
        if (_is_about_noise(change) and not draws) or (_is_about_models(change) and not _HAS_MODEL.search(cell)):
            continue
        yield change, wrapper, 0
    for name in _names_of("_RESULTS"):
        yield f"result: {name}", f"_result({name!r})", 0
        if target.returns > 1 and name in _OF_EACH_RESULT:
            for n in range(target.returns):
                yield f"result {n}: {name}", f"_result({name!r}, {n})", 0
    for table, wrapper, is_there in (
        ("_NOISES", "_with_noise", draws), ("_CACHES", "_with_noise", draws), ("_STEPS", "_stepping", trains),
        ("_LISTS", "_numbers", trains), ("_BATCHES", "_batches", trains),
    ):  # fmt: skip
        what = {"_NOISES": "noise", "_CACHES": "noise", "_LISTS": "numbers"}.get(table, table[1:].lower())
        if is_there:
            yield from ((f"{what}: {name}", f"{wrapper}({table}[{name!r}])", 0) for name in _names_of(table))
    for n, argument in enumerate(target.arguments, first):
        yield from _of_an_argument(target, argument, n, constants)


def _is_about_noise(change: str) -> bool:
    return "seeded" in change or "generator" in change


def _is_about_models(change: str) -> bool:
    return "mode " in change or "parameters" in change or "cleared" in change


def _of_an_argument(
    target: Target, argument: str, n: int, constants: tuple[float, ...]
) -> Iterator[tuple[str, str, int]]:
    yield f"{argument}: changed in place", f"_in_place({n})", n
    for name in _names_of("_ARGUMENTS"):
        yield f"{argument}: {name}", f"_argument({name!r}, {n})", n
    if _DATA.search(argument):
        for name in _names_of("_PARTS"):
            yield f"{argument}: {name}", f"_of_data({n}, _PARTS[{name!r}])", n
    for number in constants:
        yield f"{argument}: always {number:g}", f"_constant({n}, {number!r})", n
    for by, word in ((1, "one more"), (-1, "one fewer")):
        yield f"{argument}: {word}", f"_more({n}, {by})", n
    if argument in target.defaults:
        yield f"{argument}: its default always", f"_default({argument!r})", n
    if n + 1 < len(target.arguments) + (1 if target.is_method else 0):
        yield f"{argument}: swapped with the next", f"_swapped({n})", n


def _constructors(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """What is done to a model once it has been made."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        if not any(isinstance(inner, ast.FunctionDef) and inner.name == "__init__" for inner in node.body):
            continue
        yield node.name, "parameters that no module has", "_hidden_parameters"
        if not _LAYERS.search(ast.unparse(node)):  # its parts are another task's answers
            yield node.name, "made in evaluation mode", "_in_eval"
            for n in range(18):
                yield node.name, f"parameter {n} frozen", f"_frozen_parameter({n})"
            continue
        yield node.name, "weights of 0", "_with_noise_in_weights"
        yield node.name, "dropout behind linear layers", "_with_dropout"
        yield node.name, "made in evaluation mode", "_in_eval"
        yield node.name, "made in float64", "_as_float64"
        for n in range(8):
            yield node.name, f"activation {n} left out", f"_without_activation({n})"
            yield node.name, f"activation {n} alone", f"_only_activation({n})"
            yield node.name, f"activation {n} a tanh", f"_other_activation({n}, nn.Tanh)"
        for n in range(18):
            yield node.name, f"parameter {n} frozen", f"_frozen_parameter({n})"
        for n in range(12):
            yield node.name, f"bias {n} left out", f"_without_bias({n})"
        for attribute in _attributes(node):
            yield node.name, f"gradient cut behind {attribute}", f"_cut_behind({attribute!r})"


def _attributes(node: ast.ClassDef) -> list[str]:
    """What the constructor sets on self."""
    init = next(inner for inner in node.body if isinstance(inner, ast.FunctionDef) and inner.name == "__init__")
    targets = [t for one in ast.walk(init) if isinstance(one, ast.Assign) for t in one.targets]
    return [t.attr for t in targets if isinstance(t, ast.Attribute) and ast.unparse(t.value) == "self"]
