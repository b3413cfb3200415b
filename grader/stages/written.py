"""What a person grades: the answers in words, and the pictures that the student's own cells drew.

A picture is a stranger's bytes. It is kept only if it is a PNG or JPEG by its first bytes and of a size a page can show, and it
is written to the reports from those bytes, never as the text found in the notebook. Scans that were pasted into a text count.
"""

import base64
import binascii
import hashlib
import re
import struct
from functools import cache
from pathlib import Path

from grader.records import Written
from grader.stages.outside import OUTSIDE, outside_answers
from utils.assignments import Assignment, Part, Question
from utils.assignments.places import place_of
from utils.notebook.cells import Cell, Notebook
from utils.notebook.responses import questions_above, responses

MAX_PICTURES = 4  # of a part, the last ones: they stand next to the answer
MAX_PICTURE_BYTES = 600 * 1024
MAX_ALL_BYTES = 8 * 2**20  # of a submission
_MAX_SIDE = 8000  # pixels; a small file may claim any number
_MAX_TEXT = 20_000
_SIGNATURE, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_KINDS = ("image/png", "image/jpeg")
_EMBEDDED = re.compile(r"data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/=]{40,2000000})")


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
    outside = outside_answers(notebook, assignment)
    left, ours = MAX_ALL_BYTES, _given(place_of(assignment.notebook).path / "figures")
    for question in assignment.questions:
        cells = [cell for cell in notebook.cells if above.get(cell.number) == question.id]
        texts = [text for _, text in answers[question.id]]
        drawn = _drawn(cells, [number for number, _ in answers[question.id]], ours)
        parts = parts_for_a_person(question)
        added = _beside(parts, answers[question.id], outside.get(question.id, []))
        for n, (name, part) in enumerate(parts):
            pictures = []
            for picture in _of_part(n, len(parts), drawn)[-MAX_PICTURES:]:
                if len(picture) <= left:
                    pictures.append(picture)
                    left -= len(picture)
            text = texts[n] if part.kind == "manual" and n < len(texts) else ""
            text = _EMBEDDED.sub("(picture)", "\n\n".join([text, *added.get(n, [])]).strip())
            written.append(Written(name, text[:_MAX_TEXT], tuple(pictures)))
    return tuple(written)


def _beside(
    parts: list[tuple[str, Part]], answers: list[tuple[int, str]], outside: list[tuple[int, str]]
) -> dict[int, list[str]]:
    """What stands outside the response cells, by part: at every open one, or else at the one above it."""
    in_words = [n for n, (_, part) in enumerate(parts) if part.kind == "manual"]
    is_open = [n for k, n in enumerate(in_words) if k >= len(answers) or not answers[k][1]]
    found: dict[int, list[str]] = {}
    for number, text in outside:
        place = sum(cell < number for cell, _ in answers)
        for n in is_open or in_words[max(place - 1, 0) :][:1] or in_words[-1:]:
            found.setdefault(n, []).append(f"{OUTSIDE}, in cell {number}:*\n\n{text}")
    return found


@cache
def _given(folder: Path) -> frozenset[str]:
    """The digests of the pictures that the notebook's own texts show."""
    return frozenset(hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.png"))


def _drawn(cells: list[Cell], response_cells: list[int], given: frozenset[str]) -> list[list[bytes]]:
    """A question's pictures in groups: those above its first response, those above the second, ..., those below the last.

    A picture that the notebook came with is no student's, wherever it stands.
    """
    groups: list[list[bytes]] = [[] for _ in range(len(response_cells) + 1)]
    for cell in cells:
        own = [one for one in pictures_of(cell) if hashlib.sha256(one).hexdigest() not in given]
        groups[sum(number < cell.number for number in response_cells)] += own
    return groups


def _of_part(n: int, parts: int, drawn: list[list[bytes]]) -> list[bytes]:
    """Part n has the pictures above its response; the last part, and a part without words, all that are left."""
    responses_found = len(drawn) - 1
    if n < parts - 1:
        return drawn[n] if n < responses_found else []
    return [picture for group in drawn[min(n, responses_found) :] for picture in group]


def pictures_of(cell: Cell) -> list[bytes]:
    """The pictures of a cell that a page can show: among its outputs, attached to it, or embedded in its text."""
    data = [output.get("data") for output in cell.outputs]
    if cell.kind != "code":
        data += [*cell.attachments, *({kind: text} for kind, text in _EMBEDDED.findall(cell.source))]
    found = (_picture(one) for one in data)
    return [picture for picture in found if picture is not None]


def _picture(data: object) -> bytes | None:
    text = next((data[kind] for kind in _KINDS if kind in data), None) if isinstance(data, dict) else None
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    if not isinstance(text, str) or len(text) > 2 * MAX_PICTURE_BYTES:
        return None
    try:
        picture = base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error):
        return None
    sides = _sides(picture) if 33 < len(picture) <= MAX_PICTURE_BYTES else None
    return picture if sides and all(0 < side <= _MAX_SIDE for side in sides) else None


def _sides(picture: bytes) -> tuple[int, int] | None:
    """Width and height as the file's first bytes claim them; None for what is neither PNG nor JPEG."""
    if picture.startswith(_SIGNATURE) and picture[12:16] == b"IHDR":
        width, height = struct.unpack(">II", picture[16:24])
        return width, height
    if not picture.startswith(_JPEG):
        return None
    place = 2
    while place + 9 < len(picture) and picture[place] == 0xFF:
        kind, length = picture[place + 1], int.from_bytes(picture[place + 2 : place + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):  # a frame's header; those three are tables
            height, width = struct.unpack(">HH", picture[place + 5 : place + 9])
            return width, height
        place += 2 + max(length, 2)
    return None
