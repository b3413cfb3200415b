"""Answers in words and the student's own pictures reach the person who grades, and nothing else does."""

import base64
import json
import re
import struct
import zlib
from pathlib import Path

import nbformat
import pytest
from support import answers

from grader.records import Submission
from grader.report import feedback_page, results_json
from grader.report.reading import write_reading_pages
from grader.stages.notebook import read
from grader.stages.pipeline import Grader
from grader.stages.written import (
    MAX_ALL_BYTES,
    MAX_PICTURE_BYTES,
    MAX_PICTURES,
    parts_for_a_person,
    pictures_of,
    written_parts,
)
from utils.assignments import load_assignment
from utils.notebook.cells import Cell, read_notebook

NAME = "03_mnist_vae"


def _png(side: int = 2, padding: int = 0, colour: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + bytes([colour]) * side) * side)
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"tEXt", b"x" * padding), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _output(data: bytes | str, kind: str = "image/png") -> nbformat.NotebookNode:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return nbformat.v4.new_output("display_data", data={kind: text})


def _notebook(outputs: dict[str, list], response: str = "") -> bytes:
    """The solved notebook; cells that hold a given text get outputs, the response below `vae.interpolate` other words."""
    content = nbformat.reads(answers(NAME).decode(), as_version=4)
    for cell in content.cells:
        for mark, made in outputs.items():
            if cell.cell_type == "code" and mark in cell.source:
                cell.outputs = made
        if (
            response
            and cell.cell_type == "markdown"
            and cell.source.startswith("**RESPONSE:** (2 points) Compare the middle")
        ):
            cell.source = f"**RESPONSE:** {response}"
    return nbformat.writes(content).encode()


def _written(data: bytes) -> dict:
    return {part.check: part for part in written_parts(read_notebook(data), load_assignment(NAME))}


def test_every_part_for_a_person_has_a_record_under_its_name_in_the_reports() -> None:
    names = [name for question in load_assignment(NAME).questions for name, _ in parts_for_a_person(question)]
    assert names == [
        "ae.samples.manual",
        "vae.beta.manual1",
        "vae.beta.manual2",
        "vae.beta.quality3",
        "vae.interpolate.manual",
        "cvae.samples.quality",
    ]
    assert list(_written(answers(NAME))) == names


def test_a_picture_goes_to_the_part_it_stands_at() -> None:
    drawn = {
        "vae_strong = VAE": [_output(_png(colour=1))],  # above the first response of vae.beta
        "vae = VAE(nz, beta=BETA)": [_output(_png(colour=2))],  # below its last response
        "show_images(answered[:50]": [_output(_png(colour=3))],
        "plot_manifold(": [_output(_png(colour=4))],  # a given exercise: nobody grades it
    }
    written = _written(_notebook(drawn))
    found = {check: part.pictures for check, part in written.items() if part.pictures}
    assert found == {
        "vae.beta.manual1": (_png(colour=1),),
        "vae.beta.quality3": (_png(colour=2),),
        "cvae.samples.quality": (_png(colour=3),),
    }
    assert "posterior collapse" in written["vae.beta.manual1"].text
    assert "ink" not in written["vae.beta.quality3"].text


def test_the_last_pictures_of_a_part_are_kept() -> None:
    pictures = [_png(colour=n) for n in range(MAX_PICTURES + 3)]
    written = _written(_notebook({"show_images(answered[:50]": [_output(picture) for picture in pictures]}))
    assert written["cvae.samples.quality"].pictures == tuple(pictures[-MAX_PICTURES:])


def test_a_deleted_response_cell_loses_no_picture_of_the_quality_part() -> None:
    content = nbformat.reads(_notebook({"vae = VAE(nz, beta=BETA)": [_output(_png(colour=2))]}).decode(), as_version=4)
    content.cells = [cell for cell in content.cells if "(3 points) What must" not in cell.source]
    assert _written(nbformat.writes(content).encode())["vae.beta.quality3"].pictures == (_png(colour=2),)


@pytest.mark.parametrize(
    "output",
    [
        _output(b"GIF89a" + bytes(100)),
        _output("<script>alert(1)</script>"),
        _output('" onerror="alert(1)'),
        _output(_png(), kind="image/svg+xml"),
        _output(_png(padding=MAX_PICTURE_BYTES)),
        _output(_png()[:20]),
        _output(_png()[:8] + bytes(100)),
        _output(_png()[:16] + struct.pack(">II", 60_000, 60_000) + _png()[24:]),
        {"output_type": "display_data", "data": "text"},
        {"output_type": "display_data", "data": {"image/png": 7}},
        {"output_type": "stream"},
    ],
)
def test_what_is_no_small_png_is_left_out(output: dict) -> None:
    assert pictures_of(Cell(1, "code", "", (output,))) == []


def test_base64_in_lines_is_read() -> None:
    text = base64.encodebytes(_png(padding=300)).decode()
    outputs = ({"data": {"image/png": text}}, {"data": {"image/png": text.splitlines(keepends=True)}})
    assert pictures_of(Cell(1, "code", "", outputs)) == [_png(padding=300)] * 2


def test_a_submission_cannot_fill_the_results() -> None:
    large = [_output(_png(padding=MAX_PICTURE_BYTES - 400, colour=n)) for n in range(MAX_PICTURES)]
    marks = (
        "vae_strong = VAE",
        "vae = VAE(nz, beta=BETA)",
        "show_images(answered[:50]",
        "ae_samples = sample_images",
        'rows[f"AE',
    )
    written = _written(_notebook(dict.fromkeys(marks, large), response="x" * 10**6))
    kept = [picture for part in written.values() for picture in part.pictures]
    assert len(marks) * MAX_PICTURES * (MAX_PICTURE_BYTES - 400) > MAX_ALL_BYTES
    assert 0 < sum(map(len, kept)) <= MAX_ALL_BYTES
    assert all(len(part.text) <= 20_000 for part in written.values())


def test_the_reports_show_words_as_words_and_pictures_as_pictures(grader: Grader, tmp_path: Path) -> None:
    data = _notebook(
        {"show_images(answered[:50]": [_output(_png(colour=9))]}, response="</blockquote><script>alert(1)</script> $z$"
    )
    results = json.loads(json.dumps(results_json(grader.grade_bytes(data, "a.ipynb", "Ada"))))
    picture = base64.b64encode(_png(colour=9)).decode()
    write_reading_pages(tmp_path, [results])
    pages = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "class_pages").glob("*.html")}
    assert f'src="data:image/png;base64,{picture}"' in feedback_page(results)
    (name,) = re.findall(r'src="([^"]+)"', pages["cvae.samples.quality.html"])
    assert (tmp_path / "class_pages" / name).read_bytes() == _png(colour=9)
    for page in (feedback_page(results), pages["vae.interpolate.manual.html"]):
        assert "&lt;/blockquote&gt;&lt;script&gt;alert(1)&lt;/script&gt; " in page
        assert "<script>alert" not in page


def test_the_notebook_stage_hands_on_what_a_person_grades() -> None:
    data = _notebook({"show_images(answered[:50]": [_output(_png())]})
    reading = read(Submission("Ada", "a.ipynb", "", {"a.ipynb": data}), NAME)
    assert next(part for part in reading.written if part.check == "cvae.samples.quality").pictures == (_png(),)
