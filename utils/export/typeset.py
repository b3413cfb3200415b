"""Compiles the document with Typst. What Typst refuses is found and replaced: a formula, then a part, then everything."""

import contextlib
import importlib.util
import json
import logging
import re
import subprocess
import sys
import threading
import time
import unicodedata
from pathlib import Path
from typing import Any

from .document import Document

_FONTS = '("Libertinus Serif", "DejaVu Sans")'
_INVISIBLE = ("Mn", "Me", "Cf", "Cc", "Co", "Cn", "Zs")  # Unicode categories without a glyph of their own
_SECONDS, _PART_SECONDS, _ALL_SECONDS = 60.0, 10.0, 180.0  # a document, a piece of it, everything for one notebook
_DEAR = "it takes too much time or memory"
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
    try:
        press = _with_fonts_for(document, press, log)
        return _pressed(document, press, log)
    finally:
        press.close()


def _pressed(document: Document, press: "_Press", log: logging.Logger) -> bytes:
    for step in (lambda: None, lambda: _refuse_formulas(document, press), lambda: _refuse_pieces(document, press)):
        step()
        pdf, problem = press.try_compile(document.write())
        if pdf:
            return pdf
        log.warning("Typst refuses the document (%s); looking for the part at fault.", problem)
    document.summary.lose(0, "document", f"Typst refuses the document ({problem}); everything is shown as source.")
    for piece in document.pieces:
        document.refuse_piece(piece, "like all others")
    press.more_time()
    pdf, problem = press.try_compile(document.write())
    if not pdf:
        raise TypesetError(f"Typst refuses even the plain text: {problem}")
    return pdf


class _Refused(Exception):
    """What Typst says of a document that it does not compile."""

    def __init__(self, problem: str, diagnostic: str = "") -> None:
        super().__init__(problem)
        self.diagnostic = diagnostic


class _Press:
    """A Typst compiler with the fonts that pip's wheels bring, and the system's on demand: a process with limits (`press`)."""

    def __init__(self, folder: Path, with_system_fonts: bool = False):
        try:
            import typst  # noqa: F401  only to see that it is there
        except ImportError:
            raise TypesetError("Typst is not installed (pip install typst)") from None
        self.folder = folder
        self._settings = {
            "root": str(folder), "font_paths": _wheel_fonts(), "ignore_system_fonts": not with_system_fonts,
        }  # fmt: skip
        self._process: subprocess.Popen | None = None
        self._until = time.monotonic() + _ALL_SECONDS

    def __del__(self) -> None:
        self.close()

    def more_time(self) -> None:
        """For the plain text, at the end of the ladder."""
        self._until = max(self._until, time.monotonic() + _SECONDS)

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = getattr(self, "_process", None), None
        if process is not None:
            process.kill()
            process.communicate()

    def try_compile(self, markup: str, seconds: float | None = None) -> tuple[bytes | None, str]:
        """The PDF, or None and the compiler's first sentence."""
        try:
            return self._compile(markup, seconds or _SECONDS), ""
        except _Refused as refused:
            return None, str(refused)

    def without_glyph(self, characters: list[str]) -> list[str]:
        """Those of the characters that no font has. Typst prints boxes without a word, except for PDF/A, which forbids it."""
        try:
            self._compile(f"#set text(font: {_FONTS})\n" + " ".join(characters), _SECONDS, pdf_standards="a-2b")
        except _Refused as refused:
            found = set("".join(_MISSING.findall(refused.diagnostic)))
            return [character for character in characters if character in found]
        return []

    def _compile(self, markup: str, seconds: float, **options: Any) -> bytes:
        main, pdf = self.folder / "main.typ", self.folder / "main.pdf"
        main.write_text(markup, encoding="utf-8")
        pdf.unlink(missing_ok=True)
        left = self._until - time.monotonic()
        answer = self._asked({"main": str(main), "pdf": str(pdf), "options": options}, min(seconds, left))
        if answer["problem"] or not pdf.exists():
            raise _Refused(answer["problem"] or "no PDF came out", answer["diagnostic"])
        return pdf.read_bytes()

    def _asked(self, job: dict, seconds: float) -> dict:
        """The process's answer. One that takes too long, or too much memory, ends with it; the next job gets a new one."""
        if seconds <= 0:
            raise _Refused(_DEAR)
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        bell = threading.Timer(seconds, process.kill)
        bell.start()
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            bell.cancel()
        if not answer.endswith("\n"):
            self.close()
            raise _Refused(_DEAR)
        return json.loads(answer)

    def _started(self) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("press.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.write(json.dumps(self._settings) + "\n")
        return process


def _wheel_fonts() -> list[str]:
    """Folder of the fonts that matplotlib brings, found without importing it; Typst has its own inside."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" if spec and spec.origin else None
    return [str(folder)] if folder and folder.is_dir() else []


def _refuse_formulas(document: Document, press: _Press) -> None:
    for number in range(len(document.formula_markup)):
        pdf, problem = press.try_compile(document.probe_formula(number), _PART_SECONDS)
        if not pdf:
            document.refuse_formula(number, f"Typst says “{problem}”")


def _refuse_pieces(document: Document, press: _Press) -> None:
    for piece in document.pieces:
        pdf, problem = press.try_compile(document.probe_piece(piece), _PART_SECONDS)
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
