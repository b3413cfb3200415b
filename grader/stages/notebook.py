"""The notebook stage: which assignment it is, which cell answers which task, what an answer may not use. Text only."""

import hashlib
from functools import lru_cache

from grader.records import Guess, Inside, Reading, Submission
from grader.stages.written import written_parts
from utils.assignments import Assignment, assignment_names
from utils.notebook.by_digest import ByDigest, by_digest
from utils.notebook.cells import Notebook, NotebookError, read_notebook
from utils.notebook.extraction import Extraction
from utils.notebook.guesses import read_guesses
from utils.notebook.recognition import recognise
from utils.notebook.responses import answered_questions
from utils.notebook.rules import said_of


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
    rules = _rules_of(assignment)
    said = {source.task: rules(source.source) for source in extraction.found}
    return Reading(
        assignment=assignment,
        notebook_name=name,
        sources={source.task: source for source in extraction.found},
        missing=extraction.missing,
        forbidden={task: forbidden for task, (forbidden, _) in said.items() if forbidden},
        answered=answered_questions(notebook, assignment),
        repairs=(*submission.repairs, *repairs, *extraction.repairs),
        written=written_parts(notebook, assignment),
        remarks={task: f"The cell {remark}" for task, (_, remark) in said.items() if remark},
        guesses=_guesses(notebook, assignment),
    )


@lru_cache(maxsize=64)
def _rules_of(assignment: Assignment) -> ByDigest[tuple[str, str]]:
    """What an assignment's rules say of an answer: a class holds the same ones again and again."""
    return by_digest()(lambda source: said_of(source, assignment.imports, assignment.not_allowed))


def _guesses(notebook: Notebook, assignment: Assignment) -> tuple[Guess, ...]:
    found = read_guesses(notebook, assignment)
    return tuple(Guess(prediction, found.get(prediction.id, "")) for prediction in assignment.predictions)


def survey(submission: Submission) -> tuple[Inside, ...]:
    """Which notebooks of the course a submission holds, and how much of each somebody has worked on.

    Args:
        submission: From intake.

    Returns:
        A record for each notebook that is recognised; none, where none can be read.
    """
    return tuple(look[0] for look in _looked_at(submission)[0])


_Look = tuple[Inside, Assignment, Extraction, Notebook | None]


def _looked_at(submission: Submission) -> tuple[list[_Look], list[NotebookError]]:
    """What each notebook is, and why some cannot be read. One at a time is in memory: of several, the chosen one is read again."""
    looks: list[_Look] = []
    errors = []
    is_alone = len(submission.notebooks) == 1
    for name, data in submission.notebooks.items():
        try:
            notebook = read_notebook(data)
        except NotebookError as error:
            errors.append(error)
            continue
        if found := recognise(notebook):
            assignment, extraction = found
            worked_on = sum(not source.is_untouched for source in extraction.found)
            written = sum(map(sum, answered_questions(notebook, assignment).values()))
            digest = hashlib.sha256(data).hexdigest()
            inside = Inside(name, assignment.notebook, worked_on + written, len(extraction.found), digest)
            looks.append((inside, assignment, extraction, notebook if is_alone else None))
    return looks, errors


def _choose(submission: Submission, expected: str | None) -> tuple[str, Notebook, Assignment, Extraction, list[str]]:
    """The one notebook that is graded, with its assignment: the one in which most is answered. What nobody has worked on
    is no hand-in beside one that somebody has."""
    looks, errors = _looked_at(submission)
    if len(errors) == len(submission.notebooks):
        raise errors[0]
    matching = [look for look in looks if expected in (None, look[0].notebook)]
    if not matching:
        raise UnknownNotebook(_unknown(submission, [look[0] for look in looks], expected))
    best = max(look[0].rank for look in matching)
    leading = [look for look in matching if look[0].rank == best]
    if len({look[0].digest for look in leading}) > 1:
        names = [look[0].name for look in leading]
        is_one = len({look[0].notebook for look in leading}) == 1
        raise NotebookError(
            f"The zip holds {len(leading)} notebooks {'of this assignment' if is_one else 'with as many answers'} "
            f"({_some(names)}): hand in the one to be graded."
        )
    chosen, assignment, extraction, notebook = leading[0]
    others = [other for other in submission.notebooks if other != chosen.name]
    repairs = (
        [f"The zip holds {len(others) + 1} notebooks; {chosen.name} is graded, {_some(others)} ignored."]
        if others
        else []
    )
    return chosen.name, notebook or read_notebook(submission.notebooks[chosen.name]), assignment, extraction, repairs


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _unknown(submission: Submission, inside: list[Inside], expected: str | None) -> str:
    others = {one.notebook for one in inside}
    if others:
        return f"This is the notebook {' and '.join(sorted(others))}, expected {expected}: hand in the notebook of this assignment."
    names = expected or ", ".join(assignment_names())
    return (
        f"No answer to {names} was found in {_some(list(submission.notebooks))}: no `# AUTOGRADED` cell and none of the "
        "names asked for."
    )
