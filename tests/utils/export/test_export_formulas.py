"""Every formula of the field becomes what formulas.json says, and Typst sets it; only the broken ones stay source."""

import json
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_markdown_cell

from utils.export import pandoc
from utils.export.maths import Formula, Macros
from utils.export.typeset import _Press

FORMULAS = json.loads(Path(__file__).with_name("formulas.json").read_text(encoding="utf-8"))
TEMPLATE = Path(pandoc.__file__).with_name("template.typ")


@pytest.fixture(scope="module")
def converted():
    formulas = [Formula(1, row["tex"], row["display"], row["tex"]) for row in FORMULAS]
    return pandoc.convert([], formulas, Macros({}))[1]


@pytest.fixture(scope="module")
def press(tmp_path_factory):
    folder = tmp_path_factory.mktemp("press")
    (folder / "template.typ").write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    front = {"title": "t", "file": "f", "student": "", "receipt": "", "paper": "a4", "listings": []}
    (folder / "notebook.json").write_text(json.dumps(front), encoding="utf-8")
    return _Press(folder)


def test_the_set_is_large_and_has_broken_ones():
    assert len(FORMULAS) >= 200
    assert sum(row["typst"] is None for row in FORMULAS) >= 10


@pytest.mark.parametrize("number", range(len(FORMULAS)), ids=[row["tex"][:40] for row in FORMULAS])
def test_formula(number, converted, press):
    row, result = FORMULAS[number], converted[number]
    assert (result.typ or None) == row["typst"]
    assert result.tag == row.get("tag", "")
    assert bool(result.problem) == (row["typst"] is None)
    if result.typ:
        pdf, problem = press.try_compile('#import "template.typ": *\n' + result.typ)
        assert pdf, problem


def test_the_template_hides_no_name_of_typsts_maths(press):
    names = re.findall(r"^#let ([a-z][\w-]+)", TEMPLATE.read_text(encoding="utf-8"), re.M)
    assert {"under", "over", "listing"} <= set(names)
    checks = "".join(
        f'#assert("{name}" not in dictionary(math) and "{name}" not in dictionary(sym), message: "{name}")\n'
        for name in names
    )
    pdf, problem = press.try_compile(checks)
    assert pdf, problem


def test_only_broken_formulas_are_shown_as_source(run_steps):
    rows = [row for row in FORMULAS if "$" not in row["tex"] and row["tex"] not in ("}",)]
    cells = [new_markdown_cell(f"$${row['tex']}$$" if row["display"] else f"${row['tex']}$") for row in rows]
    done = run_steps(*cells)
    shown = [markup.startswith("#unset-formula(") for markup in done.document.formula_markup]
    assert shown == [row["typst"] is None for row in rows]
    assert done.pdf.startswith(b"%PDF")
    assert len([loss for loss in done.summary.losses if loss.kind == "formula"]) == sum(shown)


def test_macros_of_one_cell_hold_in_all(run_steps):
    done = run_steps(
        new_markdown_cell(r"$\E[x]$ and $\KL{q}{p}$, $\half$, $\tr A$"),
        new_markdown_cell(
            r"$$\newcommand{\E}{\mathbb{E}} \newcommand{\KL}[2]{D_{KL}\left(#1\,\|\,#2\right)}"
            r"\def\half{\tfrac12} \DeclareMathOperator{\tr}{tr}$$"
        ),
    )
    assert done.document.formula_markup == [
        r"$bb(E) \[ x \]$",
        '$D_(K L) (q thin class("normal", ‖) thin p)$',
        "$1 / 2$",
        '$op("tr", limits: #true) A$',
        "",
    ]
    assert not done.summary.losses


def test_a_macro_that_calls_itself_costs_only_its_formula(run_steps):
    done = run_steps(new_markdown_cell(r"$\newcommand{\a}{\a x}$ $\a$ and $y$"))
    assert done.document.formula_markup[2] == "$y$"
    assert done.pdf.startswith(b"%PDF")


def test_a_formula_that_typst_refuses_is_shown_as_source(run_steps):
    done = run_steps(new_markdown_cell("$x$ and $y$"), typeset_too=False)
    done.document.formula_markup[1] = "$nosuchname$"
    from utils.export import typeset

    pdf = typeset.typeset(done.document, __import__("logging").getLogger("test"))
    assert pdf.startswith(b"%PDF")
    assert done.document.formula_markup[0] == "$x$"
    assert done.document.formula_markup[1].startswith("#unset-formula(")
    assert "unknown variable: nosuchname" in str(done.summary.losses[0])


def test_colours_and_lines_that_are_not_printed_are_said(run_steps):
    done = run_steps(
        new_markdown_cell(r"$\textcolor{red}{x} + {\color{blue} y}$"),
        new_markdown_cell(r"$\begin{array}{c} a \\ \hline b \end{array}$ and $z$"),
        typeset_too=False,
    )
    assert done.summary.sentences() == [
        "cell 1: the colours in a formula are not printed.",
        "cell 2: the lines of an array in a formula are not printed.",
    ]
