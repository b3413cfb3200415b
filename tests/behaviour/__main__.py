"""Grade the behavioural mutants of the reference solutions: a wrong answer must not get full marks.

    python -m tests.behaviour [NAME ...] [--task TASK] [--sample N] [--save FILE]
    python -m tests.behaviour --page FILE ...

Where a change never came to act, nothing was changed and it is no mutant. Others with full marks are survivors: each is
refused by a better check, or explained in tests/behaviour/explained.yaml.

Rules that know nothing of a task make any right answer behave otherwise: its result detached, rounded, squeezed where a size
is 1, in float64, kept from call to call; an argument changed in place, ignored, swapped, or a constant in its place; its noise
cached, shared along an axis, antithetic, clamped, uniform, seeded; its steps clipped, decayed, skipped; its gradient cut at any
expression; an activation left out; a parameter frozen. Where a change never comes to act in any call that is made, it is not counted.

`--sample` takes so many mutants of every task, always the same. `--save` writes every outcome as a line of JSON as it comes, and
`--page` makes of such files the table in docs/validity.md (`tests.behaviour.page`).
"""

import argparse
import hashlib
import json
import resource
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from tests.behaviour.bare import Bare
from tests.behaviour.mutants import Mutant, mutants_of
from tests.behaviour.page import write
from tests.mutants import solution_of
from utils.assignments import assignment_names

_EXPLAINED = Path(__file__).with_name("explained.yaml")
_NAMES = Path(__file__).with_name("names.yaml")
_SECONDS = 60
_MEMORY = 6 * 2**30
_TOLD_EVERY = 200


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant: `status` is idle where its change never came to act, passed where it survives."""

    mutant: Mutant
    status: str
    check: str = ""
    slip: str = ""
    sentence: str = ""  # of the check that names the slip, else of the first that refuses it
    checks: int = 0  # how many of the task's checks refuse it


def graded(name: str, mutants: Iterable[Mutant]) -> Iterator[Outcome]:
    """Grade mutants, in their order."""
    bare = Bare(name)
    for mutant in mutants:
        try:
            with _no_longer_than(_SECONDS):
                lost, seen = bare.tried(mutant.task, mutant.source)
        except TimeoutError:
            yield Outcome(mutant, "timeout")
            continue
        if lost:
            named = next((v for v in lost if v.slip), lost[0])
            yield Outcome(mutant, lost[0].status, lost[0].check, named.slip, named.sentence, len(lost))
        else:
            yield Outcome(mutant, "passed" if seen.get("_NOTES", [1])[0] else "idle")


@contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    except KeyboardInterrupt:
        raise TimeoutError from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


_CONSTANTS = {
    "01_kl_divergence": (1, 5, 10),
    "02_airfoil_vae": (10, 200, 24),
    "03_mnist_vae": (32, 784, 15, 2, 9, 10, 28),
    "04_cifar_dcgan": (64, 128),
}


def all_mutants(name: str, tasks: Iterable[str] = ()) -> list[Mutant]:
    """The behavioural mutants of a notebook's reference solution."""
    chosen = set(tasks)
    return [
        mutant
        for task, cell in solution_of(name).items()
        if not chosen or task in chosen
        for mutant in mutants_of(task, cell, _CONSTANTS[name])
    ]


def sampled(mutants: list[Mutant], most: int, after: int = 0) -> list[Mutant]:
    """So many mutants of every task at most, always the same; others than the first `after`."""
    digest = {mutant: hashlib.sha256(repr(mutant.key).encode()).digest() for mutant in mutants}
    tasks = dict.fromkeys(mutant.task for mutant in mutants)
    own = {task: sorted((m for m in mutants if m.task == task), key=digest.__getitem__) for task in tasks}
    return [mutant for task in tasks for mutant in own[task][after : after + most]]


@dataclass(frozen=True)
class Explanation:
    """Why mutants may survive: patterns of their tasks, targets and changes, and the reason."""

    tasks: str
    target: str
    change: str
    because: str

    def covers(self, mutant: Mutant) -> bool:
        return self.covers_key(mutant.key)

    def covers_key(self, key: tuple[str, str, str]) -> bool:
        pairs = zip(key, (self.tasks, self.target, self.change), strict=True)
        return all(fnmatchcase(text, pattern) for text, pattern in pairs)


@cache
def explanations(path: Path = _EXPLAINED) -> list[Explanation]:
    """The explained survivors of all notebooks.

    Raises:
        ValueError: If one lacks its sentence.
    """
    found = [Explanation(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]
    for one in found:
        if len(one.because.split()) < 4:
            raise ValueError(f"{one.tasks} {one.target} {one.change} needs a sentence in `because`")
    return found


@cache
def allowed_names(change: str) -> list[str] | None:
    """Patterns of the slips that a change may be told it looks like; None where no rule speaks of it."""
    rules = yaml.safe_load(_NAMES.read_text(encoding="utf-8"))
    return next((rule["slips"] for rule in rules if fnmatchcase(change, rule["change"])), None)


def misnamed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Refused mutants that are told a slip which they are not, or of which no rule says whether they may be told it."""
    return [
        outcome
        for outcome in outcomes
        if outcome.slip
        and not any(fnmatchcase(outcome.slip, pattern) for pattern in allowed_names(outcome.mutant.change) or ())
    ]


def unexplained(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Survivors that no explanation covers."""
    known = explanations()
    survivors = [outcome for outcome in outcomes if outcome.status == "passed"]
    return [outcome for outcome in survivors if not any(one.covers(outcome.mutant) for one in known)]


def main() -> int:
    """Grade and report; 1 if a survivor is unexplained."""
    parser = argparse.ArgumentParser(prog="python -m tests.behaviour", description="Grade behavioural mutants.")
    parser.add_argument("names", nargs="*", default=assignment_names())
    parser.add_argument("--task", action="append", default=[])
    parser.add_argument("--sample", type=int, metavar="N", help="mutants of every task at most; default: all")
    parser.add_argument("--save", type=Path, metavar="FILE", help="every outcome, as a line of JSON")
    parser.add_argument(
        "--page", type=Path, nargs="+", metavar="FILE", help="the table in docs/validity.md, of saved outcomes"
    )
    options = parser.parse_args()
    if options.page:
        return write(options.page)
    resource.setrlimit(
        resource.RLIMIT_DATA, (_MEMORY, _MEMORY)
    )  # as in the sandbox: one that asks for all there is gets an error
    found: list[Outcome] = []
    for name in options.names:
        mutants = all_mutants(name, options.task)
        mutants = sampled(mutants, options.sample) if options.sample else mutants
        for number, outcome in enumerate(graded(name, mutants), 1):
            found.append(outcome)
            _saved(options.save, outcome)
            if number % _TOLD_EVERY == 0:
                print(f"{name}: {number} of {len(mutants)}", file=sys.stderr)
    left = unexplained(found)
    for task in dict.fromkeys(o.mutant.task for o in found):
        own = [o for o in found if o.mutant.task == task]
        acting = [o for o in own if o.status != "idle"]
        survive = [o for o in acting if o.status == "passed"]
        print(
            f"{task:28} {len(acting):4} mutants, {len(acting) - len(survive):4} refused, {len(survive):3} explained or open"
        )
    for outcome in left:
        print(f"to explain or to mend: {outcome.mutant.task} | {outcome.mutant.target} | {outcome.mutant.change}")
    wrong = misnamed(found)
    for outcome in wrong:
        print(f"named wrongly: {' | '.join(outcome.mutant.key)} | {outcome.slip} | {outcome.sentence}")
    acting = len([o for o in found if o.status != "idle"])
    print(
        f"{acting} mutants, {len(left)} to explain or to mend, {len(wrong)} of {sum(bool(o.slip) for o in found)} names wrong"
    )
    return 1 if left or wrong else 0


def _saved(path: Path | None, outcome: Outcome) -> None:
    if path is None:
        return
    is_explained = outcome.status == "passed" and not unexplained([outcome])
    row = [
        *outcome.mutant.key,
        "explained" if is_explained else outcome.status,
        outcome.check,
        outcome.slip,
        outcome.sentence,
    ]
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main())
