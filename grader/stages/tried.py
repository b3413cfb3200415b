"""Try answers again with stand-ins under earlier names: any number of them in one process, each beside the notebook's own cells.

The cell of an answer runs aside, with the stand-ins in place, is asked its checks' calls, and the notebook goes on from where that cell
started. A process costs more than most calls: one for each trial doubled what a submission with a few faults costs.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from grader.authoring.check import Arrays, Check
from grader.authoring.contract import breach
from grader.authoring.judges import judged
from grader.records import Call, CellSource, Job, ProbeRun, Reading, SandboxRun
from grader.rubric import Rubric
from grader.rubric.draws import Drawn, ahead, job_of
from grader.sandbox.box import Box
from grader.sandbox.sitting import Sitting
from grader.sandbox.watch import SandboxError
from grader.stages.clock import CHECK_SECONDS, JUDGE_SECONDS, Budget, OutOfTime
from grader.stages.literals import cells_of
from grader.stages.spoilt import DID_NOT_END, Answer

TRY_SECONDS = 120.0  # by the clock: a usual submission takes a tenth of a second
_ASIDE = 10**6  # what the number of a cell grows by each time it is tried

Held = dict["Trial", frozenset[str]]


@dataclass(frozen=True)
class Trial:
    """One answer with stand-ins under some names, and the checks that they may help."""

    answer: Answer
    names: tuple[str, ...]
    checks: frozenset[str]

    def calls(self, asked: Iterable[Call]) -> list[Call]:
        """The calls to make: those of a contract's checks are all of the task's."""
        tasks = {self.answer.task} if any(map(self.answer.rubric.contract_paid_by, self.checks)) else set()
        return [call for call in asked if call.check in self.checks or call.task in tasks]


@dataclass(frozen=True)
class Trier:
    """Tries answers of one submission, any number of them in one process."""

    box: Box
    known: dict[tuple, Arrays]  # what the reference solution returns, by call, names and draw
    draws: dict[int, Drawn]  # those that have been asked for, by their seeds
    rubric: Rubric
    reading: Reading
    run: SandboxRun
    asked: tuple[Call, ...]
    seed: int
    left: "_Left" = field(default_factory=lambda: _Left())

    def held(self, trials: list[Trial]) -> Held:
        """Which checks hold, trial by trial; none where the time is up."""
        if not trials:
            return {}
        self._solve(trials)
        if self.left.seconds <= 0:
            return dict.fromkeys(trials, frozenset())
        began = time.monotonic()
        sitting = Sitting(self.box)
        cells = [cell for cell in cells_of(self.rubric, self.reading) if self._ended(cell)]
        calls = [trial.calls(self.asked) for trial in trials]
        again = sitting.both(_job(self.rubric, cells, trials, calls), self.left.seconds)
        self.left.seconds -= time.monotonic() - began - sitting.paused_seconds
        return {
            trial: self._held(trial, {call.name: again.runs[_named(n, call.name)] for call in calls[n]})
            for n, trial in enumerate(trials)
        }

    def narrowed(self, held: Held) -> Held:
        """In the place of several names of which none is known to be at fault the one whose stand-in alone is enough."""
        wide = [t for t in held if held[t] and len(t.names) > 1 and not t.answer.is_known(t.names)]
        alone = self.held([Trial(trial.answer, (name,), held[trial]) for trial in wide for name in trial.names])
        narrow = {one.answer: one for one in reversed(alone) if alone[one] == one.checks}
        return {(narrow.get(trial.answer, trial) if trial in wide else trial): held[trial] for trial in held}

    def _ended(self, cell: CellSource) -> bool:
        return self.run.cells[cell.cell].status not in DID_NOT_END

    def _held(self, trial: Trial, runs: dict[str, ProbeRun]) -> frozenset[str]:
        return frozenset(check for check in trial.checks if self._holds(check, trial, runs))

    def _holds(self, check: str, trial: Trial, runs: dict[str, ProbeRun]) -> bool:
        """Whether every case of a check does."""
        own = next(one for one in self.rubric.checks if one.name == check)
        cases = [call for call in self.asked if call.check == check]
        contract = self.rubric.contract_paid_by(check)
        if contract and any(breach(contract, result.facts) for result in runs.values()):
            return False
        return bool(cases) and all(self._case_holds(own, trial, runs[call.name], call) for call in cases)

    def _case_holds(self, check: Check, trial: Trial, result: ProbeRun, call: Call) -> bool:
        inputs = call.inputs
        for name in trial.names:
            if not check.uses_reference and name in self.rubric.as_if:
                inputs = self.rubric.as_if[name](inputs)
        reference = self.known[self._key(trial, call, self.seed)] if check.uses_reference else {}
        try:
            with self.left.judging.share(CHECK_SECONDS):
                return (
                    result.status == "ran" and judged(check, result.values, reference, inputs, call.is_public) is None
                )
        except (OutOfTime, MemoryError):
            return False

    def _key(self, trial: Trial, call: Call, seed: int) -> tuple:
        return self.rubric.assignment.notebook, call.name, trial.names, None if call.is_public else seed

    def _solve(self, trials: list[Trial]) -> None:
        """Ask the reference solution what is not known yet."""
        missing = [self._missing(trial) for trial in trials]
        if not any(missing):
            return
        calls = [[replace(call, name=f"{seed}/{call.name}") for seed, call in own] for own in missing]
        runs = self.box.run(_job(self.rubric, self.rubric.references.solution, trials, calls)).runs
        for n, trial in enumerate(trials):
            for seed, call in missing[n]:
                result = runs[_named(n, f"{seed}/{call.name}")]
                if result.status != "ran":
                    said = f"the reference solution does not answer {call.name} with stand-ins for {trial.names}"
                    raise SandboxError(said)
                self.known[self._key(trial, call, seed)] = result.values

    def _missing(self, trial: Trial) -> list[tuple[int, Call]]:
        """The calls to which the solution's answers are not known, with the seed of their draw: of this one, and with it of some that
        have been asked for."""
        draws = {seed: asked for seed, (asked, _) in self.draws.items()} | {self.seed: self.asked}
        hidden = {seed: self._unknown(trial, seed, asked, is_public=False) for seed, asked in draws.items()}
        others = [seed for seed, calls in hidden.items() if calls]
        seeds = ahead(self.seed, others, len(hidden) - len(others)) if hidden[self.seed] else []
        public = self._unknown(trial, self.seed, self.asked, is_public=True)
        return [*public, *(one for seed in seeds for one in hidden[seed])]

    def _unknown(self, trial: Trial, seed: int, asked: Iterable[Call], is_public: bool) -> list[tuple[int, Call]]:
        compared = {check.name for check in self.rubric.checks if check.uses_reference}
        calls = [call for call in trial.calls(asked) if call.is_public == is_public and call.check in compared]
        return [(seed, call) for call in calls if self._key(trial, call, seed) not in self.known]


def _job(rubric: Rubric, cells: Iterable[CellSource], trials: list[Trial], calls: list[list[Call]]) -> Job:
    """The cells of a notebook, and before each of them those that are tried in its place, aside; and the calls of these alone."""
    script: list[CellSource] = []
    ends = 0
    for cell in cells:
        tried = [n for n, trial in enumerate(trials) if trial.answer.task in cell.tasks and calls[n]]
        script += [_tried(n, trials[n], cell) for n in tried]
        ends = len(script) if tried else ends
        script.append(replace(cell, tasks=()))
    asked = [
        replace(call, name=_named(n, call.name), task=_named(n, call.task))
        for n, own in enumerate(calls)
        for call in own
    ]
    return job_of(rubric.assignment, tuple(script[:ends]), tuple(asked))


def _tried(number: int, trial: Trial, cell: CellSource) -> CellSource:
    """A cell that meets the stand-ins; those that it defines itself, for another task, take their place behind it."""
    answer = trial.answer
    own = next(task.defines for task in answer.rubric.assignment.tasks if task.id == answer.task)
    behind = tuple(n for n in trial.names if n not in own and set(answer.earlier(n)).intersection(cell.tasks))
    return CellSource(
        cell.cell + (number + 1) * _ASIDE,
        cell.source,
        (_named(number, answer.task),),
        tuple(name for name in trial.names if name not in behind),
        behind,
        is_aside=True,
    )


def _named(trial: int, name: str) -> str:
    return f"{trial}/{name}"


@dataclass
class _Left:
    """The time that is left to ask one submission again: a stranger's answers could sleep through each of many attempts."""

    seconds: float = TRY_SECONDS
    judging: Budget = field(default_factory=lambda: Budget(JUDGE_SECONDS))
