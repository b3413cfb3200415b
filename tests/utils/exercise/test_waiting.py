"""What Jupyter shows for an open gap, for what waits for it, for a failed check and any other error; and where Run All ends."""

import re

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import v4

SETUP = "from utils.exercise.waiting import go_on_past_gaps\nfrom utils import expect_close\ngo_on_past_gaps()"
GAP = 'def f():\n    raise NotImplementedError("1.3 f: this gap is still open")'
CELLS = [
    SETUP,
    GAP,
    "f()",
    "expect_close('f', 1.0, 2.0)",
    "raise NotImplementedError('a subclass must write this')",
    "1 / 0",
    "not_there_yet",
    "with open('/dev/null') as file:\n    (first, *others), table['x'] = f(), 1",
    "others[0]",
    "third = [first for _ in 'ab']",
    "print(third)",
    "first = others = third = 1",
    "print('now', third)",
    "del third\nthird",
    "table = {}\ntable['a'] = f()",
    "table['a']",
    "table = {}\ntable['a']",
    "from utils.exercise.poster import add_to_poster",
    "half = 'never mind'\nhalf, made = 'half', f()",
    "add_to_poster('02', lambda: {'facts': [f'{half:.3f}']})",
    "add_to_poster('02', lambda: {'facts': [f'{part(made):.3f}' for part in (sum, max)]})",
    "half = made = 'there'",
    "add_to_poster('02', lambda: {'facts': [f'{half:.3f}']})",
    "model = 'of a test'",
    "model = f()",
    "print(model)",
    "settings = 'half filled'; other = f()",
    "print(settings)",
    "def later():\n    return model\nmodel = model + ' again'\nprint(later())",
]
SENTENCE = "Not yet. 1.3 f: this gap is still open. Fill it in, run its cell, then run this one again.\n"


@pytest.fixture(scope="module")
def executed():
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return notebook


def said(cell) -> str:
    text = "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")
    return re.sub(r"\x1b\[\d+m", "", text)


@pytest.fixture
def tracebacks(executed):
    errors = [[out for out in cell.outputs if out.output_type == "error"] for cell in executed.cells]
    return ["\n".join(error[0].traceback) if error else "" for error in errors]


def test_an_open_gap_is_one_sentence_and_no_error(executed, tracebacks):
    assert said(executed.cells[2]) == SENTENCE
    assert not tracebacks[2]


def test_a_failed_check_is_one_sentence(tracebacks):
    assert tracebacks[3].startswith("Not yet. f: error 1 (allowed")
    assert "\n" not in tracebacks[3]


def test_any_other_error_keeps_its_stack(tracebacks):
    assert "a subclass must write this" in tracebacks[4]
    assert "Traceback" in tracebacks[4]
    assert "ZeroDivisionError" in tracebacks[5]


def test_an_unknown_name_comes_with_what_to_do(executed, tracebacks):
    for number, name in ((6, "not_there_yet"), (13, "third")):
        assert "NameError" in tracebacks[number]
        assert said(executed.cells[number]).startswith(
            f"If a cell above defines {name}, it has not run since the kernel started"
        )


def test_what_needs_a_name_of_a_waiting_cell_waits_too(executed, tracebacks):
    assert said(executed.cells[7]) == SENTENCE
    for number, name in ((8, "others"), (9, "first"), (10, "third")):
        assert said(executed.cells[number]).startswith(
            f"Not yet. {name} comes from a cell above that waits: 1.3 f: this"
        )
        assert not tracebacks[number]


def test_what_a_waiting_cell_has_half_filled_is_waited_for(executed, tracebacks):
    assert said(executed.cells[15]).startswith("Not yet. table comes from a cell above that waits: 1.3 f: this")
    assert not tracebacks[15]
    assert "KeyError" in tracebacks[16]


def test_a_name_from_before_does_not_stand_in_for_what_is_waited_for(executed, tracebacks):
    assert said(executed.cells[25]).startswith("Not yet. model comes from a cell above that waits: 1.3 f: this gap")
    assert not tracebacks[25]
    assert said(executed.cells[28]) == "of a test again\n"  # a cell that makes it anew finds what it was


def test_what_a_waiting_cell_has_half_filled_can_be_read(executed):
    assert said(executed.cells[27]) == "half filled\n"  # a hand-in cell may name it, and has to run


def test_a_name_that_has_come_waits_no_more(executed):
    assert said(executed.cells[12]) == "now 1\n"


def test_a_poster_waits_kindly_for_what_is_half_there(executed, tracebacks):
    for number, name in ((19, "half"), (20, "made")):
        waits = f"Poster: `{name}` comes from a cell above that waits: 1.3 f: this gap is still open. Train"
        assert said(executed.cells[number]).startswith(waits)
        assert not tracebacks[number]
    assert "ValueError" in tracebacks[22]  # a mistake where nothing waits is not hidden


@pytest.mark.parametrize("wrong", ["1 / 0", "expect_close('f', 1.0, 2.0)", "unknown"])
def test_run_all_goes_past_gaps_and_stops_at_faults(wrong):
    cells = [SETUP, GAP, "x = f()", "x", wrong, "print('behind')"]
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, 4, 5, None]
