"""A table that a person fills in: read as any spreadsheet saves it, and said by its lines where it cannot be used."""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class SheetError(ValueError):
    """A person's table cannot be used; the message names the file, and the line where it can."""


@dataclass(frozen=True)
class Table:
    """A CSV file: its headings, and its rows with the lines they begin in."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    is_comma_decimal: bool = False

    def where(self, line: int) -> str:
        return f"{self.path}, line {line}"

    def number(self, cell: str) -> float | None:
        """A cell as a number; None if it is none."""
        try:
            value = float(cell.strip().replace(",", ".") if self.is_comma_decimal else cell.strip())
        except ValueError:
            return None
        return value if math.isfinite(value) else None


def read_table(path: Path, is_heading: Callable[[list[str]], bool], what: str, mend: str) -> Table:
    """Read a table with commas, semicolons or tabs between its cells.

    Args:
        path: The file, UTF-8, with or without a byte order mark.
        is_heading: Whether a first line, cut into cells, is the one expected.
        what: What the file is called in messages.
        mend: What to do about a file of another kind.

    Raises:
        SheetError: If it cannot be read, or is of another kind; or a line has more cells than there are headings.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        for delimiter in (",", ";", "\t"):
            header, *rows = _lines(text, delimiter)
            if is_heading(header[1]):
                break
        else:
            header = _lines(text, ",")[0]
            begin = ", ".join(header[1])[:200]
            raise SheetError(f"{what} {path} begins with {begin!r}: {mend}.")
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        if isinstance(error, SheetError):
            raise
        raise SheetError(f"{what} {path} cannot be read ({error}): save it as CSV in UTF-8.") from None
    titles = tuple(title.strip() for title in header[1])
    while titles and not titles[-1]:  # spreadsheets add empty columns at the end
        titles = titles[:-1]
    kept = []
    for line, row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if any(cells[len(titles) :]):
            raise SheetError(f"{path}, line {line}: it has more cells than there are headings: correct it.")
        kept.append((line, tuple((cells + [""] * len(titles))[: len(titles)])))
    if twice := {title for title in titles if titles.count(title) > 1}:
        raise SheetError(f"{path}, line 1: the heading {min(twice)!r} stands there twice: remove one of the columns.")
    return Table(path, titles, tuple(kept), delimiter == ";")


def _lines(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found, begin = [], 1
    for row in reader:
        found.append((begin, row))
        begin = reader.line_num + 1
    return found
