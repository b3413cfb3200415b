"""The records of marking: an event, a mark, a rubric item, and what a mark is worth."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FULL, ZERO = "full", "zero"  # where counting starts: subtract from the maximum, or add to nothing
LONGEST_WORDS, LONGEST_COMMENT, MOST_ITEMS = 500, 10_000, 60
_LARGEST = 10_000.0


class BadInput(ValueError):
    """Something sent cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class New:
    """An event to be appended."""

    who: str
    kind: str  # "mark", "flag", "item", "scheme", "undo", "share", "double", "calibrate", "adjust", "late", "submitted"
    body: dict[str, Any]
    student: str = ""
    check: str = ""
    slot: str = ""  # whose mark where two give one each; "" is the one that counts
    digest: str = ""  # of the answer it was given on
    key: str = ""  # the page's own number for it: sent twice, it is stored once
    batch: str = ""  # common to events of one step


@dataclass(frozen=True)
class Event(New):
    """An event as stored: never changed, never removed."""

    id: int = 0
    at: str = ""  # UTC, ISO 8601


@dataclass(frozen=True)
class Item:
    """A rubric item: points added to where counting starts, and words for the student."""

    id: str
    points: float
    words: str
    place: float = 0.0
    gone: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Item":
        """An item from an event's body or from the page.

        Raises:
            BadInput: If it is none.
        """
        return cls(
            _text(body.get("id"), 40, "an item's id"),
            _number(body.get("points"), "an item's points"),
            _text(body.get("words"), LONGEST_WORDS, "an item's words"),
            _number(body.get("place", 0), "an item's place"),
            bool(body.get("gone", False)),
        )


@dataclass(frozen=True)
class Mark:
    """What one person gave for one answer."""

    items: tuple[str, ...] = ()
    change: float = 0.0  # a free correction
    reason: str = ""
    comment: str = ""
    fixed: float | None = None  # points given outright, as in a sheet; no items then
    is_open: bool = False  # withdrawn

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Mark":
        """A mark from an event's body or from the page.

        Raises:
            BadInput: If it is none, or a correction has no reason.
        """
        items, fixed = body.get("items", []), body.get("fixed")
        if not isinstance(items, list | tuple) or len(items) > MOST_ITEMS or len(set(map(str, items))) < len(items):
            raise BadInput("A mark's items are a list of different ids: reload the page.")
        mark = cls(
            tuple(_text(item, 40, "an item's id") for item in items),
            _number(body.get("change", 0), "a correction"),
            _text(body.get("reason", ""), LONGEST_WORDS, "a reason"),
            _text(body.get("comment", ""), LONGEST_COMMENT, "a comment"),
            None if fixed is None else _number(fixed, "points"),
            bool(body.get("is_open", False)),
        )
        if mark.change and not mark.reason.strip():
            raise BadInput("A correction needs a reason: the student reads it.")
        return mark

    def body(self) -> dict[str, Any]:
        return asdict(self) | {"items": list(self.items)}


@dataclass(frozen=True)
class Rubric:
    """The items of one part in their order, and where counting starts."""

    start: str = FULL
    items: tuple[Item, ...] = field(default=())

    def of(self, mark: Mark) -> tuple[Item, ...]:
        """The items that a mark has, in the rubric's order."""
        return tuple(item for item in self.items if item.id in mark.items)

    def points(self, mark: Mark, maximum: float) -> float:
        """What a mark is worth, from 0 to the part's maximum."""
        counted = (maximum if self.start == FULL else 0.0) + sum(item.points for item in self.of(mark))
        raw = counted if mark.fixed is None else mark.fixed
        return round(min(max(raw + mark.change, 0.0), maximum), 6)


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted((item for item in items if not item.gone), key=lambda item: (item.place, item.id)))


def _text(value: Any, longest: int, what: str) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise BadInput(f"Expected {what} as text of at most {longest} characters: shorten it.")
    return value


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"Expected {what} as a number, got {str(value)[:40]!r}: correct it.")
    if abs(value) > _LARGEST:
        raise BadInput(f"{what} of {value:g} is out of range: correct it.")
    return float(value)
