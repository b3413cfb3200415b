"""Which notebook of the course a file is, by the tasks in it, whatever its name."""

from utils.assignments import Assignment, assignment_names, load_assignment
from utils.notebook.cells import Notebook
from utils.notebook.extraction import Extraction, candidates, find_tasks


def recognise(notebook: Notebook) -> tuple[Assignment, Extraction] | None:
    """Find the assignment most of whose tasks a notebook holds: notebooks 2 and 3 share names.

    Args:
        notebook: The notebook as read.

    Returns:
        The assignment and what was found of it; None if no task of any is there.
    """
    inside = candidates(notebook)
    found = [(assignment, find_tasks(inside, assignment)) for assignment in map(load_assignment, assignment_names())]
    best = max(found, key=lambda pair: len(pair[1].found) / max(1, len(pair[0].tasks)), default=None)
    return best if best and best[1].found else None
