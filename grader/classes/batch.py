"""The unit of grading: from the bytes of one hand-in to the bytes of its results.

`grade_hand_in` is a plain function, and whatever can call a function elsewhere can run a course with it: `pool.Workers` on one
machine, an engine for many machines behind the same interface of executors. Its results depend on its arguments alone, the seat
aside. Threads of one process share its sandbox and take turns; work runs side by side in processes.

    results = executor.submit(grade_hand_in, work, settings, Seat()).result()
"""

import atexit
import hashlib
import hmac
import json
import socket
import threading
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from grader import __version__
from grader.records import Report, Seat
from grader.report.results import results_json
from grader.rubric import load_rubric
from grader.rubric.draws import course_key, course_salt
from grader.stages.clock import REPORT_SECONDS, in_time
from grader.stages.pipeline import Grader, graded_assignments, our_fault
from utils.assignments import load_assignment


@dataclass(frozen=True)
class Settings:
    """What a whole run is graded with."""

    notebook: str | None = None  # the only assignment accepted
    salt: str = ""
    max_tier: str | None = None
    quality_seconds: float | None = None  # see `Grader`
    expected: tuple[str, ...] = ()  # likewise; no result depends on it


@dataclass(frozen=True)
class Work:
    """One hand-in: everything its results are made of beside the settings."""

    student: str
    file_name: str
    data: bytes
    about: str = "{}"  # JSON, passed on into the results: members, time, earlier uploads


_MOST_SANDBOXES = 8  # of a process; each takes some of the memory


class Sandboxes:
    """The sandboxes of one process: one for each settings and seat, started when it is first asked for, ended by `close`."""

    def __init__(self) -> None:
        self.turn = threading.Lock()  # a sandbox has one channel: frames of two submissions on it would cross
        self._nursery: socket.socket | None = None
        self._graders: dict[tuple[Settings, Seat], Grader] = {}

    def fork_from(self, nursery: socket.socket | None) -> None:
        """Have zygotes forked by a nursery from now on: see `Box`."""
        self._nursery = nursery

    def grader(self, settings: Settings, seat: Seat) -> Grader:
        """The grader for these settings, its sandbox running. Only for who has the turn.

        Raises:
            SandboxError: If the sandbox does not start; the next question tries again.
        """
        if (settings, seat) not in self._graders:
            while len(self._graders) >= _MOST_SANDBOXES:
                self._graders.pop(next(iter(self._graders))).__exit__()  # the oldest
            options = settings.notebook, settings.salt or None, settings.max_tier, seat, settings.quality_seconds
            grader = Grader(*options, expected=settings.expected, nursery=self._nursery)
            self._graders[settings, seat] = grader.__enter__()
        return self._graders[settings, seat]

    def close(self) -> None:
        while self._graders:
            self._graders.popitem()[1].__exit__()


sandboxes = Sandboxes()  # of this process, from its first hand-in to its end
atexit.register(sandboxes.close)


def grade_hand_in(work: Work, settings: Settings, seat: Seat = Seat()) -> bytes:
    """Grade one hand-in.

    Args:
        work: The hand-in.
        settings: Those of the run; a process keeps one sandbox for each.
        seat: Where its sandbox works.

    Returns:
        The content of its `results.json`. The same work and settings give the same bytes, times aside.
    """
    with sandboxes.turn:
        report = sandboxes.grader(settings, seat).grade_bytes(work.data, work.file_name, work.student)
    return in_time(
        REPORT_SECONDS,
        lambda: encode(work, settings, report),
        lambda: fault_results(work, settings, "its results take too long to write"),
    )


def tier_here(settings: Settings, seat: Seat = Seat()) -> str:
    """The isolation that hand-ins get in the process that is asked; the first question starts its sandbox."""
    with sandboxes.turn:
        return sandboxes.grader(settings, seat).tier


def encode(work: Work, settings: Settings, report: Report) -> bytes:
    """A report as the content of `results.json`, with what a later run needs to know that it still holds."""
    results = results_json(report)
    results["extra_data"] |= json.loads(work.about)
    results["extra_data"]["key"] = key_of(work, settings, report.notebook)
    if report.fault:
        results["extra_data"]["fault"] = report.fault
    return sealed(results, settings)


def sealed(results: dict[str, Any], settings: Settings) -> bytes:
    """Results with their seal, as the content of `results.json`."""
    results["extra_data"]["seal"] = seal_of(results, settings)
    return encoded(results)


def encoded(results: dict[str, Any]) -> bytes:
    """Results as the content of `results.json`: a line for each test, and for each other entry."""
    lines = (f"{json.dumps(name)}: {_on_lines(value)}" for name, value in results.items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8", "replace")


def _on_lines(value: Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in value) + "\n]"


def is_sealed(results: dict[str, Any], settings: Settings) -> bool:
    """Whether results are as they were written: who edits them in their folder cannot make the seal."""
    return results["extra_data"].get("seal") == seal_of(results, settings)


def still_holds(results: dict[str, Any], work: Work, settings: Settings) -> bool:
    """Whether earlier results are what grading this work again would give. A fault of ours never is: it is tried again."""
    extra = results.get("extra_data", {})
    if extra.get("status") == "grader_error":
        return False
    is_same_group = all(extra.get(name) == value for name, value in json.loads(work.about).items())
    is_same_work = extra.get("key") == key_of(work, settings, extra.get("notebook", ""))
    return is_same_group and is_same_work and is_sealed(results, settings)


def seal_of(results: dict[str, Any], settings: Settings) -> str:
    """A digest of the results, times aside, that needs the course's secret: what lies in a folder may have been edited."""
    extra = {name: value for name, value in results["extra_data"].items() if name not in ("seal", "cpu_seconds")}
    content = {name: value for name, value in results.items() if name != "execution_time"} | {"extra_data": extra}
    data = json.dumps(content, sort_keys=True).encode()
    return hmac.new(keyed(settings, b"seal"), data, "sha256").hexdigest()


def keyed(settings: Settings, use: bytes) -> bytes:
    return hmac.digest(course_key(settings.salt or course_salt()), use, "sha256")


def key_of(work: Work, settings: Settings, notebook: str) -> str:
    """A digest of everything the results depend on: the submission, `grader.rubric.resume_key`, versions, salt, options."""
    what = [
        hashlib.sha256(work.data).hexdigest(), work.student, work.file_name, work.about, settings.notebook,
        settings.quality_seconds, settings.max_tier,
        *_circumstances(settings, notebook),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


@cache
def _circumstances(settings: Settings, notebook: str) -> tuple[str, ...]:
    known = graded_assignments()
    graded = [name for name in (notebook, settings.notebook) if name in known][:1]  # all, where nobody knows which
    rubrics = [load_rubric(name).digest for name in graded or known]
    salt = keyed(settings, b"resume").hex()  # of a stretched secret: it goes where students may see it
    torch = version("torch") if any(load_assignment(name).about.uses("torch") for name in graded or known) else ""
    return (__version__, torch, version("numpy"), salt, *rubrics)


def fault_results(work: Work, settings: Settings, reason: str) -> bytes:
    """The results of a hand-in that was not graded through no fault of the student's."""
    report = Report(
        student=work.student,
        file_name=work.file_name,
        notebook=settings.notebook or "",
        submission_sha256=hashlib.sha256(work.data).hexdigest(),
        tier="",
        verdicts=(our_fault(),),
        fault=reason,
    )
    return encode(work, settings, report)
