"""Answers outside their RESPONSE cell are shown to the person who grades: every part in words of every notebook, every trouble."""

import base64
import copy
import io
from collections.abc import Callable
from functools import cache

import nbformat
import pytest
from nbformat import NotebookNode, v4
from PIL import Image

from grader.records import Submission, Written
from grader.stages.compare import _manual
from grader.stages.notebook import read
from grader.stages.written import parts_for_a_person, written_parts
from tools.notebooks import solved_notebook, student_notebook
from utils.assignments import assignment_names, load_assignment
from utils.notebook.cells import read_notebook
from utils.notebook.responses import responses

WORDS = "Because the entropy of q is what is left: zebra $x^2$"
PARTS = [
    (name, question.id, n)
    for name in assignment_names()
    for question in load_assignment(name).questions
    for n in range(question.responses)
]


@cache
def _given(name: str) -> NotebookNode:
    return student_notebook(name)


def _blank(name: str) -> NotebookNode:
    return copy.deepcopy(_given(name))


def _written(name: str, notebook: NotebookNode) -> dict[str, Written]:
    data = nbformat.writes(notebook).encode()
    return {part.check: part for part in written_parts(read_notebook(data), load_assignment(name))}


def _place(name: str, question: str, part: int) -> int:
    """Where the part's RESPONSE cell stands in the notebook as given out."""
    found = responses(read_notebook(nbformat.writes(_given(name)).encode()), load_assignment(name))
    return found[question][part][0] - 1


def _checks(name: str, question: str, part: int) -> str:
    """The part's name in the reports."""
    (about,) = [q for q in load_assignment(name).questions if q.id == question]
    in_words = [check for check, one in parts_for_a_person(about) if one.kind == "manual"]
    return in_words[part]


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "blue").save(out, "JPEG")
    return out.getvalue()


def _above(cells: list, place: int) -> None:
    cells.insert(place, v4.new_markdown_cell(WORDS))


def _below(cells: list, place: int) -> None:
    cells.insert(place + 1, v4.new_markdown_cell(f"**Answer**\n\n{WORDS}"))


def _label_lost(cells: list, place: int) -> None:
    cells[place].source = WORDS


def _label_misspelt(cells: list, place: int) -> None:
    cells[place].source = f"RESPNSE: {WORDS}"


def _in_code(cells: list, place: int) -> None:
    cells.insert(place + 1, v4.new_code_cell(f'answer = """{WORDS}"""\nprint(answer)'))


def _response_is_code(cells: list, place: int) -> None:
    cells[place] = v4.new_code_cell(f"**RESPONSE:**\n{WORDS}")


def _response_is_raw(cells: list, place: int) -> None:
    cells[place] = v4.new_raw_cell(f"{cells[place].source}\n{WORDS}")


def _in_the_cell_above(cells: list, place: int) -> None:
    texts = [cell for cell in cells[:place] if cell.cell_type == "markdown" and "**RESPONSE" not in cell.source]
    above = texts[-1]
    above.source += f"\n\n{WORDS}"


def _deleted_and_below(cells: list, place: int) -> None:
    cells[place] = v4.new_markdown_cell(f"### My solution\n{WORDS}")


TROUBLES = (
    _above, _below, _label_lost, _label_misspelt, _in_code, _response_is_code, _response_is_raw, _in_the_cell_above, _deleted_and_below,
)  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_words_anywhere_near_reach_the_part_and_wait_for_a_person(trouble: Callable[[list, int], None]) -> None:
    for name, question, part in PARTS:
        notebook = _blank(name)
        trouble(notebook.cells, _place(name, question, part))
        found = {check for check, one in _written(name, notebook).items() if "zebra" in one.text}
        assert _checks(name, question, part) in found, (name, question, part)
        assert all(check.startswith(f"{question}.") for check in found), found


@pytest.mark.parametrize("how", ["attached", "embedded", "attached to a new cell"])
def test_a_scan_is_shown_as_a_picture(how: str) -> None:
    text = base64.b64encode(_jpeg()).decode()
    for name, question, part in PARTS:
        notebook, place = _blank(name), _place(name, question, part)
        cell = notebook.cells[place]
        if how == "embedded":
            cell.source = f"**RESPONSE:** ![scan](data:image/jpeg;base64,{text})"
        else:
            cell.source = "**RESPONSE:** ![scan](attachment:scan.jpg)" if how == "attached" else cell.source
            target = cell
            if how != "attached":
                target = v4.new_markdown_cell("![scan](attachment:scan.jpg)")
                notebook.cells.insert(place + 1, target)
            target.attachments = {"scan.jpg": {"image/jpeg": text}}
        written = _written(name, notebook)
        (about,) = [q for q in load_assignment(name).questions if q.id == question]
        own = [written[check] for check, _ in parts_for_a_person(about)]
        assert any(_jpeg() in one.pictures for one in own), (name, question, part)
        assert written[_checks(name, question, part)].text
        assert text not in written[_checks(name, question, part)].text


@pytest.mark.parametrize("name", assignment_names())
def test_what_was_given_out_and_what_answers_in_its_place_is_not_outside(name: str) -> None:
    assert [part for part in _written(name, _blank(name)).values() if part.text] == []
    for part in _written(name, solved_notebook(name)).values():
        assert "Outside" not in part.text, part.check


def test_editors_that_rewrap_white_space_make_nothing_new() -> None:
    name = assignment_names()[0]
    notebook = _blank(name)
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "  \r\n") + "\n\n"
    assert [part for part in _written(name, notebook).values() if part.text] == []


def test_the_part_waits_and_the_sentence_says_why() -> None:
    name, question, part = PARTS[0]
    notebook = _blank(name)
    _above(notebook.cells, _place(name, question, part))
    reading = read(
        Submission(
            student="s",
            file_name="a.zip",
            sha256="0",
            notebooks={"a.ipynb": nbformat.writes(notebook).encode()},
            configs={},
            ignored=(),
        ),
        name,
    )
    status = {verdict.check: verdict for verdict in _manual(reading)}
    assert status[_checks(name, question, part)].status == "manual"
    assert "outside the RESPONSE cell" in status[_checks(name, question, part)].sentence
    others = [v.status for check, v in status.items() if check != _checks(name, question, part) and ".manual" in check]
    assert set(others) == {"missing"}


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x02" * 20, _jpeg()[:30], b"GIF89a" + b"x" * 60]
)
def test_what_is_no_picture_is_none(data: bytes) -> None:
    name, question, part = PARTS[0]
    notebook = _blank(name)
    cell = notebook.cells[_place(name, question, part)]
    cell.attachments = {"a.png": {"image/png": base64.b64encode(data).decode()}, "b": {}}
    assert all(not one.pictures for one in _written(name, notebook).values())
