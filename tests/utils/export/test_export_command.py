"""The exporter as nbconvert calls it, and as a command; bad input gets one sentence."""

import re
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import get_exporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils.export import ExportError, TypstPDFExporter, export_pdf
from utils.export.__main__ import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def small():
    return new_notebook(cells=[new_markdown_cell("# Small\n\n$x^2$"), new_code_cell("1 + 1")])


def test_nbconvert_finds_the_exporter():
    assert get_exporter("utils.export.TypstPDFExporter") is TypstPDFExporter
    entry = re.search(
        r'\[project\.entry-points\."nbconvert\.exporters"\]\ntypstpdf = "([\w.:]+)"',
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
    )
    assert entry[1] == "utils.export:TypstPDFExporter"


def test_the_exporter_returns_a_pdf_and_its_summary(small):
    pdf, resources = TypstPDFExporter(student="Ada").from_notebook_node(small)
    assert pdf.startswith(b"%PDF")
    assert resources["output_extension"] == ".pdf"
    assert resources["export_summary"].counts() == "2 cells, 1 formula, 0 images."


def test_the_header_comes_from_traits_or_metadata(small):
    small.metadata["hand_in"] = {"student": "Grace", "receipt": "0123"}
    front = TypstPDFExporter(receipt="ffff")._front(small, {"name": "nb"})
    assert (front.student, front.receipt, front.title, front.file) == ("Grace", "ffff", "Small", "nb.ipynb")


def test_a_pdf_knows_its_student(small, saved):
    path = saved(small)
    plain, named = (export_pdf(path, student=name).path.read_bytes() for name in ("", "Ada Lovelace"))
    assert b"Ada Lovelace" not in plain
    assert b"Ada Lovelace" in named


@pytest.mark.parametrize(
    "options",
    [
        {"paper": "us-letter"},
        {"receipt": "日本語の領収書です、とても長い"},
        {"student": 'Ada "the" #first $x$ *Lovelace* \\'},
        {"manual_on_new_page": True},
    ],
)
def test_whatever_the_header_holds_nothing_is_lost(small, options):
    pdf, resources = TypstPDFExporter(**options).from_notebook_node(small)
    assert pdf.startswith(b"%PDF")
    assert all(loss.kind == "character" for loss in resources["export_summary"].losses)


@pytest.mark.parametrize("metadata", [{}, {"language_info": {"name": "python"}}, {"widgets": {"a": {}}}])
def test_an_empty_notebook_prints(metadata):
    assert TypstPDFExporter().from_notebook_node(new_notebook(metadata=metadata))[0].startswith(b"%PDF")


def test_a_notebook_that_is_not_valid_prints_all_the_same(small):
    small.cells[1].outputs = [{"output_type": "display_data"}, {"output_type": "novel"}]
    small.cells.append({"cell_type": "markdown", "source": "no metadata", "surprise": 1})
    assert TypstPDFExporter().from_notebook_node(nbformat.from_dict(small))[0].startswith(b"%PDF")


def test_the_command_writes_beside_the_notebook(small, saved, capsys):
    path = saved(small)
    assert main([str(path)]) == 0
    assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().out == f"{path.with_suffix('.pdf')}: 2 cells, 1 formula, 0 images.\n"


def test_the_command_writes_where_it_is_told(small, saved, tmp_path):
    assert (
        main([str(saved(small)), "--out", str(tmp_path / "new" / "a.b.pdf"), "--student", "A", "--receipt", "f" * 64])
        == 0
    )
    assert (tmp_path / "new" / "a.b.pdf").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be opened"), ("not json", "not a notebook"), ("[]", "not a notebook"), ("{}", "not a notebook"),
        ('{"nbformat": 4}', "not a notebook"), (b"\xff\xfe\x00", "not a notebook"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_sentence(tmp_path, capsys, content, words):
    path = tmp_path / "nb.ipynb"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main([str(path)]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.startswith(f"{path}: ")
    assert message.count("\n") == 1


def test_a_place_that_cannot_be_written_is_named(small, saved, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ExportError, match=r"cannot be written .* Choose another place"):
        export_pdf(saved(small), out=tmp_path / "file" / "x.pdf")


def test_several_in_one_process_come_out_as_each_alone_and_a_bad_one_stops_none(small, saved, tmp_path, capsys):
    other = new_notebook(cells=[new_markdown_cell("# Other")])
    paths = []
    for name, notebook in (("one", small), ("two", other)):
        paths.append(tmp_path / f"{name}.ipynb")
        nbformat.write(notebook, paths[-1])
    alone = []
    for path in paths:
        assert main([str(path)]) == 0
        alone.append(_undated(path.with_suffix(".pdf")))
    bad = tmp_path / "bad.ipynb"
    bad.write_text("{", encoding="utf-8")
    assert main([str(paths[0]), str(bad), str(paths[1]), "--out", str(tmp_path / "all")]) == 2
    assert "bad.ipynb" in capsys.readouterr().err
    assert [_undated(tmp_path / "all" / f"{path.stem}.pdf") for path in paths] == alone


def _undated(path):
    """A PDF without its times, and the numbers that are made of them."""
    plain = re.sub(rb"D:\d{12,14}[+\-Z\d']*|\d{4}-\d\d-\d\dT[\d:+Z-]+", b"", path.read_bytes())
    return re.sub(rb"(InstanceID>|DocumentID>|/ID ?\[)[^<\]]*<?[^>\]]*", rb"\1", plain)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["a/x.ipynb", "b/X.ipynb", "--out", "{out}"], "two notebooks would become x.pdf"),
        (["a.ipynb", "b.ipynb", "--out", "{file}"], "for several notebooks --out is one"),
        (["a.ipynb", "b.ipynb", "--student", "Ada"], "are about one notebook"),
    ],
)
def test_what_cannot_be_meant_for_several_is_said(more, says, tmp_path, capsys):
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(SystemExit):
        main([word.format(out=tmp_path / "out", file=tmp_path / "file") for word in more])
    assert says in capsys.readouterr().err
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"
