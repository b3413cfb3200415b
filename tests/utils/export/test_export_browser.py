"""Without the wheels a browser prints; without a browser one HTML file is left, and every step is said."""

import base64
import logging
import os
import stat
import sys
import time

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils.export import browser, export_pdf
from utils.export.document import Front
from utils.notebook.scaffold import marked

LOG = logging.getLogger("test")
FRONT = Front("Title", "nb.ipynb", student="Ada <Lovelace>", receipt="abc")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in browsers are shell scripts")


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a shell script in the place of the browser; `$target` is where the PDF belongs."""

    def install(script: str) -> str:
        path = tmp_path / "browser"
        body = 'for a in "$@"; do case "$a" in --print-to-pdf=*) target="${a#--print-to-pdf=}";; esac; done\n'
        path.write_text(f"#!/bin/sh\n{body}{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(browser, "installed_browsers", lambda: [str(path)])
        return str(path)

    return install


@pytest.fixture
def without_typst(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)


def test_a_browser_prints_when_typst_is_missing(without_typst, stand_in, saved, nasty, caplog):
    stand_in('printf "%%PDF-stand-in" > "$target"')
    export = export_pdf(saved(nasty), log=LOG)
    assert export.path.name == "nb.pdf"
    assert export.path.read_bytes() == b"%PDF-stand-in"
    assert "Typst is not installed (pip install typst); printed by a browser instead" in caplog.text


@pytest.mark.parametrize(
    ("script", "words"),
    [('echo oops > "$target"', "wrote no PDF"), ("exit 3", "ended with code 3"), ("true", "wrote no PDF")],
)
def test_a_browser_that_fails_leaves_html(without_typst, stand_in, saved, nasty, caplog, script, words):
    stand_in(script)
    export = export_pdf(saved(nasty), log=LOG)
    assert export.path.name == "nb.html"
    page = export.path.read_text(encoding="utf-8")
    assert "print this page from a browser" in page
    assert words in caplog.text
    assert "print it from a browser" in export.summary.sentences()[0]


def test_a_browser_that_hangs_is_ended_with_its_children(stand_in, tmp_path):
    path = stand_in(f'sleep 60 & echo $! > "{tmp_path}/child"; wait')
    start = time.perf_counter()
    assert browser._printed(path, "<html/>", seconds=1) == (None, "did not finish in 1 s")
    assert time.perf_counter() - start < 20
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    for _ in range(50):
        if not _is_running(child):
            break
        time.sleep(0.1)
    assert not _is_running(child)


def _is_running(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().split()[2] != "Z"
    except OSError:
        return False


def test_a_browser_that_cannot_start_is_named(tmp_path):
    pdf, problem = browser._printed(str(tmp_path / "gone"), "<html/>")
    assert pdf is None
    assert problem.startswith("cannot be started")


def test_the_page_is_whole_and_asks_for_nothing(nasty):
    page = browser.as_html(nasty, FRONT, "why")
    assert "<script" not in page.lower()
    assert "<link" not in page.lower()
    assert "Ada &lt;Lovelace&gt; · receipt abc · nb.ipynb" in page
    assert "<math" in page
    assert "<code>$\\frac{a}{b$</code>" in page
    assert "lines omitted here" in page
    assert len(page) < 2_000_000


def test_given_code_is_folded_and_pictures_in_the_text_are_whole(png):
    code, picture = "# TEST\nprint('given out')", base64.b64encode(png * 200).decode()
    text = f"| |\n|---|\n| ![One digit][a.png] |\n\n[a.png]: data:image/png;base64,{picture}"
    cells = [new_code_cell(code, metadata=marked(code)), new_code_cell(code + "\nmine"), new_markdown_cell(text)]
    page = browser.as_html(new_notebook(cells=cells), FRONT, "why")
    assert page.count("Code of the test, folded: 2 lines, as given out.") == 1
    assert page.count("given out") == 2, "in our words, and in the code of the changed cell"
    assert f'<img alt="One digit" src="data:image/png;base64,{picture}"/>' in page


def test_formulas_stay_readable_without_pandoc(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    page = browser.as_html(new_notebook(cells=[new_markdown_cell("a $x_1 < 2$ b")]), FRONT, "why")
    assert "<code>$x_1 &lt; 2$</code>" in page


def test_without_pandoc_the_browser_prints_too(monkeypatch, stand_in, saved, nasty, caplog):
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    stand_in('printf "%%PDF-stand-in" > "$target"')
    assert export_pdf(saved(nasty), log=LOG).path.suffix == ".pdf"
    assert "pandoc is not installed (pip install pypandoc_binary)" in caplog.text
