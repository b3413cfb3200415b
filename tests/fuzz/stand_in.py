"""A grader whose sandbox answers at once: with the reference values, or with whatever a stranger's process could send."""

import random
from collections.abc import Callable, Sequence
from functools import cache

from grader.records import Job, ProbeRun, StudentError
from grader.rubric import load_rubric
from grader.sandbox.script import Steps
from grader.sandbox.watch import Attempt, Deadlines, Told
from grader.stages.pipeline import Grader
from tests.fuzz.changes import ODD_TEXT, changed_array

_ENDS = ("timeout", "memory", "killed", "malformed", "raised", "missing")


class StandIn:
    """In the place of a `Box`."""

    def __init__(self, rng: random.Random, chaos: float) -> None:
        self.rng = rng
        self.chaos = chaos  # the share of answers that are not the reference's
        self.tier = "A"

    def load(self, assignment: str, packages: Sequence[str] = ()) -> None:
        """There is nothing to load."""

    def attempt(self, job: Job, steps: Steps, until: Deadlines, seal: Callable[[], None]) -> Attempt:
        """What one process would send: an answer for each step, until one ends it."""
        attempt = Attempt()
        for n, step in enumerate((*steps[0], *steps[1])):
            if n == len(steps[0]):
                _end_public(attempt, seal)
            attempt.step = n
            run = self._answer(step["name"]) if step["do"] == "probe" else self._ran_or_ended("cell", {})
            if run.error:
                attempt.errors[n] = run.error
            elif run.status != "ran":
                attempt.fault = run.status
                break
            elif step["do"] == "probe":
                attempt.values[step["name"]] = run.values
        if not attempt.told:
            _end_public(attempt, seal)
        return attempt

    def _answer(self, call: str) -> ProbeRun:
        values = dict(_references().get(call, {}))
        if self.rng.random() < self.chaos:
            for name in list(values):
                if self.rng.random() < 0.5:
                    values[name] = changed_array(self.rng, values[name])
                elif self.rng.random() < 0.1:
                    del values[name]
        return self._ran_or_ended(call, values)

    def _ran_or_ended(self, name: str, values: dict) -> ProbeRun:
        if self.rng.random() >= self.chaos / 4:
            return ProbeRun(name, "ran", values)
        status = self.rng.choice(_ENDS)
        error = None
        if status in ("raised", "missing", "malformed") or self.rng.random() < 0.2:
            kind = {"missing": "NotImplementedError"}.get(
                status, self.rng.choice(["ValueError", "NameError", "", "SystemExit"])
            )
            # What `watch` lets through: printable, and no longer than it keeps.
            text = "".join(c if c.isprintable() else " " for c in self.rng.choice(ODD_TEXT))[:300]
            lines = tuple((self.rng.randint(-1, 60), self.rng.randint(-1, 30)) for _ in range(self.rng.randrange(3)))
            error = StudentError(kind, text, lines)
        return ProbeRun(name, status, error=error, limit="10 s")


def _end_public(attempt: Attempt, seal: Callable[[], None]) -> None:
    attempt.told = Told(dict(attempt.values), dict(attempt.errors), attempt.fault)
    if not attempt.fault:
        attempt.ends = 1
        seal()


class _NoDraws:
    """In the place of `FreshReferences`: only the published inputs are asked."""

    def of(self, *_: object) -> tuple[tuple, dict]:
        return (), {}


class _NoCarrier:
    """In the place of a `Carrier`, which asks the reference solution too: there is no right answer here."""

    def carry(self, verdicts: tuple, *_: object) -> tuple:
        return verdicts


@cache
def _references() -> dict[str, dict]:
    from grader.stages.pipeline import graded_assignments

    return {
        call: values for name in graded_assignments() for call, values in load_rubric(name).references.outputs.items()
    }


def grader_with(rng: random.Random, chaos: float) -> Grader:
    """A grader with the stand-in for its sandbox, whose answers are drawn from `rng`."""
    grader = Grader(salt="fuzz")
    grader.box, grader.fresh = StandIn(rng, chaos), _NoDraws()  # type: ignore[assignment]
    grader.carrier = _NoCarrier()  # type: ignore[assignment]
    return grader
