"""Inputs drawn for a submission: from its hash and the course's salt, so that nobody can prepare for them.

The same bytes always get the same inputs. A course has `DRAWS` different sets a notebook; which one a submission meets
depends on all of its bytes and on a salt that students do not know, and the reference solution's answer to a set is
worked out once, in the same sandbox.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from grader.authoring.check import Arrays, fresh_calls
from grader.records import Call, CellSource, Job, ProbeRun
from grader.rubric import Rubric
from grader.sandbox.box import Box
from grader.sandbox.sitting import Sitting
from grader.sandbox.watch import SandboxError
from utils.assignments import Assignment
from utils.assignments.course import course_file
from utils.assignments.places import place_of

DRAWS = 8  # each worker works out all that its hand-ins meet
_MOST_AHEAD = 8  # draws in one process
DEFAULT_SALT = "set GRADER_SALT to a secret of your course"


def course_salt() -> str:
    """The course's salt, from the environment's variable that the course names; the default is public, `doctor` says so."""
    return os.environ.get(course_file().secret) or DEFAULT_SALT


@dataclass(frozen=True)
class Draw:
    """One of the sets of inputs: what they are drawn from, and a name for it that tells nobody."""

    seed: int
    label: str


def draw_of(submission_sha256: str, assignment: str, salt: str) -> Draw:
    """The draw a submission meets, one of `DRAWS` for this assignment and salt."""
    n = _number(salt, f"{assignment}\n{submission_sha256}") % DRAWS
    label = _number(salt, f"label\n{assignment}\n{n}") % 2**32
    return Draw(seeds_of(assignment, salt)[n], f"{label:08x}")


@lru_cache(maxsize=64)
def seeds_of(assignment: str, salt: str) -> tuple[int, ...]:
    """What all draws of an assignment are drawn from."""
    return tuple(_number(salt, f"{assignment}\n{n}") % 2**32 for n in range(DRAWS))


def _number(salt: str, text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), key=course_key(salt), digest_size=8).digest(), "big")


@lru_cache(maxsize=64)
def course_key(salt: str) -> bytes:
    """The course's secret, stretched: whoever sees what is made from it must not find a short secret with a list of words.

    A tenth of a second of one core and 32 MB, once for a secret and a process.
    """
    return hashlib.scrypt(salt.encode(), salt=b"course", n=2**15, r=8, p=1, maxmem=2**27, dklen=32)


Drawn = tuple[tuple[Call, ...], dict[str, Arrays]]  # the calls of one draw, and what the reference solution returns


class FreshReferences:
    """What the reference solution returns for drawn inputs; each draw is worked out once."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._known: dict[str, dict[int, Drawn]] = {}

    def of(self, rubric: Rubric, seed: int, others: Sequence[int] = ()) -> Drawn:
        """The calls of one draw and the reference outputs.

        Args:
            rubric: Checks and the reference solution.
            seed: Of the draw.
            others: Of draws that may be asked for later: some are worked out in the same process, see `ahead`.

        Raises:
            SandboxError: If the reference solution does not answer: the references are out of date.
        """
        known = self.known(rubric)
        if seed not in known:
            known |= self._solved(rubric, ahead(seed, [one for one in others if one not in known], len(known)))
        return known[seed]

    def known(self, rubric: Rubric) -> dict[int, Drawn]:
        """The draws that have been asked for."""
        return self._known.setdefault(rubric.assignment.notebook, {})

    def _solved(self, rubric: Rubric, seeds: list[int]) -> dict[int, Drawn]:
        asked = {seed: [call for check in rubric.checks for call in fresh_calls(check, seed)] for seed in seeds}
        renamed = tuple(replace(call, name=f"{seed}/{call.name}") for seed in seeds for call in asked[seed])
        runs = Sitting(self._box).both(job_of(rubric.assignment, rubric.references.solution, renamed)).runs
        return {
            seed: (tuple(calls), {call.name: _values(runs[f"{seed}/{call.name}"]) for call in calls})
            for seed, calls in asked.items()
        }


def ahead(first: int, others: Sequence[int], known: int) -> list[int]:
    """One that is asked for, and as many others as were so far, up to a number: a process costs more than most draws, but a small
    class is not to wait for all of them."""
    return [first, *(one for one in others if one != first)][: min(known + 1, _MOST_AHEAD)]


def _values(result: ProbeRun) -> Arrays:
    if result.status != "ran":
        raise SandboxError(f"the reference solution does not answer {result.call}: run `make references`")
    return result.values


def job_of(assignment: Assignment, cells: tuple[CellSource, ...], asked: tuple[Call, ...]) -> Job:
    """Cells of an assignment and the calls to make after them, as the sandbox takes them."""
    probes = place_of(assignment.notebook).module("probes")
    return Job(
        probes=probes,
        prelude=assignment.prelude,
        not_allowed=assignment.not_allowed,
        cells=cells,
        calls=asked,
        tensors=assignment.about.uses("torch"),
    )
