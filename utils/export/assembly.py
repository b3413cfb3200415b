"""Puts the document together: converts the prose, checks the pictures, colours the code blocks."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

from . import colours, images, maths, pandoc, runs
from .document import Document, Front, Piece, quoted
from .parts import Listing, Note, Part, Picture, Prose
from .summary import Summary

_TEMPLATE = Path(__file__).with_name("template.typ")
_MARK = re.compile("\ue000([a-z])(\\d+)\ue001")
_DROPPED = re.compile(r"\\(?:(?:text)?color|colorbox)\b|(\\(?:hline|cline)\b)")
_COLUMNS = 106  # characters of a listing's line on the page; in a list or a frame fewer fit
_NARROW_COLUMNS = 94
_WORD = 1000  # characters of one unbroken word in prose


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
        elif dropped := _DROPPED.search(formula.tex):
            what = "lines of an array" if dropped[1] else "colours"
            document.summary.lose(formula.cell, "document", f"the {what} in a formula are not printed.")


def _piece(document: Document, part: Part, converted: pandoc.Converted | None, source_folder: Path) -> Piece:
    if isinstance(part, Listing):
        return Piece(
            part.cell,
            _listing(document, part, _COLUMNS),
            "\n".join("".join(run[0] for run in line) for line in part.lines),
        )
    if isinstance(part, Note) and part.is_folded:
        return Piece(part.cell, f"#folded({quoted(part.words)}, {quoted(part.label)})", part.words)
    if isinstance(part, Note):
        return Piece(part.cell, f"#remark({quoted(part.words)})", part.words)
    if isinstance(part, Picture):
        return Piece(part.cell, _output_picture(document, part), f"[picture, {part.mime}]")
    piece = Piece(
        cell=part.cell,
        markup="",
        plain=part.text,
        begins_page=part.begins_page,
        is_sticky=part.is_sticky,
        frame=part.response,
    )
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
            return _prose_picture(document, part, converted.images[number], source_folder)
        code = converted.listings[number]
        lines = colours.code_lines(code["text"], code["language"] or "text")
        return _listing(document, Listing(part.cell, "source", lines), _NARROW_COLUMNS) + ";"

    return _MARK.sub(fill, converted.typ)


def _listing(document: Document, part: Listing, columns: int) -> str:
    document.listings.append(
        {"kind": part.kind, "label": part.label, "graded": part.is_graded, "lines": runs.wrapped(part.lines, columns)}
    )
    return f"#listing({len(document.listings) - 1})"


def _prose_picture(document: Document, part: Prose, found: dict, source_folder: Path) -> str:
    source = found["src"]
    name = images.short_name(source)
    document.summary.images += 1
    try:
        image = images.check(images.find(source, part.attachments, source_folder), name)
    except images.ImageError as error:
        return _missing_picture(document, part.cell, name, str(error))
    return f"#picture({_saved(document, image)}, {image.width}, {quoted(str(found.get('alt') or ''))});"


def _output_picture(document: Document, part: Picture) -> str:
    document.summary.images += 1
    try:
        image = images.check(images.decode(part.content, part.mime), part.mime, part.width)
    except images.ImageError as error:
        return _missing_picture(document, part.cell, f"output, {part.mime}", str(error))
    return f"#output-picture({_saved(document, image)}, {image.width}, {quoted(part.alt)})"


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
