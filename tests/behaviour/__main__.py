"""Grade the behavioural mutants of the reference solutions: a wrong answer must not get full marks.

    python -m tests.behaviour [NAME ...] [--task TASK] [--save FILE]

Where a change never came to act, nothing was changed and it is no mutant. Others with full marks are survivors: each is refused by a better check, or explained in tests/behaviour/explained.yaml.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.behaviour.bare import Bare
from tests.behaviour.mutants import Mutant, mutants_of
from tests.mutants import solution_of
from utils.assignments import assignment_names

_SECONDS = 60
_TOLD_EVERY = 200


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant: `status` is idle where its change never came to act, passed where it survives."""

    mutant: Mutant
    status: str
    check: str = ""
    slip: str = ""
    sentence: str = ""
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
            slip = next((v.slip for v in lost if v.slip), "")
            yield Outcome(mutant, lost[0].status, lost[0].check, slip, lost[0].sentence, len(lost))
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.behaviour", description="Grade behavioural mutants.")
    parser.add_argument("names", nargs="*", default=assignment_names())
    parser.add_argument("--task", action="append", default=[])
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    found: list[Outcome] = []
    for name in options.names:
        mutants, began, own = all_mutants(name, options.task), time.monotonic(), []
        for outcome in graded(name, mutants):
            own.append(outcome)
            if len(own) % _TOLD_EVERY == 0:
                left = (time.monotonic() - began) / len(own) * (len(mutants) - len(own))
                print(f"{name}: {len(own)} of {len(mutants)}, {left / 60:.0f} min left", file=sys.stderr)
        found += own
    for task in dict.fromkeys(o.mutant.task for o in found):
        counts = Counter(
            "killed" if o.status not in ("passed", "idle") else o.status for o in found if o.mutant.task == task
        )
        print(f"{task:28} {counts['killed']:4} killed, {counts['passed']:3} survive, {counts['idle']:3} idle")
    for outcome in found:
        if outcome.status == "passed":
            print(f"{outcome.mutant.task} | {outcome.mutant.target} | {outcome.mutant.change}")
    if options.save:
        rows = [[*o.mutant.key, o.status, o.check, o.slip, o.sentence, o.checks] for o in found]
        options.save.write_text(json.dumps(rows, indent=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
