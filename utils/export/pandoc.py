"""Prose and formulas of the whole notebook to Typst, in one pandoc process."""

import errno
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .maths import Formula, Macros, is_too_dear

_HERE = Path(__file__).parent
_READERS = {
    # The notebook's own renderer is CommonMark with GitHub's tables; formulas are already out.
    "markdown": "commonmark+pipe_tables+task_lists+strikeout+autolink_bare_uris+raw_html-implicit_figures",
    "latex": "commonmark+pipe_tables+raw_html-implicit_figures",
    "html": "html-native_divs-native_spans",
}
_SECONDS, _GROUP_SECONDS = 30, 4
_ROOM_SECONDS = 120.0  # for the system to have room for another process, or for its threads
MEMORY_MIB = 512
_OUT_OF_MEMORY = (251, 2, -9)  # the runtime's heap or stack is full, or the system ended it
_NO_THREAD = ("Failed to spawn thread", "failed to create OS thread", os.strerror(errno.EAGAIN))
_DEAR = "it takes too much time or memory"
_SPANS = re.compile(r"((?:col|row)span\s{0,9}=\s{0,9}[\"']?\s{0,9})\d{4,}", re.IGNORECASE)


class PandocError(RuntimeError):
    """pandoc is missing or did not do its work; the sentence says which."""


class TooDear(PandocError):
    """What was to be converted takes more time or memory than it may."""


@dataclass(frozen=True)
class Converted:
    """One part in Typst, with marks where formulas, pictures and code blocks go; or why it has none."""

    typ: str = ""
    images: tuple[dict, ...] = ()
    listings: tuple[dict, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class ConvertedFormula:
    """One formula in Typst (`$…$`) and its number from `\\tag`, or why it has none."""

    typ: str = ""
    tag: str = ""
    problem: str = ""


def executable() -> str:
    """Path of the pandoc that the wheel `pypandoc_binary` brings, or of one on the PATH.

    Raises:
        PandocError: If there is none.
    """
    try:
        import pypandoc

        return pypandoc.get_pandoc_path()
    except (ImportError, OSError):
        raise PandocError("pandoc is not installed (pip install pypandoc_binary)") from None


def convert(
    texts: list[tuple[str, str]], formulas: list[Formula], macros: Macros
) -> tuple[list[Converted], list[ConvertedFormula]]:
    """Convert all parts and formulas of a notebook.

    Args:
        texts: Text with marks and its format (`markdown`, `latex` or `html`), part by part.
        formulas: The formulas the marks stand for.
        macros: The notebook's own commands.

    Returns:
        The parts and the formulas in Typst, in the same order.

    Raises:
        PandocError: If pandoc is missing, fails as a whole or takes longer than a minute.
    """
    # pandoc's CommonMark reader loses a table's last row when no newline follows it.
    parts = [{"text": _tamed(text) + "\n", "format": _READERS[form]} for text, form in texts]
    dear = [is_too_dear(formula.tex, macros) for formula in formulas]
    asked = [
        {"tex": f.tex, "display": f.display, "source": f.source, "macros": macros.needed_by(f.tex)}
        if not is_dear
        else {"tex": "", "display": f.display, "source": f.source, "macros": ""}
        for f, is_dear in zip(formulas, dear, strict=True)
    ]
    answer = _converted(asked, parts)
    done = [ConvertedFormula(**formula) for formula in answer["formulas"]]
    return (
        [
            Converted(p.get("typ", ""), tuple(p.get("images", ())), tuple(p.get("listings", ())), p.get("problem", ""))
            for p in answer["parts"]
        ],
        [ConvertedFormula(problem=_DEAR) if is_dear else formula for formula, is_dear in zip(done, dear, strict=True)],
    )


def _tamed(text: str) -> str:
    """A table's cell over a hundred million columns would be made before anybody could say no."""
    return _SPANS.sub(r"\g<1>1", text)


def _converted(formulas: list[dict], parts: list[dict]) -> dict:
    """All in one process; if that takes too much, the formulas and the parts in ever smaller groups, and what is too dear alone
    becomes its source."""
    try:
        return _run("md.lua", {"formulas": formulas, "parts": parts}, _SECONDS)
    except TooDear:
        return {
            "formulas": in_groups(
                formulas,
                lambda some: _run("md.lua", {"formulas": some, "parts": []}, _GROUP_SECONDS)["formulas"],
                {"problem": _DEAR},
                time.monotonic() + _SECONDS,
            ),
            "parts": in_groups(
                parts,
                lambda some: _run("md.lua", {"formulas": formulas, "parts": some}, _GROUP_SECONDS, only_parts=True)[
                    "parts"
                ],
                {"problem": _DEAR},
                time.monotonic() + _SECONDS,
            ),
        }


def in_groups(items: list, convert_some: Callable[[list], list], refused: Any, deadline: float) -> list:
    """Convert items, halving a group that is too dear, until the one that is to blame stands alone.

    Args:
        items: What to convert.
        convert_some: Converts a group; raises `TooDear` where it takes too much.
        refused: Stands for an item that is too dear, or that nobody had time for.
        deadline: By `time.monotonic`.
    """
    if not items or time.monotonic() > deadline:
        return [refused] * len(items)
    try:
        return convert_some(items)
    except TooDear:
        if len(items) == 1:
            return [refused]
        half = len(items) // 2
        return [
            *in_groups(items[:half], convert_some, refused, deadline),
            *in_groups(items[half:], convert_some, refused, deadline),
        ]


def run_limited(arguments: list[str], seconds: float, **options: Any) -> subprocess.CompletedProcess:
    """Run pandoc with a limit on its memory and its time.

    Raises:
        TooDear: If it needs more of either.
        PandocError: If it is missing or cannot be started.
    """
    command = [executable(), "+RTS", f"-M{MEMORY_MIB}m", "-RTS", *arguments]
    until = time.monotonic() + _ROOM_SECONDS
    while True:
        try:
            done = subprocess.run(command, capture_output=True, timeout=seconds, **options)
        except subprocess.TimeoutExpired:
            raise TooDear(f"pandoc took longer than {seconds:g} s") from None
        except OSError as error:
            if error.errno != errno.EAGAIN or time.monotonic() > until:
                raise PandocError(f"pandoc cannot be started: {error}") from None
        else:
            if (
                not (done.returncode and any(word in str(done.stderr) for word in _NO_THREAD))
                or time.monotonic() > until
            ):
                break
        time.sleep(0.1)
    if done.returncode in _OUT_OF_MEMORY:
        raise TooDear(f"pandoc needs more than {MEMORY_MIB} MB")
    return done


def _run(script: str, job: dict, seconds: float, only_parts: bool = False) -> dict:
    """Run a script in a folder of its own, on names in ASCII: Lua on Windows may not open others, such as a user's folder."""
    with tempfile.TemporaryDirectory() as folder:
        for lua in _HERE.glob("*.lua"):
            shutil.copy(lua, folder)
        job_file, answer_file = Path(folder, "job.json"), Path(folder, "answer.json")
        job_file.write_text(json.dumps(job | {"only_parts": only_parts}), encoding="utf-8")
        arguments = ["lua", script, job_file.name, answer_file.name]
        done = run_limited(arguments, seconds, cwd=folder, encoding="utf-8", errors="replace")
        if done.returncode or not answer_file.exists():
            raise PandocError(f"pandoc failed: {' '.join(done.stderr.split())[:300] or 'no message'}")
        return json.loads(answer_file.read_text(encoding="utf-8"))
