"""Sections of docs/validity.md that commands of their own write; `tests.validity` leaves them where they are."""

import json
import re
from pathlib import Path

from utils.assignments.places import this_course

_FIRST_NOTEBOOK = re.compile(r"^## \S+$", re.MULTILINE)


def section_pattern(heading: str) -> "re.Pattern[str]":
    """A section from its heading, such as "## Behavioural mutants", to the next one."""
    return re.compile(rf"^{heading}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def put(heading: str, section: str) -> None:
    """Put a section into the page, before the first notebook, in place of an earlier one."""
    page = this_course().root / "docs" / "validity.md"
    text = section_pattern(heading).sub("", page.read_text(encoding="utf-8"))
    first = _FIRST_NOTEBOOK.search(text)
    place = first.start() if first else len(text)
    page.write_text(f"{text[:place]}{section}\n\n{text[place:]}", encoding="utf-8")


def saved(paths: list[Path]) -> list[list]:
    """The outcomes that `--save` wrote, a line of JSON each."""
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
