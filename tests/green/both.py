"""One answer before the notebook's visible tests and before the grader."""

import contextlib
import io
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from grader.authoring.slips import load_slips
from tests.behaviour.__main__ import all_mutants, explanations, sampled
from tests.behaviour.bare import Bare
from tests.mutants import solution_of
from tests.places import PROJECT
from tests.validity import right_answers
from tools.notebooks import solved_notebook
from utils.notebook.extraction import tag_line

_EXPLAINED = Path(__file__).with_name("explained.yaml")
_SECONDS = 90
GREEN = "green"


@dataclass(frozen=True)
class Answer:
    """An answer to one task; `kind` is right, slip or mutant."""

    task: str
    kind: str
    name: str  # of a mutant "target: change"
    source: str

    @property
    def is_explained(self) -> bool:
        """Whether explained.yaml says why the two may differ here."""
        target, _, change = self.name.partition(": ")
        return any(one.covers_key((self.task, target, change)) for one in explanations(_EXPLAINED))


@dataclass(frozen=True)
class Seen:
    """What both say: `notebook` is green or the sentence of the test; `public` and `drawn` are the grader's sentences, empty for none."""

    answer: Answer
    notebook: str
    public: str = ""
    drawn: str = ""
    acted: bool = True  # whether a mutant's change came to act in the grader's calls

    @property
    def disagreement(self) -> str:
        """How they disagree; empty where they do not, or where it is explained."""
        if self.answer.is_explained:
            return ""
        if self.notebook == GREEN:
            return "green, and loses points on public inputs" if self.public else ""
        if self.public or self.drawn:
            return ""
        return "red, and full marks" if self.acted or self.answer.kind == "right" else ""


def answers_of(name: str, sample: int, after: int = 0) -> list[Answer]:
    """Right answers, slips and so many mutants of every task, others than the first `after`."""
    solution = solution_of(name)
    right = [Answer(one.task, "right", one.name, one.cell(solution[one.task])) for one in right_answers(name)]
    slips = [Answer(one.task, "slip", one.name, one.cell(solution[one.task])) for one in load_slips(name)]
    mutants = [
        Answer(one.task, "mutant", f"{one.target}: {one.change}", one.source)
        for one in (sampled(all_mutants(name), sample, after) if sample else ())
    ]
    return [*right, *slips, *mutants]


# ---------------------------------------------------------------- the notebook


def notebook_says(name: str, answers: list[Answer]) -> list[str]:
    """Green, or the first test's sentence, for each answer: the solved notebook runs once, each answer in a fork of it."""
    said: dict[Answer, str] = {}
    torch.set_num_threads(1)  # a fork has none of its parent's threads, and would wait for them for ever
    cells = [cell.source for cell in solved_notebook(name).cells if cell.cell_type == "code"]
    last = max(number for number, source in enumerate(cells) if _is_test(source))
    task_of = {source: task for task, source in _by_text(name).items()}
    with _in_a_bundle() as namespace:
        for number, source in enumerate(cells[: last + 1]):
            task = task_of.get(source.strip())
            if task:
                tests = _tests_below(cells, number)
                said |= {one: _in_a_fork(namespace, one.source, tests) for one in answers if one.task == task}
            _run(source, namespace)
    return [said[answer] for answer in answers]


def _by_text(name: str) -> dict[str, str]:
    return {task: source.strip() for task, source in solution_of(name).items()}


def _is_test(source: str) -> bool:
    return source.startswith("# TEST")


def _tests_below(cells: list[str], number: int) -> list[str]:
    """The tests between an answer and the next one."""
    found = []
    for source in cells[number + 1 :]:
        if tag_line(source):
            break
        found += [source] if _is_test(source) else []
    return found


@contextlib.contextmanager
def _in_a_bundle() -> Iterator[dict]:
    """A notebook's namespace, in a folder that has the course's package beside it."""
    quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with tempfile.TemporaryDirectory() as folder, quiet[0], quiet[1], warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (Path(folder) / "utils").symlink_to(PROJECT / "utils")
        (Path(folder) / "notebooks").mkdir()
        before = Path.cwd()
        os.chdir(Path(folder) / "notebooks")
        try:
            yield {"__name__": "__main__"}
        finally:
            os.chdir(before)


def _run(source: str, namespace: dict) -> None:
    exec(compile(source, "<cell>", "exec", dont_inherit=True), namespace)


def _in_a_fork(namespace: dict, answer: str, tests: list[str]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.write(writing, _verdict(namespace, answer, tests).encode()[:4000])
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as told:
        said = told.read()
    os.waitpid(child, 0)
    return said or "no word"


def _verdict(namespace: dict, answer: str, tests: list[str]) -> str:
    signal.alarm(_SECONDS)
    try:
        for source in (answer, *tests):
            _run(source, namespace)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return GREEN


# ---------------------------------------------------------------- the grader


def grader_says(bare: Bare, answer: Answer, notebook: str) -> Seen:
    """The grader's word: on the public inputs, and where they say nothing on drawn ones."""
    names: dict = {}
    public = bare.lost_on(answer.task, answer.source, True, names)
    drawn = [] if public else bare.lost_on(answer.task, answer.source, False, names)
    return Seen(answer, notebook, _sentence(public), _sentence(drawn), acted=bool(names.get("_NOTES", [1])[0]))


def _sentence(lost: list) -> str:
    return f"{lost[0].check}: {lost[0].sentence}" if lost else ""


def seen(name: str, answers: list[Answer]) -> Iterator[Seen]:
    """Both words on every answer."""
    said = notebook_says(name, answers)
    bare = Bare(name)
    for answer, notebook in zip(answers, said, strict=True):
        yield grader_says(bare, answer, notebook)
