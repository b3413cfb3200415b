"""What Jupyter shows for an open gap, a failed check and any other error."""

import pytest
from nbclient import NotebookClient
from nbformat import v4

CELLS = [
    "from utils.exercise.short_errors import shorten_open_gaps\nfrom utils import expect_close\nshorten_open_gaps()",
    'def f():\n    raise NotImplementedError("f: this gap is still open")',
    "f()",
    "expect_close('f', 1.0, 2.0)",
    "raise NotImplementedError('a subclass must write this')",
    "1 / 0",
    "not_there_yet",
]


@pytest.fixture(scope="module")
def executed():
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return notebook


@pytest.fixture
def tracebacks(executed):
    errors = [[out for out in cell.outputs if out.output_type == "error"] for cell in executed.cells]
    return ["\n".join(error[0].traceback) if error else "" for error in errors]


def test_an_open_gap_is_one_sentence(tracebacks):
    assert tracebacks[2] == "Not yet. f: this gap is still open. Fill it in, run its cell, then run this one again."


def test_a_failed_check_is_one_sentence(tracebacks):
    assert tracebacks[3].startswith("Not yet. f: error 1 (allowed")
    assert "\n" not in tracebacks[3]


def test_any_other_error_keeps_its_stack(tracebacks):
    assert "a subclass must write this" in tracebacks[4]
    assert "Traceback" in tracebacks[4]
    assert "ZeroDivisionError" in tracebacks[5]


def test_an_unknown_name_comes_with_what_to_do(executed, tracebacks):
    assert "NameError" in tracebacks[6]
    said = [out.text for out in executed.cells[6].outputs if out.output_type == "stream" and out.name == "stdout"]
    assert said[0].startswith("If a cell above defines not_there_yet, it has not run since the kernel started")
