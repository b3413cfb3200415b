"""Error carried forward: one fault has one price, also where a later answer calls the one that has it.

Where a check does not hold and the answer calls earlier ones, it is asked again in a process of its own, with stand-ins
of the grader's own under the earlier names (`STAND_INS` of the notebook's probes). A stand-in is no solution: it is
another function, whose values the grader knows, because the reference solution is asked with the same stand-in. What
then holds earns its points.

The second process may know what the first was sent. So nothing that it says is told, no status, text or time, only whether its
values hold.
"""

import ast
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from grader.authoring.check import Arrays, Check
from grader.authoring.contract import breach
from grader.authoring.judges import judged
from grader.records import Call, CellSource, Job, ProbeRun, Reading, SandboxRun, Verdict
from grader.rubric import Rubric
from grader.rubric.draws import job_of
from grader.sandbox.box import Box
from grader.sandbox.sitting import Sitting
from grader.sandbox.watch import SandboxError
from grader.stages.clock import CHECK_SECONDS, JUDGE_SECONDS, Budget, OutOfTime
from grader.stages.literals import cells_of
from grader.stages.sentences import about_task, join
from utils.notebook.cell_code import parse

_DID_NOT_END = ("timeout", "memory", "killed", "malformed")
CARRY_SECONDS = 120.0  # by the clock: a usual submission takes a tenth of a second
_BEHIND = 10**6  # the number of a cell of ours behind a student's


class Carrier:
    """Asks answers again with stand-ins; what the reference solution returns with them is worked out once a draw."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._known: dict[tuple, dict[str, Arrays]] = {}

    def carry(
        self, verdicts: tuple[Verdict, ...], rubric: Rubric, reading: Reading, run: SandboxRun, asked: tuple[Call, ...],
        seed: int,
    ) -> tuple[tuple[Verdict, ...], float]:  # fmt: skip
        """Judge again what an earlier answer spoils.

        Args:
            verdicts: Of all checks, from `compare`.
            rubric: Checks and reference values.
            reading: What was found in the notebook.
            run: What the sandbox returned the first time.
            asked: All calls, public and drawn.
            seed: Of the drawn ones.

        Returns:
            The verdicts, and the CPU seconds that this has cost.
        """
        kept, spent, left = list(verdicts), 0.0, _Left()
        spoilt: set[str] = set()
        for task in rubric.assignment.tasks:
            failed = {v.check: n for n, v in enumerate(kept) if v.task == task.id and v.status != "passed"}
            if not failed:
                continue
            answer = _Answer(task.id, rubric, reading, run, frozenset(spoilt))
            spoilt.add(task.id)
            for names in answer.attempts:
                held, seconds = self._held(answer, names, set(failed), asked, seed, left)
                spent += seconds
                if held and not answer.is_known(names):
                    names, seconds = self._narrowed(answer, names, held, asked, seed, left)
                    spent += seconds
                    _tell_where(kept, answer, names, {kept[failed[check]].status for check in held})
                for check in held:
                    n = failed.pop(check)
                    kept[n] = answer.passed(kept[n], names)
            for n in failed.values():
                kept[n] = replace(kept[n], sentence=join(kept[n].sentence, answer.remark))
        return tuple(kept), spent

    def _held(
        self, answer: "_Answer", names: tuple[str, ...], checks: set[str], asked: tuple[Call, ...], seed: int,
        left: "_Left",
    ) -> tuple[set[str], float]:  # fmt: skip
        """Which of some checks hold with stand-ins under these names; none where the time is up."""
        tasks = {answer.task} if any(answer.rubric.contract_paid_by(check) for check in checks) else set()
        calls = [call for call in asked if _check_of(call) in checks or call.task in tasks]
        reference = self._reference(answer, names, asked, seed) if checks else {}
        if left.seconds <= 0:
            return set(), 0.0
        began = time.monotonic()
        sitting = Sitting(self._box)
        again = sitting.both(answer.job(names, calls), left.seconds)
        left.seconds -= time.monotonic() - began - sitting.paused_seconds
        held = {name for name in checks if answer.holds(name, names, again, reference, asked, left)}
        return held, again.cpu_seconds

    def _narrowed(
        self, answer: "_Answer", names: tuple[str, ...], held: set[str], asked: tuple[Call, ...], seed: int,
        left: "_Left",
    ) -> tuple[tuple[str, ...], float]:  # fmt: skip
        """The one name whose stand-in alone is enough; all of them where there is none."""
        spent = 0.0
        for name in names if len(names) > 1 else ():
            alone, seconds = self._held(answer, (name,), held, asked, seed, left)
            spent += seconds
            if alone == held:
                return (name,), spent
        return names, spent

    def _reference(
        self, answer: "_Answer", names: tuple[str, ...], asked: tuple[Call, ...], seed: int
    ) -> dict[str, Arrays]:
        rubric = answer.rubric
        key = (rubric.assignment.notebook, answer.task, names, seed)
        if key not in self._known:
            compared = {check.name for check in rubric.checks_of(answer.task) if check.uses_reference}
            calls = tuple(call for call in asked if _check_of(call) in compared)
            if not calls:
                return {}
            cells = tuple(
                replace(cell, stand_ins=names) if answer.task in cell.tasks else cell
                for cell in rubric.references.solution
            )
            run = self._box.run(job_of(rubric.assignment, cells, calls))
            stopped = [call for call, result in run.runs.items() if result.status != "ran"]
            if stopped:
                raise SandboxError(f"the reference solution does not answer {stopped[0]} with stand-ins for {names}")
            self._known[key] = {call: result.values for call, result in run.runs.items()}
        return self._known[key]


@dataclass
class _Left:
    """The time that is left to ask one submission again: a stranger's answers could sleep through each of many attempts."""

    seconds: float = CARRY_SECONDS
    judging: Budget = field(default_factory=lambda: Budget(JUDGE_SECONDS))


@dataclass(frozen=True)
class _Answer:
    """An answer that did not pass, and what it calls."""

    task: str
    rubric: Rubric
    reading: Reading
    run: SandboxRun
    spoilt: frozenset[str]  # tasks before it that did not pass by themselves

    @property
    def attempts(self) -> list[tuple[str, ...]]:
        """Names to be stood in for: first those whose answers are known to be at fault, then all that it calls."""
        if not self._can_run:
            return []
        used = self._used(self.rubric.calls.get(self.task, ()))
        known = tuple(name for name in used if self.is_known((name,)))
        return [names for names in dict.fromkeys((known, used)) if names]

    @property
    def _can_run(self) -> bool:
        cells = {source.task: source.cell for source in self.reading.runnable}
        return self.task in cells and self.run.cells[cells[self.task]].status not in _DID_NOT_END

    def _used(self, names: Iterable[str]) -> tuple[str, ...]:
        source = self.reading.sources.get(self.task)
        tree = parse(source.source)[1] if source else None
        if not isinstance(tree, ast.Module):
            return ()
        found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        return tuple(name for name in names if name in found)

    def earlier(self, name: str) -> list[str]:
        """The tasks before this one that define a name."""
        tasks = [task.id for task in self.rubric.assignment.tasks]
        before = self.rubric.assignment.tasks[: tasks.index(self.task)]
        return [task.id for task in before if name in task.defines]

    def is_known(self, names: tuple[str, ...]) -> bool:
        """Whether each of these names has an answer that did not pass."""
        return all(self.spoilt.intersection(self.earlier(name)) for name in names)

    def job(self, names: tuple[str, ...], asked: list[Call]) -> Job:
        """The cells up to this answer's, which meets the stand-ins."""
        cells: list[CellSource] = []
        for cell in cells_of(self.rubric, self.reading):
            if self.task in cell.tasks:
                cells += self._with_stand_ins(cell, names)
                break
            if self.run.cells[cell.cell].status not in _DID_NOT_END:
                cells.append(cell)
        return job_of(self.rubric.assignment, tuple(cells), tuple(asked))

    def _with_stand_ins(self, cell: CellSource, names: tuple[str, ...]) -> list[CellSource]:
        """The cell with the stand-ins in place before it; behind it those that it defines itself, for another task."""
        own = next(task.defines for task in self.rubric.assignment.tasks if task.id == self.task)
        behind = tuple(n for n in names if n not in own and set(self.earlier(n)).intersection(cell.tasks))
        before = replace(cell, stand_ins=tuple(name for name in names if name not in behind))
        if not behind:
            return [before]
        return [replace(before, tasks=()), CellSource(cell.cell + _BEHIND, "", (self.task,), behind)]

    def holds(
        self,
        check: str,
        names: tuple[str, ...],
        again: SandboxRun,
        reference: dict[str, Arrays],
        asked: tuple[Call, ...],
        left: "_Left",
    ) -> bool:
        """Whether every case of a check does."""
        own = next(one for one in self.rubric.checks if one.name == check)
        cases = [call for call in asked if _check_of(call) == check]
        contract = self.rubric.contract_paid_by(check)
        if contract and any(breach(contract, result.facts) for result in again.runs.values()):
            return False
        runs = again.runs
        return all(self._holds(own, names, runs[c.name], reference.get(c.name, {}), c, left) for c in cases)

    def _holds(
        self, check: Check, names: tuple[str, ...], result: ProbeRun, reference: Arrays, call: Call, left: "_Left"
    ) -> bool:
        inputs = call.inputs
        for name in names:
            if not check.uses_reference and name in self.rubric.as_if:
                inputs = self.rubric.as_if[name](inputs)
        try:
            with left.judging.share(CHECK_SECONDS):
                return (
                    result.status == "ran" and judged(check, result.values, reference, inputs, call.is_public) is None
                )
        except (OutOfTime, MemoryError):
            return False

    def passed(self, verdict: Verdict, names: tuple[str, ...]) -> Verdict:
        """The verdict of a check that holds with stand-ins."""
        where = f"{about_task(self.task, self.reading.sources[self.task].cell)}: {verdict.title}"
        sentence = (
            f"{where}. Asked with a stand-in for your {_list(names)}, which did not pass: that costs nothing here"
            if self.is_known(names)
            else f"{where}. Asked with a stand-in for your {_list(names)}: with yours it does not hold, so look there"
        )
        return replace(verdict, status="passed", points=verdict.max_points, sentence=join(sentence), slip="")

    @property
    def remark(self) -> str:
        """What an answer that does not hold with stand-ins either is told of those it calls."""
        spoilt = [name for task in self.rubric.assignment.tasks if task.id in self.spoilt for name in task.defines]
        used = self._used(dict.fromkeys(spoilt))
        if not used:
            return ""
        called = f"It calls your {_list(used)}, which did not pass"
        if self._can_run and set(used) <= set(self.rubric.calls.get(self.task, ())):
            return f"{called}, but with a stand-in in its place this does not hold either"
        return f"{called}: mend that first"


def _tell_where(verdicts: list[Verdict], answer: _Answer, names: tuple[str, ...], statuses: set[str]) -> None:
    """Name a fault of an answer that passed, where it is: at the first of its checks."""
    for name in names:
        for task in answer.earlier(name):
            first = next(n for n, verdict in enumerate(verdicts) if verdict.task == task)
            said = (
                f"{answer.task} calls it with other shapes than these checks, and it stops there"
                if "raised" in statuses
                else f"Called by {answer.task} with inputs that these checks do not have, it returns something else than it should"
            )
            verdicts[first] = replace(verdicts[first], sentence=join(verdicts[first].sentence, said))


def _check_of(call: Call) -> str:
    return call.name.split("#")[0]


def _list(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
