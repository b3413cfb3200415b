"""A progress bar in a notebook moves while it runs, and leaves text: a widget of a kernel that is gone would be an error."""

import pytest
from nbclient import NotebookClient
from nbformat import v4

CELLS = [
    "from utils.exercise.progress import leave_text_behind\nleave_text_behind()\nleave_text_behind()",
    "from tqdm.auto import tqdm, trange\nfor _ in tqdm(range(3), desc='epochs'):\n    pass",
    "for _ in tqdm(range(3), leave=False):\n    pass",
    "for n in tqdm(range(4), desc='stopped'):\n    if n == 2:\n        raise ValueError",
    "bar = tqdm(total=2, desc='by hand')\nbar.update(2)\nbar.close()\nbar.close()",
    "for _ in tqdm(range(3), disable=True):\n    pass",
    "for _ in tqdm(range(3), desc='late', delay=60):\n    pass",
]


@pytest.fixture(scope="module")
def shown():
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return [[out.data for out in cell.outputs if out.output_type == "display_data"] for cell in notebook.cells]


def test_no_widget_is_left(shown):
    assert not [data for cell in shown for data in cell if set(data) != {"text/plain"}]


def test_the_last_line_is_left(shown):
    for number, begins in ((1, "epochs: 100%"), (3, "stopped:  50%"), (4, "by hand: 100%")):
        assert [data["text/plain"].startswith(begins) for data in shown[number]] == [True], shown[number]


def test_a_bar_that_is_not_to_stay_leaves_nothing(shown):
    assert [data["text/plain"] for data in shown[2]] == [""]


def test_a_bar_that_nobody_sees_shows_nothing(shown):
    assert shown[5] == shown[6] == []
