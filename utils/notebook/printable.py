"""Text from strangers, fit for a terminal, a page and a file."""

import io
import sys
import unicodedata


def printable(text: str) -> str:
    """A text on one line, without what a terminal, a reader or an encoder is misled by.

    Args:
        text: Any string.

    Returns:
        The same with a plain space for every kind of space or line end, nothing for marks that only turn or join the
        writing, and a question mark for controls and half characters.
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def print_anything() -> None:
    """From now on a letter that this terminal does not have is shown as `?`; without this, printing it ends the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) == "Cf" else "?"
