"""Writing results: a reader sees a whole file or none, and a student's name cannot lead out of the folder."""

import errno
import hashlib
import os
import re
import sys
import time
import unicodedata
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

GRADES_FILE = "grades.csv"  # the class as a table
CLASS_PAGES = "class_pages"  # a folder with a page for each question that a person reads
ROOM_SECONDS = 300.0  # for somebody to make room on a full disk
FULL = (errno.ENOSPC, errno.EDQUOT)

_LONGEST_BYTES = 200
_REPORT = re.compile(r"\.(html|csv|json)$", re.IGNORECASE)  # of a student "class.html": in the place of that page


def write_atomically(path: Path, content: str | bytes, room_seconds: float = ROOM_SECONDS) -> None:
    """Write a file so that it is complete whenever it is there, even if this process is killed in the middle.

    Where the disk is full, it says so once and waits for room.

    Raises:
        OSError: If it cannot be written; with an error of `FULL`, if there is no room for so many seconds.
    """
    until = time.monotonic() + room_seconds
    for n in count():
        try:
            return _write(path, content)
        except OSError as error:
            if error.errno not in FULL or time.monotonic() > until:
                raise
            if n == 0:
                print(f"The disk of {path.parent} is full: waiting for room.", file=sys.stderr)
            time.sleep(1)


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:  # never through a link
            file.write(data)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    os.replace(partial, path)


def folder_name(student: str) -> str:
    """A student's name as the name of a folder, on any file system: letters of any script stay, separators go."""
    text = re.sub(r"[^\w\- .()@+]", "_", unicodedata.normalize("NFC", student))
    # A file system counts bytes. What the cut leaves at the end is normal as it stands: the cut falls between characters.
    text = text[:100].encode()[:_LONGEST_BYTES].decode(errors="ignore").strip(". ")
    is_taken = _REPORT.search(text) or text.casefold() == CLASS_PAGES
    return f"{text}_" if is_taken else text or "unnamed"


def student_page(student: str, page: str = "feedback.html") -> str:
    """The address of a student's page, from the folder of results."""
    return f"{quote(folder_name(student))}/{page}"


def made_of(results: Iterable[dict[str, Any]]) -> str:
    """A digest of who handed in what: a page about a class holds while it stays the same."""
    facts = sorted(f"{r['extra_data']['student']}\n{r['extra_data']['submission_sha256']}" for r in results)
    return hashlib.sha256("\n\n".join(facts).encode("utf-8", "replace")).hexdigest()
