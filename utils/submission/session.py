"""What the running kernel knows and the file does not: cells that ran since it was saved, cells changed since they ran.

IPython keeps the text of all that ran, but not when. `watch_runs`, called in the notebook's first cell, notes the times;
without it the cells' own counts in the file have to do.
"""

import time
from dataclasses import dataclass
from typing import Any

from utils.assignments import Assignment
from utils.notebook.cell_code import normalised_code
from utils.notebook.cells import Cell, Notebook
from utils.notebook.extraction import Extraction, find_tasks
from utils.submission.findings import is_hand_in

_CLOCK_SECONDS = 2  # some file systems keep times no finer than this


class _Clock:
    """Notes when each cell of a kernel ends; the kernel holds it, among those it calls after a cell."""

    def __init__(self) -> None:
        self.ended: dict[int, float] = {}  # by execution count, seconds since the epoch

    def note_end(self, result: Any) -> None:
        if result.execution_count is not None:
            self.ended[result.execution_count] = time.time()


@dataclass(frozen=True)
class Run:
    """One execution of a cell."""

    number: int  # the kernel's execution count
    source: str
    ended: float | None  # seconds since the epoch; None where nobody watched


def running_shell() -> Any:
    """The IPython shell this runs in; None in a terminal."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None


def watch_runs() -> None:
    """Note from now on when each cell ends; outside a notebook, do nothing."""
    shell = running_shell()
    if shell is not None and _clock_of(shell) is None:  # the first cell may run twice
        shell.events.register("post_run_cell", _Clock().note_end)


def _clock_of(shell: Any) -> _Clock | None:
    owners = (getattr(called, "__self__", None) for called in shell.events.callbacks["post_run_cell"])
    return next((owner for owner in owners if isinstance(owner, _Clock)), None)


def read_runs() -> list[Run] | None:
    """What has run in this kernel, but for the hand-in itself; None outside a notebook."""
    shell = running_shell()
    if shell is None:
        return None
    sources, clock = shell.history_manager.input_hist_raw, _clock_of(shell)
    ended = clock.ended if clock else {}
    return [
        Run(number, source, ended.get(number))
        for number, source in enumerate(sources)
        if number and not is_hand_in(source)
    ]


def describe_unsaved(runs: list[Run], notebook: Notebook, saved: float) -> str:
    """Say whether cells ran after the file was saved.

    Args:
        runs: What has run in the kernel.
        notebook: The file, as read.
        saved: When it was saved, in seconds since the epoch.

    Returns:
        One sentence; empty if none did.
    """
    counted = max((cell.execution_count or 0 for cell in notebook.cells), default=0)
    since = [
        run for run in runs if (run.ended > saved + _CLOCK_SECONDS if run.ended is not None else run.number > counted)
    ]
    if not since:
        return ""
    texts = {cell.source.strip() for cell in notebook.cells}
    new = [run for run in since if run.source.strip() not in texts]
    many = "1 cell ran" if len(since) == 1 else f"{len(since)} cells ran"
    results = "its results are" if len(since) == 1 else "their results are"
    what = f"`{_first_line(new[-1].source)}` stands there differently or not at all" if new else f"{results} not in it"
    return f"{many} after the file was saved: {what}. Save the notebook (Ctrl+S or Cmd+S), then run this cell again."


def find_outdated(runs: list[Run], assignment: Assignment, extraction: Extraction) -> list[str]:
    """Say which answers in the file are not what the kernel ran last, so that the results below are another text's.

    Args:
        runs: What has run in the kernel.
        assignment: Gives the tasks.
        extraction: What the file holds of them.

    Returns:
        One sentence a task.
    """
    history = Notebook(tuple(Cell(run.number, "code", run.source) for run in runs))
    last = {source.task: source.source for source in find_tasks(history, assignment).found}
    return [
        f"Cell {source.cell} ({source.task}) was changed after it last ran. Run it and the cells below it again, then save."
        for source in extraction.found
        if source.task in last and normalised_code(last[source.task]) != normalised_code(source.source)
    ]


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.split("\n") if line.strip()), "")[:60]
