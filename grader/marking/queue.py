"""In which order a person meets the answers: shuffled for each marker, so that nobody is always read last."""

from collections.abc import Callable
from dataclasses import dataclass

from grader.marking.answers import Answer, Classroom
from grader.marking.standing import DONE, Standing, standing, waits_for
from grader.marking.state import State, lot


@dataclass(frozen=True)
class Summary:
    """How far a part is, for one person: the students of each standing, and who waits for this person."""

    by_status: dict[str, list[str]]
    points: list[float]  # of what is marked
    waiting: frozenset[str]  # of this person's share


class Queue:
    """The answers of a classroom as one person goes through them."""

    def __init__(self, classroom: Classroom) -> None:
        self.classroom = classroom
        self._orders: dict[tuple[str, str], list[Answer]] = {}
        self._standings: dict[tuple[str, str], tuple[tuple[int, int], Standing]] = {}
        self._summaries: dict[tuple[str, str], tuple[tuple[int, int], Summary]] = {}
        self._of_part: dict[str, list[Answer]] = {check: [] for check in classroom.parts}
        for answer in classroom.answers.values():
            if not answer.is_missing:
                self._of_part[answer.check].append(answer)

    def of_part(self, check: str) -> list[Answer]:
        """All answers to a part, in no particular order."""
        return self._of_part.get(check, [])

    def order(self, who: str, check: str) -> list[Answer]:
        """All answers to a part, in this person's order."""
        if (who, check) not in self._orders:
            self._orders[who, check] = sorted(self.of_part(check), key=lambda answer: lot(who, check, answer.student))
        return self._orders[who, check]

    def mine(self, state: State, who: str, check: str) -> list[Answer]:
        """Those of them that are this person's share; set answers come first."""
        share, order = state.share(who), self.order(who, check)
        if share and share["checks"] and check not in share["checks"]:
            return []
        if share and share["of"] > 1:
            order = [a for a in order if int(lot("share", a.student) * share["of"]) == share["part"]]
        set_ones = [a for a in self.order(who, check) if state.set_by(a.student, check)]
        return [*set_ones, *(a for a in order if a not in set_ones)] if set_ones else order

    def of_student(self, student: str) -> list[Answer]:
        """One student's answers through all parts."""
        found = (self.classroom.answers.get((student, check)) for check in self.classroom.parts)
        return [answer for answer in found if answer is not None and not answer.is_missing]

    def standing(self, state: State, answer: Answer) -> Standing:
        """Where an answer stands; worked out again only when an event has touched it or its part."""
        key = (answer.student, answer.check)
        version = state.version(*key)
        known = self._standings.get(key)
        if known is None or known[0] != version:
            points = self.classroom.parts[answer.check].points
            known = version, standing(state, answer, self.classroom.digests[key], points)
            self._standings[key] = known
        return known[1]

    def summary(self, state: State, who: str, check: str) -> Summary:
        """A part at a glance; worked out again only when an event has touched it."""
        version = state.part_version(check)
        known = self._summaries.get((who, check))
        if known is None or known[0] != version:
            known = version, self._summary(state, who, check)
            self._summaries[who, check] = known
        return known[1]

    def _summary(self, state: State, who: str, check: str) -> Summary:
        rubric, maximum = state.rubric(check), self.classroom.parts[check].points
        by_status: dict[str, list[str]] = {}
        points = []
        for answer in self.of_part(check):
            found = self.standing(state, answer)
            by_status.setdefault(found.status, []).append(answer.student)
            if found.status == DONE and found.counts:
                points.append(rubric.points(found.counts[1], maximum))
        waiting = frozenset(a.student for a in self.mine(state, who, check) if self.waits(state, who, a))
        return Summary(by_status, points, waiting)

    def waits(self, state: State, who: str, answer: Answer) -> bool:
        """Whether this person still has to mark an answer."""
        digest = self.classroom.digests[answer.student, answer.check]
        return waits_for(state, who, answer, digest, self.standing(state, answer).status)

    def next_open(
        self, state: State, who: str, order: list[Answer], after: Answer | None, is_taken: Callable[[Answer], bool]
    ) -> Answer | None:
        """The next answer in an order that waits for this person and that nobody is at; the first again after the last."""
        start = order.index(after) + 1 if after in order else 0
        taken = None
        for answer in [*order[start:], *order[:start]]:
            if answer != after and self.waits(state, who, answer):
                if not is_taken(answer):
                    return answer
                taken = taken or answer
        return taken
