"""The answers that wait for a person, read from the results of a class; pictures stay in their files until they are shown."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.classes.results_folder import each_result
from grader.report.files import folder_name
from grader.report.statistics import is_graded

Results = dict[str, Any]


class NothingToMark(ValueError):
    """A folder without answers for a person; the message is one sentence."""


@dataclass(frozen=True)
class Part:
    """One part of a question that a person grades, the same for the whole class."""

    check: str
    task: str
    notebook: str
    number: str
    title: str
    points: float


@dataclass(frozen=True)
class Answer:
    """One student's answer to a part."""

    student: str
    check: str
    text: str
    pictures: tuple[str, ...]  # their digests
    is_missing: bool  # nobody wrote anything

    @property
    def digest(self) -> str:
        return digest_of(self.text, self.pictures)


@dataclass(frozen=True)
class Classroom:
    """Everything that a class left for persons to read."""

    folder: Path
    parts: dict[str, Part]  # by check, in the order of the notebooks
    answers: dict[tuple[str, str], Answer]  # by student and check
    digests: dict[tuple[str, str], str]
    checks: dict[str, tuple[dict[str, Any], ...]]  # by student: what the automatic checks said
    stamp: tuple[int, ...] = ()  # of the run that wrote the results

    def of_part(self, check: str) -> list[Answer]:
        return [a for a in self.answers.values() if a.check == check and not a.is_missing]


def digest_of(text: str, pictures: Iterable[str]) -> str:
    """What a mark is bound to: another text or another picture is another answer."""
    return hashlib.sha256(json.dumps([text, *pictures]).encode()).hexdigest()[:32]


def open_tests(result: Results) -> list[dict[str, Any]]:
    """The tests of a result that have no score until a person gives one."""
    return [test for test in result["tests"] if "max_score" not in test] if is_graded(result) else []


def answers_of(result: Results) -> list[Answer]:
    """One answer for each part of a result that a person grades."""
    extra = result["extra_data"]
    written = {part["check"]: part for part in extra["written"]}
    found = []
    for test in open_tests(result):
        facts = test["extra_data"]
        part = written.get(facts["check"], {"text": "", "pictures": []})
        pictures = tuple(hashlib.sha256(str(picture).encode()).hexdigest()[:32] for picture in part["pictures"])
        found.append(Answer(extra["student"], facts["check"], part["text"], pictures, facts["status"] == "missing"))
    return found


def read_classroom(folder: Path) -> Classroom:
    """Read a folder of results.

    Raises:
        NothingToMark: If no part in it waits for a person.
    """
    stamp = run_stamp(folder)
    parts: dict[str, Part] = {}
    answers: dict[tuple[str, str], Answer] = {}
    checks: dict[str, tuple[dict[str, Any], ...]] = {}
    for result in each_result(folder):
        student, notebook = result["extra_data"]["student"], result["extra_data"]["notebook"]
        for test in open_tests(result):
            facts = test["extra_data"]
            parts[facts["check"]] = Part(
                check=facts["check"],
                task=facts["task"],
                notebook=notebook,
                number=test["number"],
                title=test["name"].partition(": ")[2],
                points=facts["points"],
            )
        answers |= {(student, answer.check): answer for answer in answers_of(result)}
        checks[student] = tuple(_said(test) for test in result["tests"] if "max_score" in test)
    if not parts:
        raise NothingToMark(f"Nothing in {folder} waits for a person: {_advice(folder)}")
    ordered = sorted(
        parts.values(), key=lambda part: (part.notebook, [int(n) for n in part.number.split(".")], part.check)
    )
    digests = {key: answer.digest for key, answer in answers.items()}
    return Classroom(
        folder=folder,
        parts={part.check: part for part in ordered},
        answers=answers,
        digests=digests,
        checks=checks,
        stamp=stamp,
    )


def _advice(folder: Path) -> str:
    inside = sorted({str(path.parent.parent) for path in folder.glob("*/*/results.json")})
    return f"give one of {', '.join(inside[:5])}." if inside else "give the folder that `grade --out` has written."


def run_stamp(folder: Path) -> tuple[int, ...]:
    """Changes whenever a run has written results."""
    try:
        about = (folder / "run.json").stat()
    except OSError:
        return ()
    return about.st_mtime_ns, about.st_size


def _said(test: dict[str, Any]) -> dict[str, Any]:
    facts = test["extra_data"]
    kept = {name: facts[name] for name in ("check", "task", "status")}
    return kept | {"sentence": test["output"], "score": test["score"], "max_score": test["max_score"]}


def picture(classroom: Classroom, student: str, check: str, number: int) -> bytes:
    """A picture's bytes as the student left them: a stranger's, to be decoded and drawn anew before anybody sees them.

    Raises:
        LookupError: If there is none.
    """
    path = classroom.folder / folder_name(student) / "results.json"
    try:
        written = json.loads(path.read_text(encoding="utf-8"))["extra_data"]["written"]
        (part,) = [part for part in written if part["check"] == check]
        return base64.b64decode(part["pictures"][number], validate=True)
    except (OSError, ValueError, KeyError, IndexError, TypeError, binascii.Error):
        raise LookupError(f"no picture {number} of {check}") from None
