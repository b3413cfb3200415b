"""All parts of a notebook as one Typst document: markup for each part, files for the pictures, data for the listings."""

import json
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import images, maths, pandoc, runs
from .parts import Listing, Note, Part, Picture, Prose, Response
from .summary import Summary

_TEMPLATE = Path(__file__).with_name("template.typ")
_MARK = re.compile("\ue000([a-z])(\\d+)\ue001")
_PREAMBLE = '#import "template.typ": *\n'
COLUMNS = 106  # characters of a listing's line on the page; in a list or a frame fewer fit
_NARROW_COLUMNS = 94
_WORD = 1000  # characters of one unbroken word in prose


@dataclass(frozen=True)
class Front:
    """What the first page and the headers say.

    Args:
        title: The notebook's title.
        file: Its file name.
        student: Name as it is to be printed, or empty.
        receipt: The hand-in's SHA-256 in hexadecimal, or empty.
        paper: A Typst paper size, such as `a4` or `us-letter`.
    """

    title: str
    file: str
    student: str = ""
    receipt: str = ""
    paper: str = "a4"


@dataclass
class Piece:
    """One part as markup, and the text to show if Typst refuses it."""

    cell: int
    markup: str
    plain: str = ""
    begins_page: bool = False
    is_sticky: bool = False
    frame: Response | None = None

    def framed(self) -> str:
        """The markup with what stands around it: a page break, the frame of a response, or what keeps it with the next."""
        if self.frame is not None:
            answered = "true" if self.frame.is_answered else "false"
            return f"#response({quoted(self.frame.question)}, {answered})[\n{self.markup}\n]"
        body = f"#block(sticky: true, width: 100%)[\n{self.markup}\n]" if self.is_sticky else self.markup
        return "#pagebreak(weak: true)\n" + body if self.begins_page else body


@dataclass
class Document:
    """A notebook on its way to Typst. `folder` holds what the markup names: template, data, pictures."""

    folder: Path
    front: Front
    summary: Summary
    formulas: list[maths.Formula] = field(default_factory=list)
    formula_markup: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    listings: list[dict] = field(default_factory=list)
    pictures: int = 0
    characters: dict[str, int] = field(default_factory=dict)  # non-ASCII characters and the cell each appears in first

    def write(self) -> str:
        """Write the data beside the template and return the document's markup."""
        self._write_data()
        return "\n\n".join([self.preamble(), "#show: notebook", *(piece.framed() for piece in self.pieces)]) + "\n"

    def preamble(self) -> str:
        """The imports and the formulas, as every probe of a single part needs them too."""
        formulas = "".join(f"[{markup}],\n" for markup in self.formula_markup)
        return f"{_PREAMBLE}#let formulas = (\n{formulas})\n#let m(number) = formulas.at(number)\n"

    def probe_formula(self, number: int) -> str:
        """One formula as a document of its own."""
        self._write_data()
        return f"{_PREAMBLE}#show: styled\n{self.formula_markup[number]}"

    def probe_piece(self, piece: Piece) -> str:
        """One part, with the formulas it may name, as a document of its own."""
        return f"{self.preamble()}#show: styled\n{piece.framed()}"

    def refuse_formula(self, number: int, reason: str) -> None:
        """Show a formula as its source."""
        formula = self.formulas[number]
        self.formula_markup[number] = (
            f"#unset-formula({quoted(formula.source)}, {'true' if formula.display else 'false'})"
        )
        words = f"formula shown as its source, {reason}: {' '.join(formula.source.split())[:100]}"
        self.summary.lose(formula.cell, "formula", words)

    def refuse_piece(self, piece: Piece, reason: str) -> None:
        """Show a part as its source."""
        piece.markup = f"#as-source({quoted('This part could not be typeset; its source:')}, {quoted(piece.plain)})"
        self.summary.lose(piece.cell, "part", f"a part is shown as its source, {reason}.")

    def _write_data(self) -> None:
        losses = self.summary.sentences()
        data = {
            **vars(self.front),
            "listings": self.listings,
            "summary": {"counts": self.summary.counts(), "losses": losses},
        }
        (self.folder / "notebook.json").write_text(json.dumps(data), encoding="utf-8")


def quoted(text: str) -> str:
    """A Typst string literal."""
    text = runs.clean(text.replace("\x1b", "")).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n").replace("\t", "    ") + '"'


def build(parts: list[Part], front: Front, source_folder: Path, folder: Path, summary: Summary) -> Document:
    """Put a notebook's parts together.

    Args:
        parts: The parts, in order.
        front: What the headers say.
        source_folder: The notebook's folder, where its Markdown looks for pictures.
        folder: An empty folder for the document's files.
        summary: Told which formulas and pictures cannot be printed.

    Returns:
        The document; its formulas and parts are converted, not yet compiled.

    Raises:
        pandoc.PandocError: If pandoc is missing or fails as a whole.
    """
    document = Document(folder, front, summary)
    shutil.copy(_TEMPLATE, folder)
    parts = [_detached(part) if isinstance(part, Prose) else part for part in parts]
    prose = [part for part in parts if isinstance(part, Prose)]
    texts = [(_prepared(part, document), part.format) for part in prose]
    document.formulas, macros = maths.take_macros(document.formulas)
    converted, formulas = pandoc.convert(texts, document.formulas, macros)
    _add_formulas(document, formulas)
    _note_characters(document, 0, front.student + front.title)
    answers = dict(zip(map(id, prose), converted, strict=True))
    for part in parts:
        _note_characters(document, part.cell, _text(part))
        document.pieces.append(_piece(document, part, answers.get(id(part)), source_folder))
    return document


def _detached(part: Prose) -> Prose:
    text, embedded = images.detach(runs.clean(part.text.replace("\x1b", "")))
    return replace(part, text=text, attachments={**part.attachments, **embedded})


def _prepared(part: Prose, document: Document) -> str:
    """The part's text as pandoc gets it: formulas as marks, endless words cut (its reader takes minutes over one)."""
    text = maths.take_formulas(part.text, part.cell, document.formulas, part.format == "latex")
    cut = re.sub(rf"([^\s<>]{{{_WORD}}})[^\s<>]+", r"\1…", text)
    if cut != text:
        document.summary.lose(part.cell, "lines", f"a word of its text cut at {_WORD} characters.")
    return cut


def _add_formulas(document: Document, converted: list[pandoc.ConvertedFormula]) -> None:
    document.summary.formulas = len(converted)
    for number, (formula, result) in enumerate(zip(document.formulas, converted, strict=True)):
        document.formula_markup.append(result.typ if formula.tex else "")
        if result.tag:
            document.formula_markup[number] = f"#numbered({quoted(result.tag)})[{result.typ}]"
        if result.problem and formula.tex:
            document.refuse_formula(number, "pandoc cannot read it")


def _piece(document: Document, part: Part, converted: pandoc.Converted | None, source_folder: Path) -> Piece:
    if isinstance(part, Listing):
        return Piece(
            part.cell,
            _listing(document, part, COLUMNS),
            "\n".join("".join(run[0] for run in line) for line in part.lines),
        )
    if isinstance(part, Note):
        return Piece(part.cell, f"#remark({quoted(part.words)})", part.words)
    if isinstance(part, Picture):
        return Piece(part.cell, _output_picture(document, part), f"[picture, {part.mime}]")
    piece = Piece(part.cell, "", part.text, part.begins_page, part.is_sticky, part.response)
    if converted is None or converted.problem:
        document.refuse_piece(piece, "pandoc cannot read it")
    else:
        piece.markup = _filled(document, part, converted, source_folder)
    return piece


def _filled(document: Document, part: Prose, converted: pandoc.Converted, source_folder: Path) -> str:
    """The part's markup with its marks replaced by formulas, pictures and listings."""

    def fill(mark: re.Match) -> str:
        kind, number = mark[1], int(mark[2])
        if kind == "m":
            return f"#m({number});"
        if kind == "i":
            return _prose_picture(document, part, converted.images[number]["src"], source_folder)
        code = converted.listings[number]
        lines = runs.code_lines(code["text"], code["language"] or "text")
        return _listing(document, Listing(part.cell, "source", lines), _NARROW_COLUMNS) + ";"

    return _MARK.sub(fill, converted.typ)


def _listing(document: Document, part: Listing, columns: int) -> str:
    document.listings.append(
        {"kind": part.kind, "label": part.label, "graded": part.is_graded, "lines": runs.wrapped(part.lines, columns)}
    )
    return f"#listing({len(document.listings) - 1})"


def _prose_picture(document: Document, part: Prose, source: str, source_folder: Path) -> str:
    name = images.short_name(source)
    document.summary.images += 1
    try:
        image = images.check(images.find(source, part.attachments, source_folder), name)
    except images.ImageError as error:
        return _missing_picture(document, part.cell, name, str(error))
    return f"#picture({_saved(document, image)}, {image.width});"


def _output_picture(document: Document, part: Picture) -> str:
    document.summary.images += 1
    try:
        image = images.check(images.decode(part.content, part.mime), part.mime, part.width)
    except images.ImageError as error:
        return _missing_picture(document, part.cell, f"output, {part.mime}", str(error))
    return f"#output-picture({_saved(document, image)}, {image.width})"


def _missing_picture(document: Document, cell: int, name: str, reason: str) -> str:
    document.summary.lose(cell, "image", f"image not included ({name}): {reason}.")
    return f"#remark({quoted(f'[image not included: {name}; {reason}]')});"


def _saved(document: Document, image: images.Image) -> str:
    document.pictures += 1
    name = f"picture{document.pictures}.{image.suffix}"
    (document.folder / name).write_bytes(image.data)
    return quoted(name)


def _note_characters(document: Document, cell: int, text: str) -> None:
    for character in set(text) if not text.isascii() else ():
        if not character.isascii():
            document.characters.setdefault(character, cell)


def _text(part: Part) -> str:
    """All text of a part that will be printed."""
    if isinstance(part, Listing):
        return "".join(run[0] for line in part.lines for run in line)
    return part.text if isinstance(part, Prose) else ""
