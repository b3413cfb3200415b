"""A class with hostile names and texts, graded in a terminal: nothing of theirs moves, colours or asks it anything.

    python -m tests.on_terminal

Names and texts are made by rule: what terminals obey, in its two spellings, and what turns or hides letters. A terminal in software
(pyte, installed for this alone) sits behind `grade` and takes what it prints; unprotected words are fed to it too, to show that this
is seen. Needs `pyte` and a system with pseudo-terminals.
"""

import importlib
import importlib.util
import json
import os
import pty
import sys
import tempfile
import unicodedata
from pathlib import Path

SEQUENCES = (
    "[2J",
    "[31m",
    "[1m",
    "[10A",
    "[6n",
    "[5i",
    "[?1049h",
    "]0;owned\x07",
    "]8;;http://x\x07",
    "P+q\x1b\\",
    "c",
    "(0",
)
LETTERS = ("\x08\x08", "\r", "\x07", "\x7f", "\x0e", "\n\nforged 35", "\u202e", "\u2066", "\u2028", "\u200b")


def texts() -> list[str]:
    """Sequences as an escape introduces them and, where one letter does, as that; then letters that are obeyed themselves."""
    short = [chr(ord(one[0]) + 0x40) + one[1:] for one in SEQUENCES if one[0] in "[]P"]
    return [*("\x1b" + one for one in SEQUENCES), *short, *LETTERS]


def write_class(folder: Path) -> int:
    """Two hand-ins a text: a name and a damaged file, a name and cells that no assignment knows."""
    for n, text in enumerate(texts()):
        cell = {
            "cell_type": "code",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": f"# AUTOGRADED {text}\nx = 1",
        }
        notebook = {"cells": [cell], "metadata": {text: 1}, "nbformat": 4, "nbformat_minor": 5}
        name = text.replace("/", "|")
        (folder / f"a{n}{name}.ipynb").write_text('{"damaged": "' + text, encoding="utf-8", newline="")
        (folder / f"b{n}{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return 2 * len(texts())


def printed(command: list[str]) -> str:
    """What a program writes to a terminal of its own."""
    out = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        out.extend(data)
        return data

    pty.spawn(command, read)
    return out.decode("utf-8", "replace")


def obeyed(text: str) -> list[str]:
    """What is not a letter, a space or the end of a line."""
    return [
        one
        for one in text.replace("\r\n", "\n")
        if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    ]


def changed(text: str) -> list[str]:
    """What a terminal does beside showing letters."""
    pyte = importlib.import_module("pyte")
    screen, plain = pyte.Screen(400, 2000), pyte.Screen(400, 2000)
    pyte.Stream(screen).feed(text)
    coloured = sum(
        letter != plain.default_char._replace(data=letter.data)
        for row in screen.buffer.values()
        for letter in row.values()
    )
    found = {"title": screen.title, "letters in colour or bold": coloured, "modes": screen.mode - plain.mode}
    return [f"{what}: {value}" for what, value in found.items() if value]


def main() -> int:
    if importlib.util.find_spec("pyte") is None:
        print("pyte is not installed: .venv/bin/python -m pip install pyte")
        return 1
    assert changed("\r\n".join(texts())), "a terminal that obeys nothing shows nothing"
    with tempfile.TemporaryDirectory(prefix="terminal-") as name:
        folder = Path(name) / "class"
        folder.mkdir()
        count = write_class(folder)
        grade = [sys.executable, "-m", "grader", "grade", str(folder), "--out", f"{name}/results"]
        said = printed(grade) + printed(grade)  # and once more, with all kept from before
    signs, effects = obeyed(said), changed(said)
    print(f"{count} hand-ins, {len(said)} letters printed: {len(signs)} that terminals obey, {effects or 'no effects'}")
    return 1 if signs or effects else 0


if __name__ == "__main__":
    sys.exit(main())
