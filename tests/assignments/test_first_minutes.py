"""The first minutes with a notebook: nothing is needed that the text does not name, and Run All reaches the end."""

import base64
import builtins
import re
import symtable
from itertools import pairwise

import nbformat
import pytest
from nbclient import NotebookClient

from tools.notebook_source import ROOT, NotebookSource, SourceCell, read_source, source_names
from tools.notebooks import student_notebook
from tools.open_gaps import split_gaps
from utils.assignments.places import place_of

_HINT = "<details><summary>Hint</summary>"
_EMBEDDED = re.compile(r"^\[figures/(\w+\.png)\]: data:image/png;base64,(\S+)$", re.MULTILINE)
_FOR_DEVELOPERS = ("python -m", "make_weights", "tools.", "not measured", "busy machine", "pytest")

each_notebook = pytest.mark.parametrize("name", source_names())


def _symbols(cell: SourceCell) -> symtable.SymbolTable:
    return symtable.symtable(cell.text, f"cell {cell.number}", "exec")


def bound(cell: SourceCell) -> set[str]:
    """The names a cell defines for those below."""
    return {
        s.get_name() for s in _symbols(cell).get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()
    }


def needed(cell: SourceCell) -> set[str]:
    """The names a cell takes from those above, its functions, classes and comprehensions included."""
    tables, found = [_symbols(cell)], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        top = table.get_type() == "module"
        found |= {
            s.get_name()
            for s in table.get_symbols()
            if s.is_referenced() and (not s.is_local() if top else s.is_global())
        }
    return found - bound(cell) - set(dir(builtins))


def unnamed(source: NotebookSource) -> list[str]:
    """What a test needs that neither the setup, a given cell, an exercise, nor a test of its own exercise defines, and
    that the text right above does not name either."""
    known: set[str] = set()
    faults, text = [], ""
    for cell in source.cells:
        if cell.kind == "markdown":
            text = cell.text
        if cell.role == "test":
            question = source.question_above(cell)
            here = {name for other in (question.cells_of("test") if question else ()) for name in bound(other)}
            named = set(re.findall(r"`(\w+)`", text))
            faults += [f"cell {cell.number} needs {name}" for name in sorted(needed(cell) - known - here - named)]
        if cell.role in ("setup", "imports", "given", "autograded"):
            known |= bound(cell)
    return faults


@each_notebook
def test_no_test_needs_a_cell_that_the_text_does_not_name(name):
    assert unnamed(read_source(name)) == []


@each_notebook
def test_what_stands_aside_is_needed_by_nothing_below(name):
    is_aside: dict[str, bool] = {}  # a name, and whether an aside bound it last
    for before, cell in pairwise(read_source(name).cells):
        if cell.kind == "code":
            here = before.kind == "markdown" and "*Aside.*" in before.text
            assert here or not [name for name in needed(cell) if is_aside.get(name)], f"cell {cell.number}"
            is_aside |= dict.fromkeys(bound(cell), here)


@pytest.mark.parametrize("name", source_names())
def test_that_rule_sees_a_cell_that_is_needed(name):
    source = read_source(name)
    for answer in source.cells_of("autograded"):
        without = NotebookSource(name, tuple(cell for cell in source.cells if cell is not answer))
        redefined = any(bound(answer) <= bound(cell) for cell in without.cells_of("autograded"))
        assert redefined or any(word in fault for fault in unnamed(without) for word in bound(answer)), (
            answer.first_line
        )


@each_notebook
def test_the_setup_names_as_many_cells_as_there_are(name):
    cells = read_source(name).cells
    at = next(i for i, cell in enumerate(cells) if "Run the next two cells first." in cell.text)
    assert [cell.role for cell in cells[at + 1 : at + 3]] == ["setup", "imports"]
    assert cells[at + 3].kind == "markdown"


@each_notebook
def test_a_hint_stands_behind_its_gap(name):
    cells = read_source(name).cells
    for before, cell in pairwise(cells):
        if _HINT in cell.text:
            assert cell.text.startswith(_HINT), f"cell {cell.number}: a hint has a cell of its own"
            assert split_gaps(before), f"cell {cell.number}: the cell above has no gap"


@each_notebook
def test_headings_descend_by_one_from_a_single_title(name):
    fence = re.compile(r"^```.*?^```", re.M | re.S)
    texts = "\n".join(fence.sub("", cell.text) for cell in read_source(name).cells if cell.kind == "markdown")
    depths = [len(marks) for marks in re.findall(r"^(#+) ", texts, re.M)]
    assert depths[0] == 1
    assert depths.count(1) == 1
    assert all(next_one <= depth + 1 for depth, next_one in pairwise(depths))


@each_notebook
def test_target_pictures_are_in_the_notebook_itself_each_with_its_words(name):
    """On Colab the notebook comes without its folder."""
    texts = [cell.source for cell in student_notebook(name).cells if cell.cell_type == "markdown"]
    figures = place_of(name).path / "figures"
    shown = {picture for text in texts for picture in re.findall(r"!\[[^\]]{10,}\]\[figures/(\w+\.png)\]", text)}
    inside = dict(pair for text in texts for pair in _EMBEDDED.findall(text))
    assert shown == set(inside) != set()
    assert {picture: base64.b64decode(data) for picture, data in inside.items()} == {
        picture: (figures / picture).read_bytes() for picture in shown
    }
    assert not any("](figures/" in text or "<img" in text for text in texts)


@each_notebook
def test_the_header_says_the_hours(name):
    header = "\n".join(cell.text for cell in read_source(name).cells[:2])
    assert re.search(r"\*\*Time\.\*\* \w+ to \w+ hours of yours", header)


@each_notebook
def test_what_students_read_holds_no_notes_of_developers(name):
    for cell in student_notebook(name).cells:
        found = [word for word in _FOR_DEVELOPERS if word in cell.source]
        assert not found, f"{found} in {cell.source[:200]}"


@each_notebook
def test_one_spelling(name):
    for cell in read_source(name).cells:
        words = {word.lower() for word in re.findall(r"\b[Rr]e-?param\w+", cell.text)}
        assert words <= {"reparametrize", "reparameterised", "reparameterisation", "reparameterise"}, words


def said(cell) -> str:
    text = "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")
    return re.sub(r"\x1b\[\d+m", "", text)


@each_notebook
def test_run_all_reaches_the_end_of_a_notebook_nobody_has_worked_on(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FAST", "1")
    (tmp_path / "utils").symlink_to(ROOT / "utils")
    notebook = student_notebook(name)
    nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    waiting = [cell for cell in code if "Not yet. " in said(cell)]
    tests = [cell for cell in code if cell.source.startswith("# TEST")]
    assert all(cell in waiting for cell in tests), [cell.source[:80] for cell in tests if cell not in waiting]
    assert all(re.search(r"(?:\b\d+\.\d+ [\w.]+|go further, \w+): .*still open", said(cell)) for cell in waiting)
    assert "hand_in(" in code[-1].source
    assert "points" in said(code[-1])
