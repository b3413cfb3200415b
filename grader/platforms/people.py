"""Who is who: a roster, and the same person in a platform's own spelling."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from utils.notebook.printable import printable

_NAME = ("name", "student", "full name", "student name", "display name")
_FIRST, _LAST = ("first name", "given name", "firstname"), ("last name", "surname", "family name", "lastname")
_EMAIL = ("email", "email address", "e-mail", "mail")
_IDS = (
    "id",
    "sid",
    "student id",
    "identifier",
    "id number",
    "sis user id",
    "sis login id",
    "user id",
    "login",
    "username",
)
_GROUP = ("group", "team", "group name")
_NOBODY = ("points possible", "student, test")  # rows of a Canvas file that are no people


@dataclass(frozen=True)
class Person:
    """A student, as far as a file or a platform says who it is."""

    name: str
    email: str = ""
    ids: tuple[str, ...] = ()
    group: str = ""

    def recognised_by(self) -> Iterator[tuple[str, str]]:
        """Everything this person can be recognised by, the surest first."""
        for number in self.ids:
            yield "id", number.casefold()
        if self.email:
            yield "email", self.email.casefold()
            yield "id", self.email.casefold()  # a login is often the address
            yield "id", self.email.casefold().partition("@")[0]
        for spelling in spellings(self.name):
            yield "name", spelling


def spellings(name: str) -> set[str]:
    """A name without spaces and accents, from each word on: Canvas writes "Ada King Lovelace" as `lovelaceadaking`."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    words = re.findall(r"[^\W_]+", plain)
    return {"".join(words[n:] + words[:n]) for n in range(len(words))}


class Directory:
    """People, found by number, address or name. Whom two share, nobody is found by."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = list(people)
        self._by_key: dict[tuple[str, str], set[int]] = {}
        for n, person in enumerate(self.people):
            for key in person.recognised_by():
                self._by_key.setdefault(key, set()).add(n)

    def find(self, person: Person) -> Person | None:
        """The one person of this directory who is meant; None if there is none, or more than one."""
        number = self.index(person)
        return None if number is None else self.people[number]

    def index(self, person: Person) -> int | None:
        """As `find`, the person's place in `people`."""
        for key in person.recognised_by():
            found = self._by_key.get(key, set())
            if len(found) == 1:
                return next(iter(found))
        return None

    def of_group(self, group: str) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.group and person.group.casefold() == group.casefold())


class RosterError(ValueError):
    """The roster cannot be used; the message is one sentence."""


def read_roster(path: Path) -> Directory:
    """Read a class list: a CSV file with a heading, as the platforms export it, or of one's own making.

    Args:
        path: The file; columns are recognised by their headings (name, or first and last name; email; id; group).

    Raises:
        RosterError: If it cannot be read or names nobody.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RosterError(f"The roster {path} cannot be read ({error}): give a CSV file in UTF-8.") from None
    people = [person for row in rows if (person := person_of(row)) is not None]
    if not people:
        headings = printable(", ".join(filter(None, rows[0])))[:200] if rows else "no line below a heading"
        raise RosterError(f"The roster {path} names nobody (found: {headings}): it needs a column `name` or `email`.")
    return Directory(people)


def person_of(row: dict) -> Person | None:
    """The person a row of a class list or grade file is about; None if it is about nobody."""
    fields = {
        (key or "").strip().casefold(): printable(value.strip()) for key, value in row.items() if isinstance(value, str)
    }
    first_last = f"{_first(fields, _FIRST)} {_first(fields, _LAST)}".strip()
    name, email = _first(fields, _NAME) or first_last, _first(fields, _EMAIL)
    if any(words in name.casefold() for words in _NOBODY):
        return None
    ids = tuple(dict.fromkeys(fields[key].removeprefix("Participant ") for key in _IDS if fields.get(key)))
    if not (name or email or ids):
        return None
    return Person(name or email or ids[0], email, ids, _first(fields, _GROUP))


def _first(fields: dict[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")
