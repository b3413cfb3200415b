"""A notebook as text: its cells, and which of them answer which task.

Editors rewrite or drop everything about a cell but its text (ids, metadata, types), so a task is found by the text alone:
by the tag `# AUTOGRADED (points) word` on the first line that is neither blank nor a magic, else by the names the cell
defines. Nothing is executed. What had to be guessed or mended is reported as a repair, one sentence each.

The grader and the hand-in check both read notebooks through this module, so a student's check sees what the grader sees.
"""

import ast
import json
import re
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

from utils.assignments import Assignment, Task

MAX_NOTEBOOK_BYTES = 32 * 2**20
MAX_CELLS = 2000
MAX_CODE = 50_000  # characters of a cell that is parsed: what is longer holds data, not an answer

_TAG = re.compile(
    r"^\s*#+\s*auto[\s_-]*graded\b\s*(?:[(\[]\s*(?P<points>\d+(?:\.\d+)?)\s*(?:points?|pts?\.?)?\s*[)\]])?\s*[:\-]?\s*(?P<word>[\w.]*)",
    re.IGNORECASE,
)
_CANONICAL_TAG = re.compile(r"^# AUTOGRADED \(\d+(?:\.\d+)?\)(?: [\w.]+)?\s*$")
_FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)


class NotebookError(ValueError):
    """The bytes are not a notebook that can be read; the message is one sentence for the student."""


@dataclass(frozen=True)
class Cell:
    """One cell. `number` counts all cells from 1, as a reader would from the top."""

    number: int
    kind: str  # "code", "markdown" or "raw"
    source: str
    outputs: tuple = ()
    execution_count: int | None = None


@dataclass(frozen=True)
class Notebook:
    """The cells of a notebook, and what had to be mended to read them."""

    cells: tuple[Cell, ...]
    repairs: tuple[str, ...] = ()


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


# ---------------------------------------------------------------- reading


def read_notebook(data: bytes) -> Notebook:
    """Read the cells of a notebook, nbformat 4.0 to 4.5, as written by any editor.

    Args:
        data: The file's bytes.

    Returns:
        The notebook's cells; unusual but readable things are listed in `repairs`.

    Raises:
        NotebookError: If the bytes are too many, not JSON, or not a notebook of format 4.
    """
    if len(data) > MAX_NOTEBOOK_BYTES:
        raise NotebookError(
            f"The notebook has {len(data) / 2**20:.0f} MB, at most {MAX_NOTEBOOK_BYTES // 2**20} MB are read: "
            "clear its outputs (Edit > Clear Outputs of All Cells) and hand it in again."
        )
    if not data.strip():
        raise NotebookError("The notebook file is empty: save the notebook and hand it in again.")
    text, repairs = _decode(data)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotebookError(
            f"The notebook is not valid JSON{where}: it was damaged while saving or copying; open it in Jupyter, save it, hand it in again."
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        old = isinstance(content, dict) and "worksheets" in content
        raise NotebookError(
            "The notebook has the old format 3: open and save it in JupyterLab, then hand it in again."
            if old
            else "The file is JSON but not a notebook (it has no list of cells): hand in the .ipynb file itself."
        )
    if len(content["cells"]) > MAX_CELLS:
        raise NotebookError(
            f"The notebook has {len(content['cells'])} cells, at most {MAX_CELLS} are read: delete those that are not of this course."
        )
    cells = [_cell(number, raw, repairs) for number, raw in enumerate(content["cells"], 1)]
    return Notebook(tuple(cell for cell in cells if cell), tuple(repairs))


def _decode(data: bytes) -> tuple[str, list[str]]:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding), [] if encoding == "utf-8-sig" else [
            "The notebook was saved as UTF-16; it was read all the same."
        ]
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="replace"), [
            "The notebook is not clean UTF-8; unreadable characters were replaced."
        ]


def _cell(number: int, raw: object, repairs: list[str]) -> Cell | None:
    if not isinstance(raw, dict):
        repairs.append(f"Cell {number} is damaged (not a cell) and was skipped.")
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        repairs.append(f"Cell {number} is damaged (its source is no text) and was read as empty.")
        source = ""
    source = source.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    source = source.encode("utf-8", "replace").decode()  # JSON can spell half a character, which nothing can write
    outputs = raw.get("outputs")
    count = raw.get("execution_count")
    return Cell(
        number=number,
        kind=raw["cell_type"] if raw.get("cell_type") in ("code", "markdown", "raw") else "raw",
        source=source,
        outputs=tuple(output for output in outputs if isinstance(output, dict)) if isinstance(outputs, list) else (),
        execution_count=count if isinstance(count, int) else None,
    )


# ---------------------------------------------------------------- one cell's code


def parse(source: str) -> tuple[str, ast.Module | SyntaxError]:
    """Parse a cell's code the way the notebook would run it.

    Args:
        source: The text of the cell; IPython magics (`%`, `%%`, `!`, `?`) may stand in it.

    Returns:
        The code to compile, with magics blanked so that line numbers stay, and its tree or the error.
    """
    tree = _tree(source)
    if isinstance(tree, ast.Module):
        return source, tree
    blanked = "\n".join("" if _is_magic(line) else line for line in source.split("\n"))
    mended = _tree(blanked)
    return (blanked, mended) if isinstance(mended, ast.Module) else (blanked, tree if blanked == source else mended)


def _tree(source: str) -> ast.Module | SyntaxError:
    if len(source) > MAX_CODE:
        return SyntaxError(f"the cell has more than {MAX_CODE:,} characters", ("", 1, 0, ""))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a backslash in a string: the student's to see, not the grader's
            return ast.parse(source)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):  # a null byte; ten thousand brackets
        return SyntaxError("the cell cannot be read as Python", ("", 1, 0, ""))


def _is_magic(line: str) -> bool:
    stripped = line.strip()
    return stripped.startswith(("%", "!", "?")) or (
        stripped.endswith("?") and stripped[:-1].replace(".", "_").isidentifier()
    )


def defined_names(tree: ast.Module) -> set[str]:
    """The names a cell defines at top level: functions, classes, and plain assignments such as `D_KL = lambda ...`."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def tag_line(source: str) -> str | None:
    """The first line that is neither blank nor a magic, if it is an AUTOGRADED tag."""
    for line in source.split("\n"):
        if line.strip() and not _is_magic(line):
            return line if _TAG.match(line) else None
    return None


# ---------------------------------------------------------------- which cell answers which task


@dataclass(frozen=True)
class _Candidate:
    cell: Cell
    source: str
    error: SyntaxError | None  # the tree itself is not kept: of a large notebook they would fill the memory
    names: frozenset[str]
    tag: str | None
    word: str

    def holds(self, task: Task) -> bool:
        return set(task.defines) <= self.names


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
    source, error, names = _outline(cell.source)
    tag = tag_line(cell.source)
    word = match["word"].lower() if tag and (match := _TAG.match(tag)) else ""
    return _Candidate(cell, source, error, names, tag, word)


@lru_cache(maxsize=512)  # every assignment looks through a notebook, and a class holds the same cells again and again
def _outline(source: str) -> tuple[str, SyntaxError | None, frozenset[str]]:
    code, tree = parse(source)
    if isinstance(tree, SyntaxError):
        return code, tree.with_traceback(None), frozenset()
    return code, None, frozenset(defined_names(tree))


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
            f"{task.id}: the tag of cell {chosen.cell.number} was retyped (`{chosen.tag.strip()[:60]}`); it was understood."
        )
    return chosen


def _mentions(source: str, name: str) -> bool:
    return re.search(rf"^[ \t]*(?:def|class)\s+{re.escape(name)}\b", source, re.MULTILINE) is not None


def _task_source(task: Task, chosen: _Candidate) -> TaskSource:
    error = ""
    if chosen.error:
        error = f"line {chosen.error.lineno or 1}: {chosen.error.msg}"
    untouched = not error and normalised_code(chosen.source) == normalised_code(task.untouched_source)
    return TaskSource(task.id, chosen.cell.number, chosen.source, untouched, error)


@lru_cache(maxsize=512)
def normalised_code(source: str) -> str:
    """What a cell does, as text: comments, docstrings and spacing do not count. Empty if it does not parse."""
    tree = parse(source)[1]
    if not isinstance(tree, ast.Module):
        return ""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    try:
        return ast.unparse(tree)
    except (RecursionError, ValueError):  # ten thousand terms, a number of ten thousand digits
        return ""
