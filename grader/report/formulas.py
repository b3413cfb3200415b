"""Formulas in students' answers, set for whoever has to read them: MathML, which a browser shows without any script.

What is a formula says `utils.export.maths`, as for the PDF. It goes to pandoc as a formula and nothing else, all of a page in
one process, and what was set once is not asked for again: starting pandoc costs half of what grading a hand-in does, and a class
writes the same formulas. Everything around it is escaped text. What pandoc cannot read, or what is not plain MathML when it comes
back, stands as it was typed.
"""

import json
import re
import time

from markupsafe import Markup, escape

from utils.notebook.by_digest import digest

_MARK = re.compile("\ue000m(\\d+)\ue001")  # what `take_formulas` leaves
_ANNOTATION = re.compile(r'<annotation encoding="application/x-tex">.*?</annotation>', re.DOTALL)
_TAG = re.compile(r"</?(?:math|semantics|m[a-z]+)(?: (?!href|on)[a-z]+=\"[^\"<>]*\")*>")
_API = [1, 23, 1]  # of pandoc's JSON
_SECONDS, _GROUP_SECONDS = 30, 5
_PAGE_BYTES = 6 * 2**20  # a page must load on a phone
_MOST_KEPT, _LONGEST_KEPT = 4096, 4096  # formulas, and characters of each
_DONE: dict[bytes, str] = {}  # by a digest of the formula


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
    done = dict(
        zip(fit, _set_or_known([_block(formula.tex, formula.display) for formula in fit.values()]), strict=True)
    )
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
    """Whether pandoc may be asked."""
    from utils.export.maths import is_too_dear

    return not (is_too_dear(tex) or not (tex.isprintable() or all(c.isprintable() or c.isspace() for c in tex)))


def _set_or_known(blocks: list[dict]) -> list[str]:
    """Each formula in MathML, those that are not known from another page in one process."""
    keys = [digest(json.dumps(block)) for block in blocks]
    known = {key: _DONE[key] for key in keys if key in _DONE}
    todo = {key: block for key, block in zip(keys, blocks, strict=True) if key not in known}
    made = dict(zip(todo, _as_mathml(list(todo.values())), strict=True))
    if len(_DONE) + len(made) > _MOST_KEPT:
        _DONE.clear()
    # What came to nothing may have met a busy machine: it is asked for again.
    _DONE.update({key: mathml for key, mathml in made.items() if 0 < len(mathml) <= _LONGEST_KEPT})
    return [(known | made)[key] for key in keys]


def _as_mathml(blocks: list[dict]) -> list[str]:
    """Each formula in MathML; "" for those that stay as they are. One that is too dear costs its place, not the page."""
    from utils.export.pandoc import PandocError, in_groups

    try:
        return in_groups(blocks, _set_some, "", time.monotonic() + _SECONDS)
    except PandocError:
        return [""] * len(blocks)


def _set_some(blocks: list[dict]) -> list[str]:
    from utils.export.pandoc import TooDear, run_limited

    document = json.dumps({"pandoc-api-version": _API, "meta": {}, "blocks": blocks})
    options = ["--sandbox", "--from", "json", "--to", "html5", "--mathml"]
    done = run_limited(options, _GROUP_SECONDS, input=document.encode())
    made = done.stdout.decode("utf-8", "replace").split('<div class="f">')[1:]
    if len(made) != len(blocks):
        raise TooDear("a formula is missing")
    found = [block.partition("</div>")[0].strip() for block in made]
    return [_plain(mathml) if mathml.startswith("<math ") else "" for mathml in found]


def _block(tex: str, is_display: bool) -> dict:
    math = {"t": "Math", "c": [{"t": "DisplayMath" if is_display else "InlineMath"}, tex]}
    return {"t": "Div", "c": [["", ["f"], []], [{"t": "Plain", "c": [math]}]]}


def _plain(mathml: str) -> str:
    """The MathML without the TeX it was made from; "" if there is anything in it but MathML."""
    shown = _ANNOTATION.sub("", mathml).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    return "" if "<" in _TAG.sub("", shown) else shown
