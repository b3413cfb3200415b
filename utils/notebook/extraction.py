"""Which cell of a notebook answers which task.

Editors rewrite or drop everything about a cell but its text (ids, metadata, types), so a task is found by the text alone:
by the tag `# AUTOGRADED (points) word` on the first line that is neither blank nor a magic, else by the names the cell
defines.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from utils.assignments import Assignment, Task
from utils.notebook.by_digest import by_digest
from utils.notebook.cell_code import MAX_CODE, defined_names, is_magic, normalised_code, parse, without_magics
from utils.notebook.cells import Cell, Notebook
from utils.notebook.printable import printable

# No two neighbours of these patterns can take the same characters: a line of spaces must cost what it is long.
_TAG = re.compile(
    r"^\s*#+\s*auto[\s_-]*graded\b\s*"
    r"(?:[(\[]\s*(?P<points>\d+(?:\.\d+)?)\s*(?:(?:points?|pts?\.?)\s*)?[)\]]\s*)?(?:[:\-]\s*)?(?P<word>[\w.]*)",
    re.IGNORECASE,
)
_CANONICAL_TAG = re.compile(r"^# AUTOGRADED \(\d+(?:\.\d+)?\)(?: [\w.]+)?\s*$")
_DEFINITION = re.compile(r"^[ \t]*(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_MOST_NAMES = 64  # of a cell that is remembered
_LONGEST_TAG = 400  # characters of a line that is looked at
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
            line = line[:_LONGEST_TAG]
            return line if _TAG.match(line) else None
    return None


@dataclass(frozen=True)
class Outline:
    """What is kept of a cell's code: small, however long the cell."""

    has_magics: bool = False  # to be blanked before it is compiled
    error: tuple[int, str] | None = None  # line and message
    names: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()  # of what does not parse: what it seems to define
    tag: str | None = None
    word: str = ""


class _Candidate:
    """A cell that may be an answer. Its tree is not kept: of a large notebook they would fill the memory."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.outline = cell, outline(cell.source)

    @cached_property
    def code(self) -> str:
        return without_magics(self.cell.source) if self.outline.has_magics else self.cell.source

    @cached_property
    def normalised(self) -> str:
        return normalised_code(self.code)

    def holds(self, task: Task) -> bool:
        return self.outline.names.issuperset(task.defines)


@dataclass(frozen=True)
class Candidates:
    """The cells of a notebook that may be answers, read once for all assignments."""

    code: tuple[_Candidate, ...]
    text: tuple[_Candidate, ...]  # cells of another kind, in which an answer may have ended up
    repairs: tuple[str, ...]

    @cached_property
    def tagged(self) -> tuple[_Candidate, ...]:
        return tuple(one for one in self.code if one.outline.tag)

    @cached_property
    def answers_in_text(self) -> tuple[_Candidate, ...]:
        """The last first; prose, which is no code, is none."""
        return tuple(one for one in reversed(self.text) if one.outline.tag or one.outline.names)

    @cached_property
    def names(self) -> frozenset[str]:
        """What some cell of code defines: other assignments' tasks are none of them, and need no look at each cell."""
        return frozenset().union(*(one.outline.names for one in self.code))


def candidates(notebook: Notebook) -> Candidates:
    """Read the code in a notebook's cells; those that define nothing and bear no tag answer no task."""
    cells = [replace(c, source=_FENCE.sub("", c.source)) if _is_fenced(c) else c for c in notebook.cells]
    read = [one for one in map(_Candidate, cells) if one.outline.tag or one.outline.names or one.outline.error]
    code, text = (tuple(c for c in read if (c.cell.kind == "code") is is_code) for is_code in (True, False))
    return Candidates(code, text, notebook.repairs)


def _is_fenced(cell: Cell) -> bool:
    return cell.kind != "code" and "```" in cell.source


def find_tasks(notebook: Notebook | Candidates, assignment: Assignment) -> Extraction:
    """Find the cell that answers each task of an assignment.

    Args:
        notebook: The notebook as read; or its `candidates`, where several assignments look for theirs.
        assignment: The assignment's tasks, with the names each one defines.

    Returns:
        The sources in the order of their cells, the tasks not found, and the repairs.
    """
    inside = notebook if isinstance(notebook, Candidates) else candidates(notebook)
    words = {word for task in assignment.tasks for word in (task.word.lower(), task.id.lower())}
    found: list[TaskSource] = []
    missing: dict[str, str] = {}
    repairs = list(inside.repairs)
    for task in assignment.tasks:
        chosen = _choose(task, inside, words, repairs)
        if chosen is None:
            names = " and ".join(f"`{name}`" for name in task.defines)
            missing[task.id] = (
                f"{task.id}: no cell begins with `# AUTOGRADED ({task.points:g}) {task.word}` and none defines {names}; "
                "put your answer into such a cell."
            )
        else:
            found.append(_task_source(task, chosen))
    return Extraction(tuple(sorted(found, key=lambda source: source.cell)), missing, tuple(dict.fromkeys(repairs)))


@by_digest(is_kept=lambda made: len(made.names | made.mentioned) <= _MOST_NAMES)
def outline(source: str) -> Outline:
    """What the code of a cell says at a glance."""
    tag = tag_line(source)
    word = match["word"].lower()[:_LONGEST_TAG] if tag and (match := _TAG.match(tag)) else ""
    code, tree = parse(source)
    if isinstance(tree, SyntaxError):
        mentioned = frozenset(_DEFINITION.findall(source[:MAX_CODE]))
        error = (tree.lineno or 1, tree.msg[:200])
        return Outline(has_magics=code is not source, error=error, mentioned=mentioned, tag=tag, word=word)
    return Outline(has_magics=code is not source, names=frozenset(defined_names(tree)), tag=tag, word=word)


def _choose(task: Task, inside: Candidates, words: set[str], repairs: list[str]) -> _Candidate | None:
    named = {task.word.lower(), task.id.lower()}
    tagged = [c for c in inside.tagged if c.outline.word in named or (c.outline.word not in words and c.holds(task))]
    if tagged:
        return _last_that_parses(task, tagged, repairs)
    untagged = [c for c in inside.code if c.holds(task)] if inside.names.issuperset(task.defines) else []
    if untagged:
        chosen = untagged[-1]
        repairs.append(
            f"{task.id}: its tag is missing; the answer was found in cell {chosen.cell.number} by the name it defines."
        )
        return chosen
    for chosen in inside.answers_in_text:
        if chosen.holds(task) or (chosen.outline.tag and chosen.outline.word in named):
            repairs.append(
                f"{task.id}: cell {chosen.cell.number} is a {chosen.cell.kind} cell; it was graded as code. Turn it back into a code cell."
            )
            return chosen
    broken = [c for c in inside.code if c.outline.error and not c.outline.mentioned.isdisjoint(task.defines)]
    return broken[-1] if broken else None


def _last_that_parses(task: Task, tagged: list[_Candidate], repairs: list[str]) -> _Candidate:
    untouched = normalised_code(task.untouched_source)
    ranked = sorted(
        tagged,  # a copy of the open gap below a filled one is no answer
        key=lambda c: (c.holds(task), c.outline.error is None, c.normalised != untouched, c.cell.number),
    )
    chosen = ranked[-1]
    if len(tagged) > 1:
        numbers = ", ".join(str(c.cell.number) for c in tagged[:8]) + (", ..." if len(tagged) > 8 else "")
        repairs.append(
            f"{task.id}: cells {numbers} carry its tag; the last that can be read, cell {chosen.cell.number}, is graded."
        )
    tag = chosen.outline.tag
    if tag and not _CANONICAL_TAG.match(tag):
        repairs.append(
            f"{task.id}: the tag of cell {chosen.cell.number} was retyped (`{printable(tag.strip()[:60])}`); it was understood."
        )
    return chosen


def _task_source(task: Task, chosen: _Candidate) -> TaskSource:
    error = printable("line {}: {}".format(*chosen.outline.error)) if chosen.outline.error else ""
    untouched = not error and chosen.normalised == normalised_code(task.untouched_source)
    return TaskSource(task.id, chosen.cell.number, chosen.code, untouched, error)
