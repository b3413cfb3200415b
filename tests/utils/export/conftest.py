"""Notebooks to export, from tame to hostile, and the steps of an export to look into."""

import base64
import io
import logging
from pathlib import Path
from types import SimpleNamespace

import PIL.Image
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from utils.export import assembly, cells, document, typeset
from utils.export.parts import Limits
from utils.export.summary import Summary

SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><circle cx='9' cy='9' r='8'/></svg>"
LONG = 1_000_000


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (12, 8)) -> bytes:
    data = io.BytesIO()
    PIL.Image.new(mode, size).save(data, kind)
    return data.getvalue()


def displayed(data: dict[str, str]) -> dict:
    return new_output("display_data", data=data)


@pytest.fixture(scope="session")
def png() -> bytes:
    return picture()


@pytest.fixture(scope="session")
def make_picture():
    return picture


@pytest.fixture
def run_steps(tmp_path):
    """Read, build and (if asked) typeset a notebook; returns the parts, the document, the summary and the PDF."""

    def run(*notebook_cells, typeset_too: bool = True, **metadata) -> SimpleNamespace:
        summary = Summary()
        notebook = new_notebook(cells=list(notebook_cells), metadata=metadata)
        parts = cells.read_parts(notebook, Limits(), summary)
        folder = tmp_path / "build"
        folder.mkdir(exist_ok=True)
        pages = assembly.build(parts, document.Front("Title", "nb.ipynb"), tmp_path, folder, summary)
        pdf = typeset.typeset(pages, logging.getLogger("test")) if typeset_too else b""
        return SimpleNamespace(parts=parts, document=pages, summary=summary, pdf=pdf, markup=pages.write())

    return run


@pytest.fixture
def nasty(png):
    """Everything that has ever cost a student a PDF, in one notebook. The cell numbers are used by the tests."""
    image = base64.b64encode(png).decode()
    refreshes = [new_output("stream", name="stderr", text=f"\r{i}/300") for i in range(301)]
    log = "".join(f"line {i}\n" for i in range(2000))
    table = "<style>td{color:red}</style><table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
    traceback = [
        "\x1b[0;31mZeroDivisionError\x1b[0m",
        "\x1b[38;5;196m----> 1\x1b[0m \x1b[48;2;255;255;0m1/0\x1b[0m #panic() $x$",
    ]
    return new_notebook(
        cells=[
            new_markdown_cell("# Nasty\n\n日本語 한국어 😀 🦾 𝔼 ∇ \x07 end"),  # 1
            new_markdown_cell(r"Broken $\frac{a}{b$ and whole $x^2$, $$\nothing{x} + \begin{aligned} a$$"),  # 2
            new_markdown_cell(
                "![a](attachment:bad.png) ![b](https://example.org/x.png) ![c](gone.png) ![d](attachment:good.png)",  # 3
                attachments={
                    "bad.png": {"image/png": base64.b64encode(png[:40]).decode()},
                    "good.png": {"image/png": image},
                },
            ),
            new_code_cell("log", outputs=[new_output("stream", name="stdout", text=log)]),  # 4
            new_code_cell("progress", outputs=refreshes),  # 5
            new_code_cell("line", outputs=[new_output("stream", name="stdout", text="x" * LONG)]),  # 6
            new_code_cell(f"s = '{'y' * LONG}'"),  # 7
            new_markdown_cell("z" * LONG),  # 8
            new_code_cell("svg", outputs=[displayed({"image/svg+xml": SVG, "text/plain": "SVG"})]),  # 9
            new_code_cell("df", outputs=[displayed({"text/html": table, "text/plain": "a 1"})]),  # 10
            new_code_cell("1/0", outputs=[new_output("error", ename="E", evalue="v", traceback=traceback)]),  # 11
            new_code_cell("bad", outputs=[displayed({"image/png": "!!!", "text/plain": "Figure"})]),  # 12
            new_code_cell("plotly", outputs=[displayed({"application/vnd.plotly.v1+json": "{}"})]),  # 13
            new_raw_cell("raw #text[ $"),  # 14
            new_markdown_cell(
                "#panic() @ref `#` <b>bold H<sub>2</sub></b> [x](#y) // no /* comment */ \\ ~ * _ ^ ' \" ["
            ),  # 15
        ],
        metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {}}},
    )


@pytest.fixture
def saved(tmp_path):
    """Writes a notebook to a file and returns its path."""
    import nbformat

    def save(notebook, name: str = "nb.ipynb") -> Path:
        path = tmp_path / name
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
        return path

    return save
