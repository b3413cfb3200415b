"""The notebook stage: which assignment it is, which cell answers which task, what an answer may not use. Text only."""

import ast

from grader.records import Reading, Submission
from grader.stages.written import written_parts
from utils.assignments import Assignment, assignment_names
from utils.notebook.cell_code import parse
from utils.notebook.cells import Notebook, NotebookError, read_notebook
from utils.notebook.extraction import Extraction
from utils.notebook.recognition import recognise
from utils.notebook.responses import answered_questions
from utils.notebook.rules import forbidden_uses, remark_on_imports


class UnknownNotebook(NotebookError):
    """A notebook, but not of the assignment that is being graded."""


def read(submission: Submission, expected: str | None = None) -> Reading:
    """Find the answers in a submission.

    Args:
        submission: From intake.
        expected: The assignment's name; found from the content if None.

    Returns:
        The task sources and all that must be said about them.

    Raises:
        NotebookError: If no notebook in it can be read, or none or several answer the assignment.
    """
    name, notebook, assignment, extraction, repairs = _choose(submission, expected)
    forbidden, remarks = {}, {}
    for source in extraction.found:
        tree = parse(source.source)[1]
        if not isinstance(tree, ast.Module):
            continue
        if uses := forbidden_uses(tree, assignment.imports, assignment.not_allowed):
            line, what = uses[0]
            forbidden[source.task] = f"line {line} uses `{what}`, which this notebook does not allow in an answer"
        elif remark := remark_on_imports(tree, assignment.imports):
            remarks[source.task] = f"The cell {remark}"
    return Reading(
        assignment=assignment,
        notebook_name=name,
        sources={source.task: source for source in extraction.found},
        missing=extraction.missing,
        forbidden=forbidden,
        answered=answered_questions(notebook, assignment),
        repairs=(*submission.repairs, *repairs, *extraction.repairs),
        written=written_parts(notebook, assignment),
        remarks=remarks,
    )


def _choose(submission: Submission, expected: str | None) -> tuple[str, Notebook, Assignment, Extraction, list[str]]:
    """The one notebook that is graded, with its assignment. One at a time is in memory; the chosen one is read again."""
    recognised, errors = {}, []
    for name, data in submission.notebooks.items():
        try:
            recognised[name] = recognise(read_notebook(data))
        except NotebookError as error:
            errors.append(str(error))
    if not recognised:
        raise NotebookError(errors[0])
    matching = {
        name: found
        for name, found in recognised.items()
        if found and (expected is None or found[0].notebook == expected)
    }
    if not matching:
        raise UnknownNotebook(_unknown(recognised, expected))
    best = max(len(found[1].found) for found in matching.values())
    leading = [name for name, found in matching.items() if len(found[1].found) == best]
    if len(leading) > 1:
        raise NotebookError(
            f"The zip holds {len(leading)} notebooks of this assignment ({_some(leading)}): hand in the one to be graded."
        )
    name = leading[0]
    others = [other for other in submission.notebooks if other != name]
    repairs = (
        [f"The zip holds {len(others) + 1} notebooks; {name} is graded, {_some(others)} ignored."] if others else []
    )
    assignment, extraction = matching[name]
    return name, read_notebook(submission.notebooks[name]), assignment, extraction, repairs


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _unknown(recognised: dict, expected: str | None) -> str:
    others = {found[0].notebook for found in recognised.values() if found}
    if others:
        return f"This is the notebook {' and '.join(sorted(others))}, expected {expected}: hand in the notebook of this assignment."
    names = expected or ", ".join(assignment_names())
    return f"No answer to {names} was found in {_some(list(recognised))}: no `# AUTOGRADED` cell and none of the names asked for."
