"""The project's pages as tests read them: their blocks, their commands, and a copy of the project to run them in."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from utils.assignments.places import place_of

PROJECT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(make|\.venv/bin/[\w-]+|python|export|git|cd|jupyter|pip|unzip)( |$)")
_PARTS = ("assignments", "grader", "utils", "tools", "examples", "notebooks", "tests")
_FILES = ("Makefile", "requirements.txt", "pyproject.toml", "README.md", "course.toml", "LICENSE")
_LEFT_OUT = ("__pycache__", "*_submission.*", "*_receipt.txt", "checkpoints", "submissions.zip", "attacks")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language ("" if none is given) and its lines."""

    language: str
    text: str


def pages() -> list[Path]:
    """Every page a reader may open, the student bundle's too."""
    found = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("*/README.md")]
    return sorted({*found, *PROJECT.glob("tools/student_files/*.md")})


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(match["language"], match["text"]) for match in _BLOCK.finditer(text)]


def commands(text: str) -> list[str]:
    """The commands of a page's blocks without a language, in order, each on one line; what a command prints is none."""
    shown = [re.sub(r"\s*\\\n\s*", " ", block.text) for block in blocks(text) if not block.language]
    lines = [line for text in shown for line in text.splitlines()]
    return [line for line in lines if _COMMAND.match(line)]


def inline_commands(text: str) -> list[str]:
    """The commands in a page's running text and tables."""
    prose = _BLOCK.sub("", text)
    return [code for code in re.findall(r"`([^`\n]+)`", prose) if _COMMAND.match(code) and " " in code]


def copy_project(target: Path, notebook: str) -> Path:
    """A copy of the project to change and run, with one notebook only: the others' packages would be loaded for nothing.

    Args:
        target: The folder to make.
        notebook: The notebook that stays.

    Returns:
        The folder.
    """
    for part in _PARTS:
        shutil.copytree(PROJECT / part, target / part, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for name in _FILES:
        shutil.copy2(PROJECT / name, target / name)
    for path in (*target.glob("assignments/*/"), *target.glob("notebooks/0*.ipynb")):
        if path.stem not in (notebook, place_of(notebook).folder):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return target


def run(command: str, folder: Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a page's command as a reader would, but with this interpreter for the one in `.venv`, and on one core.

    Args:
        command: As the page has it.
        folder: Where.
        environment: Set beside this process's own.
    """
    python, programs = shlex.quote(sys.executable), shlex.quote(str(Path(sys.executable).parent))
    make = f"make -o .venv/.set-up BIN={shlex.quote(programs)} "  # quoted for make's shell, and once more for this one
    line = command.replace(".venv/bin/python", python)
    line = make + line.removeprefix("make ") if line.startswith("make ") else line
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("GRADER_SALT", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**inherited, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=600,
        preexec_fn=_on_one_core,
        encoding="utf-8",
    )


def _on_one_core() -> None:
    """One worker grades a handful of files with half the processor time of two."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})
