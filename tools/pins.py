"""The versions that bundles are made with: this project's requirements.txt, and the course's own above it."""

import re
from collections.abc import Iterable
from pathlib import Path

from utils.assignments.places import PROJECT, this_course

FILE = "requirements.txt"
_PIN = re.compile(r"^([\w-]+)==[^#\n]+", re.MULTILINE)


def pinned(packages: Iterable[str]) -> list[str]:
    """The lines of requirements.txt for some packages.

    Raises:
        ValueError: If one of them is pinned nowhere.
    """
    known: dict[str, list[str]] = {}
    for file in _files():
        own: dict[str, list[str]] = {}
        for pin in _PIN.finditer(file.read_text(encoding="utf-8")):  # a line for each range of Pythons
            own.setdefault(pin[1], []).append(pin[0].strip())
        known |= own
    wanted = list(dict.fromkeys(packages))
    if missing := [name for name in wanted if name not in known]:
        raise ValueError(
            f"{', '.join(missing)}: no version is known; write `{missing[0]}==VERSION` into {_files()[-1]} "
            "(about.toml declares it)."
        )
    return [pin for name in wanted for pin in known[name]]


def block(name: str) -> list[str]:
    """The packages of one block of this project's requirements.txt, which begins with `# --- NAME`.

    Raises:
        ValueError: If there is no such block.
    """
    text = (PROJECT / FILE).read_text(encoding="utf-8")
    match = re.search(rf"^# --- {name}\b[^\n]*\n(.*?)(?=^# --- |\Z)", text, re.MULTILINE | re.DOTALL)
    if not match:
        raise ValueError(f"{FILE} has no line that begins `# --- {name}`; what its packages are for is said there.")
    return list(dict.fromkeys(_PIN.findall(match[1])))


def _files() -> list[Path]:
    own = this_course().root / FILE
    return [PROJECT / FILE, *([own] if own != PROJECT / FILE and own.is_file() else [])]
