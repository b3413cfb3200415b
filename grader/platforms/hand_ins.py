"""A hand-in: whose it is, which of its files are graded, and the bytes that intake gets to see."""

import io
import re
import zipfile
from dataclasses import dataclass, field

from grader.platforms.people import Person
from grader.platforms.tree import File
from grader.stages.intake import MAX_ZIP_BYTES
from utils.assignments import files_beside
from utils.notebook.cells import MAX_NOTEBOOK_BYTES

_AGAIN = re.compile(r"(?:-(\d{1,18})| ?\((\d{1,18})\))$")  # "vae-2.ipynb", "vae (2).ipynb": uploaded again


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
        hand_in: One file, or several that belong together.

    Returns:
        Its name and its bytes, one more than accepted where it is too large. A platform that unpacks uploads leaves
        several files: they are zipped again, always to the same bytes; what is not asked for is only named.

    Raises:
        OSError: If a file cannot be read.
    """
    if len(hand_in.files) == 1:
        return hand_in.files[0].name, hand_in.files[0].read(MAX_ZIP_BYTES + 1)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for file in hand_in.files:
            if out.tell() > MAX_ZIP_BYTES:  # it will be turned away: a thousand files must not fill the memory first
                break
            is_asked_for = file.ending == ".ipynb" or file.name in files_beside()
            data = file.read(MAX_NOTEBOOK_BYTES + 1) if is_asked_for else b""
            archive.writestr(zipfile.ZipInfo(file.path), data)  # a date of 1980: the bytes depend on nothing else
    return f"{hand_in.student}.zip", out.getvalue()


def latest(files: list[File]) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """Which of a student's files count, and the names of those that a later upload replaced.

    Args:
        files: All of them, the earlier ones first where the platform says so.
    """
    newest: dict[tuple[tuple[str, ...], str], tuple[int, File]] = {}
    replaced: list[str] = []
    for file in files:
        stem, ending = file.name[: len(file.name) - len(file.ending)], file.ending
        match = _AGAIN.search(stem)
        number = int(match[1] or match[2]) if match else 0
        key = (file.parts[:-1], (stem[: match.start()] if match else stem).rstrip() + ending)
        before = newest.get(key)
        if before is None or number >= before[0]:
            newest[key] = (number, file)
            replaced += [before[1].name] if before else []
        else:
            replaced.append(file.name)
    kept = [file for _, file in newest.values()]
    archives = [file for file in kept if file.ending == ".zip"]
    if archives and not any(file.ending == ".ipynb" for file in kept):
        others = [file.name for file in archives[:-1]]
        return (archives[-1],), (*replaced, *others)
    return tuple(kept), tuple(replaced)
