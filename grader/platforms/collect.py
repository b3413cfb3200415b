"""From paths on the command line to hand-ins: which layout it is, whose file is whose, who is missing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from grader.platforms.hand_ins import HandIn
from grader.platforms.layouts import LAYOUTS, Layout, canvas, is_meaningful, is_of_staff, labelled, plain
from grader.platforms.people import BY_NAME, Directory, Person
from grader.platforms.tree import EMPTY, File, files_of, normal
from grader.report.files import folder_name
from grader.stages.intake import DAMAGE
from utils.notebook.printable import printable

_UNREADABLE = (yaml.YAMLError, AttributeError, TypeError, *DAMAGE)


class NothingToGrade(ValueError):
    """No submission where one was asked for; the message is one sentence."""


@dataclass(frozen=True)
class Collection:
    """Everything to be graded in one run."""

    hand_ins: tuple[HandIn, ...]
    found: tuple[str, ...]  # a line for each path: what it was taken for
    absent: tuple[Person, ...] = ()  # on the roster, but nothing handed in
    is_class: bool = False


def collect(
    paths: Iterable[Path],
    roster: Directory | None = None,
    zips_hold_classes: bool = False,
    trust_names: bool = False,
    layout: Layout | None = None,
) -> Collection:
    """The hand-ins in files, folders and bulk downloads.

    Args:
        paths: A submission, a folder, or a bulk download as a zip; each is recognised by what is in it.
        roster: The class list: gives names, adds who is missing.
        zips_hold_classes: Whether a zip may be a class. A student can give a zip the names of any platform, and with them
            the names of others: so it is one hand-in, unless this or a roster says otherwise.
        trust_names: Whether a name alone says who somebody is, where it is one person's on the roster.
        layout: A layout of one's own, in the place of those that are recognised.

    Raises:
        NothingToGrade: If a path does not exist or nothing is in it.
    """
    hand_ins: list[HandIn] = []
    found: list[str] = []
    is_class = False
    for path in paths:
        if not path.exists():
            raise NothingToGrade(f"{path} does not exist: give a submission zip, a notebook, or a folder of them.")
        name, inside, aside = _recognised(path, layout)
        if name and not path.is_dir() and not (zips_hold_classes or roster or layout):
            found.append(
                f"{path} is taken for one student's, though it looks like {name} with {len(inside)} hand-ins: "
                "add --class if it holds a class."
            )
            name, inside = "", [_single(path)]
        if not inside:
            raise NothingToGrade(f"{path} holds no submissions: give the folder or zip that holds them.")
        is_class = is_class or bool(name)
        if name:
            found.append(
                f"{path} is {name} with {len(inside)} hand-in{'s' if len(inside) != 1 else ''}" + _aside(aside)
            )
        hand_ins += [replace(one, files=tuple(file for file in one.files if file.name != EMPTY)) for one in inside]
    hand_ins, absent, doubled = _known(_distinct(hand_ins), roster, trust_names)
    return Collection(tuple(hand_ins), (*found, *doubled), absent, is_class or len(hand_ins) > 1)


def _recognised(path: Path, own: Layout | None = None) -> tuple[str, list[HandIn], list[str]]:
    """The layout's name (empty for a single submission), the hand-ins, and files that are none."""
    if not (path.is_dir() or path.is_file()):  # opening a pipe would wait for ever
        return "", [_single(path)], []
    try:
        files = files_of(path)
    except DAMAGE:
        return "", [_single(path)], []
    if own is not None:
        inside = own(files) or own(_below_wrapping(files)) or []
        taken = {id(file.read) for hand_in in inside for file in hand_in.files}
        return "of the layout given", inside, [file.path for file in files if file.name and id(file.read) not in taken]
    if is_meaningful(path.name):  # the folder that is part of the layout was given itself
        files = [replace(file, parts=(normal(path.name), *file.parts)) for file in files]
    files = _below_wrapping(files)
    for name, layout in LAYOUTS.items():
        try:
            hand_ins = layout(files)
        except _UNREADABLE as error:  # of a shape nobody has seen
            reason = printable(" ".join(str(error).split()))[:200]
            raise NothingToGrade(
                f"{path} looks like {name}, but its list cannot be read ({reason}): download it again."
            ) from None
        if hand_ins and (path.is_dir() or _is_class(layout, hand_ins, files)):
            aside = [file.name for file in files if is_of_staff(file)] if layout is plain else []
            return name, hand_ins, aside
    return "", [] if path.is_dir() else [_single(path)], []


def _is_class(layout: Layout, hand_ins: list[HandIn], files: list[File]) -> bool:
    """Whether a zip holds a class: a platform's names say so, or it holds zips. Notebooks alone are one student's."""
    if layout is canvas:  # one file of somebody's may be called so by chance
        return len(hand_ins) > 1
    return layout is not plain or sum(file.ending == ".zip" for file in files) > 1


def _below_wrapping(files: list[File]) -> list[File]:
    """Without the folder around everything that a download or a zip tool adds."""
    while files and len({file.parts[0] for file in files}) == 1 and not is_meaningful(files[0].parts[0]):
        direct = [file for file in files if len(file.parts) == 2]
        if len(files[0].parts) == 1 or len(direct) == 1:
            break
        files = [replace(file, parts=file.parts[1:]) for file in files]
    return files


def _single(path: Path) -> HandIn:
    student = normal(path.stem)
    return HandIn(student, (labelled(student),), (_file(path),))


def _file(path: Path) -> File:
    def read(limit: int) -> bytes:
        if not path.is_file():  # a pipe would be waited for, a device never ends
            raise OSError(0, "it is not a file")
        with path.open("rb") as file:
            return file.read(limit)

    return File((normal(path.name),), read)


def _aside(names: list[str]) -> str:
    return f"; not handed in, left aside: {', '.join(names)}." if names else "."


def _known(
    hand_ins: list[HandIn], roster: Directory | None, trust_names: bool
) -> tuple[list[HandIn], tuple[Person, ...], list[str]]:
    """Members as the roster knows them, who of the roster has handed in nothing, and what is in doubt."""
    if roster is None:
        return hand_ins, (), []
    named = [replace(one, members=_members(one, roster, trust_names)) for one in hand_ins]
    claims: dict[int, list[str]] = {}
    for hand_in in named:
        for member in hand_in.members:
            for place in roster.look_up(member, trust_names).places:
                claims.setdefault(place, []).append(hand_in.student)
    absent = missing(roster, named, trust_names)
    doubled = [
        f"{' and '.join(who)} may all be {roster.people[n].name}'s: say whose each is in a column hand-in of the roster, or "
        "delete all but one; until then none of them gets points in a grade file."
        for n, who in sorted(claims.items())
        if len(who) > 1
    ]
    return named, absent, doubled


def missing(roster: Directory, hand_ins: Iterable[HandIn], trust_names: bool = False) -> tuple[Person, ...]:
    """Who of the roster has certainly handed in nothing of this."""
    members = (member for hand_in in hand_ins for member in hand_in.members)
    seen = {place for member in members for place in roster.look_up(member, trust_names).places}
    return tuple(person for n, person in enumerate(roster.people) if n not in seen)


def _members(hand_in: HandIn, roster: Directory, trust_names: bool) -> tuple[Person, ...]:
    """Who handed it in. A name alone lends its spelling, and no ids: it may be another's."""
    if written_down := roster.of_hand_in(hand_in.student):
        return written_down
    if in_group := roster.of_group(hand_in.group):
        return in_group
    members = []
    for member in hand_in.members:
        found = roster.look_up(member, trust_names)
        if found.place is not None:
            members.append(member.merged(roster.people[found.place]))
        elif len(found.places) == 1 and found.why == BY_NAME:
            members.append(replace(member, name=roster.people[found.places[0]].name))
        else:
            members.append(member)
    return tuple(members)


def _distinct(hand_ins: list[HandIn]) -> list[HandIn]:
    """Each with a name of its own: two of the same name must not share a folder of results. Who is told apart by an id gets
    it behind the name, so that the name stays theirs when another download comes in another order."""
    shared = Counter(folder_name(hand_in.student).casefold() for hand_in in hand_ins)
    taken: set[str] = set()
    distinct = []
    for hand_in in hand_ins:
        name, n = hand_in.student, 1
        if shared[folder_name(name).casefold()] > 1 and (mark := _mark(hand_in)):
            name = f"{folder_name(name)[:40]} ({mark})"
        base = name
        while (key := folder_name(name).casefold()) in taken:
            n += 1
            name = f"{folder_name(base)[:60]} ({n})"
        taken.add(key)
        distinct.append(replace(hand_in, student=name))
    return distinct


def _mark(hand_in: HandIn) -> str:
    keys = [value for member in hand_in.members for _, value in member.recognised_by()]
    return keys[0][:40] if keys else ""
