"""What the page shows, as plain data. Whatever a student or a marker wrote leaves here sanitised (`html`) or as text."""

from collections import Counter
from statistics import fmean
from typing import Any

from markupsafe import Markup, escape

from grader.marking import statistics
from grader.marking.answers import Answer, Part
from grader.marking.desk import Desk
from grader.marking.events import Event, Mark
from grader.marking.question import question_text
from grader.marking.standing import DISAGREE, DONE, REOPENED, Standing
from grader.marking.state import lot
from grader.marking.texts import as_line, difference, ready

Plain = dict[str, Any]
_SNIPPET = 160
_MOST_FOUND = 500


def overview(desk: Desk, who: str) -> Plain:
    """All parts with how far they are, and all students."""
    state, queue = desk.ledger.state, desk.queue
    parts = []
    for check, part in desk.classroom.parts.items():
        found = queue.summary(state, who, check)
        count = {status: len(students) for status, students in found.by_status.items()}
        parts.append(
            _part(part)
            | {
                "total": len(queue.of_part(check)),
                "done": count.get(DONE, 0),
                "reopened": count.get(REOPENED, 0),
                "disagree": count.get(DISAGREE, 0),
                "flagged": sum(state.is_flagged(a.student, check) for a in queue.of_part(check)),
                "mine": len(found.waiting),
                "mean": fmean(found.points) if found.points else None,
            }
        )
    return {"parts": parts, "folder": desk.folder.name, "students": len(desk.ids), "last": state.last}


def _part(part: Part) -> Plain:
    return {
        "check": part.check, "number": part.number, "title": part.title, "notebook": part.notebook, "points": part.points,
    }  # fmt: skip


def students(desk: Desk, who: str, names: bool) -> Plain:
    """Everybody with what they have so far; in this marker's order, or by name where names are shown."""
    state, queue = desk.ledger.state, desk.queue
    done = Counter(
        s for check in desk.classroom.parts for s in queue.summary(state, who, check).by_status.get(DONE, ())
    )
    total = Counter(answer.student for check in desk.classroom.parts for answer in queue.of_part(check))
    rows = [
        {"id": desk.ids[s], "place": n, "name": s if names else None, "total": total[s], "done": done[s]}
        for n, s in enumerate(student_order(desk, who), 1)
    ]
    return {"students": sorted(rows, key=lambda row: row["name"].casefold()) if names else rows}


def student_order(desk: Desk, who: str) -> list[str]:
    return sorted(desk.ids, key=lambda student: lot(who, "students", student))


def html(text: str) -> Markup:
    """A text as it is shown: rendered, or as it was typed while that takes its time."""
    done = ready(text)
    return escape(text) if done is None else done


def part(desk: Desk, who: str, check: str) -> Plain:
    """One part: its question, the course's solution, the rubric, comments used before."""
    question, solution = _course_texts(desk, check)
    return _part(desk.classroom.parts[check]) | {
        "question": html(question),
        "solution": html(solution),
        "rubric": rubric(desk, check),
        "comments": [{"text": text, "html": as_line(html(text))} for text in desk.ledger.state.comments(check)],
        "double": _double(desk, check),
        "is_typed": any(ready(text) is None for text in texts_of_part(desk, check)),
    }


def texts_of_part(desk: Desk, check: str) -> list[str]:
    """What `part` shows, as typed."""
    state = desk.ledger.state
    return [*_course_texts(desk, check), *state.comments(check), *(item.words for item in state.rubric(check).items)]


def _course_texts(desk: Desk, check: str) -> tuple[str, str]:
    """The question, and the course's own answer to this part of it."""
    about = desk.classroom.parts[check]
    found = question_text(about.notebook, about.task)
    own = [p.check for p in desk.classroom.parts.values() if p.task == about.task and _is_in_words(p.check)]
    place = own.index(check) if check in own else -1
    return found.text, found.solutions[place] if 0 <= place < len(found.solutions) else ""


def _is_in_words(check: str) -> bool:
    return check.rpartition(".")[2].startswith("manual")


def _double(desk: Desk, check: str) -> float:
    event = desk.ledger.state.top("double", "", check)
    return float(event.body["share"]) if event else 0.0


def rubric(desk: Desk, check: str) -> Plain:
    """A part's items in their order, each with how many have it."""
    state = desk.ledger.state
    found = state.rubric(check)
    used = Counter(
        number
        for answer in desk.queue.of_part(check)
        for _, mark in state.marks(answer.student, check).values()
        for number in mark.items
    )
    items = []
    for item in found.items:
        top = state.top("item", check, item.id)
        items.append(
            {
                "id": item.id, "points": item.points, "words": item.words, "place": item.place, "html": as_line(html(item.words)),
                "used": used[item.id], "base": top.id if top else 0,
            }
        )  # fmt: skip
    return {"start": found.start, "items": items}


def answer(desk: Desk, who: str, check: str, number: str, by: str, names: bool) -> Plain:
    """One answer with everything that is known of it, and its neighbours."""
    found = desk.answer(check, number)
    state, part = desk.ledger.state, desk.classroom.parts[check]
    stands = desk.queue.standing(state, found)
    slot = state.slot(who, found.student, check)
    top = state.top("mark", found.student, check, slot)
    return {
        "id": number,
        "check": check,
        "name": found.student if names else None,
        "html": html(found.text),
        "is_typed": ready(found.text) is None,
        "pictures": len(found.pictures),
        "digest": found.digest,
        "status": stands.status,
        "waits": desk.queue.waits(state, who, found),
        "mark": _mark(desk, part, top),
        "base": top.id if top else 0,
        "flagged": state.is_flagged(found.student, check),
        "reopened": _reopened(desk, found, stands),
        "others": _others(desk, who, found, part, stands, slot),
        "set_by": state.set_by(found.student, check),
        "checks": [c for c in desk.classroom.checks[found.student] if c["task"] == part.task],
        "same": _same(desk, found),
        "here": desk.claims.others(who, (found.student, check)),
        "history": [
            _step(desk, part, event) for event in state.history(found.student, check) if not slot or event.slot == slot
        ],
        "adjustments": adjustments(desk, found.student),
        "last": state.last,
    } | neighbours(desk, who, found, by)


def _mark(desk: Desk, part: Part, event: Event | None) -> Plain | None:
    if event is None:
        return None
    mark = Mark.of(event.body)
    points = desk.ledger.state.rubric(part.check).points(mark, part.points)
    return None if mark.is_open else mark.body() | {"points": points, "who": event.who, "at": event.at}


def _step(desk: Desk, part: Part, event: Event) -> Plain:
    mark = Mark.of(event.body)
    points = None if mark.is_open else desk.ledger.state.rubric(part.check).points(mark, part.points)
    return {"who": event.who, "at": event.at, "points": points, "comment": mark.comment}


def _reopened(desk: Desk, found: Answer, stands: Standing) -> Plain | None:
    """What has changed since the mark that no longer counts."""
    if stands.status != REOPENED or stands.counts is None:
        return None
    before = desk.ledger.answer(stands.counts[0].digest) or ("", [])
    return {
        "difference": difference(before[0], found.text),
        "is_text_same": before[0] == found.text,
        "are_pictures_same": tuple(before[1]) == found.pictures,
        "who": stands.counts[0].who,
    }


def _others(desk: Desk, who: str, found: Answer, part: Part, stands: Standing, slot: str) -> list[Plain]:
    """Other persons' marks, once they no longer influence this one: two mark blind, then see."""
    state = desk.ledger.state
    mine = state.mark(found.student, found.check, slot) if slot else None
    if slot and mine is None and stands.status != DISAGREE:
        return []
    return [m for m in statistics.each_mark(state, found.student, found.check, part.points) if m["who"] != who]


def _same(desk: Desk, found: Answer) -> Plain:
    others = desk.same(found)
    state = desk.ledger.state
    open_ones = [a for a in others if desk.queue.standing(state, a).status not in (DONE, DISAGREE)]
    return {"count": len(others), "open": len(open_ones), "ids": [desk.ids[a.student] for a in others[:50]]}


def adjustments(desk: Desk, student: str) -> list[Plain]:
    return [
        {"id": e.id, "who": e.who, "at": e.at, "target": e.body["target"], "points": e.body["points"], "reason": e.body["reason"]}
        for e in desk.ledger.state.adjustments(student)
    ]  # fmt: skip


def neighbours(desk: Desk, who: str, found: Answer | None, by: str, check: str = "") -> Plain:
    """Before, after, and the next that waits: through the class, or through one student's parts."""
    state, queue = desk.ledger.state, desk.queue
    is_by_student = by == "student" and found is not None
    order = (
        queue.of_student(found.student)
        if is_by_student and found
        else queue.mine(state, who, found.check if found else check)
    )
    if found is not None and found not in order:
        order = queue.order(who, found.check)
    after = queue.next_open(state, who, order, found, lambda a: bool(desk.claims.others(who, (a.student, a.check))))
    if after is None and is_by_student and found:
        after = _next_student(desk, who, found.student)
    place = order.index(found) if found is not None else -1
    at = [_at(desk, order[n]) if found is not None and 0 <= n < len(order) else None for n in (place - 1, place + 1)]
    is_whole = not is_by_student and found is not None
    waiting = queue.summary(state, who, found.check).waiting if is_whole and found else frozenset()
    left = len(waiting) if is_whole else sum(queue.waits(state, who, a) for a in order)
    return {
        "place": place + 1,
        "total": len(order),
        "left": left,
        "previous": at[0],
        "next": at[1],
        "open": _at(desk, after),
    }


def _at(desk: Desk, answer: Answer | None) -> Plain | None:
    return {"check": answer.check, "id": desk.ids[answer.student]} if answer else None


def _next_student(desk: Desk, who: str, student: str) -> Answer | None:
    state, queue = desk.ledger.state, desk.queue
    order = student_order(desk, who)
    start = order.index(student) + 1
    for other in [*order[start:], *order[:start]]:
        for answer in queue.of_student(other):
            if queue.waits(state, who, answer):
                return answer
    return None


def student(desk: Desk, who: str, number: str, names: bool) -> Plain:
    """One student through all parts."""
    name = desk.students[number]
    state, rows, points, of = desk.ledger.state, [], 0.0, 0.0
    for check, part in desk.classroom.parts.items():
        found = desk.classroom.answers.get((name, check))
        if found is None:
            continue
        stands = desk.queue.standing(state, found)
        given = (
            state.rubric(check).points(stands.counts[1], part.points)
            if stands.status == DONE and stands.counts
            else None
        )
        points, of = points + (given or 0), of + part.points
        rows.append(
            _part(part)
            | {
                "status": stands.status,
                "given": given,
                "missing": found.is_missing,
                "html": html(found.text),
                "pictures": len(found.pictures),
            }
        )
    place = student_order(desk, who).index(name) + 1
    return {
        "id": number, "place": place, "name": name if names else None, "parts": rows, "given": points, "of": of,
        "automatic": sum(c["score"] for c in desk.classroom.checks[name]),
        "automatic_of": sum(c["max_score"] for c in desk.classroom.checks[name]),
        "checks": [c["check"] for c in desk.classroom.checks[name]],
        "adjustments": adjustments(desk, name),
        "is_typed": any(ready(a.text) is None for a in desk.queue.of_student(name)),
    }  # fmt: skip


def search(desk: Desk, who: str, check: str, words: str, only: str, names: bool) -> Plain:
    """Answers to a part that hold all the words, of one standing if asked for; in the marker's order."""
    state, queue, wanted = desk.ledger.state, desk.queue, words.casefold().split()
    found = []
    for place, answer in enumerate(queue.mine(state, who, check) or queue.order(who, check), 1):
        text = f"{answer.student} {answer.text}" if names else answer.text
        stands = queue.standing(state, answer)
        is_flagged = state.is_flagged(answer.student, check)
        fits = (
            only in ("", stands.status)
            or (only == "flagged" and is_flagged)
            or (only == "mine" and queue.waits(state, who, answer))
        )
        if fits and all(word in text.casefold() for word in wanted):
            part = desk.classroom.parts[check]
            is_done = stands.status == DONE and stands.counts
            points = state.rubric(check).points(stands.counts[1], part.points) if is_done and stands.counts else None
            found.append(
                {
                    "id": desk.ids[answer.student], "place": place, "status": stands.status, "flagged": is_flagged, "points": points,
                    "name": answer.student if names else None, "snippet": _snippet(answer.text, wanted),
                }
            )  # fmt: skip
    return {"count": len(found), "found": found[:_MOST_FOUND]}


def _snippet(text: str, wanted: list[str]) -> str:
    flat = " ".join(text.split())
    start = max(0, min((flat.casefold().find(word) for word in wanted if word in flat.casefold()), default=0) - 40)
    return ("…" if start else "") + flat[start : start + _SNIPPET] + ("…" if len(flat) > start + _SNIPPET else "")


def team(desk: Desk, who: str, names: bool) -> Plain:
    """Markers in numbers, shares, and where two differ."""
    state, queue = desk.ledger.state, desk.queue

    def shown(rows: list[Plain]) -> list[Plain]:
        return [row | {"id": desk.ids[row["student"]], "student": row["student"] if names else None} for row in rows]

    shares = [
        stack[-1].body
        for key, stack in state.stacks.items()
        if key[0] == "share" and stack and not stack[-1].body.get("all")
    ]
    return {
        "markers": statistics.markers(state, queue),
        "shares": shares,
        "doubles": {check: _double(desk, check) for check in desk.classroom.parts if _double(desk, check)},
        "differences": shown(statistics.differences(state, queue)),
        "calibration": shown(statistics.calibration(state, queue)),
        "parts": [_part(part) for part in desk.classroom.parts.values()],
        "is_lead": who == desk.people.lead,
        "lead": desk.people.lead,
    }
