"""Formulas in notebook Markdown: found and taken out before the Markdown is read, as Jupyter does for MathJax.

Left in the text, `_`, `*`, `|` and a line that begins with `-` would be read as Markdown. Each formula leaves a mark
(U+E000, a letter, its number, U+E001) that passes through pandoc untouched.
"""

import re
from dataclasses import dataclass

ENVIRONMENTS = (
    "equation|align|alignat|gather|multline|eqnarray|flalign|displaymath|split|aligned|alignedat|gathered|cases|array"
    "|matrix|[pbvBV]matrix|math"
)

_TOKEN = re.compile(
    rf"""
    (?P<fence>^[ \t>]*(?P<rail>`{{3,}}|~{{3,}})[^\n]*\n.*?(?:^[ \t>]*(?P=rail)[`~]*[ \t]*$|\Z))
  | (?P<code>(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))
  | (?P<escaped>\\\$)
  | \$\$(?P<dollars>.+?)\$\$
  | \\\\\[(?P<bracket>.+?)\\\\\]
  | \\\\\((?P<paren>.+?)\\\\\)
  | (?P<env>\\begin\{{(?P<name>(?:{ENVIRONMENTS})\*?)\}}.*?\\end\{{(?P=name)\}})
  | \$(?P<dollar>(?:[^$\\`\n]|\\.|\n(?![ \t]*\n))+?)\$(?![0-9])
    """,
    re.X | re.S | re.M,
)
_LATEX_FENCES = re.compile(r"\\([\[\]()])")
_DEFINITION = re.compile(
    r"\\(?:(?:re|provide)?newcommand|DeclareMathOperator)\*?\s*\{?\\(?P<new>[A-Za-z]+)\}?(?:\s*\[[^\]]*\])*\s*"
    r"|\\def\s*\\(?P<def>[A-Za-z]+)(?:#\d)*\s*"
    r"|\\let\s*\\(?P<let>[A-Za-z]+)\s*=?\s*\\[A-Za-z]+"
)


@dataclass(frozen=True)
class Formula:
    """A formula as it stands in a cell.

    Args:
        cell: Number of its cell, from 1.
        tex: What stands between the delimiters.
        display: Whether it has a line of its own.
        source: The formula with its delimiters, as typed.
    """

    cell: int
    tex: str
    display: bool
    source: str


@dataclass
class Macros:
    """The notebook's `\\newcommand`s: one cell defines them, all cells may use them."""

    definitions: dict[str, str]

    def needed_by(self, tex: str) -> str:
        """All definitions if the formula uses one of them, else nothing: most formulas are spared the expansion."""
        used = set(re.findall(r"\\([A-Za-z]+)", tex))
        return "\n".join(self.definitions.values()) if used & self.definitions.keys() else ""


def take_formulas(text: str, cell: int, formulas: list[Formula], latex: bool = False) -> str:
    """Replace every formula in `text` by a mark and append it to `formulas`.

    Args:
        text: Markdown, or the text of a LaTeX output.
        cell: Number of the cell, from 1.
        formulas: The notebook's formulas so far; a mark is a formula's place in this list.
        latex: The text is a LaTeX output, where `\\(` and `\\[` open a formula too.

    Returns:
        The text with marks. Code spans, fenced code and `\\$` stay as they are.
    """
    if latex:
        text = _LATEX_FENCES.sub(r"\\\\\1", text)

    def mark(match: re.Match) -> str:
        kind = match.lastgroup
        if kind not in ("dollars", "bracket", "paren", "env", "dollar") or not match[kind].strip():
            return match[0]
        formulas.append(Formula(cell, match[kind].strip(), kind in ("dollars", "bracket", "env"), match[0]))
        return f"\ue000m{len(formulas) - 1}\ue001"

    return _TOKEN.sub(mark, text.replace("\ue000", "").replace("\ue001", ""))


def take_macros(formulas: list[Formula]) -> tuple[list[Formula], Macros]:
    """Take the macro definitions out of the formulas that hold them.

    Returns:
        The formulas without definitions (a formula of nothing else becomes empty), and the definitions by name.
    """
    macros = Macros({})
    return [_without_definitions(formula, macros) for formula in formulas], macros


def _without_definitions(formula: Formula, macros: Macros) -> Formula:
    tex, start = formula.tex, 0
    while match := _DEFINITION.search(tex, start):
        name = match["new"] or match["def"] or match["let"]
        end = match.end() if match["let"] else _group_end(tex, match.end())
        if end is None:  # no body follows: not a definition, the converter will say so
            start = match.end()
            continue
        macros.definitions[name] = tex[match.start() : end]
        tex, start = tex[: match.start()] + tex[end:], match.start()
    return Formula(formula.cell, tex.strip(), formula.display, formula.source)


def _group_end(tex: str, start: int) -> int | None:
    """Where the braced group that begins at `start` ends, or None if none begins there or it never ends."""
    if tex[start : start + 1] != "{":
        return None
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.S).finditer(tex, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return None
