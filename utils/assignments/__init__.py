"""What each notebook asks: its questions, their points, and the names the grader looks for.

The manifests, `manifest.json` in each folder of the course's `assignments`, are made from `notebook.py` and `about.toml` beside
them by `make notebooks`. The hand-in check, the grader and the tests read them here. Only the standard library is used, so that it starts fast.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from utils.assignments.about import About, parse_about
from utils.assignments.places import Course, Place, this_course

SCHEMA = 2
UNANSWERED = "*Your answer here.*"  # what stands in a response cell until the student writes

Kind = Literal["auto", "manual", "quality", "given"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Part:
    """One share of a question's points and who gives them."""

    kind: Kind
    points: int


@dataclass(frozen=True)
class Task:
    """One `# AUTOGRADED` cell."""

    id: str  # "flow.affine", or "flow.nets.Encoder" where a question has several cells
    word: str  # what follows the points in the tag
    points: int
    defines: tuple[str, ...]  # top-level names the cell must define
    untouched_source: str  # the cell as the student is given it, to recognise one nobody has worked on
    gaps: int  # how many `raise NotImplementedError` it holds then
    tests: tuple[str, ...] = ()  # its `# TEST` cells, as `utils.exercise.points.name_of_test` names them


@dataclass(frozen=True)
class Question:
    """One heading of the notebook that carries points, or a given exercise."""

    id: str
    number: str  # "1.3", from the heading
    title: str
    parts: tuple[Part, ...]
    tasks: tuple[Task, ...]

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def responses(self) -> int:
        """How many `**RESPONSE:**` cells stand below the question."""
        return sum(part.kind == "manual" for part in self.parts)

    def points_of(self, kind: Kind) -> int:
        return sum(part.points for part in self.parts if part.kind == kind)


@dataclass(frozen=True)
class Prediction:
    """What students guess before an experiment; no points hang on it."""

    id: str
    number: str  # of the heading above it: "1.3"
    question: str
    choices: dict[str, str] = field(hash=False)  # letter to text
    right: str  # the letter that the notebook's own run shows


@dataclass(frozen=True)
class Assignment:
    """One notebook, as the grader and the hand-in check know it."""

    notebook: str  # "07_flows"
    title: str
    prelude: tuple[str, ...]  # sources of the import cell and the given cells, in order
    imports: tuple[str, ...]  # dotted modules of the import cell; answers import from these packages only
    not_allowed: tuple[str, ...]  # dotted names an answer must not use
    questions: tuple[Question, ...]
    about: About
    predictions: tuple[Prediction, ...] = ()

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(task for question in self.questions for task in question.tasks)

    @property
    def total_points(self) -> int:
        return sum(question.points for question in self.questions)

    @property
    def auto_points(self) -> int:
        return self._points_of("auto")

    @property
    def manual_points(self) -> int:
        return self._points_of("manual")

    @property
    def quality_points(self) -> int:
        return self._points_of("quality")

    def question_of(self, task_id: str) -> Question:
        """Find the question a task belongs to.

        Raises:
            KeyError: If no question holds this task.
        """
        for question in self.questions:
            if any(task.id == task_id for task in question.tasks):
                return question
        raise KeyError(f"{self.notebook} has no task {task_id!r}; it has: {', '.join(t.id for t in self.tasks)}")

    def _points_of(self, kind: Kind) -> int:
        return sum(question.points_of(kind) for question in self.questions)


def assignment_names() -> list[str]:
    """The notebooks that have a manifest, in order."""
    manifests = [place.manifest for place in _with_manifest()]
    return sorted(_name_in(manifest, manifest.stat().st_mtime_ns) for manifest in manifests)


@lru_cache(maxsize=1024)
def _name_in(manifest: Path, changed: int) -> str:
    """The notebook that a manifest is of; asked several times for each submission."""
    return json.loads(manifest.read_bytes())["notebook"]


def all_assignments() -> tuple[Assignment, ...]:
    """Every notebook of the course, in order."""
    return tuple(load_assignment(name) for name in assignment_names())


def files_beside() -> frozenset[str]:
    """Names of files that may be handed in beside a notebook, whichever it is."""
    return frozenset(file for one in all_assignments() for file in one.about.files_beside)


def weights_files() -> frozenset[str]:
    """Names of files of trained weights, whichever notebook's."""
    return frozenset(one.about.weights.file for one in all_assignments() if one.about.weights)


def _with_manifest() -> list[Place]:
    return [place for place in this_course().places() if place.manifest.is_file()]


def load_assignment(name: str) -> Assignment:
    """Read one manifest.

    Args:
        name: The notebook's name, e.g. "07_flows".

    Returns:
        The assignment. The same object for the same name.

    Raises:
        ValueError: If there is no such notebook, or its manifest has another schema than this code reads.
    """
    return _load(this_course(), name)


@cache
def _load(course: Course, name: str) -> Assignment:
    place = course.place(name)
    if not place.manifest.is_file() or name not in assignment_names():
        raise ValueError(f"No notebook is called {name!r}; there are: {', '.join(assignment_names())}.")
    return parse_assignment(json.loads(place.manifest.read_text(encoding="utf-8")))


def parse_assignment(manifest: dict[str, Any]) -> Assignment:
    """Turn a manifest into records.

    Raises:
        ValueError: If its schema is not the one this code reads.
    """
    if manifest.get("schema") != SCHEMA:
        got = manifest.get("schema")
        raise ValueError(f"Manifest has schema {got!r}, expected {SCHEMA}; rebuild it with `make notebooks`.")
    return Assignment(
        notebook=manifest["notebook"],
        title=manifest["title"],
        prelude=tuple(manifest["prelude"]),
        imports=tuple(manifest["imports"]),
        not_allowed=tuple(manifest["not_allowed"]),
        questions=tuple(_parse_questions(manifest["questions"])),
        about=parse_about(manifest["about"]),
        predictions=tuple(Prediction(**entry) for entry in manifest.get("predictions", ())),
    )


def _parse_questions(entries: Iterable[dict[str, Any]]) -> Iterable[Question]:
    for entry in entries:
        parts = tuple(Part(**part) for part in entry["parts"])
        tasks = tuple(
            Task(**{**task, "defines": tuple(task["defines"]), "tests": tuple(task.get("tests", ()))})
            for task in entry["tasks"]
        )
        yield Question(entry["id"], entry["number"], entry["title"], parts, tasks)
