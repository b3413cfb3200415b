"""The answers of which not all holds, and what they call: what `carried` asks again."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from grader.records import Reading, SandboxRun, Verdict
from grader.rubric import Rubric
from utils.notebook.cell_code import names_read

DID_NOT_END = ("timeout", "memory", "killed", "malformed")


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer that did not pass, and what it calls."""

    task: str
    rubric: Rubric
    reading: Reading
    run: SandboxRun
    spoilt: frozenset[str]  # tasks before it that did not pass by themselves
    failed: frozenset[str]  # its checks that do not hold

    @cached_property
    def attempts(self) -> list[tuple[str, ...]]:
        """Names to be stood in for: first those whose answers are known to be at fault, then all that it calls."""
        if not self.can_run:
            return []
        used = self.used(self.rubric.may_call.get(self.task, ()))
        known = tuple(name for name in used if self.is_known((name,)))
        return [names for names in dict.fromkeys((known, used)) if names]

    @property
    def can_run(self) -> bool:
        """Whether its cell ran and came to an end, with an error or without."""
        cells = {source.task: source.cell for source in self.reading.runnable}
        return self.task in cells and self.run.cells[cells[self.task]].status not in DID_NOT_END

    def used(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of some names that its cell reads."""
        source = self.reading.sources.get(self.task)
        found = names_read(source.source) if source else set()
        return tuple(name for name in names if name in found)

    def earlier(self, name: str) -> list[str]:
        """The tasks before this one that define a name."""
        tasks = [task.id for task in self.rubric.assignment.tasks]
        before = self.rubric.assignment.tasks[: tasks.index(self.task)]
        return [task.id for task in before if name in task.defines]

    def is_known(self, names: tuple[str, ...]) -> bool:
        """Whether each of these names has an answer that did not pass."""
        return all(self.spoilt.intersection(self.earlier(name)) for name in names)


def spoilt_answers(verdicts: tuple[Verdict, ...], rubric: Rubric, reading: Reading, run: SandboxRun) -> list[Answer]:
    """The answers of which not all holds, in the notebook's order."""
    found: list[Answer] = []
    for task in rubric.assignment.tasks:
        failed = frozenset(v.check for v in verdicts if v.task == task.id and v.status != "passed")
        if failed:
            spoilt = frozenset(one.task for one in found)
            found.append(Answer(task.id, rubric, reading, run, spoilt=spoilt, failed=failed))
    return found
