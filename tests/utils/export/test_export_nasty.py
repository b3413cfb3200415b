"""Whatever a notebook holds, a PDF comes out, and what it does not show is said; the unit of failure is never the PDF."""

import logging
import time

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from utils.export import document, typeset

LOG = logging.getLogger("test")


def said(summary, cell: int) -> str:
    return " ".join(loss.words for loss in summary.losses if loss.cell == cell)


def test_the_nasty_notebook_prints_and_says_what_it_replaced(nasty, run_steps):
    done = run_steps(*nasty.cells, **nasty.metadata)
    assert done.pdf.startswith(b"%PDF")
    assert done.summary.cells == len(nasty.cells)
    for cell, words in [
        (2, "formula shown as its source"),
        (3, "image not included (bad.png): its data is damaged"),
        (3, "image not included (https://example.org/x.png): it lies on the network"),
        (3, "image not included (gone.png): there is no such file"),
        (4, "1900 lines of its output are left out"),
        (6, "1 line of its output cut at 2000 characters"),
        (7, "1 line of its code cut at 2000 characters"),
        (8, "a word of its text cut at 1000 characters"),
        (12, "image not included (output, image/png)"),
        (13, "an interactive output cannot be printed"),
    ]:
        assert words in said(done.summary, cell)
    for cell in (5, 9, 10, 11, 14, 15):
        assert said(done.summary, cell) == ""
    assert done.markup.count("#output-picture(") == 1
    assert '#picture("picture1.png", 12, "d");' in done.markup
    assert "#table(" in done.markup
    assert "300/300" in str(done.document.listings)
    assert "299/300" not in str(done.document.listings)


def test_the_summary_on_the_last_page_holds_every_loss(nasty, run_steps):
    done = run_steps(*nasty.cells, typeset_too=False)
    data = (done.document.folder / "notebook.json").read_text(encoding="utf-8")
    assert "1900 lines of its output are left out" in data
    assert "8 formulas" not in done.summary.counts()
    assert "3 formulas (2 shown as source)" in done.summary.counts()


def test_characters_without_a_glyph_are_named(run_steps, monkeypatch):
    monkeypatch.setattr(typeset._Press, "__init__", _without_system_fonts(typeset._Press.__init__))
    done = run_steps(new_markdown_cell("β σ ∇ é 𝔼 ✓ → ° “quoted”"), new_code_cell("print('日')"))
    assert "U+65E5 CJK UNIFIED IDEOGRAPH-65E5" in said(done.summary, 2)
    assert said(done.summary, 1) == ""


def _without_system_fonts(original):
    return lambda press, folder, with_system_fonts=False: original(press, folder, False)


def test_long_tables_and_wide_tables_print(run_steps):
    rows = "".join("<tr>" + "".join(f"<td>{r * c / 7:.5f}</td>" for c in range(25)) + "</tr>" for r in range(60))
    done = run_steps(
        new_code_cell("", outputs=[new_output("display_data", data={"text/html": f"<table>{rows}</table>"})])
    )
    assert done.pdf.startswith(b"%PDF")
    assert not done.summary.losses


@pytest.mark.parametrize(
    ("source", "markup"),
    [
        ("x<sub>2</sub> and <b>bold</b>", "x#sub[2]; and #strong[bold];"),
        ("open <b>never closed", "open never closed"),
        ("a<br>b", "a \\ b"),
        ("<table><tr><th>a</th></tr><tr><td>$x$</td></tr></table>", "#table("),
        ("<details><summary>Hint</summary>\n\n`torch.mean`\n\n</details>", "#details["),
        ("| a | b |\n|---|---|\n| $p|q$ | 2 |", "[#m(0);], [2],"),
        ("- [x] done\n- [ ] open", "- ☒ done"),
        ("[l](https://x.y) and [here](#there)", '#link("https://x.y")[l] and here'),
        ("```python\nx = '$y$'\n```", "#listing(0);"),
        ("    indented $x$ code", "#listing(0);"),
        ("`a $x$ b`", "`a $x$ b`"),
        ("$x$(see)[1]", "#m(0);(see)\\[1\\]"),
        ("#import @ref <b>", "\\#import \\@ref"),
        ("w" * 50, "w" * 19 + "\u200b"),
        ("line one\n$$\n- a\n= b\n$$\nline two", "line one #m(0); line two"),
    ],
)
def test_markdown(run_steps, source, markup):
    done = run_steps(new_markdown_cell(source))
    assert markup in done.markup.replace("\n", " ")
    assert done.pdf.startswith(b"%PDF")
    assert not done.summary.losses


def test_an_empty_table_head_is_not_printed(run_steps):
    done = run_steps(
        new_markdown_cell("| | |\n|---|---|\n| a | b |"), new_markdown_cell("| h | |\n|---|---|\n| a | b |")
    )
    first, second = (piece.markup for piece in done.document.pieces)
    assert "table.header" not in first
    assert "[a], [b]," in first
    assert "table.header([h], [],)" in second
    assert not done.summary.losses


def test_what_looks_like_a_formula_in_indented_code_comes_back(run_steps):
    done = run_steps(new_markdown_cell("    cost = $x$ + $$y$$"))
    assert done.document.listings[0]["lines"][0][0][0] == "cost = $x$ + $$y$$"


def test_a_response_stands_in_its_frame(run_steps):
    done = run_steps(
        new_markdown_cell("### 1.2 Why\n**`kl.scalar`** · manual 10"),
        new_markdown_cell("**RESPONSE:** Because $x$."),
        new_markdown_cell("**RESPONSE:**\n\n*Your answer here.*"),
    )
    assert '#response("1.2 kl.scalar · manual 10", true)[\nBecause #m(0);.' in done.markup
    assert '#response("1.2 kl.scalar · manual 10", false)[' in done.markup
    assert "#block(sticky: true" in done.markup


def test_a_part_that_typst_refuses_is_shown_as_source(run_steps):
    done = run_steps(new_markdown_cell("one"), new_markdown_cell("**RESPONSE:** two"), typeset_too=False)
    done.document.pieces[1].markup = "#nothing-of-this-name()"
    assert typeset.typeset(done.document, LOG).startswith(b"%PDF")
    assert done.document.pieces[0].markup.strip() == "one"
    assert done.document.pieces[1].framed().startswith("#response(")
    assert '"two"' in done.document.pieces[1].markup
    assert "unknown variable" in said(done.summary, 2)


def test_a_document_that_typst_refuses_as_a_whole_is_shown_as_source(run_steps, monkeypatch):
    done = run_steps(new_markdown_cell("one"), new_code_cell("two"), typeset_too=False)
    original = typeset._Press.try_compile

    def refuse_together(press, markup, *_):
        whole = "#show: notebook" in markup
        return (None, "too much") if whole and "#listing(" in markup else original(press, markup)

    monkeypatch.setattr(typeset._Press, "try_compile", refuse_together)
    assert typeset.typeset(done.document, LOG).startswith(b"%PDF")
    assert all(piece.markup.startswith("#as-source(") for piece in done.document.pieces)
    assert "everything is shown as source" in said(done.summary, 0)


def test_a_document_that_stays_refused_is_an_error(run_steps, monkeypatch):
    done = run_steps(new_markdown_cell("one"), typeset_too=False)
    monkeypatch.setattr(typeset._Press, "try_compile", lambda press, markup, *_: (None, "no"))
    with pytest.raises(typeset.TypesetError, match="refuses even the plain text: no"):
        typeset.typeset(done.document, LOG)


@pytest.mark.parametrize("tex", [r"\phantom{}", r"\quad", r"\label{eq:a}", r"\tag{1}", "{}"])
def test_a_formula_of_nothing_to_see_prints(run_steps, tex):
    done = run_steps(new_markdown_cell(f"a $${tex}$$ b $x$"))
    assert done.pdf.startswith(b"%PDF")
    assert "#as-source" not in done.markup


def test_text_reaches_typst_as_text(run_steps):
    hostile = '"] #panic("x") \\ $ * _ ` // /* \u2028 \\u{41}'
    done = run_steps(new_code_cell(hostile), new_markdown_cell("`" + hostile.replace("`", "") + "`"))
    assert not done.summary.losses
    assert "".join(run[0] for run in done.document.listings[0]["lines"][0]) == hostile


def test_quoted_is_a_typst_string():
    assert document.quoted('a"b\\c\nd\x00') == '"a\\"b\\\\c\\nd"'


def test_a_hundred_cells_with_a_thousand_lines_take_seconds(run_steps):
    cells = [new_code_cell("x = 1\n" * 20, outputs=[new_output("stream", text="log\n" * 1000)]) for _ in range(100)]
    start = time.perf_counter()
    assert run_steps(*cells).pdf.startswith(b"%PDF")
    assert time.perf_counter() - start < 60  # about 3 s alone; the bound only catches a blow-up


@pytest.mark.parametrize(
    "markup",
    [
        "#for i in range(1000000000) { [x] }",  # for ever
        "#let a = range(1000000)\n#let b = range(1000).map(i => a + (i,))\n#b.len()",  # gigabytes
    ],
)
def test_a_document_that_takes_too_much_is_given_up(tmp_path, markup):
    press = typeset._Press(tmp_path)
    try:
        began = time.monotonic()
        assert press.try_compile(markup, 2.0)[0] is None
        assert time.monotonic() - began < 10
        pdf, problem = press.try_compile("after it")
        assert problem == ""
        assert pdf is not None
        assert pdf.startswith(b"%PDF")
    finally:
        press.close()


def test_all_of_a_notebook_has_an_end(run_steps, monkeypatch):
    """Each piece by itself may take its time; all of them may not."""
    done = run_steps(*[new_markdown_cell(f"part {n}") for n in range(12)], typeset_too=False)
    for piece in done.document.pieces:
        piece.markup = "#for i in range(1000000000) { [x] }"
    monkeypatch.setattr(typeset, "_SECONDS", 3.0)
    monkeypatch.setattr(typeset, "_PART_SECONDS", 1.0)
    monkeypatch.setattr(typeset, "_ALL_SECONDS", 4.0)
    began = time.monotonic()
    assert typeset.typeset(done.document, LOG).startswith(b"%PDF")
    assert time.monotonic() - began < 15
    assert "too much time or memory" in said(done.summary, 1)
