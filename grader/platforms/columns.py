"""What the columns of a class list or a grade file hold: names, and ids of known kinds.

A heading names a kind only where every platform means the same by it; a bare `id` is a Canvas id in a file of Canvas, and
nothing that anybody is found by elsewhere.
"""

import re
from collections.abc import Sequence

from grader.platforms.people import HAND_IN, Person
from utils.notebook.printable import printable

_BARE = "id"  # an id of whatever kind: shown, but nobody is found by it
_ROLES = {
    "name": ("name", "student", "full name", "fullname", "student name", "display name"),
    "first": ("first name", "given name", "firstname", "forename"),
    "last": ("last name", "surname", "family name", "lastname"),
    "email": ("email", "email address", "e-mail", "e-mail address", "mail", "mail address"),
    "group": ("group", "team", "group name", "group_name"),
    "canvas": ("canvas id", "canvas user id", "canvas_user_id"),
    "sis": (
        "sis user id", "sis id", "sid", "student id", "student number", "id number", "idnumber", "orgdefinedid",
        "matriculation number", "org defined id",
    ),
    "login": ("sis login id", "login", "login id", "username", "user name", "netid"),
    "participant": ("participant", "moodle participant", "participant id"),
    "github": ("github", "github username", "github_username", "github name"),
    "integration": ("integration id",),
    HAND_IN: ("hand-in", "hand in", "handin", "handed_in_as"),
    _BARE: ("id", "identifier", "user id", "roster_identifier"),
}  # fmt: skip
_ROLE_OF = {heading: role for role, headings in _ROLES.items() for heading in headings}
_PARTICIPANT = re.compile(r"[^\W\d][^\d,;@]{0,40}?(\d{1,19})")  # "Participant 55", in any language
_ADDRESS = re.compile(r"[^@\s]{1,100}@[^@\s]{1,100}")
_NOBODY = ("points possible", "student, test", "test student")  # rows of a Canvas file that are no people

Roles = dict[int, str]


class DoubledColumn(ValueError):
    """Two columns that say the same of a person; the message names them, for the middle of a sentence."""


def roles_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Roles:
    """The role of each column that says who somebody is, by its place.

    Args:
        header: The headings.
        rows: The fields below them: in other languages an address and a participant's number are known by their form.

    Raises:
        DoubledColumn: If two columns hold ids of the same kind, or names.
    """
    roles: Roles = {}
    is_canvas = [title.casefold() for title in header[:2]] == ["student", "id"]
    for n, title in enumerate(header):
        role = _ROLE_OF.get(title.strip().casefold())
        values = [row[n] for row in rows if n < len(row) and row[n]]
        if is_canvas and n == 1:
            role = "canvas"
        elif n == 0 and values and all(_PARTICIPANT.fullmatch(value) for value in values) and not _is_named(role):
            role = "participant"
        elif role in (None, _BARE) and not is_canvas and values and all(_ADDRESS.fullmatch(value) for value in values):
            role = "email"  # Canvas writes its headings in English everywhere; what it calls otherwise holds scores
        if role is None:
            continue
        if role in roles.values() and role != _BARE:
            other = header[next(place for place, known in roles.items() if known == role)]
            raise DoubledColumn(f"the columns {printable(other)} and {printable(title)} both say who somebody is")
        roles[n] = role
    return roles


def _is_named(role: str | None) -> bool:
    """Whether the heading says that the first column holds something else than Moodle's numbers."""
    return role not in (None, _BARE, "participant")


def person_in(row: Sequence[str], roles: Roles) -> Person | None:
    """The person that a row is about; None if it is about nobody.

    Args:
        row: The fields.
        roles: From `roles_of`.
    """
    fields = {role: printable(row[n].strip()) for n, role in roles.items() if n < len(row) and row[n].strip()}
    name = fields.get("name") or f"{fields.get('first', '')} {fields.get('last', '')}".strip()
    if name.casefold() in _NOBODY:
        return None
    ids = tuple(
        (role, _value(role, printable(row[n].strip())))
        for n, role in roles.items()
        if role not in ("name", "first", "last", "email", "group") and n < len(row) and row[n].strip()
    )
    email = fields.get("email", "")
    if not (name or email or ids):
        return None
    return Person(name or email or ids[0][1], email, ids, fields.get("group", ""))


def _value(role: str, text: str) -> str:
    if role == "participant":
        return match[1] if (match := _PARTICIPANT.fullmatch(text)) else text
    return text.removeprefix("#") if role in ("sis", "login") else text  # Brightspace marks them so
