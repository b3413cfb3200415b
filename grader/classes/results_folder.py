"""The folder of results: one run at a time writes in it, and what a killed run left behind is tidied up."""

import fcntl
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from grader.report.feedback import feedback_page, load_page
from grader.report.files import folder_name, write_atomically
from grader.report.results import is_results
from grader.stages.clock import REPORT_SECONDS, in_time

_LOCK = ".run"
_PREFIX, _OWNER = "grader-run-", ".made-for"
_PARTIAL = re.compile(r"\.[\w.]+\.\d+\.partial")


class FolderInUse(RuntimeError):
    """Another run is writing here, or nobody can; the message is one sentence."""


class ResultsFolder:
    """with ResultsFolder(Path("results")) as folder: folder.write(results)"""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = ""  # where the run's sandboxes keep their folders
        self.merge: Callable[[bytes], bytes] = lambda data: data  # what is written in the place of new results

    def __enter__(self) -> "ResultsFolder":
        """Lock the folder and remove what a killed run left.

        Raises:
            FolderInUse: If another run holds it, or it is no folder that can be written in.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            self._lock = open(os.open(self.path / _LOCK, flags, 0o644), "a+", encoding="utf-8")
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
        left_behind = self._lock.read(4096).strip()
        if left_behind and self._is_ours(left_behind):
            shutil.rmtree(left_behind, ignore_errors=True)
        for partial in (*self.path.glob(".*.partial"), *self.path.glob("*/.*.partial")):
            if _PARTIAL.fullmatch(partial.name) and not partial.parent.is_symlink():
                partial.unlink(missing_ok=True)
        self.temporary = tempfile.mkdtemp(prefix=_PREFIX)
        Path(self.temporary, _OWNER).write_text(str(self.path.resolve()), encoding="utf-8")
        os.chmod(self.temporary, 0o711)  # the sandboxes' users pass through
        self._note(self.temporary)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)
        self._note("")
        self._lock.close()

    def _is_ours(self, folder: str) -> bool:
        """Whether a run for these results made that folder: where such folders are made, of this user, and it says so."""
        path = Path(folder)
        try:
            is_own = stat.S_ISDIR(path.lstat().st_mode) and path.lstat().st_uid == os.geteuid()
            says = (path / _OWNER).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False
        is_in_place = path.name.startswith(_PREFIX) and path.parent == Path(tempfile.gettempdir())
        return is_own and is_in_place and says == str(self.path.resolve())

    def _note(self, text: str) -> None:
        self._lock.truncate(0)
        self._lock.write(text)
        self._lock.flush()

    def results(self, student: str) -> dict[str, Any] | None:
        """What an earlier run wrote for a student; None if nothing, or nothing that can be read."""
        return _read(self.path / folder_name(student))

    def written(self, student: str) -> dict[str, Any]:
        """What this run has written for a student.

        Raises:
            FolderInUse: If it is not there any more, or another's: somebody else is at work in the folder.
        """
        results = self.results(student)
        if results is None or results["extra_data"]["student"] != student:
            raise FolderInUse(
                f"What was written to {self.path / folder_name(student)} has gone or was changed: leave the folder alone while "
                "a run works in it. The same command grades what is missing."
            )
        return results

    def prepare(self) -> None:
        """Load what the first report would wait for."""
        load_page()

    def write(self, data: bytes) -> dict[str, Any]:
        """Write one student's reports; `results.json` last: when it is there, everything is.

        Args:
            data: The content of `results.json`.

        Returns:
            What is written, decoded.
        """
        data = self.merge(data)
        results = json.loads(data)
        folder = self.path / folder_name(results["extra_data"]["student"])
        if folder.is_symlink():  # somebody's: results go below this folder, and nowhere else
            folder.unlink()
        page = _page(results)
        write_atomically(folder / "feedback.html", page)
        write_atomically(folder / "results.json", data)
        return results

    def write_feedback(self, results: Iterable[dict[str, Any]]) -> None:
        """Make feedback pages anew: of results that are kept, which another version may have shown otherwise, or that got points.

        Args:
            results: Contents of `results.json` files, with a person's points in them, if there are any.
        """
        for result in results:
            folder = self.path / folder_name(result["extra_data"]["student"])
            write_atomically(folder / "feedback.html", _page(result))


def _page(results: dict[str, Any]) -> str:
    """The feedback page. One that takes too long goes without the student's words; the points are there in any case."""
    extra = results["extra_data"]
    told = (
        *extra.get("repairs", ()),
        "What you wrote takes too long to show: this page leaves it out. It is in your notebook.",
    )
    plain = results | {"extra_data": extra | {"written": [], "repairs": list(told)}}
    return in_time(
        REPORT_SECONDS,
        lambda: feedback_page(results),
        lambda: in_time(REPORT_SECONDS, lambda: feedback_page(plain), _no_page),
    )


def _no_page() -> str:
    return "<!DOCTYPE html><meta charset='utf-8'><title>Feedback</title><p>This page takes too long to make. The points are in results.json."


def no_results(folder: Path) -> str:
    """Why a folder's results cannot be used, a sentence: there are none, or they lie in a folder a notebook."""
    inner = sorted(path.parent.name for path in folder.glob("*/run.json"))
    if not inner:
        return f"{folder} holds no results: give a folder that `grade --out` has written."
    return f"{folder} holds a folder of results for each notebook: give one of them, such as {folder / inner[0]}."


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
        results = _read(path.parent)
        if results is not None:
            yield results


def result_bytes(out: Path, student: str) -> bytes | None:
    """The file of a student's results in a folder of results, as it lies there; None if there is none that can be read."""
    return (_read_bytes(out / folder_name(student)) or (None, None))[0]


def _read(folder: Path) -> dict[str, Any] | None:
    """The results in a folder, if there are any; a link is not followed."""
    return (_read_bytes(folder) or (None, None))[1]


def _read_bytes(folder: Path) -> tuple[bytes, dict[str, Any]] | None:
    path = folder / "results.json"
    if folder.is_symlink() or path.is_symlink():
        return None
    try:
        data = path.read_bytes()
        found = json.loads(data.decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return (data, found) if is_results(found) else None
