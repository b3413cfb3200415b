"""Which row of a grade file a result belongs to. Where there is any doubt it belongs to none, and both sides are named.

A row gets points only if one result alone is meant by it, and the ids that say so are of the same kind on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.platforms.people import BY_NAME, NOT_HERE, Directory, Found, Person, is_another_name

Results = dict[str, Any]


@dataclass(frozen=True)
class Assignment:
    """Results and who is meant by the place of their row, and a note for each that has no row, or none of its own."""

    results: dict[int, tuple[Results, Person]]
    notes: tuple[str, ...]
    remarks: tuple[str, ...]  # what has a row beyond doubt, and still wants a look


def members_of(result: Results) -> list[Person]:
    """Who handed it in, as the results say."""
    extra = result["extra_data"]
    members = extra.get("members") or [{"name": extra["student"], "email": "", "ids": {}}]
    return [Person(m["name"], m["email"], _ids(m["ids"])) for m in members]


def _ids(ids: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(kind), str(value)) for kind, value in ids.items()) if isinstance(ids, dict) else ()


def assign(results: Sequence[Results], directory: Directory, trust_names: bool = False) -> Assignment:
    """Find the row of every member of every result.

    Args:
        results: Contents of `results.json` files, of one notebook.
        directory: The people of the grade file, in the order of its rows.
        trust_names: See `Directory.look_up`.
    """
    claims: dict[int, list[tuple[Results, Person]]] = {}
    notes: list[str] = []
    for result in results:
        for member in dict.fromkeys(members_of(result)):
            found = directory.look_up(member, trust_names)
            if found.place is None:
                notes.append(_doubt(_called(result, member), found, [directory.people[n] for n in found.places]))
            elif all(
                one is not result for one, _ in claims.setdefault(found.place, [])
            ):  # a group may name somebody twice
                claims[found.place].append((result, member))
    for place, claimed in claims.items():
        if len(claimed) > 1:
            who = " and ".join(_called(result, member) for result, member in claimed)
            person = _told_apart(directory.people[place])
            notes.append(f"{who} are hand-ins of one person, {person}: none was written; delete all but one")
    clear = {place: claimed[0] for place, claimed in claims.items() if len(claimed) == 1}
    remarks = [
        f"{_called(result, member)} got the row of {_told_apart(directory.people[place])} by the id, under another name"
        for place, (result, member) in clear.items()
        if is_another_name(member, directory.people[place])
    ]
    return Assignment(clear, tuple(notes), tuple(remarks))


def _called(result: Results, member: Person) -> str:
    label = result["extra_data"]["student"]
    return member.name if member.name == label else f"{member.name} (handed in as {label})"


def _doubt(who: str, found: Found, people: list[Person]) -> str:
    if not people:
        return f"{who} {NOT_HERE}" + (f" ({found.why})" if found.why != NOT_HERE else "")
    rows = " or ".join(dict.fromkeys(map(_told_apart, people)))
    if found.why == BY_NAME:
        return f"{who} may be {rows}, by name alone, which is no proof: not written"
    return f"{who} may be {rows} ({found.why}): not written"


def _told_apart(person: Person) -> str:
    ids = ", ".join(value for _, value in person.ids[:2]) or person.email
    return f"{person.name} [{ids}]" if ids else person.name
