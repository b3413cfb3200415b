"""What the kernel knows and the file does not, on drawn-up histories and in a kernel that really runs."""

import time
from types import SimpleNamespace

import pytest
from finished import as_bytes, cell_of, finished, number_of
from IPython.core.interactiveshell import InteractiveShell

from utils.notebook.cells import read_notebook
from utils.notebook.recognition import recognise
from utils.submission import session
from utils.submission.session import Run, describe_unsaved, find_outdated, read_runs, watch_runs

NAME = "01_kl_divergence"
SAVED = 1_000_000.0
TASK = "# AUTOGRADED (5) D_KL"


def history(notebook, ended: float | None = SAVED - 10) -> list[Run]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [Run(cell.execution_count, cell.source, ended) for cell in cells]


def unsaved(notebook, runs: list[Run]) -> str:
    return describe_unsaved(runs, read_notebook(as_bytes(notebook)), SAVED)


def outdated(notebook, runs: list[Run]) -> list[str]:
    return find_outdated(runs, *recognise(read_notebook(as_bytes(notebook))))


def test_a_file_saved_after_the_last_run_is_not_behind():
    notebook = finished(NAME)
    assert unsaved(notebook, history(notebook)) == ""
    assert unsaved(notebook, history(notebook, ended=None)) == ""


def test_a_scratch_cell_run_and_deleted_before_saving_is_no_matter():
    notebook = finished(NAME)
    assert unsaved(notebook, [*history(notebook), Run(999, "print(1)", SAVED - 1)]) == ""


def test_a_cell_run_after_saving_whose_text_is_not_in_the_file_is_quoted():
    notebook = finished(NAME)
    changed = f"{TASK}\ndef D_KL(mu, logvar):\n    return 0"
    assert unsaved(notebook, [*history(notebook), Run(999, changed, SAVED + 60)]) == (
        f"1 cell ran after the file was saved: `{TASK}` stands there differently or not at all. "
        "Save the notebook (Ctrl+S or Cmd+S), then run this cell again."
    )


@pytest.mark.parametrize("ended", [SAVED + 60, None])
def test_a_cell_run_after_saving_without_a_change_leaves_its_results_behind(ended):
    notebook = finished(NAME)
    runs = [*history(notebook), Run(999, cell_of(notebook, TASK).source + "\n", ended)]
    assert unsaved(notebook, runs).startswith("1 cell ran after the file was saved: its results are not in it.")


def test_a_coarse_clock_is_no_alarm():
    notebook = finished(NAME)
    assert unsaved(notebook, history(notebook, ended=SAVED + 0.9)) == ""


def test_an_answer_changed_after_it_ran_is_named():
    notebook = finished(NAME)
    runs = history(notebook)
    assert outdated(notebook, runs) == []
    cell_of(notebook, TASK).source = f"{TASK}\ndef D_KL(mu, logvar):\n    return 0"
    assert outdated(notebook, runs) == [
        f"Cell {number_of(notebook, TASK)} (kl.D_KL) was changed after it last ran. "
        "Run it and the cells below it again, then save."
    ]


def test_a_comment_changes_no_answer_and_an_answer_that_never_ran_is_told_elsewhere():
    notebook = finished(NAME)
    runs = history(notebook)
    cell_of(notebook, TASK).source += "\n# done"
    assert outdated(notebook, runs) == []
    assert outdated(notebook, []) == []


def test_earlier_versions_of_an_answer_do_not_count():
    notebook = finished(NAME)
    wrong = Run(1, f"{TASK}\ndef D_KL(mu, logvar):\n    return 0", SAVED - 90)
    assert outdated(notebook, [wrong, *history(notebook)]) == []


def test_a_real_shell_is_read_with_its_times_but_for_the_cell_that_runs(monkeypatch):
    shell = InteractiveShell()
    shell.kernel = SimpleNamespace()  # type: ignore[attr-defined]
    monkeypatch.setattr(session, "running_shell", lambda: shell)
    shell.user_ns.update(watch=watch_runs)
    before = time.time()
    shell.run_cell("early = 1", store_history=True)
    for _ in range(2):  # the first cell may be run twice
        shell.run_cell("watch()", store_history=True)
    shell.run_cell("%time x = 1", store_history=True)
    shell.user_ns["hand_in"] = lambda name: shell.user_ns.update(found=read_runs())
    for _ in range(2):  # the second must not see the first
        shell.run_cell("hand_in('x')", store_history=True)
    runs = shell.user_ns["found"]
    assert [(run.number, run.source) for run in runs] == [
        (1, "early = 1"), (2, "watch()"), (3, "watch()"), (4, "%time x = 1")
    ]  # fmt: skip
    assert runs[0].ended is None
    assert before <= runs[3].ended <= time.time()
    called = [getattr(one, "__self__", None) for one in shell.events.callbacks["post_run_cell"]]
    assert sum(isinstance(owner, session._Clock) for owner in called) == 1


def test_outside_a_notebook_there_is_no_session():
    watch_runs()
    assert read_runs() is None
