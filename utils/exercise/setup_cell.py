"""What the first cell of a notebook says: where it runs, what is there, and how to mend what is missing.

Only the standard library is imported here: the cell must be able to say that torch is missing.
"""

import importlib.util
import os
import sys
from importlib import metadata
from pathlib import Path

from utils.assignments import assignment_names, load_assignment
from utils.assignments.about import About
from utils.datasets._cache import data_dir, shorten
from utils.exercise.pins import pinned
from utils.exercise.points import count_points
from utils.exercise.progress import leave_text_behind
from utils.exercise.said import folded
from utils.exercise.waiting import go_on_past_gaps
from utils.plotting.described import describe_figures
from utils.submission.pages import PDF_PACKAGES
from utils.submission.session import watch_runs

FAST = os.environ.get("FAST") == "1"
"""Whether the notebook runs its short form; set FAST=1 in the environment before the kernel starts."""

_AT_LEAST = {"torch": "2.2", "torchvision": "0.17"}  # where an older one would do something else
_OUR_OWN = ("numpy", "pyyaml")  # of `utils` itself, whatever the notebook
_MODULES = {
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "pillow": "PIL",
}  # where a package's module is called otherwise
_BUNDLE = Path(__file__).resolve().parents[2]


def diagnose(notebook: str) -> None:
    """Print what this notebook finds on this machine, and for everything missing what mends it.

    Args:
        notebook: The notebook's name, e.g. "07_flows".
    """
    assignment = load_assignment(notebook) if notebook in assignment_names() else None
    if assignment is not None:
        count_points(assignment)  # before what calls a waiting cell done
    go_on_past_gaps()
    watch_runs()
    describe_figures()
    leave_text_behind()
    about = assignment.about if assignment is not None else About(0, ())
    packages = tuple(dict.fromkeys((*about.packages, *_OUR_OWN)))
    for lines in (
        _describe_packages(packages),
        [_describe_device(packages)],
        _describe_colab(),
        [_describe_data(about)],
    ):
        print("\n".join(lines), end="\n" if lines else "")
    print(_describe_mode())


def _describe_packages(packages: tuple[str, ...]) -> list[str]:
    python = ".".join(map(str, sys.version_info[:3]))
    named = [name for name in packages if name in _AT_LEAST] or [_OUR_OWN[0]]
    lines = [", ".join([f"Python {python}", *(f"{name} {_version(name)}" for name in named)])]
    if sys.version_info < (3, 10):  # noqa: UP036  a student's Python may be older than ours
        lines.append("  Python 3.10 or newer is needed: install one and start Jupyter from it.")
    missing = [name for name in packages if _is_missing(name)]
    if missing:
        lines.append(f"  missing: {', '.join(missing)}. To mend it, {_install(missing)}")
    old = [name for name in packages if name in _AT_LEAST and _is_older(name, _AT_LEAST[name])]
    if old:
        wanted = ", ".join(f"{name} {_AT_LEAST[name]}" for name in old)
        lines.append(f"  too old, at least {wanted} is needed. To mend it, {_install(old)}")
    return lines


def _is_missing(package: str) -> bool:
    return importlib.util.find_spec(_MODULES.get(package, package.replace("-", "_"))) is None


def _describe_device(packages: tuple[str, ...]) -> str:
    place = "Google Colab" if "google.colab" in sys.modules else "your own machine"
    if "torch" not in packages:
        return f"Runs on {place}"
    if _is_missing("torch"):
        return f"Runs on {place}; the device is known once torch is installed."
    from utils.training.device import set_device

    device = set_device().type
    advice = ""
    if device == "cpu" and place == "Google Colab":
        advice = " (for a GPU: Runtime > Change runtime type > T4 GPU, then run this cell again)"
    return f"Runs on {place}, device {device}{advice}"


def _describe_colab() -> list[str]:
    """What is otherwise on Colab than on a machine of one's own."""
    if "google.colab" not in sys.modules:
        return []
    lines = [
        "  What lies in the Files panel is gone with the machine: download what you hand in, and what you want to go on with.",
    ]
    if importlib.util.find_spec("typst") is None:
        lines.append(f"  For a PDF from the last cell, run in a new cell: %pip install {pinned(*PDF_PACKAGES)}")
    return lines


def _describe_data(about: About) -> str:
    data = about.data
    if data is None:
        return "Data: this notebook makes its own."
    for folder in (data_dir(), _BUNDLE / "data") if data.bundled else (data_dir(),):
        if any((folder / file).exists() for file in data.files):
            return f"Data: {data.title} found in {shorten(folder)}"
    return folded(f"Data: {data.title} not found in {shorten(data_dir())}: {data.mend}")


def _describe_mode() -> str:
    if FAST:
        return "FAST=1: short runs, the whole notebook in under two minutes;\n  rougher pictures, or weights of ours where it says so."
    return "Full runs. For a quick pass, start Jupyter with FAST=1 in the environment."


def _install(packages: list[str]) -> str:
    """Into the kernel's own Python, wherever Jupyter was started from."""
    return f"run in a new cell: %pip install {pinned(*packages)}, then restart the kernel"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _is_older(package: str, needed: str) -> bool:
    version = _version(package)
    return version != "missing" and _numbers(version) < _numbers(needed)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("+")[0].split(".")[:2] if part.isdigit())
