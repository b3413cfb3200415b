"""Everything that the page works with, in one place: the class, the marks, who is where."""

import hashlib
import hmac
from pathlib import Path

from grader.marking.answers import Answer, Classroom, read_classroom, run_stamp
from grader.marking.claims import Claims
from grader.marking.groups import groups_of, same_as
from grader.marking.people import People
from grader.marking.queue import Queue
from grader.marking.steps import Steps
from grader.marking.store import Ledger


class Desk:
    """One folder of results, open for marking."""

    def __init__(self, folder: Path, lead: str) -> None:
        """Read the class and open its marks.

        Raises:
            NothingToMark, StoreError: If there is nothing to work with.
        """
        self.folder = folder
        classroom = read_classroom(folder)
        self.ledger = Ledger(folder)
        self.people = People(self.ledger, lead)
        self.claims = Claims()
        self._take(classroom)

    def close(self) -> None:
        self.ledger.close()

    def _take(self, classroom: Classroom) -> None:
        secret = self.ledger.secret.encode()
        self.classroom, self.queue = classroom, Queue(classroom)
        self.ids = {student: _id(secret, student) for student in classroom.checks}
        self.students = {number: student for student, number in self.ids.items()}
        self.groups = {check: groups_of(classroom.of_part(check)) for check in classroom.parts}

    def is_behind(self) -> bool:
        """Whether a run has written other results since they were read."""
        return run_stamp(self.folder) != self.classroom.stamp

    def reread(self, classroom: Classroom) -> None:
        """Go on with results as they are now; marks on answers that changed are open again."""
        self._take(classroom)

    def answer(self, check: str, number: str) -> Answer:
        """An answer by the part and its student's number on the page.

        Raises:
            LookupError: If there is none.
        """
        return self.classroom.answers[self.students[number], check]

    def same(self, answer: Answer) -> list[Answer]:
        """The others who gave the same answer."""
        students = self.groups[answer.check].get(same_as(answer), [])
        return [self.classroom.answers[s, answer.check] for s in students if s != answer.student]

    def steps(self, who: str) -> Steps:
        return Steps(self.ledger, self.classroom, who)


def _id(secret: bytes, student: str) -> str:
    """A student's number on the page: it names nobody, and is the same tomorrow."""
    return hmac.new(secret, student.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:12]
