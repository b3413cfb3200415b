"""Where an answer stands, and what it is given: the mark that counts, from the state and the answer's digest."""

from dataclasses import dataclass

from grader.marking.answers import Answer
from grader.marking.events import FULL, Event, Mark
from grader.marking.state import State

OPEN, DONE, REOPENED, SECOND, DISAGREE = "open", "done", "reopened", "second", "disagree"


@dataclass(frozen=True)
class Standing:
    """One answer's place in the work."""

    status: str  # one of the five above
    counts: tuple[Event, Mark] | None = None  # the mark that counts; of another answer's digest when reopened


@dataclass(frozen=True)
class Given:
    """What a person gave for a part, as reports show it."""

    points: float
    lines: tuple[tuple[float, str], ...] = ()  # rubric items and a correction: points, words
    comment: str = ""
    start: str = FULL


def standing(state: State, answer: Answer, digest: str, maximum: float) -> Standing:
    """Where an answer stands.

    Args:
        state: Of the marks.
        answer: The answer as it is now.
        digest: Its digest.
        maximum: What the part is worth.
    """
    settled = state.mark(answer.student, answer.check)
    if settled:
        return Standing(DONE if settled[0].digest == digest else REOPENED, settled)
    if not state.is_double(answer.student, answer.check):
        return Standing(OPEN)
    rubric = state.rubric(answer.check)
    both = list(state.marks(answer.student, answer.check).values())
    current = [(event, mark) for event, mark in both if event.digest == digest]
    if len(current) >= 2:
        agree = len({rubric.points(mark, maximum) for _, mark in current}) == 1
        return Standing(DONE, current[0]) if agree else Standing(DISAGREE)
    if current:
        return Standing(SECOND)
    return Standing(REOPENED, both[0]) if both else Standing(OPEN)


def waits_for(state: State, who: str, answer: Answer, digest: str, status: str) -> bool:
    """Whether this person still has something to do here."""
    slot = state.slot(who, answer.student, answer.check)
    if not slot:
        return status in (OPEN, REOPENED)
    mine = state.mark(answer.student, answer.check, slot)
    if mine and mine[0].digest == digest:
        return False
    return bool(state.set_by(answer.student, answer.check)) or status in (OPEN, REOPENED, SECOND)


def given(state: State, answer: Answer, digest: str, maximum: float) -> Given | None:
    """What an answer is given; None while it waits. Who wrote nothing gets nothing, unless a person says otherwise."""
    found = standing(state, answer, digest, maximum)
    if found.status != DONE or found.counts is None:
        return Given(0.0) if answer.is_missing else None
    mark, rubric = found.counts[1], state.rubric(answer.check)
    lines = [(item.points, item.words) for item in rubric.of(mark)] if mark.fixed is None else []
    if mark.change:
        lines.append((mark.change, mark.reason))
    elif mark.reason:
        lines.append((0.0, mark.reason))
    return Given(rubric.points(mark, maximum), tuple(lines), mark.comment, rubric.start)
