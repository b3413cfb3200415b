"""Prose and formulas of the whole notebook to Typst, in one pandoc process."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .maths import Formula, Macros

_HERE = Path(__file__).parent
_READERS = {
    # The notebook's own renderer is CommonMark with GitHub's tables; formulas are already out.
    "markdown": "commonmark+pipe_tables+task_lists+strikeout+autolink_bare_uris+raw_html-implicit_figures",
    "latex": "commonmark+pipe_tables+raw_html-implicit_figures",
    "html": "html-native_divs-native_spans",
}
_SECONDS = 60


class PandocError(RuntimeError):
    """pandoc is missing or did not do its work; the sentence says which."""


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
    job = {
        # pandoc's CommonMark reader loses a table's last row when no newline follows it.
        "parts": [{"text": text + "\n", "format": _READERS[form]} for text, form in texts],
        "formulas": [
            {
                "tex": formula.tex,
                "display": formula.display,
                "source": formula.source,
                "macros": macros.needed_by(formula.tex),
            }
            for formula in formulas
        ],
    }
    answer = _run("md.lua", job)
    parts = [
        Converted(
            part.get("typ", ""), tuple(part.get("images", ())), tuple(part.get("listings", ())), part.get("problem", "")
        )
        for part in answer["parts"]
    ]
    return parts, [ConvertedFormula(**formula) for formula in answer["formulas"]]


def _run(script: str, job: dict) -> dict:
    """Run a script in a folder of its own, on names in ASCII: Lua on Windows may not open others, such as a user's folder."""
    with tempfile.TemporaryDirectory() as folder:
        for lua in _HERE.glob("*.lua"):
            shutil.copy(lua, folder)
        job_file, answer_file = Path(folder, "job.json"), Path(folder, "answer.json")
        job_file.write_text(json.dumps(job), encoding="utf-8")
        command = [executable(), "lua", script, job_file.name, answer_file.name]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise PandocError(f"pandoc took longer than {_SECONDS} s") from None
        except OSError as error:
            raise PandocError(f"pandoc cannot be started: {error}") from None
        if done.returncode or not answer_file.exists():
            raise PandocError(f"pandoc failed: {' '.join(done.stderr.split())[:300] or 'no message'}")
        return json.loads(answer_file.read_text(encoding="utf-8"))
