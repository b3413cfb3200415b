"""All that runs for one submission, in an order that leaves a hidden input no way out.

    sitting = Sitting(box)
    run = sitting.public(job)       # as often as needed: attempts, repairs, training again
    hidden = sitting.hidden(job)    # seals the sitting: from here on `public` is refused

A process that was sent hidden inputs can leave a note for the next one of the same submission: in the page cache, or by
ending later than it had to. So the rule does not ask what a process knows, only when it ran: what is told was said before the
first hidden input was sent to any of them. Of the rest only arrays leave this module, and where there are none, nothing else:
no status, no text, no time.
"""

import time
from typing import TYPE_CHECKING

from grader.records import Job, ProbeRun, SandboxRun
from grader.sandbox.script import Skipped, Steps, blame, collect, hidden_values, ran, steps_of
from grader.sandbox.watch import Attempt, SandboxError

if TYPE_CHECKING:
    from grader.sandbox.box import Box

_PAUSES = (0.2, 1.0, 2.0)
JOB_SECONDS = 60.0  # all attempts of a phase, beside what its probes ask for themselves


class Sitting:
    """One submission before the sandbox."""

    def __init__(self, box: "Box") -> None:
        self._box = box
        self._left_out: list[tuple[Job, Skipped]] = []
        self.is_sealed = False  # hidden inputs have been sent

    def public(self, job: Job) -> SandboxRun:
        """Run a job's cells and its public calls; its hidden ones are left for later.

        When a step ends the process (an endless loop, a crash, a flood), the rest is run again without it, so that one
        bad cell costs its own points and no others.

        Returns:
            One `ProbeRun` for every public call, and what came of the cells.

        Raises:
            SandboxError: If the sandbox failed, student code is not to blame for that; or if the sitting is sealed.
        """
        if self.is_sealed:
            raise SandboxError("hidden inputs have been sent: nothing may run that is told about")
        began, cpu_seconds, skipped = time.monotonic(), 0.0, Skipped()
        deadline = began + JOB_SECONDS + sum(call.wall_seconds for call in job.calls if call.is_public)
        while True:
            steps = steps_of(job, skipped, is_hidden=False)
            attempt = self._attempt(job, steps, deadline)
            cpu_seconds += attempt.cpu_seconds
            if not attempt.fault:
                break
            blame(attempt, steps, skipped)
            if time.monotonic() > deadline:
                break
        self._left_out.append((job, skipped))
        return collect(job, steps, attempt, skipped, cpu_seconds, time.monotonic() - began)

    def _attempt(self, job: Job, steps: Steps, deadline: float) -> Attempt:
        """An attempt; again, where it ended because the disk was filling up: a neighbour may have been to blame."""
        for pause in _PAUSES:
            attempt = self._box.attempt(job, steps, deadline)
            if not attempt.is_disk_shrinking:
                break
            time.sleep(pause)
        return attempt

    def hidden(self, job: Job) -> dict[str, ProbeRun]:
        """Run a job's hidden calls, in a process that has gone through the public ones once more.

        Returns:
            For every hidden call its values, with the status "ran"; without values, "wrong" and no more.

        Raises:
            SandboxError: If the sandbox failed.
        """
        asked = [call for call in job.calls if not call.is_public]
        if not asked:
            return {}
        self.is_sealed = True
        skipped = next((Skipped(known) for of, known in self._left_out if of is job), Skipped())
        deadline = time.monotonic() + JOB_SECONDS + sum(call.wall_seconds for call in job.calls)
        while True:
            steps = steps_of(job, skipped, is_hidden=True)
            attempt = self._attempt(job, steps, deadline)
            if not attempt.fault or time.monotonic() > deadline:
                break
            blame(attempt, steps, skipped)
        values = hidden_values(job, attempt)
        return {c.name: ran(c.name, values[c.name]) if c.name in values else ProbeRun(c.name, "wrong") for c in asked}
