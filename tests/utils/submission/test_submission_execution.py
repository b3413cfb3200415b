"""Cells that did not run, ran out of order or stopped, and pictures that are not there: each fires, and each can be silent."""

import pytest
from finished import as_bytes, cell_of, finished, number_of
from nbformat import v4

from tools.notebooks import student_notebook
from utils.assignments import load_assignment
from utils.exercise import setup_cell
from utils.notebook.cells import read_notebook
from utils.submission.execution import find_execution_warnings
from utils.submission.figures import find_missing_figures
from utils.submission.findings import name_cells

NAME = "01_kl_divergence"
ALL = ["01_kl_divergence", "02_airfoil_vae", "03_mnist_vae", "04_cifar_dcgan"]


def warnings_of(notebook) -> list[str]:
    return find_execution_warnings(read_notebook(as_bytes(notebook)))


def figures_of(notebook, name: str = NAME) -> list[str]:
    return find_missing_figures(read_notebook(as_bytes(notebook)), load_assignment(name))


@pytest.mark.parametrize("name", ALL)
def test_a_notebook_run_from_the_top_has_no_warnings(name):
    assert warnings_of(finished(name)) == []
    assert figures_of(finished(name), name) == []


def test_a_question_ends_where_the_next_part_begins():
    """Pictures below that heading are judged with no question above it."""
    name = "04_cifar_dcgan"
    notebook = finished(name)
    (games,) = [
        cell for cell in notebook.cells if cell.cell_type == "code" and "Four games out of balance" in cell.source
    ]
    games.outputs = []
    assert figures_of(notebook, name) == []
    at = notebook.cells.index(games)
    above = [cell for cell in notebook.cells[:at] if cell.cell_type == "markdown" and cell.source.startswith("## 2 ")]
    above[0].source = f"#{above[0].source}"  # a heading of the third level ends no question
    (sentence,) = figures_of(notebook, name)
    assert "1.3 gan.batchnorm" in sentence


def test_a_notebook_nobody_ran_is_one_sentence():
    assert warnings_of(student_notebook(NAME)) == [
        "No cell has been run, so the file shows no results. Restart the kernel, run all cells, save."
    ]
    assert figures_of(student_notebook(NAME)) == []


def test_cells_that_did_not_run_are_named():
    notebook = finished(NAME)
    for start in ("# TEST", "# AUTOGRADED (5) elbo"):
        cell_of(notebook, start).execution_count = None
    (warning,) = warnings_of(notebook)
    first, second = number_of(notebook, "# TEST"), number_of(notebook, "# AUTOGRADED (5) elbo")
    assert warning.startswith(f"Cells {first} and {second} have not been run")


def test_the_cell_that_hands_in_and_empty_cells_need_no_run():
    notebook = finished(NAME)
    cell_of(notebook, "hand_in(").execution_count = None
    notebook.cells.append(v4.new_code_cell("  \n"))
    assert warnings_of(notebook) == []


def test_a_cell_that_ran_before_one_above_it_is_named():
    notebook = finished(NAME)
    cell_of(notebook, "# AUTOGRADED (5) elbo").execution_count = 0
    number = number_of(notebook, "# AUTOGRADED (5) elbo")
    (warning,) = warnings_of(notebook)
    assert warning.startswith(f"Cell {number} ran before a cell above: a fresh run may give something else.")


def test_a_cell_run_again_after_those_below_it_is_the_one_that_is_named():
    notebook = finished(NAME)
    cell_of(notebook, "# AUTOGRADED (5) D_KL").execution_count = 90
    (warning,) = warnings_of(notebook)
    assert warning.startswith(f"Cell {number_of(notebook, '# AUTOGRADED (5) D_KL')} ran after a cell below: ")


def test_counts_may_have_holes():
    notebook = finished(NAME)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count *= 3
    assert warnings_of(notebook) == []


def test_an_error_in_the_file_is_quoted_without_its_colours():
    notebook = finished(NAME)
    failed = [v4.new_output("error", ename="ExpectationError", evalue="\x1b[31mD_KL:\x1b[0m error 4.2", traceback=[])]
    cell_of(notebook, "# TEST").outputs = failed
    number = number_of(notebook, "# TEST")
    assert warnings_of(notebook) == [f"Cell {number} stopped with an error: ExpectationError: D_KL: error 4.2"]
    cell_of(notebook, "# AUTOGRADED (5) elbo").outputs = failed
    (warning,) = warnings_of(notebook)
    assert f"stopped with an error; the first in cell {number}: ExpectationError" in warning


def test_an_error_of_half_characters_can_still_be_printed():
    notebook = finished(NAME)
    cell_of(notebook, "# TEST").outputs = [v4.new_output("error", ename="E", evalue="x", traceback=[])]
    damaged = as_bytes(notebook).replace(b'"evalue": "x"', b'"evalue": "\\ud800"')
    (warning,) = find_execution_warnings(read_notebook(damaged))
    assert warning.endswith("stopped with an error: E: ?")


def test_words_on_stderr_are_no_error():
    notebook = finished(NAME)
    cell_of(notebook, "# TEST").outputs = [v4.new_output("stream", name="stderr", text="UserWarning: error")]
    assert warnings_of(notebook) == []


@pytest.mark.parametrize("is_fast", [True, False])
def test_short_runs_are_told_from_what_the_first_cell_said(is_fast, monkeypatch, capsys):
    monkeypatch.setattr(setup_cell, "FAST", is_fast)
    setup_cell.diagnose(NAME)
    notebook = finished(NAME)
    cell_of(notebook, "# SETUP").outputs = [v4.new_output("stream", name="stdout", text=capsys.readouterr().out)]
    assert [warning[:28] for warning in warnings_of(notebook)] == ["The notebook ran with FAST=1"] * is_fast


def test_weights_of_ours_are_told_with_their_cells():
    notebook = finished(NAME)
    line = "digits: weights of ours from here on, trained on MNIST; hand in your own.\n"
    for start in ("# TEST", "# SETUP"):
        cell_of(notebook, start).outputs = [v4.new_output("stream", name="stdout", text=line)]
    numbers = sorted((number_of(notebook, "# TEST"), number_of(notebook, "# SETUP")))
    assert warnings_of(notebook) == [
        f"Cells {numbers[0]} and {numbers[1]} show weights of ours, which are not yours to hand in. "
        "Set LOAD_OURS = False. Restart the kernel, run all cells, save."
    ]


def test_a_missing_picture_is_told_with_its_question():
    notebook = finished("03_mnist_vae")
    cell_of(notebook, "show_images(answered").outputs = []
    number = number_of(notebook, "show_images(answered")
    assert figures_of(notebook, "03_mnist_vae") == [
        f"4.2 cvae.samples is judged with its pictures, and cell {number} shows none. Run the notebook and save it."
    ]


def test_a_missing_picture_nobody_grades_is_not_told():
    notebook = finished(NAME)
    cell_of(notebook, "sigmas = torch.logspace").outputs = []  # below 1.5, which the grader runs
    assert figures_of(notebook) == []


def test_a_cell_that_defines_a_drawing_function_need_not_show_anything():
    notebook = finished(NAME)
    cell_of(notebook, "def draw_clusters").outputs = []
    cell_of(notebook, "def draw_clusters").source += "\n\ndef look():\n    plt.show()\n"
    assert figures_of(notebook) == []


def test_many_cells_are_counted_and_few_named():
    assert name_cells([4]) == "cell 4"
    assert name_cells([9, 4, 7]) == "cells 4, 7 and 9"
    assert name_cells(range(1, 9)) == "8 cells (1, 2, 3, 4, 5, 6, …)"
