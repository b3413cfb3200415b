"""Which files to grade: what the command line was given, as a list of submissions."""

from collections.abc import Iterable
from pathlib import Path


class NothingToGrade(ValueError):
    """No submission where one was asked for; the message is one sentence."""


def collect_files(paths: Iterable[Path]) -> list[Path]:
    """The submissions in files and folders, each file being one.

    Raises:
        NothingToGrade: If a path does not exist or a folder holds no file.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise NothingToGrade(f"{path} does not exist: give a submission zip, a notebook, or a folder of them.")
        inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith(".")) if path.is_dir() else [path]
        if not inside:
            raise NothingToGrade(f"{path} holds no files: give the folder with the submissions.")
        files += inside
    return files
