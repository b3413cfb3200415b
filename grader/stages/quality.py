"""Quality: what a trained model is worth. The student's code trains it again in the sandbox; its samples are scored here.

It costs a minute of CPU where all other checks together cost a second, so it is a stage of its own that can be left out:
the points then stay open, and a later run with it gives them.
"""

from types import ModuleType

from grader.authoring.trained_again import CannotTrain
from grader.records import Call, Measured, ProbeRun, Reading, Submission
from grader.rubric.draws import job_of
from grader.sandbox.script import merge_cells
from grader.sandbox.sitting import Sitting
from utils.assignments.places import place_of

_SPARE_CPU_SECONDS = 15.0  # the cells, and loading the data
_WALL_FACTOR = 2  # who sleeps is stopped here; so is honest training with less than half a core for each worker


def retrain(
    submission: Submission, reading: Reading, sitting: Sitting, cpu_seconds: float | None, secret: bytes
) -> tuple[Measured, ...]:
    """Train a student's model again and score what it draws. A public run: it must come before any hidden input.

    Args:
        submission: Its configuration files.
        reading: Its cells.
        sitting: The submission before the sandbox, nothing hidden sent yet.
        cpu_seconds: Budget of the training; None for the one that the assignment declares, 0 leaves the points open.
        secret: Of the course, for what the judge draws itself; no process of a student's sees it.

    Returns:
        The outcome, which says so where nothing is to be trained now; none where the notebook has no such part.

    Raises:
        SandboxError: If the sandbox failed, or hidden inputs have been sent already.
    """
    declared = reading.assignment.about.quality
    if declared is None:
        return ()
    cpu_seconds = declared.cpu_seconds if cpu_seconds is None else cpu_seconds
    judge = place_of(reading.assignment.notebook).load(declared.module)
    if not cpu_seconds:
        return (Measured(judge.PART, "manual", "waits for the run that trains your model again"),)
    return (_retrained(judge, submission, reading, sitting, cpu_seconds, secret),)


def _retrained(
    judge: ModuleType, submission: Submission, reading: Reading, sitting: Sitting, cpu_seconds: float, secret: bytes
) -> Measured:
    absent = [task.word for task in reading.assignment.tasks if task.id not in {s.task for s in reading.runnable}]
    if absent:
        text = f"your model cannot be trained again without {' and '.join(absent)}: answer that first"
        return Measured(judge.PART, "missing", text)
    try:
        inputs = judge.inputs(submission.configs, cpu_seconds, secret)
    except CannotTrain as error:
        return Measured(judge.PART, error.status, str(error))
    call = Call(judge.PART, judge.TASK, "quality", inputs, is_public=True, wall_seconds=_WALL_FACTOR * cpu_seconds)
    run = sitting.public(job_of(reading.assignment, merge_cells(reading.runnable), (call,)))
    result, used = run.runs[call.name], run.cpu_seconds
    if result.status != "ran":
        return Measured(judge.PART, result.status, _why_not(result, cpu_seconds), cpu_seconds=used)
    if used > cpu_seconds + _SPARE_CPU_SECONDS:  # the limit that the probe sets can be undone where it is set
        text = f"training took {used:.0f} seconds of CPU time, {cpu_seconds:g} are given"
        text = f"{text}: ask for fewer iterations or smaller layers"
        return Measured(judge.PART, "timeout", text, cpu_seconds=used)
    points, text = judge.score_values(result.values, submission.configs, secret)
    figure = judge.picture(result.values, submission.configs, secret)
    if points is None:
        return Measured(judge.PART, "manual", text, figure=figure, cpu_seconds=used)
    status = "passed" if points == judge.POINTS else "partial" if points else "wrong"
    text = f"{points:g} of {judge.POINTS:g} points, {text}"
    return Measured(check=judge.PART, status=status, text=text, points=points, figure=figure, cpu_seconds=used)


def _why_not(result: ProbeRun, cpu_seconds: float) -> str:
    if result.error is not None and result.status != "memory":
        text = f"{result.error.type}: {result.error.text}" if result.error.text else result.error.type
        return f"training your model again with your configurations raised {text}"
    if result.status == "timeout":
        limit = f"{cpu_seconds:g} seconds of CPU time, or {_WALL_FACTOR * cpu_seconds:g} seconds by the clock"
        return f"training was stopped after {limit}: ask for fewer iterations or smaller layers"
    return {
        "memory": "training asked for more memory than a submission may have: make the layers smaller",
        "malformed": "the process wrote to a channel that is not its own",
    }.get(result.status, "the process ended in the middle of the training: ask for fewer iterations or smaller layers")
