"""Formulas in students' answers, set for whoever has to read them: MathML, which a browser shows without any script.

What is a formula says `utils.export.maths`, as for the PDF. It goes to pandoc as a formula and nothing else, all of a page in
one process. Everything around it is escaped text. What pandoc cannot read, or what is not plain MathML when it comes
back, stands as it was typed.
"""

import json
import re
import subprocess
from itertools import accumulate

from markupsafe import Markup, escape

_MARK = re.compile("\ue000m(\\d+)\ue001")  # what `take_formulas` leaves
_SET = re.compile(r'<div class="f">\s*(?:(<math [^>]*>.*?</math>)|.*?)\s*</div>', re.DOTALL)
_ANNOTATION = re.compile(r'<annotation encoding="application/x-tex">.*?</annotation>', re.DOTALL)
_BARE_SCRIPTS = re.compile(r"(?:[\^_]\s*){2}")  # the same for these in a row
_TAG = re.compile(r"</?(?:math|semantics|m[a-z]+)(?: (?!href|on)[a-z]+=\"[^\"<>]*\")*>")
_API = [1, 23, 1]  # of pandoc's JSON
_LONGEST = 2_000  # characters of a formula
_DEEPEST = 8  # braces in braces: pandoc takes twice as long for each
_SECONDS = 10
_PAGE_BYTES = 6 * 2**20  # a page must load on a phone


def set_formulas(texts: list[str]) -> list[Markup]:
    """Texts as HTML with their formulas set.

    Args:
        texts: As students wrote them, Markdown with TeX between dollars.

    Returns:
        Safe HTML for each; without pandoc, the escaped text.
    """
    try:
        from utils.export.maths import Formula, take_formulas  # not in Gradescope's bundle, which makes no such page
    except ImportError:
        return [escape(text) for text in texts]
    formulas: list[Formula] = []
    marked = [_MARK.split(take_formulas(text, 0, formulas)) for text in texts]
    fit = {formula.source: formula for formula in formulas if _is_fit(formula.source)}
    blocks = [_block(formula.tex, formula.display) for formula in fit.values()]
    done = dict(zip(fit, _as_mathml(blocks), strict=True))
    left = _PAGE_BYTES
    pages = []
    for pieces in marked:
        parts = []
        for n, piece in enumerate(pieces):  # text and the numbers of formulas, in turn
            typed = formulas[int(piece)].source if n % 2 else piece
            mathml = done.get(typed, "") if n % 2 else ""
            parts.append(Markup(mathml) if mathml and len(mathml) <= left else escape(typed))
            left -= len(mathml)
        pages.append(Markup("").join(parts))
    return pages


def _is_fit(tex: str) -> bool:
    """Whether pandoc may be asked: it must not fail, or take for ever, on all because of one."""
    if len(tex) > _LONGEST or _BARE_SCRIPTS.search(tex) or not all(c.isprintable() or c.isspace() for c in tex):
        return False
    return max(accumulate((c == "{") - (c == "}") for c in tex)) <= _DEEPEST


def _as_mathml(blocks: list[dict]) -> list[str]:
    """Each formula in MathML; "" for those that stay as they are."""
    from utils.export.pandoc import PandocError, executable

    nothing = [""] * len(blocks)
    if not blocks:
        return nothing
    document = json.dumps({"pandoc-api-version": _API, "meta": {}, "blocks": blocks})
    try:
        done = subprocess.run(
            [executable(), "--from", "json", "--to", "html5", "--mathml"],
            input=document.encode(),
            capture_output=True,
            timeout=_SECONDS,
        )
    except (PandocError, OSError, subprocess.TimeoutExpired):
        return nothing
    found = [match[1] or "" for match in _SET.finditer(done.stdout.decode("utf-8", "replace"))]
    return [_plain(mathml) for mathml in found] if len(found) == len(blocks) else nothing


def _block(tex: str, is_display: bool) -> dict:
    math = {"t": "Math", "c": [{"t": "DisplayMath" if is_display else "InlineMath"}, tex]}
    return {"t": "Div", "c": [["", ["f"], []], [{"t": "Plain", "c": [math]}]]}


def _plain(mathml: str) -> str:
    """The MathML without the TeX it was made from; "" if there is anything in it but MathML."""
    shown = _ANNOTATION.sub("", mathml).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    return "" if "<" in _TAG.sub("", shown) else shown
