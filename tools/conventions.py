"""The conventions of CONTRIBUTING.md, checked: one sentence for each one broken, with file, cell and next step."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator

from tools import bugs, predictions
from tools.notebook_source import (
    HEADING,
    KINDS_IN_WORDS,
    NOT_ALLOWED,
    POINTS_TABLE,
    QUESTION_LIKE,
    TAG,
    NotebookSource,
    SourceCell,
    SourceQuestion,
    find_question_line,
)
from tools.open_gaps import CODE_BEGIN, MarkError, split_gaps
from utils.assignments.places import shown

MAX_GAP_LINES = 15
MAX_TODO_LINES = 3
_HINT = "<details><summary>Hint</summary>"


class ConventionError(ValueError):
    """A source breaks conventions; `sentences` says which, one each."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def find_violations(source: NotebookSource) -> list[str]:
    """Check a source against every convention.

    Args:
        source: The source as read.

    Returns:
        One sentence for each violation, in the order of the checks; empty if there is none.
    """
    checks: list[Callable[[NotebookSource], Iterator[str]]] = [
        _check_frame,
        _check_code_parses,
        _check_import_cell,
        _check_given_cells,
        _check_question_lines,
        _check_questions,
        _check_autograded_cells,
        _check_gaps,
        _check_responses,
        _check_exercises_without_points,
    ]
    return [f"{shown(source.path)}, {text}" for check in checks for text in check(source)]


def _at(cell: SourceCell) -> str:
    return f"line {cell.line}: cell {cell.number} ({cell.first_line[:40]!r})"


# ---------------------------------------------------------------- the notebook as a whole


def _check_frame(source: NotebookSource) -> Iterator[str]:
    if not source.cells or not source.cells[0].first_line.startswith("# ") or source.cells[0].kind != "markdown":
        yield "line 1: cell 1: the notebook's title is missing; begin with a text cell whose first line is `# Title`."
    code = [cell for cell in source.cells if cell.kind == "code"]
    for place, role, word in ((0, "setup", "# SETUP"), (1, "imports", "# IMPORTS")):
        count = len(source.cells_of(role))
        if count != 1 or code[place : place + 1] != source.cells_of(role):
            line = code[place].line if len(code) > place else 1
            yield f"line {line}: code cell {place + 1}: exactly one `{word}` cell must stand here, found {count} in all."
    tables = sum(cell.text.count(POINTS_TABLE) for cell in source.cells if cell.kind == "markdown")
    if tables != 1:
        yield f"line 1: points table: the line {POINTS_TABLE} stands {tables} times, expected once, in a text cell."
    if not code or f'hand_in("{source.name}"' not in code[-1].text:
        yield f'line {code[-1].line if code else 1}: last code cell: it must hand in the notebook; call `hand_in("{source.name}")` there.'


def _check_code_parses(source: NotebookSource) -> Iterator[str]:
    for cell in source.cells:
        if cell.kind == "code" and (error := _syntax_error(cell.text)):
            yield f"{_at(cell)}: the code does not parse ({error}); mend it (magics are not allowed in a source)."


def _check_import_cell(source: NotebookSource) -> Iterator[str]:
    for cell in source.cells_of("imports"):
        for node in _body(cell):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{_at(cell)}: line {node.lineno} is no import; move it to a cell of its own."
            elif any(alias.name == "*" for alias in node.names):
                yield f"{_at(cell)}: line {node.lineno} imports everything; name what is imported."
        for line in cell.text.split("\n"):
            if line.startswith(NOT_ALLOWED) and not re.fullmatch(
                r"[\w.]+(, [\w.]+)*", line.removeprefix(NOT_ALLOWED).strip()
            ):
                yield f"{_at(cell)}: `{line}` is not read; write `{NOT_ALLOWED} torch.distributions, numpy.random`."


def _check_given_cells(source: NotebookSource) -> Iterator[str]:
    defining = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
    for cell in source.cells_of("given"):
        for node in _body(cell):
            if not isinstance(node, defining) and not _is_docstring(node):
                yield f"{_at(cell)}: line {node.lineno} acts; a given cell defines only: move it elsewhere."


# ---------------------------------------------------------------- questions


def _check_question_lines(source: NotebookSource) -> Iterator[str]:
    for cell in source.cells:
        if cell.kind != "markdown":
            continue
        lines = cell.text.split("\n")
        found = find_question_line(cell)
        for index, line in enumerate(lines):
            if QUESTION_LIKE.match(line) and (not found or index != found[0]):
                yield (
                    f"{_at(cell)}: `{line.strip()}` is not read as a question; write **`id`** · kind points, "
                    f"one such line a cell, with the kinds {KINDS_IN_WORDS}."
                )
        if found and not (found[0] and HEADING.fullmatch(lines[found[0] - 1].rstrip())):
            yield f"{_at(cell)}: no heading directly above the question's line; write `### 1.2 Title` there."


def _check_questions(source: NotebookSource) -> Iterator[str]:
    for name, words in (("id", [q.id for q in source.questions]), ("number", [q.number for q in source.questions])):
        for word, count in Counter(words).items():
            if count > 1:
                line = [q.heading.line for q in source.questions if word in (q.id, q.number)][-1]
                yield f"line {line}: questions: the {name} {word!r} stands {count} times; give each question its own."
    for question in source.questions:
        yield from _check_points(question)
        responses, manual = len(question.cells_of("response")), sum(part.kind == "manual" for part in question.parts)
        if responses != manual:
            yield f"line {question.heading.line}: question {question.id}: {manual} manual parts but {responses} **RESPONSE:** cells; make them equal."
        if question.auto_points and not any(_HINT in cell.text for cell in (question.heading, *question.cells)):
            yield f"line {question.heading.line}: question {question.id}: it has no hint; add `{_HINT} … </details>` in a text cell."


def _check_points(question: SourceQuestion) -> Iterator[str]:
    for part in question.parts:
        if (part.kind == "given") == (part.points > 0):
            yield f"line {question.heading.line}: question {question.id}: {part.kind} {part.points} points; given has none, other kinds at least one."
    tagged = sum(cell.tag[0] for cell in question.cells_of("autograded"))
    if tagged != question.auto_points:
        yield f"line {question.heading.line}: question {question.id}: auto {question.auto_points} but its tags add up to {tagged}; make them equal."


# ---------------------------------------------------------------- answers


def _check_autograded_cells(source: NotebookSource) -> Iterator[str]:
    code = [cell for cell in source.cells if cell.kind == "code"]
    for cell, following in zip(code, [*code[1:], None], strict=True):
        if cell.role != "autograded":
            continue
        if not TAG.fullmatch(cell.first_line):
            yield f"{_at(cell)}: the tag is not read; write `# AUTOGRADED (5) word`."
        if source.question_above(cell) is None:
            yield f"{_at(cell)}: it stands above the first question; move it below the question it answers."
        if following is None or following.role != "test" or "expect_" not in following.text:
            yield f"{_at(cell)}: the next code cell must be its check; begin it with `# TEST` and use utils.exercise.expect."
        for node in _body(cell):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) and not _is_docstring(node):
                yield f"{_at(cell)}: line {node.lineno} acts; an autograded cell defines functions and classes only."
        if not _syntax_error(cell.text) and any(
            isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(ast.parse(cell.text))
        ):
            yield f"{_at(cell)}: it imports; move the import to the `# IMPORTS` cell."
    words = Counter(cell.tag[1] for cell in source.cells_of("autograded"))
    for word, count in words.items():
        if word and count > 1:
            line = [cell.line for cell in source.cells_of("autograded") if cell.tag[1] == word][-1]
            yield f"line {line}: tags: the word {word!r} stands in {count} tags; give each task its own."


def _check_gaps(source: NotebookSource) -> Iterator[str]:
    for cell in source.cells:
        try:
            gaps = split_gaps(cell)
        except MarkError as error:
            yield f"{_at(cell)}: {error}"
            continue
        if cell.role == "autograded" and not gaps:
            yield f"{_at(cell)}: it has no gap; put the answer between `{CODE_BEGIN}` and its end mark."
        for gap in gaps if cell.kind == "code" else []:
            if not 1 <= gap.todo_lines <= MAX_TODO_LINES:
                yield f"{_at(cell)}: {gap.todo_lines} `# TODO:` lines above a gap, expected 1 to {MAX_TODO_LINES}."
            if len(gap.answer) > MAX_GAP_LINES:
                yield f"{_at(cell)}: a gap of {len(gap.answer)} lines, at most {MAX_GAP_LINES}; split the function."


def _check_responses(source: NotebookSource) -> Iterator[str]:
    for cell in source.cells_of("response"):
        if source.question_above(cell) is None:
            yield f"{_at(cell)}: a response above the first question; move it below the question it answers."
        if "<!-- BEGIN SOLUTION -->" not in cell.text:
            yield f"{_at(cell)}: no solution; put it between <!-- BEGIN SOLUTION --> and <!-- END SOLUTION -->."


def _check_exercises_without_points(source: NotebookSource) -> Iterator[str]:
    if any(cell.kind == "code" and _syntax_error(cell.text) for cell in source.cells):
        return
    for cell, fault in (*predictions.faults_of(source), *bugs.faults_of(source)):
        yield f"{_at(cell)}: {fault}"


def _body(cell: SourceCell) -> list[ast.stmt]:
    return [] if _syntax_error(cell.text) else ast.parse(cell.text).body


def _syntax_error(code: str) -> str:
    try:
        ast.parse(code)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    return ""


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
