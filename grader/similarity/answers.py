"""From hand-ins to what is compared: each student's answers, in code, words and pictures, and what lies around them."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from grader.classes.pool import Here
from grader.classes.sorting import by_notebook, looked_at
from grader.platforms import HandIn, content
from grader.similarity.quiet import quiet_evidence
from grader.stages.intake import MAX_ZIP_BYTES, IntakeError, take_in_bytes
from grader.stages.notebook import read
from utils.notebook.cells import NotebookError


@dataclass(frozen=True)
class Answers:
    """One hand-in, as far as it is compared."""

    student: str
    notebook: str
    code: dict[str, str]  # task -> source, of the answers somebody has worked on
    words: dict[str, str]  # part that a person grades -> text
    pictures: dict[str, frozenset[str]]  # the same part -> digests
    quiet: frozenset[str]  # cell ids, metadata, outputs
    submitted_at: str = ""
    slips: frozenset[str] = frozenset()  # "check: slip", from the results
    wrong: frozenset[str] = field(default_factory=frozenset)  # tasks with a check that failed
    is_earlier: bool = False  # of an earlier year


@dataclass(frozen=True)
class Skipped:
    """A hand-in that cannot be compared, and why."""

    student: str
    sentence: str


def read_answers(
    hand_ins: Iterable[HandIn], results: dict[str, dict[str, Any]] | None = None, is_earlier: bool = False
) -> Iterator[Answers | Skipped]:
    """Read each hand-in's answers; one that cannot be read stops nobody else.

    Args:
        hand_ins: As `grader.platforms` found them.
        results: Contents of `results.json` by student, where there are any: they tell which answers are wrong.
        is_earlier: Whether these are of an earlier year.
    """
    for hand_in in chosen_of(hand_ins):
        try:
            yield _answers(hand_in, (results or {}).get(hand_in.student), is_earlier)
        except (IntakeError, NotebookError, OSError, ValueError) as error:
            yield Skipped(hand_in.student, " ".join(str(error).split())[:300] or "it cannot be read")
        except (RecursionError, MemoryError):
            yield Skipped(hand_in.student, "the notebook is nested too deep or too large to be compared")


def chosen_of(hand_ins: Iterable[HandIn]) -> Iterator[HandIn]:
    """Of each hand-in what would be graded of it: one for each notebook that somebody has worked on."""
    for hand_in in hand_ins:
        for own in by_notebook(looked_at([hand_in], Here())).values():
            yield from own


def _answers(hand_in: HandIn, results: dict[str, Any] | None, is_earlier: bool) -> Answers:
    if not hand_in.files:
        raise ValueError(hand_in.doubt or "no file was handed in")
    name, data = content(hand_in)
    if len(data) > MAX_ZIP_BYTES:
        raise ValueError(f"{name} is too large to be graded")
    submission = take_in_bytes(data, name, hand_in.student)
    reading = read(submission, hand_in.notebook or None)
    raw = json.loads(submission.notebooks[reading.notebook_name].decode("utf-8", "replace").lstrip("\ufeff"))
    tests = results["tests"] if results else []
    return Answers(
        student=hand_in.student,
        notebook=reading.assignment.notebook,
        code={task: source.source for task, source in reading.sources.items() if not source.is_untouched},
        words={part.check: part.text for part in reading.written if part.text},
        pictures={
            part.check: frozenset(hashlib.sha256(picture).hexdigest()[:16] for picture in part.pictures)
            for part in reading.written
            if part.pictures
        },
        quiet=quiet_evidence(raw),
        submitted_at=hand_in.submitted_at,
        slips=frozenset(
            f"{test['extra_data']['check']}: {test['extra_data']['slip']}"
            for test in tests
            if test["extra_data"]["slip"]
        ),
        wrong=frozenset(
            test["extra_data"]["task"]
            for test in tests
            if test["extra_data"]["status"] in ("wrong", "partial", "raised", "forbidden", "timeout")
        ),
        is_earlier=is_earlier,
    )
