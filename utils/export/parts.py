"""What a notebook consists of once it is to be printed: prose, listings, pictures and notes."""

from dataclasses import dataclass, field

from .runs import Line


@dataclass(frozen=True)
class Limits:
    """How much of an output is printed: lines of one output, characters of one line, lines of one code cell."""

    lines: int = 100
    characters: int = 2000
    source_lines: int = 1500


@dataclass(frozen=True)
class Response:
    """The frame of a response cell: the question it answers, as `1.2 flow.scalar · manual 10`, and whether it does."""

    question: str
    is_answered: bool


@dataclass(frozen=True)
class Prose:
    """Text to be read by pandoc: `format` is `markdown`, `latex` or `html`."""

    cell: int
    text: str
    format: str = "markdown"
    attachments: dict = field(default_factory=dict)
    response: Response | None = None
    begins_page: bool = False
    is_sticky: bool = False


@dataclass(frozen=True)
class Listing:
    """Lines of fixed-width text. `kind` is `source`, `raw`, `result`, `stdout`, `stderr` or `error`."""

    cell: int
    kind: str
    lines: list[Line]
    label: str = ""
    is_graded: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture among the outputs, as it stands in the notebook; it is checked when the document is put together."""

    cell: int
    content: str | list[str]
    mime: str
    width: int = 0
    alt: str = ""


@dataclass(frozen=True)
class Note:
    """One sentence of ours in place of something that cannot be printed, or need not be: code that is folded."""

    cell: int
    words: str
    is_folded: bool = False
    label: str = ""


Part = Prose | Listing | Picture | Note


def text_of(value) -> str:
    """A multi-line value of the notebook format, which may be a string or a list of strings."""
    return value if isinstance(value, str) else "".join(value or [])
