"""Cells and outputs become the right parts; responses are found and belong to the question above them."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.export import cells
from utils.export.parts import Limits, Listing, Note, Picture, Prose
from utils.export.summary import Summary
from utils.notebook.scaffold import marked


def read(*notebook_cells, **options) -> list:
    return cells.read_parts(new_notebook(cells=list(notebook_cells)), Limits(), Summary(), **options)


def shown(**data: str) -> list:
    named = {name.replace("__", "/").replace("_plus_", "+"): value for name, value in data.items()}
    return read(new_code_cell("", outputs=[new_output("display_data", data=named)]))


QUESTION = "### 1.2 Against the prior\n**`kl.scalar`** · manual 10\n\nDerive it."


@pytest.mark.parametrize(
    ("source", "is_answered"),
    [
        ("**RESPONSE:**\n\n*Your answer here.*", False),
        ("**RESPONSE:**", False),
        ("**RESPONSE:** It collapses.", True),
        ("**Response**: It collapses.", True),
        ("\n**RESPONSE:**\n\n$x$", True),
    ],
)
def test_a_response_belongs_to_the_question_above(source, is_answered):
    question, response = read(new_markdown_cell(QUESTION), new_markdown_cell(source))
    assert response.response.question == "1.2 kl.scalar · manual 10"
    assert response.response.is_answered is is_answered
    assert "RESPONSE" not in response.text
    assert question.is_sticky
    assert not question.begins_page


def test_responses_to_a_question_of_several_parts_are_counted():
    parts = read(
        new_markdown_cell("### 3.3 Beta\n**`kl.beta`** · manual 5 · manual 3 · quality 2"),
        *(new_markdown_cell("**RESPONSE:** x") for _ in range(3)),
    )
    assert [part.response.question for part in parts[1:]] == [
        "3.3 kl.beta, part 1 of 2 · manual 5",
        "3.3 kl.beta, part 2 of 2 · manual 3",
        "3.3 kl.beta · manual 5 · manual 3 · quality 2",
    ]


def test_a_response_without_a_question_names_its_cell():
    assert read(new_markdown_cell("**RESPONSE:** x"))[0].response.question == "cell 1"


def test_manual_questions_begin_a_page_when_asked_to():
    mixed = "### 1.4 Both\n**`vae.beta`** · manual 2 · quality 2"
    parts = read(new_markdown_cell(QUESTION), new_markdown_cell(mixed), new_markdown_cell("x"), manual_on_new_page=True)
    assert [part.begins_page for part in parts] == [True, False, False]


def test_only_a_question_right_above_its_response_is_kept_with_it():
    parts = read(new_markdown_cell(QUESTION), new_code_cell("x"), new_markdown_cell("**RESPONSE:** a"))
    assert not parts[0].is_sticky
    parts = read(new_markdown_cell("word " * 500), new_markdown_cell("**RESPONSE:** a"))
    assert not parts[0].is_sticky


def test_code_cells_are_labelled_and_graded_ones_marked():
    graded, plain, empty = (
        read(new_code_cell(source, execution_count=count))
        for source, count in (("# AUTOGRADED (5) f\nx", 3), ("y", None), ("  ", 1))
    )
    assert (graded[0].label, graded[0].is_graded) == ("[3]", True)
    assert (plain[0].label, plain[0].is_graded) == ("[ ]", False)
    assert empty == []


def test_refreshes_of_a_progress_bar_become_one_line():
    outputs = [new_output("stream", name="stderr", text=f"\r{i}%") for i in range(300)]
    parts = read(new_code_cell("", outputs=outputs))
    assert len(parts) == 1
    assert parts[0].lines == [[["299%", "", False, False, ""]]]


def test_a_progress_bar_that_wiped_itself_away_leaves_nothing():
    outputs = [new_output("stream", name="stderr", text=text) for text in ("\r5%|#", "\r      ", "\r")]
    assert read(new_code_cell("", outputs=outputs)) == []


def test_sliders_are_not_printed_as_words():
    """The picture that they move is an output of its own."""
    ipywidgets = pytest.importorskip("ipywidgets")
    sliders = [ipywidgets.FloatSlider(description="z1"), ipywidgets.SelectionSlider(options=[0.0, 0.5])]
    for box in (ipywidgets.GridBox, ipywidgets.VBox, ipywidgets.HBox):
        for slider in sliders:
            data = {"text/plain": repr(box([slider])), "application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
            assert read(new_code_cell("", outputs=[new_output("display_data", data)])) == []


def test_streams_stay_apart():
    outputs = [new_output("stream", name=name, text=name) for name in ("stdout", "stderr", "stdout")]
    assert [part.kind for part in read(new_code_cell("", outputs=outputs))] == ["stdout", "stderr", "stdout"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"image__png": "AA", "text__plain": "<Figure>"}, Picture),
        ({"image__svg_plus_xml": "<svg/>", "text__plain": "x"}, Picture),
        ({"text__latex": "$x$", "text__plain": "x"}, Prose),
        ({"text__markdown": "**x**", "text__html": "<b>x</b>"}, Prose),
        ({"text__html": "<table><tr><td>1</td></tr></table>", "text__plain": "1"}, Prose),
        ({"text__html": "<b>fit</b>", "text__plain": "LinearRegression()"}, Listing),
        ({"text__html": "<b>Done</b>", "text__plain": "<IPython.core.display.HTML object>"}, Prose),
        ({"text__html": "<script>x</script><div></div>", "text__plain": "<IPython.core.display.HTML object>"}, Note),
        ({"application__vnd": "{}", "text__plain": "HBox()"}, Listing),
        ({"application__vnd": "{}"}, Note),
    ],
)
def test_the_best_printable_form_of_an_output(data, kind):
    parts = shown(**data)
    assert [type(part) for part in parts] == [kind]


def test_scripts_and_styles_never_reach_the_page():
    html = "<style>td{}</style><table><tr><td>1</td></tr></table><script>alert(1)</script><!-- note -->"
    assert shown(text__html=html)[0].text == "<table><tr><td>1</td></tr></table>"


def test_an_error_without_traceback_shows_its_name():
    parts = read(new_code_cell("", outputs=[new_output("error", ename="ValueError", evalue="no", traceback=[])]))
    assert parts[0].lines[0][0][0] == "ValueError: no"


@pytest.mark.parametrize(
    ("source", "title"), [("# A **KL** `x`", "A KL x"), ("## no title", "default"), ("text\n# Late", "Late")]
)
def test_the_title_is_the_first_heading(source, title):
    assert cells.title_of(new_notebook(cells=[new_markdown_cell(source)]), "default") == title


def test_sources_may_be_lists_of_lines():
    parts = cells.read_parts({"cells": [{"cell_type": "markdown", "source": ["# a\n", "b"]}]}, Limits(), Summary())
    assert parts[0].text == "# a\nb"


GIVEN = [
    "# SETUP\nimport sys",
    "# IMPORTS\nimport math\n",
    "# TEST\nexpect_true('a', True, 'b')\n\nprint(1)",
    "# TEST: twice\nx",
]
HERS = [
    "# TEST\nanswer = 42",
    "# AUTOGRADED (2) word\ndef word():\n    return 1",
    "# TESTING\nx = 1",
    "x = 1",
    "# GIVEN\nx = 1",
]


def code_of(source: str, metadata: dict) -> list[str]:
    """The code that is printed of a cell, and what stands for it."""
    parts = read(new_code_cell(source, metadata=metadata, execution_count=7))
    assert len(parts) == 1
    part = parts[0]
    if isinstance(part, Note):
        assert part.is_folded
        assert part.label == "[7]"
        return [part.words]
    return ["".join(run[0] for run in line) for line in part.lines]


@pytest.mark.parametrize("source", GIVEN)
def test_code_that_was_given_out_is_folded_into_words(source):
    lines = source.strip().count("\n") + 1
    (words,) = code_of(source, marked(source))
    kind = {"# SETUP": "set-up", "# IMPORTS": "imports"}.get(source.split("\n")[0], "test")
    assert words == f"Code of the {kind}, folded: {lines} line{'s' if lines > 1 else ''}, as given out."
    assert code_of(f"{source}\n\n", marked(source)) == [words], "an editor's spaces at the end"


@pytest.mark.parametrize("source", [*GIVEN, *HERS])
@pytest.mark.parametrize("change", ["{}\nmine = 1", "# TEST\nmine = 1\n{}", "{}  # mine", "{}"])
def test_whatever_a_student_wrote_is_printed_whole(source, change):
    hers = change.format(source)
    others = {} if hers.strip() == source.strip() else marked(source)
    for metadata in (others, {"given": ""}, {"given": None}, {"given": "0" * 32}, {"given": 1}, {}):
        printed = code_of(hers, metadata)
        assert [line.rstrip() for line in printed] == [line.rstrip() for line in hers.strip("\n").split("\n")]


@pytest.mark.parametrize("source", HERS[1:])
def test_no_mark_folds_a_cell_that_is_none_of_ours(source):
    assert marked(source) == {}
