"""Trained: what handed-in weights are worth. Their numbers are measured here; the student's class only shows that they are its own.

Without weights, or where it cannot be told whose they are, the points wait for a person, as they do without this stage.
"""

from dataclasses import replace
from types import ModuleType

from grader.authoring.trained import Score, State, is_copied, weights_as_inputs
from grader.authoring.trained_again import CannotTrain
from grader.records import Call, Measured, ProbeRun, Reading, Submission
from grader.rubric.draws import job_of
from grader.sandbox.script import merge_cells
from grader.sandbox.sitting import Sitting
from grader.stages.clock import in_time
from utils.assignments.about import Weights as DeclaredWeights
from utils.assignments.places import place_of
from utils.training.weights import Weights, WeightsError, code_digests, count, read_weights, why_stale

_JUDGE_SECONDS = (
    20.0  # of CPU time, for each share; the usual ones take half a second, convolutions without AVX ten times as long
)


def measure(submission: Submission, reading: Reading, sitting: Sitting, secret: bytes) -> tuple[Measured, ...]:
    """Measure the weights of a submission. A public run: it must come before any hidden input.

    Args:
        submission: Holds the file of weights.
        reading: Its cells.
        sitting: The submission before the sandbox, nothing hidden sent yet.
        secret: Of the course, for what is drawn; no process of a student's sees it.

    Returns:
        One for every share of points that is measured so; none where the assignment declares nothing.

    Raises:
        SandboxError: If the sandbox failed, or hidden inputs have been sent already.
    """
    declared = reading.assignment.about.weights
    if declared is None:
        return ()
    judge = place_of(reading.assignment.notebook).load(declared.module)
    if declared.file not in submission.configs:
        return _all(judge, "manual", f"{declared.file} was not handed in, so a person looks at your picture")
    try:
        weights = read_weights(submission.configs[declared.file], declared.file)
    except WeightsError as error:
        return _all(judge, "malformed", str(error).rstrip("."))
    files = _files(submission, reading)
    doubts = {model: _doubt(model, weights, reading, files) for model in declared.models}
    sound = {model: weights.models[model] for model, doubt in doubts.items() if not doubt}
    calls = _calls(judge, sound, files, doubts)
    said, cpu_seconds = _tried(calls, reading, sitting)
    for model, state in sound.items():
        doubts[model] = doubts[model] or _difference(judge, model, state, said.get(model))
    models = {
        model: _prepared(judge, model, state, said.get(model)) for model, state in sound.items() if not doubts[model]
    }
    found = [_measured(judge, part, doubts, models, secret) for part in judge.PARTS]
    if weights.is_stand_in:
        text = f"trained on a stand-in ({weights.trained_on}), where no figure of the exercise holds: a person looks at your picture"
        found = list(_all(judge, "manual", text))
    found = [replace(one, made_with=_made_with(judge.PARTS[one.check], declared)) for one in found]
    found += [_told(judge, part, doubts, models, secret) for part in getattr(judge, "TOLD", {})]
    return tuple(replace(one, cpu_seconds=cpu_seconds / len(found)) for one in found)


def _files(submission: Submission, reading: Reading) -> dict[str, bytes]:
    """What else is handed in beside the notebook, and says how the weights were trained."""
    hand_in = reading.assignment.about.hand_in
    return {name: submission.configs[name] for name in (hand_in.files if hand_in else ()) if name in submission.configs}


def _made_with(models: tuple[str, ...], declared: DeclaredWeights) -> tuple[str, ...]:
    return tuple(dict.fromkeys(task for model in models for task in declared.models[model].tasks))


def _all(judge: ModuleType, status: str, text: str) -> tuple[Measured, ...]:
    return tuple(Measured(part, status, text) for part in judge.PARTS)


def _doubt(model: str, weights: Weights, reading: Reading, files: dict[str, bytes]) -> str:
    """Why a model's weights are not measured; empty where they are."""
    declared = reading.assignment.about.weights
    assert declared is not None
    needs = declared.models[model]
    if model not in weights.models:
        return f"the file of weights holds no {model}"
    if needs.parameters and (numbers := count(weights.models[model])) != needs.parameters:
        return f"{model} has another shape, {numbers:,} numbers where the exercise asks for {needs.parameters:,}"
    if open_tasks := [task for task in needs.tasks if task not in {source.task for source in reading.runnable}]:
        return f"{model} cannot be made without {' and '.join(open_tasks)}: answer that first"
    if is_copied(weights.models[model], place_of(reading.assignment.notebook).path / "weights"):
        return f"{model} holds weights of ours, which came with the notebook"
    return why_stale(weights, model, needs.tasks, code_digests(reading.sources.values()), files)


def _calls(
    judge: ModuleType, sound: dict[str, State], files: dict[str, bytes], doubts: dict[str, str]
) -> dict[str, Call]:
    """How the student's own classes are asked, by model; a doubt is noted where what was handed in gives nothing to ask."""
    calls = {}
    for model in [model for model in sound if model in judge.CALLS]:
        task, function = judge.CALLS[model]
        try:
            inputs = judge.trial(model, files) | weights_as_inputs(sound[model])
        except CannotTrain as error:
            doubts[model] = str(error).rstrip(".")
        else:
            calls[model] = Call(f"weights.{model}", task, function, inputs, is_public=True)
    return calls


def _tried(calls: dict[str, Call], reading: Reading, sitting: Sitting) -> tuple[dict[str, ProbeRun], float]:
    """What the student's own classes make of the trial inputs with these weights."""
    if not calls:
        return {}, 0.0
    run = sitting.public(job_of(reading.assignment, merge_cells(reading.runnable), tuple(calls.values())))
    return {model: run.runs[call.name] for model, call in calls.items()}, run.cpu_seconds


def _prepared(judge: ModuleType, model: str, state: State, run: ProbeRun | None) -> State:
    """The weights as the judge takes them."""
    return judge.prepared(model, state, run.values if run else {}) if hasattr(judge, "prepared") else state


def _difference(judge: ModuleType, model: str, state: State, run: ProbeRun | None) -> str:
    """What speaks against a model; where the class is given (no run), only whether the weights are its."""
    if run is None or run.status == "ran":
        return in_time(
            _JUDGE_SECONDS,
            lambda: judge.disagreement(model, state, run.values if run else {}),
            lambda: f"{model} takes too long to measure",
        )
    if run.error is not None and run.error.text:
        return f"{model}: putting the weights into your class raised {run.error.type}: {run.error.text}"
    return f"{model}: your class does not take these weights ({run.status})"


def _measured(
    judge: ModuleType, part: str, doubts: dict[str, str], models: dict[str, State], secret: bytes
) -> Measured:
    needed = judge.PARTS[part]
    if doubt := next((doubts[model] for model in needed if doubts[model]), ""):
        return Measured(part, "manual", f"{doubt}; a person looks at your picture")
    result = _scored(judge, part, models, secret)
    if result is None:
        return Measured(part, "manual", "your weights take too long to measure: a person looks at your picture")
    if result.points is None:
        return Measured(part, "manual", f"{result.text}. A person looks at your picture", figure=result.figure)
    status = "passed" if result.points == result.most else "partial" if result.points else "wrong"
    return Measured(
        part, status, f"{result.points:g} of {result.most:g} points, {result.text}", result.points, result.figure
    )


def _told(judge: ModuleType, part: str, doubts: dict[str, str], models: dict[str, State], secret: bytes) -> Measured:
    """What is said beside a check that is judged by something else."""
    if doubt := next((doubts[model] for model in judge.TOLD[part] if doubts[model]), ""):
        return Measured(part, Measured.TOLD, f"your weights are not measured: {doubt}")
    result = _scored(judge, part, models, secret)
    if result is None:
        return Measured(part, Measured.TOLD, "your weights take too long to measure")
    return Measured(part, Measured.TOLD, result.text, figure=result.figure)


def _scored(judge: ModuleType, part: str, models: dict[str, State], secret: bytes) -> Score | None:
    """What the judge makes of the weights that are sound; None where it takes too long."""
    return in_time(_JUDGE_SECONDS, lambda: judge.score(part, models, secret), lambda: None)
