"""What a person grades: the answers in words, and the pictures that the student's own cells drew.

A picture is a stranger's bytes. It is kept only if it is a PNG by its first bytes and of a size a page can show, and it
is written to the reports from those bytes, never as the text found in the notebook.
"""

import base64
import binascii
import struct

from grader.records import Written
from utils.assignments import Assignment, Part, Question
from utils.notebook.cells import Cell, Notebook
from utils.notebook.responses import questions_above, responses

MAX_PICTURES = 4  # of a part, the last ones: they stand next to the answer
MAX_PICTURE_BYTES = 600 * 1024
MAX_ALL_BYTES = 8 * 2**20  # of a submission
_MAX_SIDE = 8000  # pixels; a small file may claim any number
_MAX_TEXT = 20_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def parts_for_a_person(question: Question) -> list[tuple[str, Part]]:
    """The parts of a question that a person grades, with their names in the reports."""
    parts = [part for part in question.parts if part.kind in ("manual", "quality")]
    return [
        (f"{question.id}.{part.kind}" + (str(n) if len(parts) > 1 else ""), part) for n, part in enumerate(parts, 1)
    ]


def written_parts(notebook: Notebook, assignment: Assignment) -> tuple[Written, ...]:
    """Collect what a person grades.

    Args:
        notebook: The notebook as read, outputs included.
        assignment: Its questions.

    Returns:
        One record for each part that a person grades, in the order of the questions.
    """
    answers, above = responses(notebook, assignment), questions_above(notebook, assignment)
    written: list[Written] = []
    left = MAX_ALL_BYTES
    for question in assignment.questions:
        cells = [cell for cell in notebook.cells if above.get(cell.number) == question.id]
        texts = [text for _, text in answers[question.id]]
        drawn = _drawn(cells, [number for number, _ in answers[question.id]])
        parts = parts_for_a_person(question)
        for n, (name, part) in enumerate(parts):
            pictures = []
            for picture in _of_part(n, len(parts), drawn)[-MAX_PICTURES:]:
                if len(picture) <= left:
                    pictures.append(picture)
                    left -= len(picture)
            text = texts[n] if part.kind == "manual" and n < len(texts) else ""
            written.append(Written(name, text[:_MAX_TEXT], tuple(pictures)))
    return tuple(written)


def _drawn(cells: list[Cell], response_cells: list[int]) -> list[list[bytes]]:
    """A question's pictures in groups: those above its first response, those above the second, ..., those below the last."""
    groups: list[list[bytes]] = [[] for _ in range(len(response_cells) + 1)]
    for cell in cells:
        groups[sum(number < cell.number for number in response_cells)] += pictures_of(cell)
    return groups


def _of_part(n: int, parts: int, drawn: list[list[bytes]]) -> list[bytes]:
    """Part n has the pictures above its response; the last part, and a part without words, all that are left."""
    responses_found = len(drawn) - 1
    if n < parts - 1:
        return drawn[n] if n < responses_found else []
    return [picture for group in drawn[min(n, responses_found) :] for picture in group]


def pictures_of(cell: Cell) -> list[bytes]:
    """The PNG files among a cell's outputs that a page can show."""
    found = (_png(output.get("data")) for output in cell.outputs)
    return [picture for picture in found if picture is not None]


def _png(data: object) -> bytes | None:
    text = data.get("image/png") if isinstance(data, dict) else None
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    if not isinstance(text, str) or len(text) > 2 * MAX_PICTURE_BYTES:
        return None
    try:
        picture = base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error):
        return None
    if not picture.startswith(_SIGNATURE) or not 33 < len(picture) <= MAX_PICTURE_BYTES or picture[12:16] != b"IHDR":
        return None
    sides = struct.unpack(">II", picture[16:24])
    return picture if all(0 < side <= _MAX_SIDE for side in sides) else None
