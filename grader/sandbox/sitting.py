"""All that runs for one submission, in an order that leaves a hidden input no way out.

    sitting = Sitting(box)
    sitting.public(training)        # as often as needed
    run = sitting.both(job)         # seals the sitting: from here on `public` and `both` are refused

A process that was sent hidden inputs can leave a note for the next one of the same submission: in the page cache, or by
ending later than it had to. So the rule does not ask what a process knows, only when it spoke: what is told (`watch.Told`) was said
before the first hidden input was sent to any of them. The box makes the hidden script only when it has sealed the sitting, and does
that only when every public step has its answer: a process that ends early, or leaves one out, has broken off in a step of its
own. Of all that comes later only arrays leave this module, and where there are none, nothing else: no status, no text, no time.
"""

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from grader.records import Job, ProbeRun, SandboxRun
from grader.sandbox.script import Skipped, Steps, blame, collect, hidden_values, ran, steps_of
from grader.sandbox.watch import Attempt, Deadlines, SandboxError, Told

if TYPE_CHECKING:
    from grader.sandbox.box import Box

_PAUSES = (0.2, 1.0, 2.0)
JOB_SECONDS = 60.0  # all attempts of a phase, beside what its probes ask for themselves


class Sitting:
    """One submission before the sandbox."""

    def __init__(self, box: "Box") -> None:
        self._box = box
        self.is_sealed = False  # hidden inputs have been sent
        self.paused_seconds = 0.0  # waited for room so far, which is nobody's time who is graded

    def public(self, job: Job) -> SandboxRun:
        """Run a job's cells and its public calls alone.

        When a step ends the process (an endless loop, a crash, a flood), the rest is run again without it, so that one
        bad cell costs its own points and no others.

        Returns:
            One `ProbeRun` for every public call, and what came of the cells.

        Raises:
            SandboxError: If the sandbox failed, student code is not to blame for that; or if the sitting is sealed.
        """
        return self._until_told(job, Skipped(), _deadlines(job), is_hidden=False)[0]

    def both(self, job: Job, seconds: float = math.inf) -> SandboxRun:
        """As `public`, and the hidden calls after it, in the process that has just answered everything public.

        Where a hidden step ends the process, the rest of the hidden ones is asked in another, that goes through the public steps
        once more; what it says of those is dropped.

        Returns:
            One `ProbeRun` for every call of the job: of a hidden one its values with the status "ran", or "wrong" and no
            more. The times are those of the public part.

        Raises:
            SandboxError: If the sandbox failed; or if the sitting is sealed.
        """
        skipped, until = Skipped(), _deadlines(job, seconds)
        paused = self.paused_seconds
        run, steps, attempt = self._until_told(job, skipped, until, is_hidden=True)
        asked = [call.name for call in job.calls if not call.is_public]
        last = until[1] + self.paused_seconds - paused
        values = self._until_answered(job, skipped, last, steps, attempt) if asked else {}
        hidden = {n: ran(n, values[n]) if n in values else ProbeRun(n, "wrong") for n in asked}
        return replace(run, runs=run.runs | hidden)

    def _until_told(
        self, job: Job, skipped: Skipped, until: Deadlines, is_hidden: bool
    ) -> tuple[SandboxRun, Steps, Attempt]:
        """Attempts until one has answered everything public, or the time for that is up; none is made that knows more."""
        if self.is_sealed:
            raise SandboxError("hidden inputs have been sent: nothing may run that is told about")
        cpu_seconds = wall_seconds = 0.0
        while True:
            steps = steps_of(job, skipped, is_hidden)
            attempt = self._attempt(job, steps, until)
            until = until[0] + attempt.paused_seconds, until[1] + attempt.paused_seconds
            told = attempt.told or Told()
            cpu_seconds += told.cpu_seconds
            wall_seconds += told.wall_seconds
            if not told.fault or time.monotonic() > until[0]:
                return collect(job, steps, told, skipped, cpu_seconds, wall_seconds), steps, attempt
            blame(attempt, steps, skipped)

    def _until_answered(
        self, job: Job, skipped: Skipped, until: float, steps: Steps, attempt: Attempt
    ) -> dict[str, dict[str, np.ndarray]]:
        """Attempts until one comes to the end of the hidden calls too, or the time is up: the arrays of the last."""
        self.is_sealed = True
        is_blamed = not attempt.is_disk_shrinking
        while attempt.fault and time.monotonic() < until:
            if is_blamed:
                blame(attempt, steps, skipped)
            steps, is_blamed = steps_of(job, skipped, is_hidden=True), True
            attempt = self._attempt(job, steps, (until, until))
            until += attempt.paused_seconds
        return hidden_values(job, attempt)

    def _attempt(self, job: Job, steps: Steps, until: Deadlines) -> Attempt:
        """An attempt; again, where it ended because the disk was filling up: a neighbour may have been to blame.

        But what has been told is told: not again here, where this one was the first to be sent hidden inputs.
        """
        was_sealed, waited = self.is_sealed, 0.0
        for pause in _PAUSES:
            attempt = self._box.attempt(job, steps, (until[0] + waited, until[1] + waited), self._seal)
            waited += attempt.paused_seconds
            if not attempt.is_disk_shrinking or self.is_sealed != was_sealed:
                break
            time.sleep(pause)
            waited += pause
        attempt.paused_seconds = waited
        self.paused_seconds += waited
        return attempt

    def _seal(self) -> None:
        self.is_sealed = True


def _deadlines(job: Job, seconds: float = math.inf) -> Deadlines:
    public, hidden = (sum(call.wall_seconds for call in job.calls if call.is_public == kind) for kind in (True, False))
    now = time.monotonic()
    first, last = JOB_SECONDS + public, 2 * JOB_SECONDS + public + hidden
    return now + min(first, seconds), now + min(last, seconds)
