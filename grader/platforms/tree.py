"""The files of a folder or a zip, by their path below it. Nothing is extracted, no link inside is followed."""

import io
import os
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.stages.intake import DAMAGE
from utils.notebook.printable import printable

EMPTY = ""  # the name of what stands for a folder without files
_NOISE = ("__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini")
_UTF8_NAME = 0x800
_LONGEST_NAME = 255
_ENTRY, _MOST_ENTRIES = b"PK\x01\x02", 100_000  # of a class of a thousand, a hundred files each


@dataclass(frozen=True)
class File:
    """One file: `parts` is its path in the collection, `read(limit)` its first bytes."""

    parts: tuple[str, ...]
    read: Callable[[int], bytes]
    order: int = 0  # of the upload among all of a platform: the larger, the later; 0 where the platform does not say

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def ending(self) -> str:
        return os.path.splitext(self.name)[1].lower()


def files_of(path: Path) -> list[File]:
    """All files of a folder or a zip, sorted by path.

    Args:
        path: The folder or zip.

    Raises:
        zipfile.BadZipFile: If it is neither.
    """
    found = _in_folder(path) if path.is_dir() else _in_zip(path)
    return sorted(
        (file for file in found if not any(_is_noise(part) for part in file.parts)), key=lambda file: file.parts
    )


def _in_folder(folder: Path) -> Iterator[File]:
    for here, folders, names in os.walk(folder):
        if all(map(_is_noise, (*folders, *names))) and here != os.fspath(folder):
            yield _empty(tuple(normal(part) for part in Path(here).relative_to(folder).parts))
        for name in [*names, *(name for name in folders if os.path.islink(f"{here}/{name}"))]:
            path = Path(here) / name
            mode = path.lstat().st_mode
            # A link is not followed, wherever it lies: it is a hand-in that cannot be read, if it would be one.
            if stat.S_ISREG(mode) or (stat.S_ISLNK(mode) and path.parent == folder):
                yield File(tuple(normal(part) for part in path.relative_to(folder).parts), _reader(path))


def _empty(parts: tuple[str, ...]) -> File:
    """A folder with nothing in it: somebody's who has handed in nothing."""
    return File((*parts, EMPTY), lambda _: b"")


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        if path.is_symlink():
            raise OSError(0, "it is a link, and links are not followed")
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            return file.read(limit)

    return read


def _in_zip(path: Path) -> Iterator[File]:
    _check_entries(path)
    yield from _members(zipfile.ZipFile(path))  # stays open: members are read when their turn comes


def _members(archive: zipfile.ZipFile) -> Iterator[File]:
    infos = archive.infolist()
    files = [info.filename for info in infos if not info.is_dir()]
    filled = {name[: n + 1] for name in files for n, letter in enumerate(name) if letter == "/"}
    for info in infos:
        parts = tuple(normal(part) for part in _member_name(info).replace("\\", "/").split("/") if part)
        if parts and not info.is_dir() and ".." not in parts and not stat.S_ISLNK(info.external_attr >> 16):
            yield File(parts, _member_reader(archive, info))
        elif parts and info.is_dir() and ".." not in parts and info.filename not in filled:
            yield _empty(parts)


def files_in(data: bytes) -> list[File]:
    """As `files_of`, for a zip in memory.

    Raises:
        zipfile.BadZipFile, and whatever else of `DAMAGE`: If it is none.
    """
    return [file for file in _members(zipfile.ZipFile(io.BytesIO(data))) if not any(map(_is_noise, file.parts))]


def _check_entries(path: Path) -> None:
    """Half a kilobyte of memory for each file that a zip lists: counted before the list is read."""
    with path.open("rb") as file:
        entries, kept = 0, b""
        while block := file.read(1 << 20):
            entries += (kept + block).count(_ENTRY)
            kept = block[-3:]
    if entries > _MOST_ENTRIES:
        raise zipfile.BadZipFile(f"it lists more than {_MOST_ENTRIES:,} files")


def _member_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        try:
            with archive.open(info) as member:
                return member.read(limit)
        except DAMAGE as error:  # damaged, encrypted, unknown method
            raise OSError(0, printable(str(error)[:80]) or "it is damaged") from None

    return read


def _member_name(info: zipfile.ZipInfo) -> str:
    """Some platforms write UTF-8 names without saying so; read as the old code page they come out garbled."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def normal(name: str) -> str:
    """One spelling for a name: a Mac writes an accent as a character of its own, other systems do not. What cannot be
    shown or stored as text becomes a question mark, and no name is longer than a file system's."""
    return printable(unicodedata.normalize("NFC", name)[:_LONGEST_NAME])


def _is_noise(part: str) -> bool:
    return part in _NOISE or part.startswith(".")
