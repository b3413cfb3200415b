"""What is asked about each task and how the answer is judged: `checks.py` of an assignment, with a table `CHECKS`.

A check names a probe (what to call, with which inputs) and a judge (what must hold of the values). Both run in the
grader's process except for the call itself. The reference values come from the reference solution, run through the
same sandbox on the same inputs.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

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
    public: int = 2  # cases drawn once and for all; what goes wrong with them is told in full
    fresh: int = 1  # cases drawn for each submission; only whether they hold is told
    wall_seconds: float = 10.0


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
    watched: tuple[str, ...] = ()  # set by `load_checks` from the task's contract


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


def has_checks(assignment: str) -> bool:
    """Whether an assignment has a module of checks, without loading it."""
    return place_of(assignment).has("checks")


def public_inputs(check: Check) -> list[Arrays]:
    """The inputs of the public cases, fixed ones first. Kept with the reference values, which belong to them."""
    fixed = check.probe.fixed() if check.probe.fixed else []
    draw = check.probe.draw
    if isinstance(draw, Sizes):
        return [*fixed, *draw.cases(_generator(check, PUBLIC_SEED, 0))]
    return [*fixed, *(draw(_generator(check, PUBLIC_SEED, case)) for case in range(check.probe.public))]


def fresh_calls(check: Check, seed: int) -> list[Call]:
    """The calls with inputs of one draw."""
    cases = [check.probe.draw(_generator(check, seed, case)) for case in range(check.probe.fresh)]
    return calls(check, cases, is_public=False)


def calls(check: Check, cases: list[Arrays], is_public: bool) -> list[Call]:
    kind = "public" if is_public else "fresh"
    return [
        Call(
            f"{check.name}#{kind}{n}", check.task, check.probe.function, inputs, is_public, check.probe.wall_seconds,
            check.watched,
        )
        for n, inputs in enumerate(cases)
    ]  # fmt: skip


def _generator(check: Check, seed: int, case: int) -> np.random.Generator:
    """By probe: checks that look at different sides of one answer draw the same inputs, and the answer is made once."""
    return np.random.default_rng([seed, zlib.crc32(check.probe.function.encode()), case])
