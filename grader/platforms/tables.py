"""Tables as platforms and spreadsheets write them: any delimiter, and every field kept as it stands in the file."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

_DELIMITERS = (",", ";", "\t")
_WHOLE_FILE = 64 * 2**20
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class TableError(ValueError):
    """The file is no table; the message says what is wrong with it, for the middle of a sentence."""


@dataclass(frozen=True)
class Table:
    """Rows of raw fields, each as written, quotes included, and what ends each row: a line end, or nothing."""

    rows: list[list[str]]
    ends: list[str]
    delimiter: str
    encoding: str

    @property
    def header(self) -> list[str]:
        return [plain_text(field) for field in self.rows[0]] if self.rows else []

    def cells(self, row: list[str]) -> list[str]:
        return [plain_text(field) for field in row]

    def data(self) -> bytes:
        """The file's bytes, as it is now."""
        text = "".join(self.delimiter.join(row) + end for row, end in zip(self.rows, self.ends, strict=True))
        return text.encode(self.encoding)


def read_table(path: Path) -> Table:
    """Read a table.

    Raises:
        TableError: If the file cannot be read as text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_WHOLE_FILE + 1)
        if len(data) > _WHOLE_FILE:
            raise TableError(f"it has more than {_WHOLE_FILE // 2**20} MB")
        encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "utf-8")
        text = data.decode(encoding)
    except OSError as error:
        raise TableError(str(error.strerror or error)) from None
    except UnicodeDecodeError as error:
        raise TableError(str(error)) from None
    delimiter = _delimiter(text)
    return Table(*_split(text, delimiter), delimiter, encoding)


def _delimiter(text: str) -> str:
    """What parts the most fields of the first line."""
    counts = {delimiter: len(_first_row(text, delimiter)) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _first_row(text: str, delimiter: str) -> list[str]:
    field = _field(delimiter)
    row, position = [], 0
    while (match := field.match(text, position)) is not None:
        row.append(match[0])
        position = match.end() + 1
        if not text.startswith(delimiter, match.end()):
            return row
    return row


def _field(delimiter: str) -> re.Pattern[str]:
    blank = r"[ ]*" if delimiter == "\t" else r"[ \t]*"
    return re.compile(rf'\ufeff?{blank}"(?:[^"]|"")*"[^{re.escape(delimiter)}\r\n]*|[^{re.escape(delimiter)}\r\n]*')


def _split(text: str, delimiter: str) -> tuple[list[list[str]], list[str]]:
    """Rows of raw fields. The csv module would forget what was quoted."""
    rows: list[list[str]] = []
    ends: list[str] = []
    field = _field(delimiter)
    position, row = 0, []
    while position < len(text):
        match = field.match(text, position)
        assert match is not None
        row.append(match[0])
        position = match.end()
        if text.startswith(delimiter, position):
            position += 1
            if position < len(text):
                continue
            row.append("")
        end = next((end for end in ("\r\n", "\n", "\r") if text.startswith(end, position)), "")
        rows.append(row)
        ends.append(end)
        position, row = position + len(end), []
    return rows, ends


def plain_text(field: str) -> str:
    """A raw field's content."""
    field = field.lstrip("\ufeff")
    if not field.lstrip(" \t").startswith('"'):
        return field.strip()
    try:
        row = next(csv.reader(io.StringIO(field.lstrip(" \t"), newline="")), [])
    except csv.Error:  # longer than the module reads, or a line end where none may be
        row = [field]
    return row[0].strip() if row else ""
