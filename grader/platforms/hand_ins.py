"""A hand-in: whose it is, which of its files are graded, and the bytes that intake gets to see."""

import io
import re
import zipfile
from dataclasses import dataclass, field, replace

from grader.platforms.people import Person
from grader.platforms.tree import File, files_in
from grader.stages.intake import DAMAGE, MAX_ENTRIES, MAX_ZIP_BYTES
from utils.assignments import files_beside
from utils.notebook.cells import MAX_NOTEBOOK_BYTES

_AGAIN = re.compile(r"(?:-| ?\((?=\d+\)$)|[ _.-]?v(?:er(?:sion)?)?[ _.-]?)(?P<number>\d{1,18})\)?$", re.IGNORECASE)
_VERSION = re.compile(r"v(?:er(?:sion)?)?[ _.-]?\d{1,18}$", re.IGNORECASE)
_NAMED = 100  # files that nobody asked for: the zip must stay within what intake takes
_MOST_INNER = 16


@dataclass(frozen=True)
class HandIn:
    """What one student or group handed in last."""

    student: str  # names the folder of the results: unique in a class, the same on every download
    members: tuple[Person, ...]
    files: tuple[File, ...]
    earlier: tuple[str, ...] = ()  # uploads that a later one replaced
    submitted_at: str = ""
    is_late: bool = False
    group: str = field(default="", compare=False)
    notebook: str = ""  # the assignment's that these files are graded as, where that is known
    doubt: str = ""  # why none of the files is graded, though there are some: a sentence

    def about(self) -> dict:
        """What the results say of it, beside what is graded: plain data."""
        return {
            "members": [{"name": p.name, "email": p.email, "ids": dict(p.ids)} for p in self.members],
            "earlier": list(self.earlier),
            "submitted_at": self.submitted_at,
            "is_late": self.is_late,
        }


def content(hand_in: HandIn) -> tuple[str, bytes]:
    """The file that is graded, in memory.

    Args:
        hand_in: One file, or several that belong together: what `grader.classes.sorting` has chosen.

    Returns:
        Its name and its bytes, one more than accepted where it is too large. A platform that unpacks uploads leaves
        several files: they are zipped again, always to the same bytes; what is not asked for is only named.

    Raises:
        OSError: If a file cannot be read.
    """
    return packed(hand_in.files, f"{hand_in.student}.zip")


def packed(files: tuple[File, ...], name: str) -> tuple[str, bytes]:
    """As `content`, for files."""
    if len(files) == 1:
        return files[0].name, files[0].read(MAX_ZIP_BYTES + 1)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        asked_for = {file.path for file in files if file.ending == ".ipynb" or file.name in files_beside()}
        named = [file for file in files if file.path not in asked_for][:_NAMED]  # a clone may have thousands
        for file in (file for file in files if file.path in asked_for or file in named):
            if out.tell() > MAX_ZIP_BYTES:  # it will be turned away: a thousand files must not fill the memory first
                break
            data = file.read(MAX_NOTEBOOK_BYTES + 1) if file.path in asked_for else b""
            archive.writestr(zipfile.ZipInfo(file.path), data)  # a date of 1980: the bytes depend on nothing else
    return name, out.getvalue()


@dataclass(frozen=True)
class Candidate:
    """What of a hand-in may be graded: a zip, or a notebook with what lies beside it."""

    name: str
    files: tuple[File, ...]
    worth: int = 0  # of two with the same notebook the one with more beside it is graded

    @property
    def order(self) -> int:
        return max((file.order for file in self.files if file.ending in (".ipynb", ".zip")), default=0)

    def packed(self) -> tuple[str, bytes]:
        """Name and bytes, as `content`."""
        return packed(self.files, f"{self.name}.zip")


def candidates(hand_in: HandIn) -> list[Candidate]:
    """Everything in a hand-in that may be graded, in the order of the files.

    A zip stands for itself, and each zip in it too. A loose notebook takes along the files beside it that an assignment
    asks for, the latest of each. Where there is neither, all files together say what was handed in instead.
    """
    if len(hand_in.files) == 1 and hand_in.files[0].ending != ".zip":
        return [Candidate(hand_in.files[0].name, hand_in.files)]
    zips = [file for file in hand_in.files if file.ending == ".zip"]
    loose = [file for file in hand_in.files if file.ending != ".zip"]
    notebooks = [file for file in loose if file.ending == ".ipynb"]
    found = []
    for notebook in notebooks:
        beside = _beside(notebook, [file for file in loose if file.ending != ".ipynb"])
        files = tuple(sorted((notebook, *beside), key=lambda file: file.parts))
        found.append(Candidate(notebook.path, files, 2 * any(file.name in files_beside() for file in beside)))
    for archive in zips:
        found += [Candidate(archive.path, (archive,), 1)]
        found += [Candidate(inner.path, (inner,), 1) for inner in _zips_in(archive)]
    return found or [Candidate(hand_in.student, hand_in.files)]


def _beside(notebook: File, others: list[File]) -> list[File]:
    """What is handed in with a loose notebook: of a file that an assignment asks for the latest, from its own folder if one
    is there; and the rest, which is only named."""
    asked_for: dict[str, File] = {}
    rest = []
    for file in others:
        base, _ = version_of(file.name)
        if base not in files_beside():
            rest.append(file)
            continue
        before = asked_for.get(base)
        if before is None or _nearness(file, notebook) >= _nearness(before, notebook):
            asked_for[base] = file
    return [replace(file, parts=(*file.parts[:-1], base)) for base, file in asked_for.items()] + rest


def _nearness(file: File, notebook: File) -> tuple[bool, int, int]:
    return file.parts[:-1] == notebook.parts[:-1], file.order, version_of(file.name)[1]


def _zips_in(archive: File) -> list[File]:
    """The zips in a zip: one level, a few, each no larger than a hand-in may be."""
    try:
        data = archive.read(MAX_ZIP_BYTES + 1)
        if len(data) > MAX_ZIP_BYTES or data.count(b"PK\x01\x02") > MAX_ENTRIES:
            return []
        inner = [file for file in files_in(data) if file.ending == ".zip"][:_MOST_INNER]
    except DAMAGE:
        return []
    return [replace(file, parts=(*archive.parts, *file.parts), order=archive.order) for file in inner]


def version_of(name: str) -> tuple[str, int]:
    """A file's name without what marks another upload of it, and which one it is: "vae-2.ipynb", "vae (2).ipynb", "vae_v2.ipynb"."""
    stem, dot, ending = name.rpartition(".")
    match = _AGAIN.search(stem) if dot else None
    if match is None:
        return name, 0
    return f"{stem[: match.start()].rstrip()}.{ending}", int(match["number"])


def is_marked_version(name: str) -> bool:
    """Whether somebody has numbered a file themselves, as in "vae_v2.ipynb"; browsers and platforms write "-2" and "(2)"."""
    return _VERSION.search(name.rpartition(".")[0]) is not None
