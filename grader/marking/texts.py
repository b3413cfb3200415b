"""A stranger's Markdown as HTML that is safe to show, formulas set.

Formulas are taken out first and set by pandoc (`grader.report.formulas`). The rest is rendered as CommonMark and then
sanitised by bleach: no attributes, no links, no pictures, no style, whatever the text says. What neither can read stands
as it was typed.
"""

import difflib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable

import bleach
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from grader.report.formulas import set_formulas
from utils.export.maths import Formula, take_formulas

_MARK = re.compile("\ue000m(\\d+)\ue001")
_INLINE = ("br", "em", "strong", "b", "i", "u", "s", "del", "sub", "sup", "code")
_BLOCKS = ("p", "hr", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td")
_TAGS = frozenset((*_INLINE, *_BLOCKS))
_HEADING, _CLOSING = re.compile(r"<h[1-6]>"), re.compile(r"</h[1-6]>")  # of Markdown: the outline is the page's own
_LONGEST = 20_000
_MOST_KEPT = 6_000
_DONE: OrderedDict[str, Markup] = OrderedDict()  # by text
_LOCK = threading.Lock()
_READER = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])


def as_html(text: str) -> Markup:
    """Render a text as safe HTML; takes as long as pandoc takes, the first time.

    Args:
        text: Markdown with TeX between dollars, of any author.

    Returns:
        HTML of the tags above and MathML, without attributes that a text could choose.
    """
    prepare([text])
    return ready(text) or Markup("")


def ready(text: str) -> Markup | None:
    """The HTML of a text that was rendered before; None if it was not."""
    with _LOCK:
        return _DONE.get(text)


def prepare(texts: Iterable[str]) -> None:
    """Render texts that are not rendered yet, the formulas of all with one call of pandoc."""
    todo = [text for text in dict.fromkeys(texts) if ready(text) is None]
    formulas: list[Formula] = []
    safe = [_sanitised(take_formulas(text[:_LONGEST], 0, formulas)) for text in todo]
    done = set_formulas([formula.source for formula in formulas]) if formulas else []
    for text, html in zip(todo, safe, strict=True):
        with _LOCK:
            _DONE[text] = Markup(_MARK.sub(lambda match: _formula(done, match), html))
            while len(_DONE) > _MOST_KEPT:
                _DONE.popitem(last=False)


def as_line(html: Markup) -> Markup:
    """Rendered HTML for a place that holds no paragraphs."""
    return Markup(re.sub(r"</p>\s*<p>", "<br>", html).replace("<p>", "").replace("</p>", ""))


def _formula(done: list[Markup], match: re.Match[str]) -> str:
    number = int(match[1])
    return str(done[number]) if number < len(done) else ""


def _sanitised(marked: str) -> str:
    try:
        html = _CLOSING.sub("</strong></p>", _HEADING.sub("<p><strong>", _READER.render(marked)))
        return bleach.clean(html, tags=_TAGS, attributes={}, strip=False, strip_comments=True)
    except (RecursionError, ValueError, AssertionError, LookupError):
        return str(Markup("<pre>{}</pre>").format(marked))


def difference(before: str, after: str) -> Markup:
    """What changed between two texts, by words: removed ones in `del`, new ones in `ins`."""
    old, new = (re.findall(r"\s+|[^\s]+", text[:_LONGEST]) for text in (before, after))
    if len(old) * len(new) > 4_000_000:  # the comparison takes their product of steps
        old, new = (text[:_LONGEST].splitlines(keepends=True) for text in (before, after))
    out = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=True).get_opcodes():
        gone, come = escape("".join(old[a:b])), escape("".join(new[c:d]))
        if what == "equal":
            out.append(come)
            continue
        out += [Markup("<del>{}</del>").format(gone)] if a < b else []
        out += [Markup("<ins>{}</ins>").format(come)] if c < d else []
    return Markup("").join(out)
