"""From paths on the command line to hand-ins: which layout it is, whose file is whose, who is missing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from grader.platforms.hand_ins import HandIn
from grader.platforms.layouts import LAYOUTS, Layout, canvas, is_meaningful, is_of_staff, plain
from grader.platforms.people import Directory, Person
from grader.platforms.tree import File, files_of, normal
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


def collect(paths: Iterable[Path], roster: Directory | None = None, zips_hold_classes: bool = False) -> Collection:
    """The hand-ins in files, folders and bulk downloads.

    Args:
        paths: A submission, a folder, or a bulk download as a zip; each is recognised by what is in it.
        roster: The class list: gives names, adds who is missing.
        zips_hold_classes: Whether a zip may be a class. A student can give a zip the names of any platform, and with them
            the names of others: so it is one hand-in, unless this or a roster says otherwise.

    Raises:
        NothingToGrade: If a path does not exist or nothing is in it.
    """
    hand_ins: list[HandIn] = []
    found: list[str] = []
    is_class = False
    for path in paths:
        if not path.exists():
            raise NothingToGrade(f"{path} does not exist: give a submission zip, a notebook, or a folder of them.")
        layout, inside, aside = _recognised(path)
        if layout and not path.is_dir() and not (zips_hold_classes or roster):
            found.append(
                f"{path} is taken for one student's, though it looks like {layout} with {len(inside)} hand-ins: "
                "add --class if it holds a class."
            )
            layout, inside = "", [_single(path)]
        if not inside:
            raise NothingToGrade(f"{path} holds no submissions: give the folder or zip that holds them.")
        is_class = is_class or bool(layout)
        if layout:
            found.append(
                f"{path} is {layout} with {len(inside)} hand-in{'s' if len(inside) != 1 else ''}" + _aside(aside)
            )
        hand_ins += inside
    hand_ins, absent = _known(hand_ins, roster)
    return Collection(tuple(_distinct(hand_ins)), tuple(found), absent, is_class or len(hand_ins) > 1)


def _recognised(path: Path) -> tuple[str, list[HandIn], list[str]]:
    """The layout's name (empty for a single submission), the hand-ins, and files that are none."""
    if not (path.is_dir() or path.is_file()):  # opening a pipe would wait for ever
        return "", [_single(path)], []
    try:
        files = _below_wrapping(files_of(path))
    except DAMAGE:
        return "", [_single(path)], []
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
        files = [File(file.parts[1:], file.read) for file in files]
    return files


def _single(path: Path) -> HandIn:
    student = normal(path.stem)
    return HandIn(student, (Person(student, ids=(student,)),), (_file(path),))


def _file(path: Path) -> File:
    def read(limit: int) -> bytes:
        if not path.is_file():  # a pipe would be waited for, a device never ends
            raise OSError(0, "it is not a file")
        with path.open("rb") as file:
            return file.read(limit)

    return File((normal(path.name),), read)


def _aside(names: list[str]) -> str:
    return f"; not handed in, left aside: {', '.join(names)}." if names else "."


def _known(hand_ins: list[HandIn], roster: Directory | None) -> tuple[list[HandIn], tuple[Person, ...]]:
    """Members as the roster spells them, and who of the roster has handed in nothing."""
    if roster is None:
        return hand_ins, ()
    named, seen = [], set()
    for hand_in in hand_ins:
        members = roster.of_group(hand_in.group) if hand_in.group else ()
        members = members or tuple(roster.find(member) or member for member in hand_in.members)
        seen |= {n for member in members if (n := roster.index(member)) is not None}
        named.append(replace(hand_in, members=members))
    return named, tuple(person for n, person in enumerate(roster.people) if n not in seen)


def _distinct(hand_ins: list[HandIn]) -> list[HandIn]:
    """Each with a name of its own: two of the same name must not share a folder of results."""
    taken: set[str] = set()
    distinct = []
    for hand_in in hand_ins:
        name, n = hand_in.student, 1
        while (key := folder_name(name).casefold()) in taken:
            n += 1
            name = f"{folder_name(hand_in.student)[:40]} ({n})"
        taken.add(key)
        distinct.append(replace(hand_in, student=name))
    return distinct
