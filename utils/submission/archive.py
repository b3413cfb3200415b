"""The zip that is handed in, and the receipt that tells it from every other."""

import hashlib
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.assignments import Question
from utils.exercise.said import folded
from utils.submission.check import Check


@dataclass(frozen=True)
class Receipt:
    """What was packed."""

    path: Path
    size_bytes: int
    sha256: str
    time_utc: str
    names: tuple[str, ...]  # what the zip holds
    n_questions: int
    open_questions: tuple[Question, ...]

    def lines(self) -> list[str]:
        """The receipt as text."""
        answered = f"{self.n_questions - len(self.open_questions)} of {self.n_questions} questions"
        still_open = ", ".join(f"{question.number} {question.id}" for question in self.open_questions)
        return [
            f"Receipt for {self.path.name}",
            f"  size      {self.size_bytes:,} bytes",
            f"  SHA-256   {self.sha256}",
            f"  packed    {self.time_utc}",
            f"  holds     {', '.join(self.names)}",
            folded(f"answered  {answered}{'; open: ' + still_open if still_open else ''}", "  "),
        ]


def pack(notebook: Path, check: Check) -> Receipt:
    """Write `NAME_submission.zip` and `NAME_receipt.txt` beside the notebook.

    Args:
        notebook: The notebook file.
        check: What was found in it; gives the archive its name and its further files.

    Returns:
        The receipt.

    Raises:
        OSError: If the folder cannot be written to.
    """
    target = notebook.parent / f"{check.assignment.notebook}_submission.zip"
    sources = [notebook, *check.files]
    _write_zip(target, sources)
    data = target.read_bytes()
    receipt = Receipt(
        path=target,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        time_utc=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        names=tuple(source.name for source in sources),
        n_questions=len(check.graded_questions),
        open_questions=tuple(check.open_questions),
    )
    text = "\n".join(receipt.lines()) + "\n"
    target.with_name(f"{check.assignment.notebook}_receipt.txt").write_text(text, encoding="utf-8")
    return receipt


def _write_zip(target: Path, sources: Sequence[Path]) -> None:
    """Write beside the target first: an interruption leaves the last good zip."""
    draft = target.with_suffix(".zip.part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for source in sources:
                archive.write(source, source.name)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
