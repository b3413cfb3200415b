"""The layouts of bulk downloads, recognised by their names alone: each function takes files and returns hand-ins, or None.

Gradescope   submission_metadata.yml and a folder for each submission
nbgrader     submitted/<student>/<assignment>/<file>
Moodle       <Full name>_<id>_assignsubmission_file/<file>, or the same in one flat name
Canvas       <lastfirst>[_LATE]_<user id>_<attachment id>_<file>, anonymous ones [LATE_]anon_<id>_<attachment id>_<file>
plain        a file a student, or a folder a student

Further ones are in `campus`, messages in `mail`, and a layout of one's own is a `pattern`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import yaml

from grader.platforms import campus
from grader.platforms.hand_ins import HandIn
from grader.platforms.mail import mail
from grader.platforms.people import LABEL, Person
from grader.platforms.tree import File
from utils.notebook.printable import printable

_METADATA = "submission_metadata.yml"
_MAX_METADATA_BYTES = 64 * 2**20
_CANVAS = re.compile(r"^(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_(?P<upload>\d{1,18})_(?P<file>.+)$")
_CANVAS_ANONYMOUS = re.compile(r"^(?P<late>LATE_)?(?P<name>anon)_(?P<id>[^_]+)_(?P<upload>\d{1,18})_(?P<file>.+)$")
_CANVAS_ENTRY = re.compile(r"^(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_(?P<file>(?:text|link)\.html)(?P<upload>)$")
_MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)$")
_NOT_HANDED_IN = (".csv", ".xlsx", ".ods", ".yml", ".yaml", ".json", ".txt", ".md", ".html")  # lists and notes of staff

# Everything stays the text it is written as: a student number 0123 is no octal number. Builds no objects.
_TextLoader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

Layout = Callable[[list[File]], "list[HandIn] | None"]


def gradescope(files: list[File]) -> list[HandIn] | None:
    depth = _depth_of(_METADATA, files)
    if depth is None:
        return None
    metadata = next(file for file in files if file.parts[depth:] == (_METADATA,))
    about = yaml.load(metadata.read(_MAX_METADATA_BYTES), Loader=_TextLoader)
    if not isinstance(about, dict):
        raise TypeError(f"{_METADATA} lists no submissions")
    by_folder: dict[str, list[File]] = {}
    for file in files:
        if file.parts[:depth] == metadata.parts[:depth] and len(file.parts) > depth + 1:
            by_folder.setdefault(file.parts[depth], []).append(replace(file, parts=file.parts[depth + 1 :]))
    hand_ins = []
    for folder, entry in about.items():
        members = tuple(_submitter(s) for s in entry.get(":submitters") or [])
        student = " + ".join(member.name for member in members) or printable(str(folder))
        older = tuple(_text(past.get(":created_at")) for past in entry.get(":history") or [])
        hand_ins.append(
            HandIn(
                student,
                members or (Person(student),),
                tuple(by_folder.get(str(folder), [])),
                older,
                _text(entry.get(":created_at")),
            )
        )
    return hand_ins


def _depth_of(name: str, files: list[File]) -> int | None:
    """Where a layout's own name stands: at the top, or in the one folder around all. Deeper down, a student chose it."""
    is_wrapped = len({file.parts[0] for file in files}) == 1
    for depth in (0, 1) if is_wrapped else (0,):
        if any(len(file.parts) > depth and file.parts[depth] == name for file in files):
            return depth
    return None


def _text(value: str | None) -> str:
    return "" if value in (None, "null", "~") else printable(str(value).strip())


def _submitter(fields: dict) -> Person:
    name, email, sid = (_text(fields.get(key)) for key in (":name", ":email", ":sid"))
    return Person(name or email or sid or "unnamed", email, (("sis", sid),) if sid else ())


def nbgrader(files: list[File]) -> list[HandIn] | None:
    start = _depth_of("submitted", files)
    if start is None:
        return None
    found: dict[tuple[str, str], list[File]] = {}
    for file in files:
        if len(file.parts) > start + 3 and file.parts[start] == "submitted":
            found.setdefault((file.parts[start + 1], file.parts[start + 2]), []).append(
                replace(file, parts=file.parts[start + 3 :])
            )
    several = len({assignment for _, assignment in found}) > 1
    hand_ins = []
    for (student, assignment), own in found.items():
        stamp = next(
            (file.read(100).decode(errors="replace").strip() for file in own if file.name == "timestamp.txt"), ""
        )
        kept = tuple(file for file in own if file.name != "timestamp.txt")
        name = f"{student} {assignment}" if several else student
        hand_ins.append(HandIn(name, (Person(student, ids=(("login", student),)),), kept, submitted_at=stamp))
    return hand_ins or None


def moodle(files: list[File]) -> list[HandIn] | None:
    found: dict[tuple[str, str], list[File]] = {}
    for file in files:
        match = _MOODLE.match(file.parts[0])
        if not match:
            continue
        below = file.parts[1:] or (match["file"] or file.name,)
        found.setdefault((match["name"], match["id"]), []).append(File(below, file.read))
    hand_ins = []
    for (name, number), own in found.items():
        uploads = [file for file in own if file.name != "onlinetext.html"] or own
        person = Person(f"Participant {number}" if name == "Participant" else name, ids=(("participant", number),))
        hand_ins.append(HandIn(f"{name}_{number}", (person,), tuple(uploads), group=name))
    return _with_leftovers(hand_ins, [file for file in files if not _MOODLE.match(file.parts[0])])


def canvas(files: list[File]) -> list[HandIn] | None:
    found: dict[tuple[str, str], list[tuple[int, File, bool, str]]] = {}
    leftovers = []
    for file in files:
        match = _canvas_match(file)
        if match is None:
            leftovers.append(file)
            continue
        kind = "anonymous" if match["name"] == "anon" else "canvas"
        upload = int(match["upload"] or 0)
        entry = (upload, File((match["file"],), file.read, upload), bool(match["late"]), match["name"])
        found.setdefault((kind, match["id"]), []).append(entry)
    hand_ins = []
    for (kind, number), entries in found.items():
        entries.sort(key=lambda entry: entry[0])
        uploads = [file for upload, file, _, _ in entries if upload] or [file for _, file, _, _ in entries]
        name = entries[-1][3]
        student = f"{name}_{number}"
        person = Person(name if kind == "canvas" else student, ids=((kind, number),))
        hand_ins.append(HandIn(student, (person,), tuple(uploads), is_late=any(late for _, _, late, _ in entries)))
    return _with_leftovers(hand_ins, leftovers)


def _canvas_match(file: File) -> re.Match | None:
    if len(file.parts) > 1:
        return None
    return _CANVAS_ANONYMOUS.match(file.name) or _CANVAS.match(file.name) or _CANVAS_ENTRY.match(file.name)


@dataclass(frozen=True)
class CanvasUpload:
    """What the name of a file says that Canvas has packed."""

    user: str
    number: int  # of the upload; a later one has a larger
    prefix: str  # all of the name before the student's own


def canvas_upload(name: str) -> CanvasUpload | None:
    """What a file's name in a download of Canvas says; None for a name of another kind, and for a text or link entry."""
    match = _CANVAS_ANONYMOUS.match(name) or _CANVAS.match(name)
    return CanvasUpload(match["id"], int(match["upload"]), name[: match.start("file")]) if match else None


def _with_leftovers(hand_ins: list[HandIn], leftovers: list[File]) -> list[HandIn] | None:
    """What somebody added by hand to a download is graded too; but if it is the larger part, this is no such download."""
    added = plain(leftovers) if leftovers else []
    return [*hand_ins, *added] if len(hand_ins) > len(added) else None


def plain(files: list[File]) -> list[HandIn]:
    folders: dict[str, list[File]] = {}
    hand_ins = []
    for file in files:
        if len(file.parts) > 1:
            folders.setdefault(file.parts[0], []).append(replace(file, parts=file.parts[1:]))
        elif not is_of_staff(file):
            student = file.name[: len(file.name) - len(file.ending)]
            hand_ins.append(HandIn(student, (labelled(student),), (file,)))
    for student, own in folders.items():
        hand_ins.append(HandIn(student, (labelled(student),), tuple(own)))
    return hand_ins


def labelled(name: str) -> Person:
    """Somebody of whom a file's or folder's name is all that is known, and nobody has said of what kind it is."""
    return Person(name, ids=((LABEL, name),))


def is_of_staff(file: File) -> bool:
    """A class list or a note beside the submissions, not something handed in."""
    return len(file.parts) == 1 and file.ending in _NOT_HANDED_IN


def is_meaningful(folder: str) -> bool:
    """Whether a folder's name is part of a layout, so that it must not be taken for a mere wrapping."""
    return (
        campus.is_meaningful(folder)
        or folder == "submitted"
        or _MOODLE.match(folder) is not None
        or folder.startswith("submission_")
    )


LAYOUTS: dict[str, Layout] = {
    "a Gradescope export": gradescope,
    "an nbgrader folder": nbgrader,
    "an nbgrader exchange": campus.exchange,
    "clones of GitHub Classroom": campus.github,
    "a Moodle download": moodle,
    "a Blackboard download": campus.blackboard,
    "a Brightspace download": campus.brightspace,
    "a Canvas download": canvas,
    "a folder of Google Classroom": campus.google,
    "a folder of e-mails": mail,
    "a plain folder": plain,
}
