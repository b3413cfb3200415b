"""One question graded again for everybody; whatever else stands in a student's results stays, byte for byte.

    everybody is graded  ->  of the new results the tests of this question are taken  ->  into the results there were

Left as they are, and named: who has handed in something else since, and where either result is none (rejected, our fault).
Earlier results without their seal are nobody's: all of that hand-in is graded, and the run says so.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader.classes.batch import Settings, encoded, is_sealed, key_of, sealed
from grader.classes.results_folder import ResultsFolder
from grader.classes.run import work_of
from grader.platforms import HandIn
from grader.report.results import output_of, status_of
from grader.report.statistics import is_graded
from utils.assignments import Assignment, all_assignments

Results = dict[str, Any]
_SHOWN = 5


class NoQuestion(ValueError):
    """No such question, or nothing that it could be graded again in; the message is one sentence."""


@dataclass
class Regrade:
    """A run that touches one question."""

    question: str
    assignment: Assignment
    settings: Settings  # what everybody's results hold with
    folder: ResultsFolder
    hand_ins: dict[str, HandIn]
    left: list[str] = field(default_factory=list)
    anew: list[str] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, question: str, hand_ins: Sequence[HandIn], settings: Settings, folder: ResultsFolder) -> "Regrade":
        """Prepare a run.

        Raises:
            NoQuestion: If no notebook asks it, or nobody has results yet.
        """
        owners = [one for one in all_assignments() if question in {q.id for q in one.questions}]
        if not owners:
            known = [q.id for one in all_assignments() for q in one.questions if one.notebook == settings.notebook]
            hint = f"; there is {', '.join(known)}" if known else ""
            raise NoQuestion(f"No notebook asks {question[:60]!r}{hint}.")
        found = cls(question, owners[0], settings, folder, {hand_in.student: hand_in for hand_in in hand_ins})
        if not any(folder.results(student) for student in found.hand_ins):
            raise NoQuestion(f"{folder.path} holds no results: grade once without --question.")
        return found

    @property
    def to_grade_with(self) -> Settings:
        """Settings for the run: no model is trained again for another question's points."""
        own = [q for q in self.assignment.questions if q.id == self.question]
        return self.settings if own[0].points_of("quality") else replace(self.settings, quality_seconds=0)

    def untouched(self) -> dict[str, Results]:
        """Results that are not graded at all: of other notebooks, and those that are no results."""
        found = {student: self._earlier(student) for student in self.hand_ins}
        return {
            student: results
            for student, results in found.items()
            if results and (results["extra_data"]["notebook"] != self.assignment.notebook or not is_graded(results))
        }

    def _earlier(self, student: str) -> Results | None:
        """What a run of this course wrote for a student: what was edited since would get a seal here, and be believed for good."""
        results = self.folder.results(student)
        return results if results is not None and is_sealed(results, self.settings) else None

    def merge(self, data: bytes) -> bytes:
        """New results of a student as they are to be written."""
        new = json.loads(data)
        student = new["extra_data"]["student"]
        old = self._earlier(student)
        if old is None:
            self.anew.append(student)
            return data
        is_same = old["extra_data"]["submission_sha256"] == new["extra_data"]["submission_sha256"]
        if not is_same or not is_graded(new):
            self.left.append(student)
            return encoded(old)
        self.count += 1
        merged = self._merged(old, new)
        work, _ = work_of(self.hand_ins[student])
        merged["extra_data"]["key"] = key_of(work, self.settings, self.assignment.notebook)
        return sealed(merged, self.settings)

    def _merged(self, old: Results, new: Results) -> Results:
        merged = copy.deepcopy(old)
        ours = {test["extra_data"]["check"]: test for test in new["tests"] if self._is_own(test)}
        checks, tests = set(ours), []
        for test in merged["tests"]:
            if not self._is_own(test):
                tests.append(test)
            elif (again := ours.pop(test["extra_data"]["check"], None)) is not None:
                tests.append(again)
        merged["tests"] = tests + list(ours.values())  # a check that there was not stands at the end
        extra = merged["extra_data"]
        fresh = {part["check"]: part for part in new["extra_data"]["written"] if part["check"] in checks}
        extra["written"] = [fresh.pop(part["check"], part) for part in extra["written"]] + list(fresh.values())
        merged["score"] = sum(test.get("score", 0) for test in merged["tests"])
        waits = [test["extra_data"] for test in merged["tests"] if test["extra_data"]["status"] == "manual"]
        extra["pending_points"] = sum(facts["points"] for facts in waits)
        extra["status"] = status_of([t["extra_data"]["status"] for t in merged["tests"] if "max_score" in t])
        extra["regraded"] = extra.get("regraded", {}) | {self.question: new["extra_data"]["grader"].get("rubric", "")}
        merged["output"] = output_of(extra["repairs"], extra["pending_points"])
        return merged

    def _is_own(self, test: dict[str, Any]) -> bool:
        task = test["extra_data"]["task"]
        return task == self.question or task in {
            task.id for q in self.assignment.questions if q.id == self.question for task in q.tasks
        }

    def said(self) -> str:
        """What the run has done, in sentences."""
        said = f"{self.question} graded again for {self.count} hand-ins; everything else is as it was."
        if self.left:
            said += f" Left as they were, for their hand-in has changed or could not be graded: {_named(self.left)}."
        if self.anew:
            said += f" Graded as a whole, for there were no results with a seal of this course: {_named(self.anew)}."
        return said


def _named(students: list[str]) -> str:
    return ", ".join(sorted(students)[:_SHOWN]) + (" and more" if len(students) > _SHOWN else "")
