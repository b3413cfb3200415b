"""Formulas in notebook Markdown: found and taken out before the Markdown is read, as Jupyter does for MathJax.

Left in the text, `_`, `*`, `|` and a line that begins with `-` would be read as Markdown. Each formula leaves a mark
(U+E000, a letter, its number, U+E001) that passes through pandoc untouched.
"""

import math
import re
from dataclasses import dataclass
from itertools import accumulate

ENVIRONMENTS = (
    "equation|align|alignat|gather|multline|eqnarray|flalign|displaymath|split|aligned|alignedat|gathered|cases|array"
    "|matrix|[pbvBV]matrix|math"
)

_LONGEST = (
    4_000  # characters of a formula or a piece of code; without a bound each opening would be followed to the end
)
_MOST_TEXT = 100_000  # characters of a text that is searched for formulas
_DEAREST = 20_000  # characters of a formula whose commands are written out
_DEEPEST = 8  # braces in braces: pandoc takes twice as long for each
_BARE_SCRIPTS = re.compile(r"(?:[\^_]\s*){2}")  # the same for these in a row
_PREFIXES = re.compile(
    r"(?:\\(?:not|left|right|middle|sqrt|frac|binom|overset|underset|mathbf|bm|hat|bar|vec|tilde)\b\s*){6}"
)
_TOKEN = re.compile(
    rf"""
    (?P<fence>^[ \t>]*(?P<rail>`{{3,}}|~{{3,}})[^\n]*\n.*?(?:^[ \t>]*(?P=rail)[`~]*[ \t]*$|\Z))
  | (?P<code>(?<!`)(?P<ticks>`+)(?!`).{{1,{_LONGEST}}}?(?<!`)(?P=ticks)(?!`))
  | (?P<escaped>\\\$)
  | \$\$(?P<dollars>.{{1,{_LONGEST}}}?)\$\$
  | \\\\\[(?P<bracket>.{{1,{_LONGEST}}}?)\\\\\]
  | \\\\\((?P<paren>.{{1,{_LONGEST}}}?)\\\\\)
  | (?P<env>\\begin\{{(?P<name>(?:{ENVIRONMENTS})\*?)\}}.{{0,{_LONGEST}}}?\\end\{{(?P=name)\}})
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


_COMMAND = re.compile(r"\\([A-Za-z]+)")


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
        used = set(_COMMAND.findall(tex))
        return "\n".join(self.definitions.values()) if used & self.definitions.keys() else ""

    def length_of(self, tex: str) -> float:
        """Characters of a formula when all its commands are written out; a tower of them doubles at each floor."""
        known: dict[str, float] = {}
        return self._length(tex, known, ())

    def _length(self, tex: str, known: dict[str, float], above: tuple[str, ...]) -> float:
        total = float(len(tex))
        for name in _COMMAND.findall(tex):
            if name in above or len(above) > 50:  # one that calls itself never ends
                return math.inf
            if name in self.definitions:
                if name not in known:
                    body = self.definitions[name].partition(name)[2]
                    known[name] = self._length(body, known, (*above, name))
                total += known[name]
        return total


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

    text = text.replace("\ue000", "").replace("\ue001", "")
    return _TOKEN.sub(mark, text[:_MOST_TEXT]) + text[_MOST_TEXT:]


def is_too_dear(tex: str, macros: Macros | None = None) -> bool:
    """Whether a formula might cost the converter minutes or gigabytes: such a one stays as it was typed."""
    if len(tex) > _LONGEST or _BARE_SCRIPTS.search(tex) or _PREFIXES.search(tex):
        return True
    if max(accumulate(((c == "{") - (c == "}") for c in tex), initial=0)) > _DEEPEST:
        return True
    if macros is None:  # those it defines itself
        (bare,), macros = take_macros([Formula(0, tex, False, tex)])
        tex = bare.tex
    return macros.length_of(tex) > _DEAREST


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
