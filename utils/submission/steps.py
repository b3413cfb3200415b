"""The steps of a hand-in, in their order, and what they print."""

import time
from collections.abc import Sequence
from pathlib import Path

from utils.exercise.said import folded
from utils.notebook.cells import NotebookError
from utils.submission.archive import pack
from utils.submission.check import Check, check_notebook
from utils.submission.pages import write_pdf
from utils.submission.place import find_notebook, is_colab, is_of_page
from utils.submission.session import Run, read_runs


def hand_in(notebook: str, files: Sequence[str | Path] = (), student: str = "") -> None:
    """Check the notebook this runs in, pack it, write its PDF, and print what is open and a receipt.

    Args:
        notebook: The notebook's name, e.g. "07_flows".
        files: Further files beside the notebook that belong to the submission, such as pictures.
        student: Your name, for the header of the PDF.
    """
    path = find_notebook(notebook)
    if path is not None:
        run_steps(path, read_runs(), files, student)


def run_steps(
    path: Path,
    runs: list[Run] | None = None,
    files: Sequence[str | Path] = (),
    student: str = "",
    is_check_only: bool = False,
) -> bool:
    """Check a notebook file and, unless told not to, pack it and write its PDF; print each step.

    Args:
        path: The notebook file.
        runs: What has run in the kernel this is called from; None in a terminal.
        files: Further files to pack.
        student: For the header of the PDF.
        is_check_only: Write nothing.

    Returns:
        Whether the file could be read and, where asked for, packed.
    """
    try:
        check = check_notebook(path, runs, files)
        print_check(path, check, is_running=runs is not None)
        if is_check_only:
            return True
    except NotebookError as error:
        print(f"{path.name}: {error}")
        return False
    except OSError as error:
        print(f"{path}: cannot be read ({error.strerror}). Name the .ipynb file you worked in.")
        return False
    try:
        receipt = pack(path, check)
    except OSError as error:
        print(
            f"The zip cannot be written beside {path.name} ({error.strerror}). Copy the notebook to a folder of yours."
        )
        return False
    print(f"Wrote {receipt.path.name}, to be handed in.")
    print(write_pdf(path, check.assignment.notebook, student, receipt.sha256))
    print("\n".join(receipt.lines()))
    print("The receipt is also in a file beside the zip. Your feedback will show the same SHA-256.")
    if is_colab():
        print("On Colab: download the files from the Files panel on the left, before the machine is given back.")
    return True


def print_check(path: Path, check: Check, is_running: bool) -> None:
    """Print what a check found: what costs points first."""
    print(f"{path.name}, {_describe_save(path, is_running and not check.unsaved)}")
    if check.unsaved:
        print(folded(check.unsaved, "  "))
    if check.findings:
        print(f"Costs points as it stands ({check.points_at_stake} of {check.assignment.total_points}):")
        print("\n".join(folded(str(finding), "  ") for finding in check.findings))
    else:
        print("  Every graded cell and every response has an answer.")
    if check.warnings:
        print("Worth a look before you hand in:")
        print("\n".join(folded(str(warning), "  - ") for warning in check.warnings))


def _describe_save(path: Path, is_in_doubt: bool) -> str:
    """Whether what is packed is what is on the screen. The kernel sees the file alone: only what the page itself handed over is known."""
    if is_of_page(path):
        return "as it stands on the page"
    saved = f"as it was saved {_describe_age(time.time() - path.stat().st_mtime)} ago"
    if not is_in_doubt:
        return saved
    return (
        f"{saved}. Only what is saved is handed in,\n"
        "  and this cell cannot see your screen: if you changed anything since, an answer in words too,\n"
        "  save first (Ctrl+S or Cmd+S), then run this cell again."
    )


def _describe_age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds" if seconds >= 2 else "a second"
