"""Which row of a grade file a result belongs to. Where there is any doubt it belongs to none, and both sides are named.

A row gets points only if one result alone is meant by it, and the ids that say so are of the same kind on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.platforms.people import BY_NAME, NOT_HERE, Directory, Found, Person

Results = dict[str, Any]
_DOUBLED = "hand-ins of one person"


@dataclass(frozen=True)
class Assignment:
    """Results and who is meant by the place of their row, and a note for each that has no row, or none of its own."""

    results: dict[int, tuple[Results, Person]]
    notes: tuple[str, ...]


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
    claims: dict[int, list[tuple[Results, Person, Found]]] = {}
    lost: list[tuple[Person, Found]] = []
    for result in results:
        for member in members_of(result):
            found = directory.look_up(member, trust_names)
            if not found.places:
                lost.append((member, found))
            for place in found.places:  # whoever it could be gets nothing from anybody
                before = claims.setdefault(place, [])
                if not (found.is_sure and any(one is result and other.is_sure for one, _, other in before)):
                    before.append((result, member, found))  # a group may name somebody twice
    clear, notes = {}, [_not_found(member, found) for member, found in lost]
    unsettled: dict[tuple[str, ...], list[int]] = {}
    for place, claimed in claims.items():
        if len(claimed) == 1 and claimed[0][2].is_sure:
            clear[place] = claimed[0][:2]
        else:
            who = tuple(dict.fromkeys(_called(result, member) for result, member, _ in claimed))
            unsettled.setdefault((*who, _reason(claimed)), []).append(place)
    notes += [
        _doubt(who, reason, [directory.people[n] for n in places]) for (*who, reason), places in unsettled.items()
    ]
    return Assignment(clear, tuple(notes))


def _called(result: Results, member: Person) -> str:
    label = result["extra_data"]["student"]
    return member.name if member.name == label else f"{member.name} (handed in as {label})"


def _not_found(member: Person, found: Found) -> str:
    return f"{member.name} {NOT_HERE}" + (f" ({found.why})" if found.why != NOT_HERE else "")


def _reason(claimed: list[tuple[Results, Person, Found]]) -> str:
    if len(claimed) > 1 and all(found.is_sure for _, _, found in claimed):
        return _DOUBLED
    doubts = [found.why for _, _, found in claimed if not found.is_sure]
    return doubts[0]


def _doubt(who: list[str], reason: str, people: list[Person]) -> str:
    rows = " or ".join(dict.fromkeys(_told_apart(person) for person in people))
    if reason == _DOUBLED:
        return f"{' and '.join(who)} are {reason}, {rows}: neither was written; delete all but one"
    if reason == BY_NAME:
        return f"{' and '.join(who)} may be {rows}, by name alone, which is no proof: not written"
    return f"{' and '.join(who)} may be {rows} ({reason}): not written"


def _told_apart(person: Person) -> str:
    ids = ", ".join(value for _, value in person.ids[:2]) or person.email
    return f"{person.name} [{ids}]" if ids else person.name
