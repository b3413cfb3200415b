"""The folder of results: one run at a time writes in it, and what a killed run left behind is tidied up."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from grader.report.feedback import feedback_page
from grader.report.files import folder_name, write_atomically
from grader.report.results import is_results

_LOCK = ".run"


class FolderInUse(RuntimeError):
    """Another run is writing here, or nobody can; the message is one sentence."""


class ResultsFolder:
    """with ResultsFolder(Path("results")) as folder: folder.write(results)"""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = ""  # where the run's sandboxes keep their folders

    def __enter__(self) -> "ResultsFolder":
        """Lock the folder and remove what a killed run left.

        Raises:
            FolderInUse: If another run holds it, or it is no folder that can be written in.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.path / _LOCK, "a+", encoding="utf-8")
        except OSError as error:
            raise FolderInUse(
                f"Nothing can be written in {self.path} ({error.strerror}): choose another --out."
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go by the system when this process ends
        except BlockingIOError:
            self._lock.close()
            raise FolderInUse(f"Another run is writing in {self.path}: wait for it, or choose another --out.") from None
        self._lock.seek(0)
        left_behind = self._lock.read().strip()
        if left_behind:
            shutil.rmtree(left_behind, ignore_errors=True)
        for partial in self.path.glob("**/.*.partial"):
            partial.unlink(missing_ok=True)
        self.temporary = tempfile.mkdtemp(prefix="grader-run-")
        os.chmod(self.temporary, 0o711)  # the sandboxes' users pass through
        self._note(self.temporary)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)
        self._note("")
        self._lock.close()

    def _note(self, text: str) -> None:
        self._lock.truncate(0)
        self._lock.write(text)
        self._lock.flush()

    def results(self, student: str) -> dict[str, Any] | None:
        """What an earlier run wrote for a student; None if nothing, or nothing that can be read."""
        try:
            found = json.loads((self.path / folder_name(student) / "results.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return found if is_results(found) else None

    def write(self, data: bytes) -> dict[str, Any]:
        """Write one student's reports; `results.json` last: when it is there, everything is.

        Args:
            data: The content of `results.json`.

        Returns:
            The same, decoded.
        """
        results = json.loads(data)
        folder = self.path / folder_name(results["extra_data"]["student"])
        write_atomically(folder / "feedback.html", feedback_page(results))
        write_atomically(folder / "results.json", data)
        return results

    def write_feedback(self, results: Iterable[dict[str, Any]]) -> None:
        """Make feedback pages anew: of results that are kept, which another version may have shown otherwise, or that got points.

        Args:
            results: Contents of `results.json` files, with a person's points in them, if there are any.
        """
        for result in results:
            folder = self.path / folder_name(result["extra_data"]["student"])
            write_atomically(folder / "feedback.html", feedback_page(result))


def read_results(folder: Path) -> dict[str, dict[str, Any]]:
    """All results below a folder, by student.

    Args:
        folder: As `grade --out` left it.

    Returns:
        The contents of the `results.json` files; those that cannot be read are left out.
    """
    return {results["extra_data"]["student"]: results for results in each_result(folder)}


def each_result(folder: Path) -> Iterator[dict[str, Any]]:
    """As `read_results`, one at a time: with their pictures, those of a class may be larger than the memory."""
    for path in sorted(folder.glob("*/results.json")):
        try:
            results = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if is_results(results):
            yield results
