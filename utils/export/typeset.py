"""Compiles the document with Typst. What Typst refuses is found and replaced: a formula, then a part, then everything."""

import importlib.util
import logging
import re
import unicodedata
from pathlib import Path
from typing import Any

from .document import Document

_FONTS = '("Libertinus Serif", "DejaVu Sans")'
_INVISIBLE = ("Mn", "Me", "Cf", "Cc", "Co", "Cn", "Zs")  # Unicode categories without a glyph of their own
_MISSING = re.compile(r'the text `"(.{1,40}?)"` could not be displayed')


class TypesetError(RuntimeError):
    """Typst is missing, or refuses even the plain text; the sentence says which."""


def typeset(document: Document, log: logging.Logger) -> bytes:
    """The document as a PDF.

    Args:
        document: The document; what had to be replaced is changed in it and noted in its summary.
        log: Told about every step down the ladder.

    Returns:
        The PDF's bytes.

    Raises:
        TypesetError: If there is no Typst, or not even the plain text compiles.
    """
    press = _Press(document.folder)
    press = _with_fonts_for(document, press, log)
    for step in (lambda: None, lambda: _refuse_formulas(document, press), lambda: _refuse_pieces(document, press)):
        step()
        pdf, problem = press.try_compile(document.write())
        if pdf:
            return pdf
        log.warning("Typst refuses the document (%s); looking for the part at fault.", problem)
    document.summary.lose(0, "document", f"Typst refuses the document ({problem}); everything is shown as source.")
    for piece in document.pieces:
        document.refuse_piece(piece, "like all others")
    pdf, problem = press.try_compile(document.write())
    if not pdf:
        raise TypesetError(f"Typst refuses even the plain text: {problem}")
    return pdf


class _Press:
    """A Typst compiler with the fonts that pip's wheels bring, and the system's on demand."""

    def __init__(self, folder: Path, with_system_fonts: bool = False):
        try:
            import typst
        except ImportError:
            raise TypesetError("Typst is not installed (pip install typst)") from None
        self.folder = folder
        self._compiler = typst.Compiler(
            root=str(folder), font_paths=_wheel_fonts(), ignore_system_fonts=not with_system_fonts
        )

    def try_compile(self, markup: str) -> tuple[bytes | None, str]:
        """The PDF, or None and the compiler's first sentence."""
        try:
            return self._compile(markup), ""
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:  # a panic inside Typst is no Exception
            return None, getattr(error, "message", "") or str(error)[:200]

    def without_glyph(self, characters: list[str]) -> list[str]:
        """Those of the characters that no font has. Typst prints boxes without a word, except for PDF/A, which forbids it."""
        try:
            self._compile(f"#set text(font: {_FONTS})\n" + " ".join(characters), pdf_standards="a-2b")
        except RuntimeError as error:
            found = set("".join(_MISSING.findall(getattr(error, "diagnostic", ""))))
            return [character for character in characters if character in found]
        return []

    def _compile(self, markup: str, **options: Any) -> bytes:
        main = self.folder / "main.typ"
        main.write_text(markup, encoding="utf-8")
        pdf = self._compiler.compile(str(main), format="pdf", **options)
        assert isinstance(pdf, bytes)  # a list comes back for pictures only
        return pdf


def _wheel_fonts() -> list[str]:
    """Folder of the fonts that matplotlib brings, found without importing it; Typst has its own inside."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" if spec and spec.origin else None
    return [str(folder)] if folder and folder.is_dir() else []


def _refuse_formulas(document: Document, press: _Press) -> None:
    for number in range(len(document.formula_markup)):
        pdf, problem = press.try_compile(document.probe_formula(number))
        if not pdf:
            document.refuse_formula(number, f"Typst says “{problem}”")


def _refuse_pieces(document: Document, press: _Press) -> None:
    for piece in document.pieces:
        pdf, problem = press.try_compile(document.probe_piece(piece))
        if not pdf:
            document.refuse_piece(piece, f"Typst says “{problem}”")


def _with_fonts_for(document: Document, press: _Press, log: logging.Logger) -> _Press:
    """A press whose fonts show the notebook's characters as far as this machine can; the rest is noted as lost."""
    visible = [c for c in sorted(document.characters) if unicodedata.category(c) not in _INVISIBLE]
    missing = press.without_glyph(visible) if visible else []
    if missing:
        log.info("%d characters are not in the bundled fonts; looking at the system's.", len(missing))
        richer = _Press(press.folder, with_system_fonts=True)
        still_missing = richer.without_glyph(missing)
        if len(still_missing) < len(missing):
            press, missing = richer, still_missing
    if missing:
        names = ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        cell = min(document.characters[c] for c in missing)
        words = f"no font on this computer has {names}{more}: they print as boxes. Install one (Noto Sans CJK, Noto Emoji) and export again."
        document.summary.lose(cell, "character", words)
    return press
