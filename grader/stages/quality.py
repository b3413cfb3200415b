"""Quality: what a trained model is worth. The student's code trains it again in the sandbox; its samples are scored here.

It costs a minute of CPU where all other checks together cost a second, so it is a stage of its own that can be left out:
the points then stay open, and a later run with it gives them.
"""

from dataclasses import replace
from types import ModuleType

from grader.authoring.quality import CannotTrain
from grader.records import Call, ProbeRun, Reading, Submission, Verdict
from grader.rubric.draws import job_of
from grader.sandbox.box import Box
from grader.sandbox.script import merge_cells
from grader.stages.sentences import join
from utils.assignments.places import place_of

_SPARE_CPU_SECONDS = 15.0  # the cells, and loading the data
_WALL_FACTOR = 8  # a worker may have a small share of a core; only what sleeps meets this limit first


def add_quality(
    verdicts: tuple[Verdict, ...], submission: Submission, reading: Reading, box: Box, cpu_seconds: float | None
) -> tuple[tuple[Verdict, ...], float]:
    """Replace the verdict of a part that is graded by retraining.

    Args:
        verdicts: Of a submission, that part still open.
        submission: Its configuration files.
        reading: Its cells.
        box: The sandbox.
        cpu_seconds: Budget of the training; None for the one that the assignment declares, 0 leaves the points open.

    Returns:
        The verdicts, and the CPU seconds that were used.
    """
    declared = reading.assignment.about.quality
    if declared is None:
        return verdicts, 0.0
    cpu_seconds = declared.cpu_seconds if cpu_seconds is None else cpu_seconds
    if not cpu_seconds:
        return tuple(_left_open(v) if v.check.endswith(".quality") else v for v in verdicts), 0.0
    judge = place_of(reading.assignment.notebook).load(declared.module)
    part = next(verdict for verdict in verdicts if verdict.check == judge.PART)
    graded, used = _graded(part, judge, submission, reading, box, cpu_seconds)
    return tuple(graded if verdict is part else verdict for verdict in verdicts), used


def _left_open(verdict: Verdict) -> Verdict:
    return replace(verdict, sentence=f"{verdict.task}: waits for the run that trains your model again.")


def _graded(
    part: Verdict, judge: ModuleType, submission: Submission, reading: Reading, box: Box, cpu_seconds: float
) -> tuple[Verdict, float]:
    def verdict(status: str, text: str, points: float = 0.0, figure: str = "") -> Verdict:
        return replace(part, status=status, sentence=join(f"{part.task}: {text}"), points=points, figure=figure)

    absent = [task.word for task in reading.assignment.tasks if task.id not in {s.task for s in reading.runnable}]
    if absent:
        return verdict(
            "missing", f"your model cannot be trained again without {' and '.join(absent)}: answer that first"
        ), 0.0
    try:
        inputs = judge.inputs(submission.configs, cpu_seconds)
    except CannotTrain as error:
        return verdict(error.status, str(error)), 0.0
    call = Call(judge.PART, judge.TASK, "quality", inputs, is_public=True, wall_seconds=_WALL_FACTOR * cpu_seconds)
    run = box.run(job_of(reading.assignment, merge_cells(reading.runnable), (call,)))
    result = run.runs[call.name]
    if result.status != "ran":
        return verdict(result.status, _why_not(result, cpu_seconds)), run.cpu_seconds
    if (
        run.cpu_seconds > cpu_seconds + _SPARE_CPU_SECONDS
    ):  # the limit that the probe sets can be undone where it is set
        used = f"training took {run.cpu_seconds:.0f} seconds of CPU time, {cpu_seconds:g} are given"
        return verdict("timeout", f"{used}: ask for fewer iterations or smaller layers"), run.cpu_seconds
    points, text = judge.score_values(result.values)
    status = "passed" if points == part.max_points else "partial" if points else "wrong"
    return verdict(
        status, f"{points:g} of {part.max_points:g} points, {text}", points, judge.picture(result.values)
    ), run.cpu_seconds


def _why_not(result: ProbeRun, cpu_seconds: float) -> str:
    if result.error is not None and result.status != "memory":
        text = f"{result.error.type}: {result.error.text}" if result.error.text else result.error.type
        return f"training your model again with your configurations raised {text}"
    if result.status == "timeout":
        return f"training was stopped after {cpu_seconds:g} seconds of CPU time: ask for fewer iterations or smaller layers"
    return {
        "memory": "training asked for more memory than a submission may have: make the layers smaller",
        "malformed": "the process wrote to a channel that is not its own",
    }.get(result.status, "the process ended in the middle of the training: ask for fewer iterations or smaller layers")
