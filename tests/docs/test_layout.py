"""The engine knows no notebook: what belongs to one stands in its folder of `assignments`, and nowhere in the engine."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import PROJECT

from utils.assignments import Assignment, all_assignments
from utils.assignments.places import place_of

ENGINE = ("grader", "utils", "tools")
LIBRARY = "utils/datasets"  # data sets are the library's own: students import them by name, whatever the notebook


def _words(assignment: Assignment) -> Iterator[str]:
    """What would name a notebook: its name, folder and title, its questions and tasks, its files and its weights."""
    about, place = assignment.about, place_of(assignment.notebook)
    yield from (assignment.notebook, place.folder, assignment.title.partition(": ")[2])
    for question in assignment.questions:
        yield from (question.id, *(task.id for task in question.tasks))
    yield from (*about.data.files, about.data.mend) if about.data else ()
    yield from (*about.hand_in.files, about.hand_in.question) if about.hand_in else ()
    yield from (file.stem for file in (place.path / "weights").glob("*"))


def _texts() -> Iterator[tuple[str, str]]:
    for part in ENGINE:
        for path in sorted((PROJECT / part).rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".png"):
                yield path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8")


def _found(word: str, texts: list[tuple[str, str]]) -> list[str]:
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?![\w])")
    return [name for name, text in texts if pattern.search(text)]


@pytest.mark.parametrize("assignment", all_assignments(), ids=lambda assignment: assignment.notebook)
def test_the_engine_names_no_notebook(assignment: Assignment) -> None:
    texts = list(_texts())
    data = assignment.about.data.files if assignment.about.data else ()
    named = {word: _found(word, texts) for word in _words(assignment)}
    for word in data:
        named[word] = [name for name in named[word] if not name.startswith(LIBRARY)]
    assert len(named) > 8
    assert {word: files for word, files in named.items() if files} == {}


def test_the_search_finds_what_is_there() -> None:
    assert _found("grader.records", list(_texts()))


def test_the_engine_imports_no_assignment() -> None:
    imports = re.compile(r"^\s*(?:from|import) assignments\b", re.MULTILINE)
    assert [name for name, text in _texts() if imports.search(text)] == []


def test_an_assignment_imports_no_other() -> None:
    folders = {place_of(assignment.notebook).path for assignment in all_assignments()}
    for folder in folders:
        others = "|".join(other.name for other in folders - {folder})
        crossing = re.compile(rf"assignments\.({others})\b")
        assert [path for path in Path(folder).rglob("*.py") if crossing.search(path.read_text(encoding="utf-8"))] == []
