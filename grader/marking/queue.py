"""In which order a person meets the answers: shuffled for each marker, so that nobody is always read last."""

from collections.abc import Callable

from grader.marking.answers import Answer, Classroom
from grader.marking.standing import Standing, standing, waits_for
from grader.marking.state import State, lot


class Queue:
    """The answers of a classroom as one person goes through them."""

    def __init__(self, classroom: Classroom) -> None:
        self.classroom = classroom
        self._orders: dict[tuple[str, str], list[Answer]] = {}
        self._of_part: dict[str, list[Answer]] = {check: [] for check in classroom.parts}
        for answer in classroom.answers.values():
            if not answer.is_missing:
                self._of_part[answer.check].append(answer)

    def order(self, who: str, check: str) -> list[Answer]:
        """All answers to a part, in this person's order."""
        if (who, check) not in self._orders:
            answers = self._of_part.get(check, [])
            self._orders[who, check] = sorted(answers, key=lambda answer: lot(who, check, answer.student))
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
        digest = self.classroom.digests[answer.student, answer.check]
        return standing(state, answer, digest, self.classroom.parts[answer.check].points)

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
