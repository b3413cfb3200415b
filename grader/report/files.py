"""Writing results: a reader sees a whole file or none, and a student's name cannot lead out of the folder."""

import os
import re
import unicodedata
from pathlib import Path


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that it is complete whenever it is there, even if this process is killed in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(partial, path)


def folder_name(student: str) -> str:
    """A student's name as the name of a folder, on any file system: letters of any script stay, separators go."""
    text = unicodedata.normalize("NFC", student)
    text = re.sub(r"[^\w\- .()@+]", "_", text).strip(". ")
    return text[:100] or "unnamed"
