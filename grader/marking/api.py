"""What the page asks and sends. Each function takes the desk, the person and plain data, and returns plain data."""

from collections.abc import Callable, Mapping
from typing import Any

from grader.marking import views
from grader.marking.answers import Answer
from grader.marking.desk import Desk
from grader.marking.events import BadInput, Mark

Plain = dict[str, Any]
_LONGEST = 2_000


class Refused(PermissionError):
    """Only the lead may do this; the message is one sentence."""


def text(sent: Mapping[str, Any], name: str) -> str:
    """A short text among what was sent.

    Raises:
        BadInput: If it is none.
    """
    value = sent.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise BadInput(f"Expected a text for {name}: reload the page.")
    return value


def number(sent: Mapping[str, Any], name: str) -> float:
    value = sent.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e15:
        raise BadInput(f"Expected a number for {name}, got {str(value)[:40]!r}: correct it.")
    return value


def _is_named(sent: Mapping[str, Any]) -> bool:
    return text(sent, "names") == "1"


READ: dict[str, Callable[[Desk, str, Mapping[str, Any]], Plain]] = {
    "overview": lambda desk, who, q: views.overview(desk, who),
    "students": lambda desk, who, q: views.students(desk, who, _is_named(q)),
    "part": lambda desk, who, q: views.part(desk, who, text(q, "check")),
    "answer": lambda desk, who, q: views.answer(
        desk, who, text(q, "check"), text(q, "id"), text(q, "by"), _is_named(q)
    ),
    "open": lambda desk, who, q: views.neighbours(
        desk, who, _answer(desk, q) if text(q, "id") else None, text(q, "by"), _check(desk, q)
    ),
    "student": lambda desk, who, q: views.student(desk, who, text(q, "id"), _is_named(q)),
    "search": lambda desk, who, q: views.search(
        desk, who, text(q, "check"), text(q, "words"), text(q, "only"), _is_named(q)
    ),
    "team": lambda desk, who, q: views.team(desk, who, _is_named(q)),
}


_AHEAD = 12  # answers that are rendered before somebody comes to them


def texts(desk: Desk, what: str, asked: Mapping[str, Any]) -> list[str]:
    """Texts that a reply shows and that take time to render."""
    if what == "answer":
        return [_answer(desk, asked).text]
    if what == "part":
        return views.texts_of_part(desk, _check(desk, asked))
    if what == "student":
        return [answer.text for answer in desk.queue.of_student(desk.students[text(asked, "id")])]
    return []


def texts_ahead(desk: Desk, who: str, found: Mapping[str, Any]) -> list[str]:
    """The answers that come after one, in this person's order."""
    if found.get("error"):
        return []
    order = desk.queue.mine(desk.ledger.state, who, found["check"])
    return [answer.text for answer in order[found["place"] : found["place"] + _AHEAD]]


def _answer(desk: Desk, sent: Mapping[str, Any]) -> Answer:
    return desk.answer(text(sent, "check"), text(sent, "id"))


def _check(desk: Desk, sent: Mapping[str, Any]) -> str:
    check = text(sent, "check")
    if check not in desk.classroom.parts:
        raise LookupError(check)
    return check


def mark(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    found = _answer(desk, sent)
    if not isinstance(sent.get("mark"), dict):
        raise BadInput("A mark is missing: reload the page.")
    same = desk.same(found) if sent.get("same") else []
    if text(sent, "digest") != desk.classroom.digests[found.student, found.check]:
        raise BadInput("This answer was handed in anew while the page was open; nothing is stored: reload the page.")
    events = desk.steps(who).mark(
        found, Mark.of(sent["mark"]), int(number(sent, "base")), text(sent, "key"), same, bool(sent.get("settles"))
    )
    return {"stored": len(events), "base": events[0].id}


def flag(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    return {"stored": len(desk.steps(who).flag(_answer(desk, sent), bool(sent.get("on")), text(sent, "key")))}


def undo(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    undone = desk.steps(who).undo(_check(desk, sent), text(sent, "key"))
    students = [event.student for event in undone if event.student in desk.ids]
    return {
        "kinds": sorted({event.kind for event in undone}), "count": len(undone),
        "id": desk.ids[students[0]] if students else None,
    }  # fmt: skip


def item(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    if not isinstance(sent.get("item"), dict):
        raise BadInput("A rubric item is missing: reload the page.")
    events = desk.steps(who).item(_check(desk, sent), sent["item"], int(number(sent, "base")), text(sent, "key"))
    return {"stored": len(events)}


def scheme(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    return {"stored": len(desk.steps(who).scheme(_check(desk, sent), text(sent, "start"), text(sent, "key")))}


def here(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    """Say where this page is; the answer says who else is there."""
    place = None
    if text(sent, "id"):
        found = _answer(desk, sent)
        place = (found.student, found.check)
    is_news = desk.claims.here(who, text(sent, "page"), place)
    return {"here": desk.claims.others(who, place) if place else [], "is_news": is_news}


def calibrate(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    return {"stored": len(desk.steps(who).calibrate(_answer(desk, sent), bool(sent.get("on"))))}


def adjust(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    student = desk.students[text(sent, "id")]
    if sent.get("withdraws"):
        return {"stored": len(desk.steps(who).withdraw(student, int(number(sent, "withdraws"))))}
    events = desk.steps(who).adjust(student, text(sent, "target"), number(sent, "points"), text(sent, "reason"))
    return {"stored": len(events)}


def share(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    _lead(desk, who)
    checks = sent.get("checks", [])
    if not isinstance(checks, list) or not all(isinstance(check, str) for check in checks):
        raise BadInput("A share is a list of parts: reload the page.")
    events = desk.steps(who).share(text(sent, "person"), checks, int(number(sent, "part")), int(number(sent, "of")))
    return {"stored": len(events)}


def double(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    _lead(desk, who)
    return {"stored": len(desk.steps(who).double(_check(desk, sent), number(sent, "share")))}


def invite(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    _lead(desk, who)
    return {"path": f"/join/{desk.people.new_address(text(sent, 'person'))}"}


def end(desk: Desk, who: str, sent: Mapping[str, Any]) -> Plain:
    _lead(desk, who)
    desk.people.end(text(sent, "person"))
    return {}


def _lead(desk: Desk, who: str) -> None:
    if who != desk.people.lead:
        raise Refused(f"Only {desk.people.lead} can do this, who started the page.")


WRITE: dict[str, Callable[[Desk, str, Mapping[str, Any]], Plain]] = {
    "mark": mark, "flag": flag, "undo": undo, "item": item, "scheme": scheme, "here": here, "calibrate": calibrate,
    "adjust": adjust, "share": share, "double": double, "invite": invite, "end": end,
}  # fmt: skip
