"""What follows from the events, replayed in their order: nothing here is stored, so nothing can disagree with the log."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from grader.marking.events import FULL, Event, Item, Mark, Rubric, in_order

Key = tuple[str, ...]


def key_of(event: Event) -> Key:
    """What an event is about; the latest that is not undone holds."""
    if event.kind == "mark":
        return ("mark", event.student, event.check, event.slot)
    if event.kind == "item":
        return ("item", event.check, event.body["id"])
    if event.kind == "share":
        return ("share", event.body["person"])
    if event.kind == "adjust":
        return ("adjust", str(event.body.get("withdraws") or event.id))
    return (event.kind, event.student, event.check)


@dataclass
class State:
    """All stacks of events, by what they are about."""

    last: int = 0
    stacks: dict[Key, list[Event]] = field(default_factory=dict)
    _parsed: dict[int, Mark] = field(default_factory=dict)
    _by_id: dict[int, Key] = field(default_factory=dict)
    _touched: dict[tuple[str, str], int] = field(default_factory=dict)  # by student and check, the last event
    _changed: dict[str, int] = field(default_factory=dict)  # by check, the last event
    _mine: dict[str, list[Event]] = field(default_factory=dict)  # by person, the steps that can be taken back
    _slots: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _items: dict[str, dict[str, None]] = field(default_factory=dict)  # by check, ids
    _rubrics: dict[str, Rubric] = field(default_factory=dict)  # worked out once until an item changes
    _adjusted: dict[str, dict[Key, None]] = field(default_factory=dict)  # by student

    def take(self, event: Event) -> None:
        """Take in the next event."""
        self.last = max(self.last, event.id)
        self._changed[event.check] = event.id
        self._rubrics.pop(event.check, None)
        if event.kind == "undo":
            for number in event.body["undoes"]:
                self._touch(self._by_id.get(number, ()), event.id)
                self._remove(number)
            return
        key = key_of(event)
        self.stacks.setdefault(key, []).append(event)
        self._touch(key, event.id)
        self._by_id[event.id] = key
        self._mine.setdefault(event.who, []).append(event)
        if event.kind == "mark":
            self._slots.setdefault((event.student, event.check), set()).add(event.slot)
        elif event.kind == "item":
            self._items.setdefault(event.check, {})[event.body["id"]] = None
        elif event.kind == "adjust":
            self._adjusted.setdefault(event.student, {})[key] = None

    def _touch(self, key: Key, number: int) -> None:
        if key and key[0] in ("mark", "calibrate"):
            self._touched[key[1], key[2]] = number
        elif key and key[0] in ("item", "scheme", "double"):
            self._touched["", key[1] if key[0] == "item" else key[2]] = number

    def version(self, student: str, check: str) -> tuple[int, int]:
        """Changes whenever something about an answer, or about its whole part, does."""
        return self._touched.get((student, check), 0), self._touched.get(("", check), 0)

    def part_version(self, check: str) -> tuple[int, int]:
        """Changes whenever something about a part does, or about who marks what."""
        return self._changed.get(check, 0), self._changed.get("", 0)

    def _remove(self, number: int) -> None:
        stack = self.stacks.get(self._by_id.get(number, ()), [])
        stack[:] = [event for event in stack if event.id != number]
        for mine in self._mine.values():
            if mine and mine[-1].id == number:
                mine.pop()
                break
        else:
            for mine in self._mine.values():
                mine[:] = [event for event in mine if event.id != number]

    def top(self, *key: str) -> Event | None:
        stack = self.stacks.get(key)
        return stack[-1] if stack else None

    def is_top(self, event: Event) -> bool:
        top = self.top(*self._by_id.get(event.id, ("",)))
        return top is not None and top.id == event.id

    # ------------------------------------------------------------ marks

    def mark(self, student: str, check: str, slot: str = "") -> tuple[Event, Mark] | None:
        """The mark in a slot, with its event; None where there is none, or it was withdrawn."""
        event = self.top("mark", student, check, slot)
        if event is None:
            return None
        if event.id not in self._parsed:
            self._parsed[event.id] = Mark.of(event.body)
        mark = self._parsed[event.id]
        return None if mark.is_open else (event, mark)

    def marks(self, student: str, check: str) -> dict[str, tuple[Event, Mark]]:
        """All marks of an answer, by slot."""
        found = {slot: self.mark(student, check, slot) for slot in sorted(self._slots.get((student, check), ()))}
        return {slot: mark for slot, mark in found.items() if mark is not None}

    def history(self, student: str, check: str) -> list[Event]:
        """Every mark on an answer that was not taken back, oldest first."""
        slots = self._slots.get((student, check), ())
        found = [event for slot in slots for event in self.stacks.get(("mark", student, check, slot), ())]
        return sorted(found, key=lambda event: event.id)

    def my_last(self, who: str, check: str | None = None) -> list[Event]:
        """The last step of a person that can be taken back: one event, or all of a batch."""
        mine = [event for event in self._mine.get(who, []) if check is None or event.check == check]
        if not mine:
            return []
        batch = mine[-1].batch
        return [event for event in mine if batch and event.batch == batch] or mine[-1:]

    def comments(self, check: str) -> list[str]:
        """Comments given in a part, the most used first."""
        tops = [stack[-1] for key, stack in self.stacks.items() if key[0] == "mark" and key[2] == check and stack]
        used = Counter(text for event in tops if (text := str(event.body.get("comment", "")).strip()))
        return [text for text, _ in used.most_common(30)]

    # ------------------------------------------------------------ rubric

    def rubric(self, check: str) -> Rubric:
        if check not in self._rubrics:
            tops = (self.top("item", check, number) for number in self._items.get(check, ()))
            scheme = self.top("scheme", "", check)
            self._rubrics[check] = Rubric(
                scheme.body["start"] if scheme else FULL, in_order(Item.of(event.body) for event in tops if event)
            )
        return self._rubrics[check]

    # ------------------------------------------------------------ who reads what

    def is_flagged(self, student: str, check: str) -> bool:
        event = self.top("flag", student, check)
        return bool(event and event.body.get("on"))

    def set_by(self, student: str, check: str) -> str:
        """Who has set this answer for others to calibrate on; "" if nobody."""
        event = self.top("calibrate", student, check)
        return event.who if event and event.body.get("on") else ""

    def is_double(self, student: str, check: str) -> bool:
        """Whether two persons mark this answer, each without the other's mark."""
        event = self.top("double", "", check)
        return bool(event) and lot(check, student) < float(event.body["share"])  # type: ignore[union-attr]

    def slot(self, who: str, student: str, check: str) -> str:
        """Where a person's mark of an answer goes."""
        setter = self.set_by(student, check)
        return who if (setter and setter != who) or self.is_double(student, check) else ""

    def share(self, who: str) -> dict[str, Any] | None:
        """What a person was given to mark; None: everything."""
        event = self.top("share", who)
        return event.body if event and not event.body.get("all") else None

    def adjustments(self, student: str) -> list[Event]:
        """Points that a person added to a check or the total, with reasons; withdrawn ones are left out."""
        tops = [self.top(*key) for key in self._adjusted.get(student, ())]
        return [event for event in tops if event is not None and not event.body.get("withdraws")]

    def all_adjustments(self) -> list[Event]:
        """Those of everybody."""
        return [event for student in self._adjusted for event in self.adjustments(student)]

    def deadline(self) -> Event | None:
        """The late rule that holds, if one does."""
        event = self.top("late", "", "")
        return event if event and event.body.get("due") else None

    def submitted_at(self, student: str) -> str:
        """When a worksheet says that something was handed in; "" where none does."""
        event = self.top("submitted", student, "")
        return str(event.body["at"]) if event else ""

    def is_empty(self) -> bool:
        return self.last == 0


def lot(*words: str) -> float:
    """A number from 0 to 1 that depends on the words alone: the same shares on every machine."""
    return int.from_bytes(hashlib.sha256("\n".join(words).encode("utf-8", "replace")).digest()[:6], "big") / 2**48
