"""Compare: the student's process is gone, its arrays are here; each check becomes a verdict with one sentence.

The sentence of a check is made from public cases only: from inputs that every student may know, and from what the
process said before it had seen any other. Of the inputs drawn for a submission only this is told: whether they hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.authoring.check import Arrays, Check
from grader.authoring.contract import PRICE, breach
from grader.authoring.judges import excess, judged, tolerance
from grader.records import Call, ProbeRun, Reading, SandboxRun, Verdict
from grader.rubric import Rubric
from grader.rubric.references import Slip
from grader.stages.clock import CHECK_SECONDS, JUDGE_SECONDS, Budget, OutOfTime
from grader.stages.outside import OUTSIDE
from grader.stages.sentences import about_error, about_limit, about_task, hidden_sentence, join, next_step
from grader.stages.written import parts_for_a_person
from utils.assignments import Task
from utils.notebook.cell_code import names_read


def compare(
    rubric: Rubric, reading: Reading, run: SandboxRun, calls: tuple[Call, ...], fresh: dict[str, Arrays]
) -> tuple[Verdict, ...]:
    """Judge a submission.

    Args:
        rubric: Checks and reference values.
        reading: What was found in the notebook.
        run: What the sandbox returned.
        calls: All calls that were made, public and drawn.
        fresh: The reference outputs of the drawn ones.

    Returns:
        One verdict for each check, in the rubric's order, then one for each part that a person grades.
    """
    verdicts: list[Verdict] = []
    judge = _Judge(rubric, reading, run, calls, fresh)
    time_left = Budget(JUDGE_SECONDS)
    for question in rubric.assignment.questions:
        numbers = _numbers(question.number, sum(len(rubric.checks_of(task.id)) for task in question.tasks))
        for task in question.tasks:
            failed = {verdict.task for verdict in verdicts if verdict.status != "passed"}
            reason = _not_run(task, reading, run)
            remark = reading.remarks.get(task.id, "")  # behind the first check alone
            for check in rubric.checks_of(task.id):
                found = reason or judge.in_time(time_left, check, task, failed)
                verdicts.append(
                    Verdict(
                        check=check.name,
                        task=task.id,
                        title=check.title,
                        number=next(numbers),
                        status=found.status,
                        points=check.points if found.status == "passed" else found.kept,
                        max_points=check.points,
                        sentence=join(found.sentence, remark),
                        slip=found.slip,
                    )
                )
                remark = ""
    return (*verdicts, *_manual(reading))


@dataclass(frozen=True)
class Finding:
    """What is found of one check: a verdict without its place in the rubric."""

    status: str
    sentence: str
    slip: str = ""
    kept: float = 0.0  # points that are left where it is not passed


def _numbers(question: str, checks: int) -> Iterator[str]:
    return iter([question] if checks == 1 else [f"{question}.{n}" for n in range(1, checks + 1)])


def _not_run(task: Task, reading: Reading, run: SandboxRun) -> Finding | None:
    """Why a task's checks could not be made at all."""
    source = reading.sources.get(task.id)
    if source is None:
        return Finding("missing", reading.missing[task.id])
    where = about_task(task.id, source.cell)
    if source.is_untouched:
        return Finding("missing", f"{where}: the gap is still as it was given. Fill it and run the TEST cell below it.")
    if source.syntax_error:
        return Finding(
            "raised",
            f"{where}: the cell does not parse, {source.syntax_error}. Run the cell; the notebook marks the place.",
        )
    if task.id in reading.forbidden:
        uses = reading.forbidden[task.id]
        return Finding("forbidden", f"{where}: {uses}. Write it with the imports of the first cell.")
    cell = run.cells[source.cell]
    if cell.status in ("timeout", "memory", "killed", "malformed"):
        return Finding(cell.status, f"{where}: {about_limit(cell)} while the cell itself ran.")
    return None


@dataclass(frozen=True)
class _Judge:
    """Everything that the checks of one submission are judged with; see `compare`."""

    rubric: Rubric
    reading: Reading
    run: SandboxRun
    calls: tuple[Call, ...]
    fresh: dict[str, Arrays]

    def in_time(self, time_left: Budget, check: Check, task: Task, failed: set[str]) -> Finding:
        """Judge a check, but not for longer than its share of the time."""
        try:
            with time_left.share(CHECK_SECONDS):
                found = self._found(check, task, failed)
                if found.status == "passed":
                    return self._broken(check, task) or found
                return self._disturbed(check, task, found) if found.slip else found
        except (OutOfTime, MemoryError):
            return Finding(
                "wrong",
                f"{self._where(task)}: what came back takes too long to judge. Return what is asked for, and no more.",
            )

    def _where(self, task: Task) -> str:
        return about_task(task.id, self.reading.sources[task.id].cell)

    def _broken(self, check: Check, task: Task) -> Finding | None:
        """A promise that the calls of a task broke, of the check that pays for it."""
        contract = self.rubric.contract_paid_by(check.name)
        if contract is None:
            return None
        kept = max(0.0, check.points - PRICE)
        status = "partial" if kept else "wrong"
        for call in self.calls:
            if call.is_public and call.task == task.id and (found := breach(contract, self.run.runs[call.name].facts)):
                return Finding(status, join(f"{self._where(task)}: {found.text}"), found.slip, kept)
        return None

    def _disturbed(self, check: Check, task: Task, found: Finding) -> Finding:
        """As found, but for the name: where calls change what other calls are given or have returned, that is what it comes from."""
        contract = next((one for one in self.rubric.contracts if one.task == task.id), None)
        if contract is None:
            return found
        own = [call for call in self.calls if call.is_public and call.check == check.name]
        broken = [breach(contract, self.run.runs[call.name].facts) for call in own]
        told = next((one for one in broken if one and one.slip in ("argument_changed", "answer_reused")), None)
        return replace(found, sentence=join(f"{self._where(task)}: {told.text}"), slip=told.slip) if told else found

    def _found(self, check: Check, task: Task, failed: set[str]) -> Finding:
        where = self._where(task)
        own = [call for call in self.calls if call.check == check.name]
        for call in own:
            result = self.run.runs[call.name]
            if result.status != "ran" and not call.is_public:  # how it ended: up to a process that knew hidden inputs
                return Finding("wrong", f"{where}: {hidden_sentence()}")
            if result.status != "ran":
                return self._stopped(result, call, where)
            reference = (self.rubric.references.outputs if call.is_public else self.fresh).get(call.name, {})
            symptom = judged(check, result.values, reference, call.inputs, call.is_public)
            if symptom is None:
                continue
            if not call.is_public:
                return Finding("wrong", f"{where}: {hidden_sentence()}")
            if symptom.slip:
                return Finding("wrong", join(f"{where}: {symptom.text}"), symptom.slip)
            if _depends(self.reading, task.id, failed):  # the same values as a slip, but the slip was made elsewhere
                return Finding("wrong", join(f"{where}: {symptom.text}"))
            if (slip := _slip(task.id, self.rubric, self.run, call.name)) is None:
                return Finding("wrong", join(f"{where}: {symptom.text}"))
            return Finding("wrong", join(f"{where}: {symptom.text}", slip.sentence), slip.name)
        return Finding("passed", join(f"{where}: {check.title}", self._advice(check, own)))

    def _advice(self, check: Check, own: list[Call]) -> str:
        """What is worth a word though it costs nothing, from the public cases."""
        if check.advice is None:
            return ""
        advised = replace(check, judge=check.advice)
        for call in own:
            reference, values = self.rubric.references.outputs.get(call.name, {}), self.run.runs[call.name].values
            if call.is_public and (symptom := judged(advised, values, reference, call.inputs)):
                return f"Advice, no points: {symptom.text}"
        return ""

    def _stopped(self, result: ProbeRun, call: Call, where: str) -> Finding:
        """A public call that returned nothing."""
        if result.error is None:
            said = f"{where}: {about_limit(result)} when it was called. {next_step(result)}"
            return Finding(result.status, said)
        return Finding(result.status, join(about_error(result, call.task, where, self.reading, self.run)))


def _slip(task: str, rubric: Rubric, run: SandboxRun, failed: str) -> Slip | None:
    """The known slip that returns the same as this answer, in all that it returns, and is wrong in the call that failed."""
    return next((one for one in rubric.references.slips_of(task) if _is_made(one, rubric, run, failed)), None)


def _is_made(slip: Slip, rubric: Rubric, run: SandboxRun, failed: str) -> bool:
    checks = {check.name: check for check in rubric.checks_of(slip.task)}
    is_told = False
    for call in sorted(slip.outputs.keys() & run.runs.keys(), key=lambda call: (call != failed, call)):
        check, own = checks[call.split("#")[0]], slip.outputs[call]
        is_near = _is_near(run.runs[call].values, own, check)
        if call == failed and not is_near:
            return False
        if _is_near(own, rubric.references.outputs[call], check):  # a right answer returns that too
            if call == failed:
                return False
        elif not is_near:
            return False
        else:
            is_told = True
    return is_told


def _is_near(one: Arrays, other: Arrays, check: Check) -> bool:
    """Whether two answers are the same, as nearly as a right one must equal the reference.

    A slip's own numbers come from the machine that made the references: no more can be asked of another one's rounding.
    """
    steady = [{n: value for n, value in values.items() if n not in check.unsteady} for values in (one, other)]
    return excess(steady[0], steady[1], *tolerance(check)) <= 1


def _depends(reading: Reading, task: str, failed: set[str]) -> bool:
    """Whether this answer uses one that did not pass. What a docstring or a comment mentions, it does not use."""
    used = names_read(reading.sources[task].source)
    return any(
        other.id in failed and other.id != task and used.intersection(other.defines)
        for other in reading.assignment.tasks
    )


def _manual(reading: Reading) -> list[Verdict]:
    """Parts that a person grades; a question nobody has written under needs no person."""
    verdicts = []
    for question in reading.assignment.questions:
        for n, (name, part) in enumerate(parts_for_a_person(question), 1):
            beside = OUTSIDE in next((written.text for written in reading.written if written.check == name), "")
            empty = part.kind == "manual" and not beside and not _has_answer(reading, question.id, n)
            status = "missing" if empty else "manual"
            sentence = (
                f"{question.id}: no answer was found. Write it in the cell that begins **RESPONSE:** below the question."
                if empty
                else f"{question.id}: waits for a person{', who also sees what stands outside the RESPONSE cell' if beside else ''}."
            )
            verdicts.append(
                Verdict(
                    check=name,
                    task=question.id,
                    title=question.title,
                    number=question.number,
                    status=status,
                    points=0.0,
                    max_points=part.points,
                    sentence=sentence,
                )
            )
    return verdicts


def _has_answer(reading: Reading, question: str, part: int) -> bool:
    """Whether the response cell of a part is filled; with fewer cells than parts, any filled one counts."""
    answered = reading.answered[question]
    return answered[part - 1] if part <= len(answered) else any(answered)
