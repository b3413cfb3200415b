"""A student's own hand: habits by which the same answer comes out different from everybody, the same in all their answers."""

import ast
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.similarity import edits
from tests.similarity.edits import Edit

# What people call things, a line a person's taste.
_VOCABULARIES = """
a b c d e f g h k m n o p q r s t u w y xs ys h1 h2 t1 t2 v1 v2 aa bb x0 x1 y0 z0 tt ff
out result hidden features latent code noise sample target pred recon batch value total average diff squared scaled logits stddev variance
hidden_representation intermediate_result standard_deviation random_noise latent_vector output_image loss_value kl_term reconstruction_term
ergebnis schicht rauschen bild summe mittel verlust eingabe ausgabe breite schritt wert salida capa ruido imagen suma media perdida entrada
inputs outputs layer first second third temp flat joined picture weights steps current final mean_ batch_images flattened_input current_layer
sortie couche bruit somme moyenne perte entree largeur pas valeur strato rumore ancho paso valor scaled_noise squared_distance log_density
"""
_PHRASES = """
compute the output|this is the important line|as in the lecture|see the formula above|shape (B, D)|first part|second part|now the loss
return the result|create the layers|linear layers|apply activation|sample noise|reparametrization trick|mean over batch|sum over pixels
the KL term|reconstruction term|do one step|zero the gradients|backprop|update weights|loop over batches|no gradient needed here
reshape to image|flatten|concatenate label|don't forget sigmoid|TODO done|hopefully right|checked with the test cell|see pytorch docs
broadcasting does the rest|log variance, not sigma|encoder|decoder|initialise|put everything together|combine both|move to device
keep the shapes|numerically stable
"""
PHRASES = tuple(_PHRASES.strip().replace("\n", "|").split("|"))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def vocabulary(chance: random.Random) -> Callable[[random.Random], str]:
    """One person's way to name things."""
    words = chance.choice(_VOCABULARIES.strip().split("\n")).split()
    ending = chance.choice(["", "", "", "_", "_t", "1"])
    is_camel = chance.random() < 0.2
    return lambda random: (_camel(random.choice(words)) if is_camel else random.choice(words)) + ending


class _Spelling(ast.NodeTransformer):
    """Equivalent spellings by one person's habits: each rule always, never or by chance."""

    def __init__(self, habits: dict[str, float], chance: random.Random) -> None:
        self.habits, self.chance = habits, chance

    def _does(self, rule: str) -> bool:
        return self.chance.random() < self.habits[rule]

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        is_two = isinstance(node.right, ast.Constant) and node.right.value == 2
        if isinstance(node.op, ast.Pow) and is_two:
            if self._does("pow as method"):
                return ast.Call(ast.Attribute(node.left, "pow", ast.Load()), [ast.Constant(2)], [])
            if self._does("square"):
                return _call("torch.square", node.left)
        is_half = isinstance(node.left, ast.Constant) and node.left.value == 0.5
        if isinstance(node.op, ast.Mult) and is_half and self._does("half as quotient"):
            return ast.BinOp(node.right, ast.Div(), ast.Constant(2))
        if isinstance(node.op, ast.Add | ast.Mult) and self._does("turned round"):
            node.left, node.right = node.right, node.left
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = ast.unparse(node.func)
        short = name.rpartition(".")[2]
        if (
            short in ("exp", "log", "sigmoid", "sqrt", "square")
            and name.startswith("torch.")
            and node.args
            and self._does("methods")
        ):
            return ast.Call(ast.Attribute(node.args[0], short, ast.Load()), node.args[1:], node.keywords)
        is_method = isinstance(node.func, ast.Attribute) and not name.startswith(("torch", "math", "np"))
        if is_method and short in ("exp", "log", "sqrt") and not node.args and self._does("functions"):
            return _call(f"torch.{short}", node.func.value)  # type: ignore[attr-defined]
        if isinstance(node.func, ast.Attribute) and short in ("reshape", "view") and self._does("view"):
            node.func.attr = "view" if short == "reshape" else "reshape"
        if name in ("F.relu", "torch.relu") and self._does("relu"):
            return _call("torch.relu" if name == "F.relu" else "F.relu", *node.args)
        if name == "nn.ReLU" and not node.keywords and self._does("in place"):
            node.keywords.append(ast.keyword("inplace", ast.Constant(True)))
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.value, ast.Attribute)
            and node.value.attr == "shape"
            and not isinstance(node.slice, ast.Slice)
            and self._does("size")
        ):
            return ast.Call(ast.Attribute(node.value.value, "size", ast.Load()), [node.slice], [])
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if node.value is not None and not isinstance(node.value, ast.Name) and self._does("named result"):
            name = "result_"
            return [
                ast.Assign([ast.Name(name, ast.Store())], node.value, lineno=0),
                ast.Return(ast.Name(name, ast.Load())),
            ]
        return node


RULES = (
    "pow as method", "square", "half as quotient", "turned round", "methods", "functions", "view", "relu", "in place", "size",
    "named result",
)  # fmt: skip


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.parse(name, mode="eval").body, list(arguments), [])


@dataclass(frozen=True)
class Style:
    """One student's hand; `write` is applied to every answer of theirs."""

    steps: tuple[Edit, ...]

    def write(self, source: str, chance: random.Random) -> str:
        for step in self.steps:
            source = step(source, chance)
        return source


def style(chance: random.Random, keep: frozenset[str]) -> Style:
    """Draw a student's habits.

    Args:
        chance: Where they are drawn from.
        keep: Names that the assignment asks for.
    """
    habits = {rule: chance.choice([0, 0, 0.3, 0.9]) for rule in RULES}

    def spelled(tree: ast.Module, random: random.Random) -> None:
        _Spelling(habits, random).visit(tree)

    steps: list[Edit] = [edits.on_tree(spelled)]
    if chance.random() < 0.3:
        steps.append(edits.lines_split)
    elif chance.random() < 0.3:
        steps.append(edits.variables_inlined)
    if chance.random() < 0.3:
        steps.append(edits.reordered)
    if chance.random() < 0.8:
        steps.append(edits.renamed(vocabulary(chance), keep))
    if chance.random() < 0.6:
        steps.append(edits.commented(chance.sample(PHRASES, 12), chance.choice([0.1, 0.3])))
    if chance.random() < 0.5:
        steps.append(edits.spaced)
    return Style(tuple(steps))
