"""The records that pass from stage to stage. Each is frozen: a stage reads one and makes the next."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from grader.sandbox import frames
from utils.assignments import Assignment, Prediction
from utils.notebook.extraction import TaskSource

# The closed set of statuses a check can end in, and whose they are.
STATUSES = {
    "passed": "all checks hold",
    "partial": "some checks hold",
    "wrong": "ran; shape, dtype or value differs",
    "raised": "the answer's code raised an exception",
    "timeout": "the time limit was hit",
    "memory": "the memory limit was hit",
    "killed": "the process ended in the middle",
    "forbidden": "an import or name the notebook does not allow",
    "missing": "no such cell, or the gap is untouched",
    "malformed": "the answer cannot be read as a tensor",
    "manual": "waits for a person",
    "grader_error": "our fault: no score, look at the log",
}


@dataclass(frozen=True)
class Seat:
    """Where a sandbox works: what those that run side by side must not share, and must not leave behind."""

    number: int = (
        0  # among those of a run; `grader.classes.pool` gives each of its workers another. See `grader.sandbox.slots`
    )
    folder: str | None = None  # for temporary files; None for where the system keeps them


@dataclass(frozen=True)
class Submission:
    """What intake took out of a student's file, as bytes."""

    student: str
    file_name: str
    sha256: str
    notebooks: dict[str, bytes]  # by name in the file
    configs: dict[str, bytes] = field(default_factory=dict)  # files declared by an assignment, by name
    ignored: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inside:
    """A notebook of the course in a submission, and how far somebody has worked on it."""

    name: str  # of the file
    notebook: str  # the assignment's
    answered: int  # gaps that are touched, and responses in which somebody has written
    found: int  # tasks of which there is a cell
    digest: str  # of the file

    @property
    def rank(self) -> tuple[int, int]:
        """The more is answered, the more is it the one that was meant."""
        return self.answered, self.found


@dataclass(frozen=True)
class Written:
    """One part that a person grades, as the student left it."""

    check: str  # the part's name in the reports: "flow.width.manual1"
    text: str  # the response; "" for a part without words
    pictures: tuple[bytes, ...]  # PNG files


@dataclass(frozen=True)
class Guess:
    """What a student said to a prediction; no points hang on it."""

    prediction: Prediction
    letter: str  # of a choice; "" for none


@dataclass(frozen=True)
class Reading:
    """What the notebook stage found in the text of a submission."""

    assignment: Assignment
    notebook_name: str
    sources: dict[str, TaskSource]  # by task
    missing: dict[str, str]  # task -> what was looked for
    forbidden: dict[str, str]  # task -> what it uses
    answered: dict[str, tuple[bool, ...]]  # question -> for each of its response cells, whether somebody wrote in it
    repairs: tuple[str, ...]
    written: tuple[Written, ...] = ()  # what a person grades
    remarks: dict[str, str] = field(default_factory=dict)  # task -> what its cell does that costs nothing
    guesses: tuple["Guess", ...] = ()  # one for each prediction

    @property
    def runnable(self) -> tuple[TaskSource, ...]:
        """The answers that may run: worked on, parsed, and within the notebook's rules."""
        return tuple(
            source
            for source in self.sources.values()
            if not (source.syntax_error or source.is_untouched or source.task in self.forbidden)
        )


@dataclass(frozen=True)
class Call:
    """One call of a probe with one set of inputs."""

    name: str  # unique in a submission: "flow.affine.values#public0"
    task: str
    function: str
    inputs: dict[str, np.ndarray]
    is_public: bool
    wall_seconds: float = 10.0
    watched: tuple[str, ...] = ()  # the answer's functions whose calls are watched: see `grader.authoring.contract`

    @property
    def check(self) -> str:
        """The check that it is for."""
        return self.name.split("#")[0]

    @cached_property
    def question(self) -> tuple:
        """What is asked, whatever the call is named."""
        inputs = [(name, array.dtype.str, array.shape, array.tobytes()) for name, array in self.inputs.items()]
        return self.function, self.is_public, *inputs

    @cached_property
    def frame(self) -> bytes:
        """The inputs as they are sent: the same call is made of each submission."""
        inputs = {name: np.asarray(array) for name, array in self.inputs.items()}
        return frames.encode({"kind": "inputs", "probe": self.name}, inputs)


@dataclass(frozen=True)
class Job:
    """Everything a sandboxed process is asked to do for one submission."""

    probes: str  # dotted name of the module
    prelude: tuple[str, ...]
    not_allowed: tuple[str, ...]
    cells: tuple["CellSource", ...]
    calls: tuple[Call, ...]
    tensors: bool = True  # whether inputs arrive as torch tensors; else as numpy arrays, and torch is not loaded

    @cached_property
    def asked_by(self) -> dict[str, str]:
        """By call, the first that asks the same: several checks may look at one answer, which is made once."""
        first: dict[tuple, str] = {}
        return {call.name: first.setdefault((call.task, *call.question), call.name) for call in self.calls}


@dataclass(frozen=True)
class CellSource:
    """A cell to run, and the tasks whose probes see the namespace after it."""

    cell: int
    source: str
    tasks: tuple[str, ...]
    stand_ins: tuple[str, ...] = ()  # names that the probes' stand-ins take before it runs
    behind: tuple[str, ...] = ()  # and after it, for those that it defines itself
    is_aside: bool = False  # the cells after it start from where it started


@dataclass(frozen=True)
class StudentError:
    """An exception in a student's code, raised before any hidden input was in its process."""

    type: str
    text: str
    lines: tuple[tuple[int, int], ...]  # (cell, line in the cell), outermost first


@dataclass(frozen=True)
class ProbeRun:
    """What came of one call: `status` is "ran", or why there are no values."""

    call: str
    status: str
    values: dict[str, np.ndarray] = field(default_factory=dict)
    error: StudentError | None = None
    limit: str = ""  # the limit that was hit, in words: "10 s"
    facts: tuple[int, ...] = ()  # what the calls left behind: see `grader.probe_kit.watching`


@dataclass(frozen=True)
class SandboxRun:
    """All calls of a job, and the cells that did not run to their end."""

    runs: dict[str, ProbeRun]
    cells: dict[int, ProbeRun]
    cpu_seconds: float
    wall_seconds: float


@dataclass(frozen=True)
class Verdict:
    """One check, judged."""

    check: str  # "flow.affine.values"
    task: str
    title: str
    number: str
    status: str
    points: float
    max_points: float
    sentence: str
    slip: str = ""
    figure: str = ""  # a picture of the grader's own making, as a data URI


@dataclass(frozen=True)
class Measured:
    """What a trained model was found to be worth, for one share of points: trained again, or from handed-in weights."""

    check: str
    status: str  # of a check; or TOLD
    text: str  # the sentence after the task's name, without its point
    points: float = 0.0
    figure: str = ""  # a data URI
    cpu_seconds: float = 0.0
    made_with: tuple[
        str, ...
    ] = ()  # the answers that handed-in weights were made with: their faults have a price of their own

    TOLD: ClassVar[str] = "told"  # no status of a check: said beside the check's own sentence, and moves nothing


@dataclass(frozen=True)
class Report:
    """One submission, graded: what `results.json` is made of."""

    student: str
    file_name: str
    notebook: str
    submission_sha256: str
    tier: str
    verdicts: tuple[Verdict, ...]
    repairs: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    rejection: str = ""  # why intake turned it away
    fault: str = ""  # what went wrong on our side, for staff
    draw: str = ""  # the seed of this submission's own inputs
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    grader: dict[str, str] = field(default_factory=dict)  # versions and the rubric's digest: what the score depends on
    written: tuple[Written, ...] = ()
    guesses: tuple[Guess, ...] = ()
