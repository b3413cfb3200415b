"""Writing results: a reader sees a whole file or none, and a student's name cannot lead out of the folder."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

GRADES_FILE = "grades.csv"  # the class as a table
CLASS_PAGES = "class_pages"  # a folder with a page for each question that a person reads

_LONGEST_BYTES = 200
_REPORT = re.compile(r"\.(html|csv|json)$", re.IGNORECASE)  # of a student "class.html": in the place of that page


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that it is complete whenever it is there, even if this process is killed in the middle."""
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
