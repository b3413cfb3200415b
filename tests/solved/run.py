"""One execution of a solved notebook under `pytest --nbval`, as a student would have it: beside `utils`, without a network."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.solved.outputs import with_expectations
from tests.solved.plugin import EXECUTED
from tools.notebook_source import ROOT

NOWHERE = "http://127.0.0.1:9"  # a proxy that refuses
_SECONDS = 3600


@dataclass(frozen=True)
class Executed:
    """A solved notebook after its run, the folder it ran in, and what nbval said."""

    notebook: NotebookNode
    folder: Path
    said: str
    failed: tuple[str, ...]  # the numbers of code cells, from 0

    @property
    def stopped(self) -> list[str]:
        """The first line of every cell that stopped with an error."""
        return [
            cell.source.partition("\n")[0]
            for cell in self.notebook.cells
            if any(output.output_type == "error" for output in cell.get("outputs", []))
        ]

    def complaints(self) -> str:
        """What differs from the kept outputs, for a person; "" if nothing does."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.said) if self.failed else ""


def execute(
    name: str, folder: Path, environment: dict[str, str] | None = None, is_full: bool = False, compare: bool = True
) -> Executed:
    """Run a solved notebook.

    Args:
        name: The notebook's name.
        folder: An empty folder to run it in.
        environment: Set beside this process's own.
        is_full: Run it in full, on whatever data there is, instead of with FAST=1 on stand-ins.
        compare: Hold its outputs to the kept ones.

    Returns:
        The run.

    Raises:
        RuntimeError: If nbval did not get to the end.
    """
    (folder / "utils").symlink_to(ROOT / "utils")
    target = folder / "executed" / f"{name}.ipynb"
    target.parent.mkdir()
    nbformat.write(with_expectations(name), folder / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval" if compare else "--nbval-lax", f"{name}.ipynb"]
    options = ["-p", "tests.solved.plugin", "-p", "no:cacheprovider", "-p", "no:xdist", "--nbval-current-env"]
    quiet = ["-q", "--color=no", f"--rootdir={folder}", "-c", os.devnull, "--tb=short", "--no-header"]
    done = subprocess.run(
        [*command, *options, *quiet],
        cwd=folder,
        env=_environment(folder, target, environment or {}, is_full),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_SECONDS,
    )
    if done.returncode not in (0, 1) or not target.is_file():
        raise RuntimeError(f"nbval ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    failed = tuple(re.findall(r"^FAILED \S+::Cell (\d+)", done.stdout, re.MULTILINE))
    return Executed(nbformat.read(target, 4), folder, done.stdout, failed)


def _environment(folder: Path, target: Path, more: dict[str, str], is_full: bool) -> dict[str, str]:
    # What is kept is of a processor without matrix units; numbers of one with them are others, and as right.
    own = {**os.environ, "PYTHONPATH": str(ROOT), EXECUTED: str(target), "ACCELERATE": "float32"}
    for gone in ("JPY_SESSION_NAME", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "FAST"):
        own.pop(gone, None)
    if not is_full:
        own |= {"FAST": "1", "DATA_DIR": str(folder / "data"), "OMP_NUM_THREADS": "1"}
        own |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    return own | more
