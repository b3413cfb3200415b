"""Whose hand-in a line of a person's table means: found by what identifies somebody, never by what merely looks alike."""

import re
from collections.abc import Iterable
from typing import Any

from grader.platforms.people import LABEL
from grader.report.grades import harmless

Results = dict[str, Any]
_NUMBERED = re.compile(r" \(\d+\)$")


class Nobody(LookupError):
    """A line means no hand-in of these results."""


class Ambiguous(LookupError):
    """A line means more than one hand-in, or parts of it mean different ones; the message names them."""


class Whose:
    """The hand-ins of a class, by their own name, an address or a number of a member, and by a member's name if nobody shares it."""

    def __init__(self, results: Iterable[Results]) -> None:
        self._by: dict[str, dict[str, set[str]]] = {kind: {} for kind in ("hand-in", "email", "id", "value", "name")}
        self.groups: set[str] = set()
        for result in results:
            extra = result["extra_data"]
            student, members = extra["student"], extra.get("members") or []
            if len(members) > 1:
                self.groups.add(student)
            self._add("hand-in", student, student)
            for member in members:
                self._add("email", member["email"].casefold(), student)
                self._add("name", member["name"], student)
                for number in ids_of(member):
                    self._add("id", number, student)
                    self._add("value", number.partition(":")[2], student)

    def _add(self, kind: str, key: str, student: str) -> None:
        for spelling in {key, harmless(key)} if key else ():
            self._by[kind].setdefault(spelling, set()).add(student)

    def of(self, student: str = "", email: str = "", number: str = "") -> str:
        """The hand-in that a line means.

        Args:
            student: The hand-in's own name as tables show it; without the other two also an address, a number, or a
                name that one person alone has.
            email: A member's.
            number: A member's id with its kind, as "canvas:11"; without a kind it may be of any.

        Returns:
            The hand-in's name.

        Raises:
            Nobody: If what identifies a person is known to nobody here. A name beside it is not tried.
            Ambiguous: If it is known to two, or its parts point to different hand-ins.
        """
        given = [("email", email.casefold()), ("id" if ":" in number else "value", number.casefold())]
        found = [(key, self._by[kind].get(key, set())) for kind, key in given if key]
        if not found:
            return self._named(student)
        agreed = set.intersection(*(students for _, students in found))
        if student in self._by["hand-in"] and not any(_is_alike(student, one) for one in agreed):
            found.append((student, self._by["hand-in"][student]))
            agreed &= self._by["hand-in"][student]
        if len(agreed) == 1:
            return next(iter(agreed))
        everybody = set().union(*(students for _, students in found))
        if not everybody or (not agreed and any(not students for _, students in found)):
            raise Nobody(" ".join(key for key, _ in found))
        raise Ambiguous(", ".join(f"{key} is {_listed(students)}" for key, students in found))

    def _named(self, student: str) -> str:
        own = self._by["hand-in"].get(student, set())
        if len(own) == 1:
            return next(iter(own))
        folded = student.casefold()
        found = set().union(*(self._by[kind].get(folded, set()) for kind in ("email", "id", "value")))
        found = found or self._by["name"].get(student, set())
        if not found:
            raise Nobody(student)
        if len(found) > 1:
            raise Ambiguous(f"{student} is {_listed(found)}")
        return next(iter(found))


def _is_alike(student: str, other: str) -> bool:
    """Whether two hand-ins' names differ in the number that tells equal names apart, which another download may turn round."""
    return _NUMBERED.sub("", student)[:40] == _NUMBERED.sub("", other)[:40]


def _listed(students: set[str]) -> str:
    return " or ".join(sorted(students)[:4]) or "nobody"


def ids_of(member: dict[str, Any]) -> list[str]:
    """A member's ids with their kinds, "canvas:11": the same number of another kind is somebody else's."""
    ids = member["ids"]
    items = ids.items() if isinstance(ids, dict) else (("id", value) for value in ids)
    return [f"{kind}:{str(value).strip()}".casefold() for kind, value in items if kind != LABEL and str(value).strip()]


def marks_of_person(result: Results) -> list[str]:
    """What identifies the members of a hand-in, beside names."""
    members = result["extra_data"].get("members") or []
    return sorted({key for member in members for key in (member["email"].casefold(), *ids_of(member)) if key})
