"""What a marker does, as decisions on the state of the moment: each becomes events, or is refused with a sentence."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from grader.marking.answers import Answer, Classroom
from grader.marking.events import FULL, MOST_ITEMS, ZERO, BadInput, Event, Item, Mark, New
from grader.marking.state import State
from grader.marking.store import Ledger

_LARGEST_ADJUSTMENT = 1000.0


class Stale(RuntimeError):
    """Somebody was quicker: what this was based on is no longer so. The message is one sentence; nothing was stored."""


class Steps:
    """The steps of one person."""

    def __init__(self, ledger: Ledger, classroom: Classroom, who: str) -> None:
        self.ledger, self.classroom, self.who = ledger, classroom, who

    def mark(
        self, answer: Answer, mark: Mark, base: int, key: str, same: Sequence[Answer] = (), settles: bool = False
    ) -> list[Event]:
        """Store a mark.

        Args:
            answer: What it is for.
            mark: All of it.
            base: The event that the page showed in this place; 0 for none.
            key: The page's own number for this step.
            same: Same answers, marked along where nobody has decided on them.
            settles: It is the last word where two marked.

        Returns:
            The events stored.

        Raises:
            Stale: If another mark is there by now.
            BadInput: If it names items that are not there.
        """
        new_batch = secrets.token_hex(8)

        def decide(state: State) -> list[New]:
            if self.ledger.sent(key):
                return [New(self.who, "mark", {}, key=key)]  # the store answers with what it has
            slot = "" if settles else state.slot(self.who, answer.student, answer.check)
            top = state.top("mark", answer.student, answer.check, slot)
            if (top.id if top else 0) != base:
                by = f"{top.who} has" if top and top.who != self.who else "You have, in another window,"
                raise Stale(f"{by} marked this answer in the meantime; yours is not stored: look at it, then decide.")
            known = {item.id for item in state.rubric(answer.check).items}
            if missing := set(mark.items) - known:
                raise BadInput(f"The rubric item {min(missing)} is gone: reload the page.")
            batch = (top.batch if top and top.batch and same else new_batch) if same else ""
            along = [a for a in same if self._is_free(state, a, top)]
            events = [self._mark(answer, mark, slot, key, new_batch if along else "", batch)]
            return events + [
                self._mark(a, mark, state.slot(self.who, a.student, a.check), "", new_batch, batch) for a in along
            ]

        texts = {a.digest: (a.text, list(a.pictures)) for a in (answer, *same)}
        return self.ledger.commit(decide, texts)

    def _mark(self, answer: Answer, mark: Mark, slot: str, key: str, batch: str, group: str) -> New:
        body = mark.body() | ({"group": group} if group else {})
        digest = self.classroom.digests[answer.student, answer.check]
        return New(
            who=self.who,
            kind="mark",
            body=body,
            student=answer.student,
            check=answer.check,
            slot=slot,
            digest=digest,
            key=key,
            batch=batch,
        )

    def _is_free(self, state: State, other: Answer, top: Event | None) -> bool:
        """Nobody has marked it, or it has gone along with this group so far."""
        slot = state.slot(self.who, other.student, other.check)
        there = state.top("mark", other.student, other.check, slot)
        if there is None or there.body.get("is_open"):
            return True
        mine = top.body.get("group") if top else None
        return bool(mine) and there.body.get("group") == mine and there.who == self.who

    def flag(self, answer: Answer, is_on: bool, key: str) -> list[Event]:
        return self._append(New(self.who, "flag", {"on": bool(is_on)}, answer.student, answer.check, key=key))

    def undo(self, check: str, key: str) -> list[Event]:
        """Take back this person's last step in a part.

        Returns:
            The steps that were taken back.

        Raises:
            Stale: If there is none, or somebody has gone on from it.
        """
        undone: list[Event] = []

        def decide(state: State) -> list[New]:
            undone[:] = [event for event in state.my_last(self.who, check) if state.is_top(event)]
            if not undone:
                mine = state.my_last(self.who, check)
                raise Stale(
                    f"Your last step was {mine[0].kind}, and somebody has gone on from it: it stays."
                    if mine
                    else "There is no step of yours to take back here."
                )
            return [New(self.who, "undo", {"undoes": [event.id for event in undone]}, "", check, key=key)]

        if not self.ledger.sent(key):
            self.ledger.commit(decide)
        return undone

    def item(self, check: str, body: Mapping[str, Any], base: int, key: str) -> list[Event]:
        """Make or change a rubric item; whoever has it is worth something else from now on."""
        item = Item.of(body)
        if not item.words.strip():
            raise BadInput("A rubric item needs words: the student reads them.")

        def decide(state: State) -> list[New]:
            top = state.top("item", check, item.id)
            if not self.ledger.sent(key) and (top.id if top else 0) != base:
                raise Stale("Somebody has changed this rubric item in the meantime: look at it, then decide.")
            if top is None and len(state.rubric(check).items) >= MOST_ITEMS:
                raise BadInput(f"A part has at most {MOST_ITEMS} rubric items: remove one first.")
            kept = {"id": item.id, "points": item.points, "words": item.words, "place": item.place, "gone": item.gone}
            return [New(self.who, "item", kept, "", check, key=key)]

        return self.ledger.commit(decide)

    def scheme(self, check: str, start: str, key: str) -> list[Event]:
        if start not in (FULL, ZERO):
            raise BadInput("Counting starts from full or from zero.")
        return self._append(New(self.who, "scheme", {"start": start}, "", check, key=key))

    # ------------------------------------------------------------ the lead's

    def share(self, person: str, checks: list[str], part: int, of: int) -> list[Event]:
        """Give somebody a share: some parts (none: all), of students the part-th of several."""
        if not 1 <= of <= 50 or not 0 <= part < of or any(check not in self.classroom.parts for check in checks):
            raise BadInput("A share is some of the parts, and the students' part 1 to N of N.")
        body = {"person": person, "checks": list(checks), "part": part, "of": of, "all": not checks and of == 1}
        return self._append(New(self.who, "share", body))

    def double(self, check: str, share: float) -> list[Event]:
        """Let two persons mark a share of a part's answers."""
        if not 0 <= share <= 1:
            raise BadInput("The share that two persons mark lies between 0 and 1.")
        return self._append(New(self.who, "double", {"share": share}, "", check))

    def calibrate(self, answer: Answer, is_on: bool) -> list[Event]:
        """Set an answer for others to try themselves on; it must have a mark of its own."""

        def decide(state: State) -> list[New]:
            if is_on and state.mark(answer.student, answer.check) is None:
                raise BadInput("Mark the answer first: others will be compared with your mark.")
            return [New(self.who, "calibrate", {"on": bool(is_on)}, answer.student, answer.check)]

        return self.ledger.commit(decide)

    def adjust(self, student: str, target: str, points: float, reason: str) -> list[Event]:
        """Add points to a check or to the total, for a reason."""
        if not reason.strip():
            raise BadInput("An adjustment needs a reason: the student reads it.")
        known = {said["check"] for said in self.classroom.checks.get(student, ())} | set(self.classroom.parts)
        if target != "total" and target not in known:
            raise BadInput(f"{target[:60]!r} is no check of this student's: name one, or total.")
        if not points or abs(points) > _LARGEST_ADJUSTMENT:
            raise BadInput(f"{points:g} points are no adjustment.")
        return self._append(New(self.who, "adjust", {"target": target, "points": points, "reason": reason}, student))

    def withdraw(self, student: str, number: int) -> list[Event]:
        """Take an adjustment back."""
        if number not in [event.id for event in self.ledger.state.adjustments(student)]:
            raise Stale("This adjustment has been withdrawn already.")
        return self._append(New(self.who, "adjust", {"withdraws": number}, student))

    def _append(self, new: New) -> list[Event]:
        return self.ledger.commit(lambda _: [new])
