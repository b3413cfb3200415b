"""All parts of a notebook as one Typst document: markup for each part, files for the pictures, data for the listings."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from . import maths, runs
from .parts import Response
from .summary import Summary

_PREAMBLE = '#import "template.typ": *\n'


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
