"""Who is who: a person by ids of known kinds, and a directory of people that each id is looked up in under its own kind.

A number of one kind says nothing about a number of another: a Canvas id may be somebody else's student number. And a name
is no id: two people may share it, and the one who is meant may be missing from a list. So a person is known by ids alone,
unless whoever runs the grader says that names will do; a name found by chance serves for spelling, never for points.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The kinds of id, in words. A file's or a folder's name is of no kind until somebody says which ("label").
KINDS = {
    "canvas": "Canvas id",
    "sis": "SIS id",
    "login": "login",
    "participant": "Moodle participant",
    "email": "email",
    "github": "GitHub name",
    "integration": "integration id",
    "gradescope": "Gradescope id",
}
LABEL, HAND_IN = "label", "hand-in"
BY_NAME, NOT_HERE = "by name alone", "is not in it"


@dataclass(frozen=True)
class Person:
    """A student, as far as a file or a platform says who it is."""

    name: str
    email: str = ""
    ids: tuple[tuple[str, str], ...] = ()  # kind and value
    group: str = ""

    def recognised_by(self) -> Iterator[tuple[str, str]]:
        """Every id of a known kind, as it is compared."""
        for kind, value in (*self.ids, ("email", self.email)):
            if kind in KINDS and value.strip():
                yield kind, _same(value)

    def merged(self, other: "Person") -> "Person":
        """This person's ids and address, and what another record of the same person adds; the other's spelling."""
        own = {kind for kind, _ in self.ids} | {LABEL, HAND_IN}
        ids = tuple(one for one in self.ids if one[0] != LABEL) + tuple(one for one in other.ids if one[0] not in own)
        return Person(other.name or self.name, self.email or other.email, ids, other.group or self.group)


def _same(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip().casefold()


def words_of(name: str) -> tuple[str, ...]:
    """A name's words in the order first, last; without accents and case: "Lovelace, Ada" and "Ada Lovelace" are the same."""
    last, comma, first = name.partition(",")
    text = f"{first} {last}" if comma else name
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return tuple(re.findall(r"[^\W_]+", plain))


def spellings(name: str) -> set[str]:
    """A name without spaces and accents, from each word on: Canvas writes "Ada King Lovelace" as `lovelaceadaking`."""
    words = words_of(name)
    return {"".join(words[n:] + words[:n]) for n in range(len(words))}


def is_another_name(person: Person, other: Person) -> bool:
    """Whether two records of one person have not a word of their names in common: an id may have been mistyped."""
    ids = {value for _, value in (*person.ids, *other.ids)} | {person.email, other.email}
    words, others = words_of(person.name), words_of(other.name)
    if not words or not others or person.name in ids or other.name in ids or person.name.startswith("Participant "):
        return False
    return not set(words) & set(others) and "".join(words) not in spellings(other.name)


@dataclass(frozen=True)
class Found:
    """What a directory says of a person: one, none, or all of those that it could be."""

    places: tuple[int, ...]
    is_sure: bool
    why: str  # for a sentence: "Canvas id 11", "by name alone"

    @property
    def place(self) -> int | None:
        """Where the one person stands who is meant beyond doubt."""
        return self.places[0] if self.is_sure else None


class Directory:
    """People, each looked up by ids of their own kind."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = list(people)
        self._by_key: dict[tuple[str, str], set[int]] = {}
        self._by_name: dict[str, set[int]] = {}
        self._of_hand_in: dict[str, list[Person]] = {}
        for n, person in enumerate(self.people):
            for key in person.recognised_by():
                self._by_key.setdefault(key, set()).add(n)
            for spelling in spellings(person.name):
                self._by_name.setdefault(spelling, set()).add(n)
            for kind, value in person.ids:
                if kind == HAND_IN:
                    self._of_hand_in.setdefault(_same(value), []).append(person)
        self.kinds = {kind for kind, _ in self._by_key}

    def look_up(self, person: Person, trust_names: bool = False) -> Found:
        """Who is meant.

        Args:
            person: As a hand-in says who it is.
            trust_names: Whether a name that one person alone has will do, where no id of a kind that stands here is given.

        Returns:
            One place and sure, if all ids of kinds that stand here agree on one person. Else nobody, or those that it could
            be, never sure: where ids contradict each other, where two share one, where only a name says who it is.
        """
        keys = [key for key in dict.fromkeys(person.recognised_by()) if key[0] in self.kinds]
        if not keys:
            return self._by_its_name(person, trust_names)
        hits = set().union(*(self._by_key.get(key, set()) for key in keys))
        told = " and ".join(f"{KINDS[kind]} {value}" for kind, value in keys)
        if not hits:
            return Found((), False, f"no {told}")
        places = tuple(sorted(hits))
        if len(places) > 1:
            return Found(places, False, f"{told}: more than one person's")
        own = {kind for kind, _ in self.people[places[0]].recognised_by()}
        strange = [f"{KINDS[key[0]]} {key[1]}" for key in keys if key not in self._by_key and key[0] in own]
        if strange:
            return Found(places, False, f"{' and '.join(strange)}: another stands there")
        return Found(places, True, told)

    def _by_its_name(self, person: Person, trust_names: bool) -> Found:
        wanted = "".join(words_of(person.name))
        similar = set().union(*(self._by_name.get(spelling, set()) for spelling in spellings(person.name)), set())
        if len(similar) != 1:
            return Found(tuple(sorted(similar)), False, BY_NAME if similar else NOT_HERE)
        (place,) = similar
        other = self.people[place].name
        is_squeezed = any(kind == "canvas" for kind, _ in person.ids) and wanted in spellings(other)
        is_same = bool(wanted) and (words_of(person.name) == words_of(other) or is_squeezed)
        return Found((place,), trust_names and is_same, BY_NAME)

    def index(self, person: Person, trust_names: bool = False) -> int | None:
        """The place in `people` of the one person who is meant beyond doubt."""
        return self.look_up(person, trust_names).place

    def of_group(self, group: str) -> tuple[Person, ...]:
        """The members of a group; none, if somebody is called like it."""
        if not group or "".join(words_of(group)) in self._by_name:
            return ()
        return tuple(person for person in self.people if person.group and _same(person.group) == _same(group))

    def of_hand_in(self, label: str) -> tuple[Person, ...]:
        """Whose a hand-in is, where somebody has written its name beside them, in a column `hand-in`."""
        return tuple(self._of_hand_in.get(_same(label), ()))
