"""Formulas are found where the notebook shows formulas, and nowhere else."""

import pytest

from utils.export.maths import take_formulas, take_macros


def found(text: str, latex: bool = False) -> list[tuple[str, bool]]:
    formulas: list = []
    take_formulas(text, 1, formulas, latex)
    return [(formula.tex, formula.display) for formula in formulas]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a $x_1$ b $y$", [("x_1", False), ("y", False)]),
        ("$ spaced $", [("spaced", False)]),
        ("$$a\n\n= b$$", [("a\n\n= b", True)]),
        ("$$\n- a\n+ b\n$$", [("- a\n+ b", True)]),
        (r"\\(x\\) and \\[y\\]", [("x", False), ("y", True)]),
        ("\\begin{align}a\n\n&= b\\end{align}", [("\\begin{align}a\n\n&= b\\end{align}", True)]),
        (r"\begin{equation*}x\end{equation*}", [(r"\begin{equation*}x\end{equation*}", True)]),
        (r"$a \$ b$", [(r"a \$ b", False)]),
        ("| $q \\| p$ | $x|y$ |", [("q \\| p", False), ("x|y", False)]),
        ("`$x$` and ``a ` $y$``", []),
        ("```python\ncost = '$x$'\n```\n$y$", [("y", False)]),
        ("~~~\n$x$\n~~~\n", []),
        ("> ```\n> $x$\n> ```\n", []),
        ("```\nnever closed $x$", []),
        (r"costs \$5 and \$6", []),
        ("from $5 to $10", []),
        ("$a\n\nb$", []),
        ("$$ $$ and $ $", []),
        (r"\begin{figure}x\end{figure}", []),
    ],
)
def test_formulas_are_found_as_the_notebook_does(text, expected):
    assert found(text) == expected


def test_a_latex_output_has_its_own_fences():
    assert found(r"\[ a \] and \(b\)", latex=True) == [("a", True), ("b", False)]
    assert found(r"\[ a \] and \(b\)") == []


def test_marks_replace_formulas_and_typed_marks_are_removed():
    formulas: list = []
    assert take_formulas("a\ue000m0\ue001 $x$!", 3, formulas) == "am0 \ue000m0\ue001!"
    assert formulas[0].cell == 3
    assert formulas[0].source == "$x$"


def test_macros_are_taken_out_with_nested_braces():
    formulas: list = []
    take_formulas(
        r"$\newcommand{\N}[2][0]{\mathcal{N}\left(#1, {#2}\right)} a$ $\renewcommand\b{c}\let\d=\e$ $\def\f#1{\}#1}$",
        1,
        formulas,
    )
    plain, macros = take_macros(formulas)
    assert [formula.tex for formula in plain] == ["a", "", ""]
    assert set(macros.definitions) == {"N", "b", "d", "f"}
    assert macros.definitions["f"] == r"\def\f#1{\}#1}"
    assert macros.needed_by(r"\N{x}")
    assert macros.needed_by(r"\mathbb{N}") == ""


def test_a_definition_without_an_end_is_left_to_the_converter():
    formulas: list = []
    take_formulas(r"$\newcommand{\N}{\mathcal{N} $", 1, formulas)
    plain, macros = take_macros(formulas)
    assert macros.definitions == {}
    assert plain[0].tex.startswith(r"\newcommand")
