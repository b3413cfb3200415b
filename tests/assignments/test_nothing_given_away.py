"""No gap's answer stands elsewhere in the student's notebook: by rule, over all gaps of all notebooks.

A gap that is a *value* (a weight, a configuration) is given away where all its values stand in one cell, or where a picture shows
them, or where something else that stands in the notebook earns as much. A gap that is *code* is given away where a long enough part
of it stands in another cell.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.copied import FULL, enough, kept, trainings
from tools.bugs import FIRST_LINE
from tools.notebook_source import NotebookSource, SourceCell, read_source, source_names
from tools.open_gaps import open_gaps, split_gaps
from utils.submission.findings import GO_FURTHER

LEAST = 16  # nodes of a part that is no longer anybody's: `logits = network(images)` has eight
EXPLAINED = {
    "optimizer = optim.Adam(model.parameters(), lr=learning_rate)": "how one makes an optimizer; the text names Adam and the rate",
    "mu, log_sigma = outputs['q'].chunk(2, dim=-1)": "reads what the answer returns, in the form the docstring gives",
}
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?!\w|\.\d)")
every_notebook = pytest.mark.parametrize("name", source_names())


def _tree(lines: tuple[str, ...]) -> ast.Module:
    text = textwrap.dedent("\n".join(lines))
    try:
        return ast.parse(text)
    except SyntaxError:  # a `return` outside
        return ast.parse("def answer():\n" + textwrap.indent(text, "    "))


def _parts(tree: ast.AST) -> set[str]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt)]
    return {ast.unparse(node) for node in nodes if sum(1 for _ in ast.walk(node)) >= LEAST}


def code_given_away(source: NotebookSource) -> Iterator[str]:
    """Parts of an answer that stand in another code cell of the student's notebook."""
    given = {cell.number: _parts(ast.parse(open_gaps(cell, "x"))) for cell in source.cells if cell.kind == "code"}
    for cell in source.cells:
        for gap in split_gaps(cell) if cell.kind == "code" else ():
            answer = _parts(_tree(gap.answer))
            for number, theirs in given.items():
                for part in sorted((answer & theirs) - EXPLAINED.keys()):
                    yield f"cell {cell.number}: `{part}` stands in cell {number}"


def value_gaps(source: NotebookSource) -> list[tuple[SourceCell, set[str], set[float]]]:
    """The gaps whose answers are values: the cell, the names it binds, and the numbers that only the answer has."""
    found = []
    for cell in source.cells:
        if cell.kind != "code" or cell.role == "autograded" or cell.first_line in (FIRST_LINE, GO_FURTHER):
            continue
        for gap in split_gaps(cell):
            names = _bound(_tree(gap.answer))
            names |= {name for name, value in _assigned(source) if _formats(value, names)}
            found.append((cell, names, _numbers("\n".join(gap.answer)) - _numbers(open_gaps(cell, "x"))))
    return found


def _bound(tree: ast.AST) -> set[str]:
    """The names whose values an answer makes or changes: assigned, or what is assigned into or updated."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    changed = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    ]
    changed += [
        node.func.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return found | {node.id for node in changed if isinstance(node, ast.Name)}


def _assigned(source: NotebookSource) -> list[tuple[str, ast.expr]]:
    trees = [ast.parse(cell.text) for cell in source.cells if cell.kind == "code"]
    assigns = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    return [(target.id, node.value) for node in assigns for target in node.targets if isinstance(target, ast.Name)]


def _formats(tree: ast.AST, names: set[str]) -> bool:
    fields = [node for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)]
    return any(names & {n.id for n in ast.walk(field) if isinstance(n, ast.Name)} for field in fields)


def _numbers(text: str) -> set[float]:
    return {float(number) for number in _NUMBER.findall(text.replace(",000", "000"))}


def values_given_away(source: NotebookSource) -> Iterator[str]:
    """Value gaps whose answer stands whole in some cell, or in a picture of ours that the notebook shows."""
    texts = [(cell.number, open_gaps(cell, "x")) for cell in source.cells]
    for cell, names, numbers in value_gaps(source):
        assert numbers, f"cell {cell.number}: no number is asked for"
        for number, text in texts:
            if numbers <= _numbers(text):
                yield f"cell {cell.number}: {sorted(numbers)} stands in cell {number}"
        for shown in source.cells:
            if "figure" in shown.metadata and _writes(shown.text, names):
                yield f"cell {cell.number}: the picture {shown.metadata['figure']} has {sorted(names)} written in it"


def _writes(code: str, names: set[str]) -> bool:
    """Whether a text made in this code holds one of these names' values; what is printed is in no picture."""
    tree = ast.parse(code)
    printed = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
        for inner in ast.walk(node)
    }
    return any(
        isinstance(node, ast.FormattedValue) and id(node) not in printed and names & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        for node in ast.walk(tree)
    )  # fmt: skip


@every_notebook
def test_no_answer_stands_elsewhere(name):
    source = read_source(name)
    assert [*code_given_away(source), *values_given_away(source)] == []


def test_there_are_values_to_look_for():
    assert sum(len(value_gaps(read_source(name))) for name in source_names()) >= 2


@every_notebook
def test_the_rule_sees_each_answer_that_is_put_somewhere(name):
    """Every answer, written once more at the end of the notebook, is found: as code, as text, in a picture's title."""
    source = read_source(name)
    last = len(source.cells) + 1
    missed = []
    for cell in source.cells:
        for gap in split_gaps(cell) if cell.kind == "code" and cell.role == "autograded" else ():
            if _parts(_tree(gap.answer)) - EXPLAINED.keys():
                copied = SourceCell(last, "code", ast.unparse(_tree(gap.answer)))
                missed += [] if list(code_given_away(_with(source, copied))) else [cell.first_line]
    for cell, names, numbers in value_gaps(source):
        told = SourceCell(last, "markdown", "We took " + ", ".join(f"{number:g}" for number in numbers) + ".")
        drawn = SourceCell(last, "code", f'plt.title(f"with {{{sorted(names)[0]}}}")', {"figure": "x"})
        missed += [cell.first_line for one in (told, drawn) if not list(values_given_away(_with(source, one)))]
    assert missed == []


def _with(source: NotebookSource, cell: SourceCell) -> NotebookSource:
    return replace(source, cells=(*source.cells, cell))


def test_each_explanation_is_needed():
    used = set()
    for name in source_names():
        source = read_source(name)
        cells = [cell for cell in source.cells if cell.kind == "code"]
        answers = set().union(*(_parts(_tree(gap.answer)) for cell in cells for gap in split_gaps(cell)))
        given = set().union(*(_parts(ast.parse(open_gaps(cell, "x"))) for cell in cells))
        used |= answers & given
    assert EXPLAINED.keys() <= used


def test_no_training_of_notebook_2_is_a_design_that_earns_all_points():
    """After a change of one: `python -m tests.copied --keep`, some minutes of the grader's training."""
    earned = [(one["settings"], one["points"]) for one in kept()]
    assert [settings for settings, _ in earned] == [*trainings(), enough()]
    assert len(earned) >= 9
    assert [settings for settings, points in earned[:-1] if max(points) >= FULL] == []
    assert min(earned[-1][1]) == FULL
