"""Compare: the student's process is gone, its arrays are here; each check becomes a verdict with one sentence.

The sentence of a check is made from public cases only: from inputs that every student may know, and from what the
process said before it had seen any other. Of the inputs drawn for a submission only this is told: whether they hold.
"""

import re
from dataclasses import replace

from grader.authoring.check import Arrays, Check
from grader.authoring.contract import PRICE, Contract, breach
from grader.authoring.judges import excess, judged, tolerance
from grader.records import Call, ProbeRun, Reading, SandboxRun, Verdict
from grader.rubric import Rubric
from grader.stages.clock import CHECK_SECONDS, JUDGE_SECONDS, Budget, OutOfTime
from grader.stages.sentences import about_error, about_limit, about_task, hidden_sentence, join, next_step
from grader.stages.written import parts_for_a_person
from utils.assignments import Task


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
    time_left = Budget(JUDGE_SECONDS)
    for question in rubric.assignment.questions:
        numbers = _numbers(question.number, sum(len(rubric.checks_of(task.id)) for task in question.tasks))
        for task in question.tasks:
            failed = {verdict.task for verdict in verdicts if verdict.status != "passed"}
            reason = _not_run(task, reading, run)
            remark = reading.remarks.get(task.id, "")  # behind the first check alone
            for check in rubric.checks_of(task.id):
                status, sentence, slip = reason or _in_time(
                    time_left, check, task, rubric, reading, run, calls, fresh, failed
                )
                points = check.points if status == "passed" else 0.0
                contract = rubric.contract_paid_by(check.name)
                if status == "passed" and contract and (broken := _broken(contract, reading, run, calls)):
                    sentence, slip = broken
                    points = max(0.0, check.points - PRICE)
                    status = "partial" if points else "wrong"
                sentence, remark = join(sentence, remark), ""
                verdicts.append(
                    Verdict(
                        check.name, task.id, check.title, next(numbers), status, points, check.points, sentence, slip
                    )
                )
    return (*verdicts, *_manual(reading))


def _numbers(question: str, checks: int):
    return iter([question] if checks == 1 else [f"{question}.{n}" for n in range(1, checks + 1)])


def _not_run(task: Task, reading: Reading, run: SandboxRun) -> tuple[str, str, str] | None:
    """Why a task's checks could not be made at all: (status, sentence, slip)."""
    source = reading.sources.get(task.id)
    if source is None:
        return "missing", reading.missing[task.id], ""
    where = about_task(task.id, source.cell)
    if source.is_untouched:
        return "missing", f"{where}: the gap is still as it was given. Fill it and run the TEST cell below it.", ""
    if source.syntax_error:
        return (
            "raised",
            f"{where}: the cell does not parse, {source.syntax_error}. Run the cell; the notebook marks the place.",
            "",
        )
    if task.id in reading.forbidden:
        return "forbidden", f"{where}: {reading.forbidden[task.id]}. Write it with the imports of the first cell.", ""
    cell = run.cells[source.cell]
    if cell.status in ("timeout", "memory", "killed", "malformed"):
        return cell.status, f"{where}: {about_limit(cell)} while the cell itself ran.", ""
    return None


def _in_time(
    time_left: Budget, check: Check, task: Task, rubric: Rubric, reading: Reading, *others
) -> tuple[str, str, str]:
    try:
        with time_left.share(CHECK_SECONDS):
            return _judge(check, task, rubric, reading, *others)
    except (OutOfTime, MemoryError):
        where = about_task(task.id, reading.sources[task.id].cell)
        return "wrong", f"{where}: what came back takes too long to judge. Return what is asked for, and no more.", ""


def _judge(
    check: Check,
    task: Task,
    rubric: Rubric,
    reading: Reading,
    run: SandboxRun,
    calls: tuple[Call, ...],
    fresh: dict[str, Arrays],
    failed: set[str],
) -> tuple[str, str, str]:
    where = about_task(task.id, reading.sources[task.id].cell)
    own = [call for call in calls if call.name.split("#")[0] == check.name]
    for call in own:
        result = run.runs[call.name]
        if result.status != "ran" and not call.is_public:  # how it ended was up to a process that knew hidden inputs
            return "wrong", f"{where}: {hidden_sentence()}", ""
        if result.status != "ran":
            return _stopped(result, call, where, reading, run)
        reference = (rubric.references.outputs if call.is_public else fresh).get(call.name, {})
        symptom = judged(check, result.values, reference, call.inputs)
        if symptom is None:
            continue
        if not call.is_public:
            return "wrong", f"{where}: {hidden_sentence()}", ""
        if symptom.slip:
            return "wrong", join(f"{where}: {symptom.text}"), symptom.slip
        if _depends(reading, task.id, failed):  # the same values as a slip, but the slip was made elsewhere
            return "wrong", join(f"{where}: {symptom.text}"), ""
        slip = _slip(task.id, rubric, run)
        return "wrong", join(f"{where}: {symptom.text}", slip.sentence if slip else ""), slip.name if slip else ""
    return "passed", join(f"{where}: {check.title}", _advice(check, rubric, run, own)), ""


def _broken(contract: Contract, reading: Reading, run: SandboxRun, calls: tuple[Call, ...]) -> tuple[str, str] | None:
    """A promise that the calls of a task broke: (sentence, slip)."""
    where = about_task(contract.task, reading.sources[contract.task].cell)
    for call in calls:
        if call.task == contract.task and (found := breach(contract, run.runs[call.name].facts)):
            if not call.is_public:
                return f"{where}: {hidden_sentence()}", ""
            return join(f"{where}: the values are right, but {found.text}"), found.slip
    return None


def _advice(check: Check, rubric: Rubric, run: SandboxRun, own: list[Call]) -> str:
    """What is worth a word though it costs nothing, from the public cases."""
    if check.advice is None:
        return ""
    advised = replace(check, judge=check.advice)
    for call in own:
        reference = rubric.references.outputs.get(call.name, {})
        if call.is_public and (symptom := judged(advised, run.runs[call.name].values, reference, call.inputs)):
            return f"Advice, no points: {symptom.text}"
    return ""


def _stopped(result: ProbeRun, call: Call, where: str, reading: Reading, run: SandboxRun) -> tuple[str, str, str]:
    if result.error is None:
        return (
            result.status,
            f"{where}: {about_limit(result)} when it was called. {next_step(result)}",
            "",
        )
    return result.status, join(about_error(result, call.task, where, reading, run)), ""


def _slip(task: str, rubric: Rubric, run: SandboxRun):
    """The known slip that returns the same as this answer, in all that it returns."""
    tolerances = {check.name: tolerance(check) for check in rubric.checks_of(task)}
    for slip in rubric.references.slips_of(task):
        same = [
            _same(values, run.runs[call].values, rubric.references.outputs[call], *tolerances[call.split("#")[0]])
            for call, values in slip.outputs.items()
            if call in run.runs
        ]
        if any(same) and all(verdict is not False for verdict in same):
            return slip
    return None


def _same(slip: Arrays, got: Arrays, reference: Arrays, rtol: float, atol: float) -> bool | None:
    """Whether an answer equals the slip's, as nearly as a right one must equal the reference; None where these two do.

    A slip's own numbers come from the machine that made the references: no more can be asked of another one's rounding.
    """
    if excess(slip, reference, rtol, atol) <= 1:
        return None
    return excess(got, slip, rtol, atol) <= 1


def _depends(reading: Reading, task: str, failed: set[str]) -> bool:
    """Whether this answer calls one that did not pass."""
    source = reading.sources[task].source
    return any(
        other.id in failed and other.id != task and any(_calls(source, name) for name in other.defines)
        for other in reading.assignment.tasks
    )


def _calls(source: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\(", source) is not None  # SimpleVAE( does not call VAE


def _manual(reading: Reading) -> list[Verdict]:
    """Parts that a person grades; a question nobody has written under needs no person."""
    verdicts = []
    for question in reading.assignment.questions:
        for n, (name, part) in enumerate(parts_for_a_person(question), 1):
            empty = part.kind == "manual" and not _has_answer(reading, question.id, n)
            status = "missing" if empty else "manual"
            sentence = (
                f"{question.id}: no answer was found. Write it in the cell that begins **RESPONSE:** below the question."
                if empty
                else f"{question.id}: waits for a person."
            )
            verdicts.append(
                Verdict(name, question.id, question.title, question.number, status, 0.0, part.points, sentence)
            )
    return verdicts


def _has_answer(reading: Reading, question: str, part: int) -> bool:
    """Whether the response cell of a part is filled; with fewer cells than parts, any filled one counts."""
    answered = reading.answered[question]
    return answered[part - 1] if part <= len(answered) else any(answered)
