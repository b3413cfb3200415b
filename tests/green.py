"""Green means green: what each notebook's visible tests say of answers, beside what the grader says of them.

    python -m tests.green [NAME ...] [--task TASK] [--sample N] [--save FILE]

Every right answer, every usual slip and a sample of the behavioural mutants are run in the solved notebook, in place of the
solution's cell, with the `# TEST` cells below it; and graded, on the inputs that are public and on drawn ones. Two things
are disagreements: an answer that the tests turn down and the grader does not, and one that passes the tests and loses
points on public inputs. What only drawn inputs tell apart is none: the notebook cannot know them.
"""

import argparse
import contextlib
import io
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.authoring.slips import load_slips
from tests.behaviour.__main__ import all_mutants, sampled
from tests.behaviour.bare import Bare
from tests.mutants import solution_of
from tests.places import PROJECT
from tests.validity import right_answers
from tools.notebooks import solved_notebook
from utils.assignments import assignment_names
from utils.notebook.extraction import tag_line

_SECONDS = 90
GREEN = "green"


@dataclass(frozen=True)
class Answer:
    """An answer to one task; `kind` is right, slip or mutant."""

    task: str
    kind: str
    name: str
    source: str


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
        """How they disagree; empty where they do not."""
        if self.notebook == GREEN:
            return "green, and loses points on public inputs" if self.public else ""
        if self.public or self.drawn:
            return ""
        return "red, and full marks" if self.acted or self.answer.kind == "right" else ""


def answers_of(name: str, sample: int) -> list[Answer]:
    """Right answers, slips and so many mutants of every task."""
    solution = solution_of(name)
    right = [Answer(one.task, "right", one.name, one.cell(solution[one.task])) for one in right_answers(name)]
    slips = [Answer(one.task, "slip", one.name, one.cell(solution[one.task])) for one in load_slips(name)]
    mutants = [
        Answer(one.task, "mutant", f"{one.target}: {one.change}", one.source)
        for one in (sampled(all_mutants(name), sample) if sample else ())
    ]
    return [*right, *slips, *mutants]


# ---------------------------------------------------------------- the notebook


def notebook_says(name: str, answers: list[Answer]) -> list[str]:
    """Green, or the first test's sentence, for each answer: the solved notebook runs once, each answer in a fork of it."""
    said: dict[Answer, str] = {}
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
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
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
    """The grader's word: of green ones whether public inputs tell, of red ones whether anything does."""
    if notebook == GREEN:
        lost = bare.judged(answer.task, answer.source, bare.public(answer.task), bare._references(answer.task), {})
        return Seen(answer, notebook, public=_sentence(lost))
    lost, names = bare.tried(answer.task, answer.source)
    return Seen(answer, notebook, drawn=_sentence(lost), acted=bool(names.get("_NOTES", [1])[0]))


def _sentence(lost: list) -> str:
    return f"{lost[0].check}: {lost[0].sentence}" if lost else ""


def seen(name: str, answers: list[Answer]) -> Iterator[Seen]:
    """Both words on every answer."""
    said = notebook_says(name, answers)
    bare = Bare(name)
    for answer, notebook in zip(answers, said, strict=True):
        yield grader_says(bare, answer, notebook)


def main() -> int:
    """Print the disagreements; 1 if there is one."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.green", description="The notebooks' tests against the grader."
    )
    parser.add_argument("names", nargs="*", help="notebooks; default: all")
    parser.add_argument("--task", action="append", help="only this task's; may be given several times")
    parser.add_argument("--sample", type=int, default=20, help="so many behavioural mutants of every task")
    parser.add_argument("--save", type=Path, help="a file for every outcome, a line each")
    options = parser.parse_args()
    os.environ.update(FAST="1", MPLBACKEND="Agg")
    worse = 0
    for name in options.names or assignment_names():
        answers = [one for one in answers_of(name, options.sample) if not options.task or one.task in options.task]
        for one in seen(name, answers):
            worse += bool(one.disagreement)
            if one.disagreement:
                print(f"{one.answer.task} {one.answer.kind} {one.answer.name}: {one.disagreement}", file=sys.stderr)
                print(f"    {one.notebook}\n    {one.public}", file=sys.stderr)
            if options.save:
                with options.save.open("a", encoding="utf-8") as file:
                    a = one.answer
                    file.write(
                        json.dumps([name, a.task, a.kind, a.name, one.notebook, one.public, one.drawn, one.acted])
                        + "\n"
                    )
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
