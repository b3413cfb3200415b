"""Which cell of a notebook answers which task.

Editors rewrite or drop everything about a cell but its text (ids, metadata, types), so a task is found by the text alone:
by the tag `# AUTOGRADED (points) word` on the first line that is neither blank nor a magic, else by the names the cell
defines.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from utils.assignments import Assignment, Task
from utils.notebook.cell_code import defined_names, is_magic, normalised_code, parse
from utils.notebook.cells import Cell, Notebook
from utils.notebook.printable import printable

_TAG = re.compile(
    r"^\s*#+\s*auto[\s_-]*graded\b\s*(?:[(\[]\s*(?P<points>\d+(?:\.\d+)?)\s*(?:points?|pts?\.?)?\s*[)\]])?\s*[:\-]?\s*(?P<word>[\w.]*)",
    re.IGNORECASE,
)
_CANONICAL_TAG = re.compile(r"^# AUTOGRADED \(\d+(?:\.\d+)?\)(?: [\w.]+)?\s*$")
_FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)


@dataclass(frozen=True)
class TaskSource:
    """The code that answers one task, ready to compile: magics are blanked, line numbers are the student's."""

    task: str
    cell: int
    source: str
    is_untouched: bool = False
    syntax_error: str = ""


@dataclass(frozen=True)
class Extraction:
    """What was found of each task of an assignment, in the order of the cells."""

    found: tuple[TaskSource, ...]
    missing: dict[str, str]  # task -> the sentence that says what was looked for
    repairs: tuple[str, ...]


def tag_line(source: str) -> str | None:
    """The first line that is neither blank nor a magic, if it is an AUTOGRADED tag."""
    for line in source.split("\n"):
        if line.strip() and not is_magic(line):
            return line if _TAG.match(line) else None
    return None


@dataclass(frozen=True)
class _Candidate:
    cell: Cell
    source: str
    error: SyntaxError | None  # the tree itself is not kept: of a large notebook they would fill the memory
    names: frozenset[str]
    tag: str | None
    word: str

    def holds(self, task: Task) -> bool:
        return self.names.issuperset(task.defines)


def find_tasks(notebook: Notebook, assignment: Assignment) -> Extraction:
    """Find the cell that answers each task of an assignment.

    Args:
        notebook: The notebook as read.
        assignment: The assignment's tasks, with the names each one defines.

    Returns:
        The sources in the order of their cells, the tasks not found, and the repairs.
    """
    code = [_candidate(cell) for cell in notebook.cells if cell.kind == "code"]
    text = [
        _candidate(replace(cell, source=_FENCE.sub("", cell.source))) for cell in notebook.cells if cell.kind != "code"
    ]
    words = {word for task in assignment.tasks for word in (task.word.lower(), task.id.lower())}
    found: list[TaskSource] = []
    missing: dict[str, str] = {}
    repairs = list(notebook.repairs)
    for task in assignment.tasks:
        chosen = _choose(task, code, text, words, repairs)
        if chosen is None:
            names = " and ".join(f"`{name}`" for name in task.defines)
            missing[task.id] = (
                f"{task.id}: no cell begins with `# AUTOGRADED ({task.points:g}) {task.word}` and none defines {names}; "
                "put your answer into such a cell."
            )
        else:
            found.append(_task_source(task, chosen))
    return Extraction(tuple(sorted(found, key=lambda source: source.cell)), missing, tuple(dict.fromkeys(repairs)))


def _candidate(cell: Cell) -> _Candidate:
    return _Candidate(cell, *_outline(cell.source))


@lru_cache(maxsize=512)  # every assignment looks through a notebook, and a class holds the same cells again and again
def _outline(source: str) -> tuple[str, SyntaxError | None, frozenset[str], str | None, str]:
    tag = tag_line(source)
    word = match["word"].lower() if tag and (match := _TAG.match(tag)) else ""
    code, tree = parse(source)
    if isinstance(tree, SyntaxError):
        return code, tree.with_traceback(None), frozenset(), tag, word
    return code, None, frozenset(defined_names(tree)), tag, word


def _choose(
    task: Task, code: list[_Candidate], text: list[_Candidate], words: set[str], repairs: list[str]
) -> _Candidate | None:
    named = {task.word.lower(), task.id.lower()}
    tagged = [c for c in code if c.tag and (c.word in named or (c.word not in words and c.holds(task)))]
    if tagged:
        return _last_that_parses(task, tagged, repairs)
    untagged = [c for c in code if c.holds(task)]
    if untagged:
        chosen = untagged[-1]
        repairs.append(
            f"{task.id}: its tag is missing; the answer was found in cell {chosen.cell.number} by the name it defines."
        )
        return chosen
    for chosen in reversed(text):
        if chosen.holds(task) or (chosen.tag and chosen.word in named):
            repairs.append(
                f"{task.id}: cell {chosen.cell.number} is a {chosen.cell.kind} cell; it was graded as code. Turn it back into a code cell."
            )
            return chosen
    broken = [c for c in code if c.error and any(_mentions(c.source, name) for name in task.defines)]
    return broken[-1] if broken else None


def _last_that_parses(task: Task, tagged: list[_Candidate], repairs: list[str]) -> _Candidate:
    untouched = normalised_code(task.untouched_source)
    ranked = sorted(
        tagged,  # a copy of the open gap below a filled one is no answer
        key=lambda c: (c.holds(task), c.error is None, normalised_code(c.source) != untouched, c.cell.number),
    )
    chosen = ranked[-1]
    if len(tagged) > 1:
        numbers = ", ".join(str(c.cell.number) for c in tagged)
        repairs.append(
            f"{task.id}: cells {numbers} carry its tag; the last that can be read, cell {chosen.cell.number}, is graded."
        )
    if chosen.tag and not _CANONICAL_TAG.match(chosen.tag):
        repairs.append(
            f"{task.id}: the tag of cell {chosen.cell.number} was retyped (`{printable(chosen.tag.strip()[:60])}`); it was understood."
        )
    return chosen


def _mentions(source: str, name: str) -> bool:
    return re.search(rf"^[ \t]*(?:def|class)\s+{re.escape(name)}\b", source, re.MULTILINE) is not None


def _task_source(task: Task, chosen: _Candidate) -> TaskSource:
    error = ""
    if chosen.error:
        error = printable(f"line {chosen.error.lineno or 1}: {chosen.error.msg}")
    untouched = not error and normalised_code(chosen.source) == normalised_code(task.untouched_source)
    return TaskSource(task.id, chosen.cell.number, chosen.source, untouched, error)
