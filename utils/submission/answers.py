"""Tasks and responses: what the grader would find missing, open, or not allowed."""

import ast
from collections.abc import Iterator

from utils.assignments import Assignment, Question
from utils.assignments.gaps import count_gaps
from utils.notebook.cell_code import parse
from utils.notebook.cells import Notebook
from utils.notebook.extraction import Extraction, TaskSource
from utils.notebook.responses import answered_questions, questions_above
from utils.notebook.rules import forbidden_uses, remark_on_imports
from utils.submission.findings import GO_FURTHER, Finding


def find_problems(notebook: Notebook, assignment: Assignment, extraction: Extraction) -> list[Finding]:
    """Find what costs points, in the order of the questions.

    Args:
        notebook: The notebook as read.
        assignment: What it asks.
        extraction: What was found of its tasks.

    Returns:
        One finding a task, response or other gap without an answer; empty when everything has one.
    """
    sources = {source.task: source for source in extraction.found}
    answered = answered_questions(notebook, assignment)
    gaps = _gaps_elsewhere(notebook, assignment, extraction)
    findings = []
    for question in assignment.questions:
        for task in question.tasks:
            source = sources.get(task.id)
            text = _describe(source, assignment) if source else extraction.missing[task.id].removeprefix(f"{task.id}: ")
            findings += [Finding(question, task.points, text)] if text else []
        findings += _open_responses(question, answered[question.id])
        if question.points and (cells := gaps.get(question.id)):  # what earns nothing may stay open
            text = f"the gap in cell {cells[0]} is still open"
            findings.append(Finding(question, question.points_of("quality"), text))
    return findings


def _describe(source: TaskSource, assignment: Assignment) -> str:
    where = f"cell {source.cell}"
    if source.syntax_error:
        return f"{where} does not parse ({source.syntax_error}); it scores zero until it does"
    if source.is_untouched:
        return f"nothing is filled in yet in {where}"
    tree = parse(source.source)[1]
    if not isinstance(tree, ast.Module):
        return ""
    if gaps := count_gaps(tree):
        return f"{gaps} gap{'s' if gaps > 1 else ''} still open in {where}"
    if uses := forbidden_uses(tree, assignment.imports, assignment.not_allowed):
        line, what = uses[0]
        return f"{where}, line {line} uses `{what}`, which an answer may not; it scores zero"
    return ""


def find_remarks(assignment: Assignment, extraction: Extraction) -> Iterator[str]:
    """What cells do that costs nothing, one sentence each."""
    for source in extraction.found:
        tree = parse(source.source)[1]
        if isinstance(tree, ast.Module) and (remark := remark_on_imports(tree, assignment.imports)):
            yield f"Cell {source.cell} {remark}."


def _open_responses(question: Question, answered: tuple[bool, ...]) -> Iterator[Finding]:
    manual = [part for part in question.parts if part.kind == "manual"]
    for index, part in enumerate(manual):
        which = f"response {index + 1} of {len(manual)}" if len(manual) > 1 else "the response"
        if index >= len(answered):
            yield Finding(question, part.points, f"{which} is missing; begin a text cell with **RESPONSE:**")
        elif not answered[index]:
            yield Finding(question, part.points, f"{which} is empty")


def _gaps_elsewhere(notebook: Notebook, assignment: Assignment, extraction: Extraction) -> dict[str, list[int]]:
    """Gaps in cells that are no task's, such as a setting to be chosen: question to cell numbers."""
    above = questions_above(notebook, assignment)
    tasks = {source.cell for source in extraction.found}
    found: dict[str, list[int]] = {}
    for cell in notebook.cells:
        if (
            cell.kind != "code"
            or cell.number in tasks
            or cell.number not in above
            or cell.source.startswith(GO_FURTHER)
        ):
            continue
        tree = parse(cell.source)[1]
        if isinstance(tree, ast.Module) and count_gaps(tree):
            found.setdefault(above[cell.number], []).append(cell.number)
    return found
