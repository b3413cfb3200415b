"""A fuzzer for everything that comes from outside: spoilt inputs go in, a sentence or a report must come out.

changes       random changes to bytes, text, JSON, arrays
promises      what must hold for every input
stand_in      a grader whose sandbox answers at once, with anything
submissions   notebooks, zips, configurations, answers
channels      frames, children's conversations, spoilt answers in the real sandbox
classes       rosters, grade files, bulk downloads

`python -m tests.fuzz` runs many; the tests run a few of each kind.
"""

import random
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz import channels, classes, submissions

_SECONDS = 120  # for one case; the usual one takes milliseconds


@dataclass(frozen=True)
class Kind:
    """One kind of input: `run` makes one, hands it in, and says how it ended."""

    run: Callable[[random.Random], str]
    share: int  # of all cases, in per cent


KINDS = {
    "notebooks": Kind(submissions.notebooks, 24),
    "zips": Kind(submissions.zips, 16),
    "configs": Kind(submissions.configs, 12),
    "answers": Kind(submissions.answers, 10),
    "frames": Kind(channels.frames, 10),
    "children": Kind(channels.children, 6),
    "sandboxed": Kind(channels.sandboxed, 4),
    "rosters": Kind(classes.rosters, 5),
    "gradebooks": Kind(classes.gradebooks, 5),
    "classes": Kind(classes.classes, 8),
}


def run_case(kind: str, seed: int, number: int) -> tuple[str, str]:
    """One case, which follows from its three arguments.

    Returns:
        How it ended, and the traceback if a promise was broken.
    """
    before = signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        return KINDS[kind].run(random.Random(f"{seed} {kind} {number}")), ""
    except Exception as error:
        return type(error).__name__, traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _too_slow(*_: object) -> None:
    raise TimeoutError(f"a case takes more than {_SECONDS} s")


def close() -> None:
    """End the sandbox."""
    channels.close()
