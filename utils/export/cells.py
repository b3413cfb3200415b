"""A notebook's cells as parts to print, in order; finds the questions and the responses to them."""

import re
from dataclasses import dataclass, replace

from utils.notebook.responses import written
from utils.notebook.scaffold import folded

from . import colours, runs
from .outputs import read_outputs, shortened_listing
from .parts import Limits, Listing, Note, Part, Prose, Response, text_of
from .summary import Summary

_QUESTION = re.compile(
    r"^\*\*`(?P<id>[\w.]+)`\*\*(?P<kinds>(?:\s*·\s*(?:auto|manual|quality|given)(?:\s+[\d.]+)?)+)", re.M
)
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<text>[^ \t\n].*)$", re.M)
_RESPONSE = re.compile(r"\s*\*\*\s*RESPONSE\s*(?::\s*)?\*\*\s*:?", re.I)
_UNANSWERED = re.compile(r"(?:your answer here\.?)?", re.I)
_AUTOGRADED = re.compile(r"^[ \t]*#[ \t]*AUTOGRADED\b", re.I | re.M)


def title_of(notebook: dict, default: str) -> str:
    """The first top-level heading, without its marks, or `default`."""
    for cell in notebook.get("cells", []):
        if cell.get("cell_type") == "markdown" and (
            match := re.search(r"^#[ \t]+([^ \t\n].*)$", text_of(cell.get("source")), re.M)
        ):
            return re.sub(r"[*_`$\\]", "", match[1]).strip() or default
    return default


def read_parts(notebook: dict, limits: Limits, summary: Summary, manual_on_new_page: bool = False) -> list[Part]:
    """Every cell of a notebook, and every output, as a part to print.

    Args:
        notebook: A notebook of format 4, as a dictionary.
        limits: How much of long listings is kept.
        summary: Told what is shortened or cannot be printed.
        manual_on_new_page: Begin a page before a question that only a person grades.

    Returns:
        The parts in the notebook's order; an empty cell gives none.
    """
    language = notebook.get("metadata", {}).get("language_info", {}).get("pygments_lexer", "ipython3")
    parts: list[Part] = []
    question = Question()
    for number, cell in enumerate(notebook.get("cells", []), start=1):
        summary.cells += 1
        source = text_of(cell.get("source"))
        if cell.get("cell_type") == "markdown":
            begun = _last_question(source)
            question = begun or question
            begins_page = manual_on_new_page and begun is not None and begun.is_manual
            parts += _prose_parts(number, source, cell.get("attachments") or {}, question, begins_page)
        elif cell.get("cell_type") == "code":
            parts += _code_parts(number, cell, source, language, limits, summary)
        elif source.strip():
            raw = Listing(number, "raw", runs.plain_lines(source))
            parts.append(shortened_listing(raw, limits.source_lines, limits, summary))
    return [_kept_with(part, after) for part, after in zip(parts, [*parts, None][1:], strict=True)]


_SHORT = 700  # characters of a question's text that are kept on the page of its answer


def _kept_with(part: Part, after: Part | None) -> Part:
    """A question directly above a response stays on its page."""
    if isinstance(part, Prose) and isinstance(after, Prose) and after.response and not part.response:
        return replace(part, is_sticky=len(part.text) < _SHORT)
    return part


@dataclass
class Question:
    """A question: its number and id, what its parts are worth, and how many responses to it have been seen."""

    name: str = ""
    kinds: tuple[str, ...] = ()
    responses: int = 0

    @property
    def is_manual(self) -> bool:
        return all(kind.startswith("manual") for kind in self.kinds)

    def next_response(self) -> str:
        """What the next response answers, as `3.3 flow.width, part 2 of 2 · manual 5`."""
        self.responses += 1
        manual = [kind for kind in self.kinds if kind.startswith("manual")]
        if len(manual) > 1 and self.responses <= len(manual):
            return f"{self.name}, part {self.responses} of {len(manual)} · {manual[self.responses - 1]}"
        return " · ".join([self.name, *self.kinds])


def _last_question(source: str) -> Question | None:
    """The question that a response below this cell answers, if one begins in the cell."""
    matches = list(_QUESTION.finditer(source))
    if not matches:
        return None
    match = matches[-1]
    headings = [found["text"].rstrip("# \t") for found in _HEADING.finditer(source, 0, match.start())]
    number = re.match(r"[\d.]+\b", headings[-1]) if headings else None
    name = f"{number[0].rstrip('.')} {match['id']}" if number else match["id"]
    return Question(name, tuple(" ".join(kind.split()) for kind in match["kinds"].split("·") if kind.strip()))


def _prose_parts(number: int, source: str, attachments: dict, question: Question, begins_page: bool) -> list[Part]:
    if match := _RESPONSE.match(source):
        answer = source[match.end() :].strip()
        name = question.next_response() if question.name else f"cell {number}"
        response = Response(name, is_answered=not _UNANSWERED.fullmatch(written(answer).strip("* \t\n")))
        return [Prose(number, answer, attachments=attachments, response=response)]
    if not source.strip():
        return []
    return [Prose(number, source, attachments=attachments, begins_page=begins_page)]


def _code_parts(number: int, cell: dict, source: str, language: str, limits: Limits, summary: Summary) -> list[Part]:
    parts: list[Part] = []
    label = f"[{cell.get('execution_count') or ' '}]"
    if words := folded(source, cell.get("metadata") or {}):
        parts.append(Note(number, words, is_folded=True, label=label))
    elif source.strip():
        # A lexer's time may grow with the square of a line: one too long to be read stays uncoloured.
        is_sane = max(map(len, source.split("\n"))) < 10 * limits.characters
        lines = colours.code_lines(source, language if is_sane else "")
        is_graded = bool(_AUTOGRADED.search(source[:400]))
        listing = Listing(number, "source", lines, label, is_graded)
        parts.append(shortened_listing(listing, limits.source_lines, limits, summary))
    return parts + read_outputs(number, cell.get("outputs") or [], limits, summary)
