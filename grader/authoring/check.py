"""What is asked about each task and how the answer is judged: `checks.py` of an assignment, with a table `CHECKS`.

A check names a probe (what to call, with which inputs) and a judge (what must hold of the values). Both run in the
grader's process except for the call itself. The reference values come from the reference solution, run through the
same sandbox on the same inputs.

Two more tables serve `grader.stages.carried`. `CALLS` names, for a task, the earlier answers that it may call; each has a
stand-in in the probes' `STAND_INS`. `AS_IF` says of a stand-in for a random answer which inputs the real one would need
to draw the same: a judge that works from the inputs alone is given those. `LITERALS` says which of the notebook's names an
answer to a task may write out as numbers.
"""

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from grader.authoring.contract import Contract, Sizes
from grader.records import Call
from utils.assignments.places import place_of

Arrays = dict[str, np.ndarray]
Draw = Callable[[np.random.Generator], Arrays]

PUBLIC_SEED = 20260


@dataclass(frozen=True)
class Symptom:
    """What is wrong with an answer: the middle of a sentence, and the slip it is, where the judge can tell."""

    text: str
    slip: str = ""


Judge = Callable[[Arrays, Arrays, Arrays], Symptom | None]  # values, reference, inputs; None: the check holds


@dataclass(frozen=True)
class Probe:
    """A function of the assignment's `probes.py`, and the inputs it is called with."""

    function: str
    draw: Draw
    fixed: Callable[[], list[Arrays]] | None = (
        None  # published inputs; may need torch, so only `make references` calls it
    )
    public: int = 1  # cases drawn once and for all; what goes wrong with them is told in full
    fresh: int = 1  # cases drawn for each submission; only whether they hold is told
    wall_seconds: float = 10.0

    def __post_init__(self) -> None:
        _require(isinstance(self.function, str), "function", self.function, "Probe the name of a function of probes.py")
        _require(callable(self.draw), "draw", self.draw, "Probe a function from a generator to named arrays")


@dataclass(frozen=True)
class Check:
    """One line of the rubric: `name` is unique in the assignment, `title` says what holds when it passes."""

    name: str
    task: str
    title: str
    points: float
    probe: Probe
    judge: Judge
    uses_reference: bool = True  # False: the judge works from the inputs alone, for example on moments of samples
    advice: Judge | None = None  # what is told beside a check that holds, and costs nothing
    unsteady: tuple[str, ...] = ()  # decided by rounding where an answer is wrong: a slip is told by the others
    watched: tuple[str, ...] = ()  # set by `load_checks` from the task's contract
    place: tuple[str, int] = field(default=("", 0), compare=False, repr=False)  # file and line where it was written

    def __post_init__(self) -> None:
        for name in ("name", "task", "title"):
            value = getattr(self, name)
            _require(isinstance(value, str) and bool(value.strip()), name, value, "Check a text")
        is_number = isinstance(self.points, int | float) and not isinstance(self.points, bool)
        _require(is_number and self.points > 0, "points", self.points, "Check a number above 0")
        _require(isinstance(self.probe, Probe), "probe", self.probe, "Check a Probe")
        _require(callable(self.judge), "judge", self.judge, "Check a judge, such as close()")
        object.__setattr__(self, "place", self.place if self.place[0] else _written_at())


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise TypeError(f"{name} is {value!r}; give {wanted}")


def _written_at() -> tuple[str, int]:
    """Where the author's table of checks stands: the outermost of the frames in the file that makes the check."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_code.co_filename in (__file__, "<string>"):
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    while frame.f_back and frame.f_code.co_filename == file:
        line, frame = frame.f_lineno, frame.f_back
    return file, line


def load_checks(assignment: str) -> tuple[Check, ...]:
    """The checks of an assignment, in the order of its tasks.

    Raises:
        ModuleNotFoundError: If the assignment has none yet.
    """
    watches = {contract.task: contract.watched for contract in load_contracts(assignment)}
    checks = place_of(assignment).load("checks").CHECKS
    return tuple(replace(check, watched=watches.get(check.task, ())) for check in checks)


def load_contracts(assignment: str) -> tuple[Contract, ...]:
    """The contracts of an assignment's tasks."""
    return getattr(place_of(assignment).load("checks"), "CONTRACTS", ())


def load_table(assignment: str, name: str) -> dict:
    """A table of the module of checks; empty where it has none of that name."""
    return getattr(place_of(assignment).load("checks"), name, {})


def has_checks(assignment: str) -> bool:
    """Whether an assignment has a module of checks, without loading it."""
    return place_of(assignment).has("checks")


def public_inputs(check: Check) -> list[Arrays]:
    """The inputs of the public cases, fixed ones first. Kept with the reference values, which belong to them."""
    fixed = check.probe.fixed() if check.probe.fixed else []
    draw = check.probe.draw
    if isinstance(draw, Sizes):
        return [*fixed, *draw.cases(_generator(check, PUBLIC_SEED, 0))]
    return [*fixed, *(_drawn(check, PUBLIC_SEED, case) for case in range(check.probe.public))]


def fresh_calls(check: Check, seed: int) -> list[Call]:
    """The calls with inputs of one draw."""
    cases = [_drawn(check, seed, case) for case in range(check.probe.fresh)]
    return calls(check, cases, is_public=False)


def calls(check: Check, cases: list[Arrays], is_public: bool) -> list[Call]:
    kind = "public" if is_public else "fresh"
    return [
        Call(
            name=f"{check.name}#{kind}{n}",
            task=check.task,
            function=check.probe.function,
            inputs=inputs,
            is_public=is_public,
            wall_seconds=check.probe.wall_seconds,
            watched=check.watched if is_public else (),
        )
        for n, inputs in enumerate(cases)
    ]


def _drawn(check: Check, seed: int, case: int) -> Arrays:
    """One case; a number that is drawn becomes an array without dimensions."""
    return {name: np.asarray(value) for name, value in check.probe.draw(_generator(check, seed, case)).items()}


def _generator(check: Check, seed: int, case: int) -> np.random.Generator:
    """By probe: checks that look at different sides of one answer draw the same inputs, and the answer is made once."""
    return np.random.default_rng([seed, zlib.crc32(check.probe.function.encode()), case])
