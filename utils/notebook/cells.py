"""A notebook as text: its cells, read from the bytes of any editor. Nothing is executed.

What had to be guessed or mended is reported as a repair, one sentence each. The grader and the hand-in check both read
notebooks through this module, so a student's check sees what the grader sees.
"""

import json
from dataclasses import dataclass

from utils.notebook.cell_code import MAX_CODE

MAX_NOTEBOOK_BYTES = 32 * 2**20
MAX_CELLS = 2000
MAX_SOURCE = 1_000_000  # characters in all cells that may be code: reading them costs time; twenty of our notebooks
_SIGNS = (b"{", b"[", b",")
MAX_PARTS = 1_000_000  # objects, lists and elements: a hundred bytes of memory for two of the file


class NotebookError(ValueError):
    """The bytes are not a notebook that can be read; the message is one sentence for the student."""


@dataclass(frozen=True)
class Cell:
    """One cell. `number` counts all cells from 1, as a reader would from the top."""

    number: int
    kind: str  # "code", "markdown" or "raw"
    source: str
    outputs: tuple = ()
    execution_count: int | None = None
    attachments: tuple[dict, ...] = ()  # of a text cell: pictures pasted into it, as an output's data


@dataclass(frozen=True)
class Notebook:
    """The cells of a notebook, and what had to be mended to read them."""

    cells: tuple[Cell, ...]
    repairs: tuple[str, ...] = ()


def read_notebook(data: bytes) -> Notebook:
    """Read the cells of a notebook, nbformat 4.0 to 4.5, as written by any editor.

    Args:
        data: The file's bytes.

    Returns:
        The notebook's cells; unusual but readable things are listed in `repairs`.

    Raises:
        NotebookError: If the bytes are too many, not JSON, or not a notebook of format 4.
    """
    if len(data) > MAX_NOTEBOOK_BYTES:
        raise NotebookError(
            f"The notebook has {len(data) / 2**20:.0f} MB, at most {MAX_NOTEBOOK_BYTES // 2**20} MB are read: "
            "clear its outputs (Edit > Clear Outputs of All Cells) and hand it in again."
        )
    if not data.strip():
        raise NotebookError("The notebook file is empty: save the notebook and hand it in again.")
    text, repairs = _decode(data)
    if _parts(data if text.isascii() else text.encode("utf-8", "replace")) > MAX_PARTS:
        raise NotebookError(
            f"The notebook holds more than {MAX_PARTS:,} numbers, lists and names in its outputs: "
            "clear its outputs (Edit > Clear Outputs of All Cells) and hand it in again."
        )
    try:
        content = json.loads(text)
    except (ValueError, RecursionError, MemoryError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotebookError(
            f"The notebook is not valid JSON{where}: it was damaged while saving or copying; open it in Jupyter, save it, hand it in again."
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        old = isinstance(content, dict) and "worksheets" in content
        raise NotebookError(
            "The notebook has the old format 3: open and save it in JupyterLab, then hand it in again."
            if old
            else "The file is JSON but not a notebook (it has no list of cells): hand in the .ipynb file itself."
        )
    if len(content["cells"]) > MAX_CELLS:
        raise NotebookError(
            f"The notebook has {len(content['cells'])} cells, at most {MAX_CELLS} are read: delete those that are not of this course."
        )
    cells = [_cell(number, raw, repairs) for number, raw in enumerate(content["cells"], 1)]
    if sum(len(cell.source) for cell in cells if cell and len(cell.source) <= MAX_CODE) > MAX_SOURCE:
        raise NotebookError(
            f"The notebook's cells have more than {MAX_SOURCE:,} characters in sum: delete the cells that are not of this course."
        )
    return Notebook(tuple(cell for cell in cells if cell), tuple(repairs))


def _parts(data: bytes) -> int:
    """How many objects, lists and elements the JSON has, before any is made. What stands in strings does not count, where it matters."""
    if (most := sum(data.count(sign) for sign in _SIGNS)) <= MAX_PARTS:
        return most
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")
    if plain.count(b'"') > 2 * MAX_PARTS:
        return plain.count(b'"')
    outside = b"".join(plain.split(b'"')[::2])
    return sum(outside.count(sign) for sign in _SIGNS)


def _decode(data: bytes) -> tuple[str, list[str]]:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding), [] if encoding == "utf-8-sig" else [
            "The notebook was saved as UTF-16; it was read all the same."
        ]
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="replace"), [
            "The notebook is not clean UTF-8; unreadable characters were replaced."
        ]


def _cell(number: int, raw: object, repairs: list[str]) -> Cell | None:
    if not isinstance(raw, dict):
        repairs.append(f"Cell {number} is damaged (not a cell) and was skipped.")
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        repairs.append(f"Cell {number} is damaged (its source is no text) and was read as empty.")
        source = ""
    if "\r" in source:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    if not source.isascii():  # JSON can spell half a character, which nothing can write
        source = source.lstrip("\ufeff").encode("utf-8", "replace").decode()
    outputs = raw.get("outputs")
    count = raw.get("execution_count")
    attached = raw.get("attachments")
    return Cell(
        number=number,
        kind=raw["cell_type"] if raw.get("cell_type") in ("code", "markdown", "raw") else "raw",
        source=source,
        outputs=tuple(output for output in outputs if isinstance(output, dict)) if isinstance(outputs, list) else (),
        execution_count=count if isinstance(count, int) else None,
        attachments=tuple(one for one in attached.values() if isinstance(one, dict))
        if isinstance(attached, dict)
        else (),
    )
