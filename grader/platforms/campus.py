"""Further platforms' downloads, each recognised by its names; `docs/platforms.md` says how well each form is known.

Blackboard         <assignment>_<username>_attempt_<time>[_<file>], a text beside each attempt
Brightspace        <number>-<number> - <name> - <time>/<file>, or the same in one flat name
nbgrader exchange  inbound/<user>+<assignment>+<time>[+<suffix>]/<file>
GitHub Classroom   <assignment>-submissions/<assignment>-<GitHub name>/<file>: a clone a student
Google Classroom   <name> - <title>.ipynb: the copies that are made for each student
"""

import re
from dataclasses import replace
from datetime import datetime

from grader.platforms.hand_ins import HandIn, version_of
from grader.platforms.people import Person
from grader.platforms.tree import File

_BLACKBOARD = re.compile(r"^(?P<title>.+)_(?P<login>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)$")
_BRIGHTSPACE = re.compile(
    r"^(?P<id>\d+-\d+) - (?P<name>.+?) - (?P<time>[^-]{6,12} \d{4} \d{3,4} [AP]M)(?: - (?P<file>.+))?$"
)
_EXCHANGE = re.compile(r"^(?P<login>[^+]+)\+(?P<title>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d [\d:.]{5,20}[^+]*)(?:\+.*)?$")
_GOOGLE = re.compile(r"^(?P<name>[^-]+(?:-[^-\s]+)*) - (?P<title>.+)$")
_SUBMISSIONS = "-submissions"


def blackboard(files: list[File]) -> list[HandIn] | None:
    found: dict[str, list[File]] = {}
    texts: dict[str, list[File]] = {}
    for file in files:
        match = _BLACKBOARD.match(file.parts[0]) if len(file.parts) == 1 else None
        if match is None:
            continue
        order = int(match["time"].replace("-", ""))
        kept = found if match["file"] else texts
        kept.setdefault(match["login"], []).append(File((match["file"] or file.name,), file.read, order))
    hand_ins = []
    for login in dict.fromkeys([*found, *texts]):
        own = found.get(login, [])
        last = max((file.order for file in [*own, *texts.get(login, [])]), default=0)
        hand_ins.append(
            HandIn(login, (Person(login, ids=(("login", login),)),), tuple(own), submitted_at=_told(str(last)))
        )
    return hand_ins if _is_most(found, texts, files) else None


def _told(digits: str) -> str:
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").isoformat(" ")
    except ValueError:
        return ""


def _is_most(found: dict[str, list[File]], texts: dict[str, list[File]], files: list[File]) -> bool:
    count = sum(map(len, (*found.values(), *texts.values())))
    return count > 0 and 2 * count > len(files)


def brightspace(files: list[File]) -> list[HandIn] | None:
    found: dict[tuple[str, str], list[File]] = {}
    times: dict[tuple[str, str], str] = {}
    rest = 0
    for file in files:
        match = _BRIGHTSPACE.match(file.parts[0])
        if match is None:
            rest += file.parts != ("index.html",)
            continue
        time = _time_of(match["time"])
        key = (match["id"], match["name"])
        order = int(time.strftime("%Y%m%d%H%M")) if time else 0
        below = file.parts[1:] or (match["file"] or "",)
        found.setdefault(key, []).append(File(below, file.read, order))
        times[key] = max(times.get(key, ""), time.isoformat(" ") if time else "")
    if len(found) <= rest:
        return None
    return [
        HandIn(f"{name} ({number})", (Person(name, ids=(("brightspace", number),)),), tuple(own), submitted_at=times[number, name])
        for (number, name), own in found.items()
    ]  # fmt: skip


def _time_of(text: str) -> datetime | None:
    """ "Jan 28, 2021 434 PM", in English; None in another language: then nobody knows what was first."""
    date, clock, half = text.rsplit(" ", 2)
    try:
        return datetime.strptime(f"{date} {clock.zfill(4)} {half}", "%b %d, %Y %I%M %p")
    except ValueError:
        return None


def exchange(files: list[File]) -> list[HandIn] | None:
    depth = next((n for n in range(3) if any(file.parts[n : n + 1] == ("inbound",) for file in files)), None)
    if depth is None:
        return None
    found: dict[tuple[str, str], list[tuple[str, File]]] = {}
    for file in files:
        match = _EXCHANGE.match(file.parts[depth + 1]) if len(file.parts) > depth + 2 else None
        if match is not None and file.parts[depth] == "inbound" and file.name != "timestamp.txt":
            own = found.setdefault((match["login"], match["title"]), [])
            own.append((match["time"], File(file.parts[depth + 2 :], file.read)))
    titles = {title for _, title in found}
    hand_ins = []
    for (login, title), own in found.items():
        times = sorted({time for time, _ in own})
        ordered = tuple(replace(file, order=1 + times.index(time)) for time, file in own)
        name = login if len(titles) == 1 else f"{login} {title}"
        hand_ins.append(HandIn(name, (Person(login, ids=(("login", login),)),), ordered, submitted_at=times[-1]))
    return hand_ins or None


def github(files: list[File]) -> list[HandIn] | None:
    tops = {file.parts[0] for file in files}
    if len(tops) != 1 or not (top := next(iter(tops))).endswith(_SUBMISSIONS):
        return None
    prefix = f"{top.removesuffix(_SUBMISSIONS)}-"
    found: dict[str, list[File]] = {}
    for file in files:
        if len(file.parts) > 2 and file.parts[1].startswith(prefix):
            found.setdefault(file.parts[1].removeprefix(prefix), []).append(replace(file, parts=file.parts[2:]))
    return [HandIn(name, (Person(name, ids=(("github", name),)),), tuple(own)) for name, own in found.items()] or None


def google(files: list[File]) -> list[HandIn] | None:
    """Copies of one document, a student each: the title is the same in all."""
    found: dict[str, list[File]] = {}
    titles = set()
    for file in files:
        if len(file.parts) != 1 or file.ending not in (".ipynb", ".zip"):
            return None
        match = _GOOGLE.match(version_of(file.name)[0].removesuffix(file.ending))
        if match is None:
            return None
        titles.add(match["title"])
        found.setdefault(match["name"], []).append(file)
    if len(titles) != 1 or len(found) < 2:
        return None
    return [HandIn(name, (Person(name),), tuple(own)) for name, own in found.items()]


def is_meaningful(folder: str) -> bool:
    """Whether a folder's name is part of one of these layouts."""
    return folder == "inbound" or folder.endswith(_SUBMISSIONS) or _BRIGHTSPACE.match(folder) is not None
