"""The line below a test that holds: of how many points the answers are green here so far.

The kernel calls it after each cell. A test is known by its text, an answer by its tag; an answer that is changed has to
be tested again.
"""

import hashlib
from typing import Any

from utils.assignments import Assignment
from utils.notebook.cell_code import normalised_code
from utils.notebook.extraction import tag_line


def name_of_test(source: str) -> str:
    """What a manifest calls a test cell: 12 hexadecimal digits of its text, whatever blank lines end it."""
    return hashlib.sha256(source.strip().encode("utf-8", "replace")).hexdigest()[:12]


class PointsSoFar:
    """Which tests have held since their answer last changed."""

    def __init__(self, assignment: Assignment) -> None:
        self._tested = [task for task in assignment.tasks if task.tests]
        self._green: set[str] = set()
        self._answers: dict[str, str] = {}  # a task, and what its cell did when it last ran

    def note_end(self, result: Any) -> None:
        """What IPython calls after a cell."""
        source = result.info.raw_cell or "" if result.info else ""
        if tag := tag_line(source):
            self._note_answer(tag, normalised_code(source) or source)
        elif (digest := name_of_test(source)) in self._digests():
            if result.success:
                self._green.add(digest)
                print(self.describe(digest))
            else:
                self._green.discard(digest)

    def describe(self, digest: str) -> str:
        """The line below a test; where its exercise has another one that does not hold yet, it says so first.

        Args:
            digest: Of the test that has held.
        """
        (task,) = (task for task in self._tested if digest in task.tests)
        waiting = len(set(task.tests) - self._green)
        more = f"{task.word} has {'another test' if waiting == 1 else f'{waiting} other tests'}.\n" if waiting else ""
        points = sum(task.points for task in self._tested if self._green.issuperset(task.tests))
        total = sum(task.points for task in self._tested)
        return (
            f"{more}So far the tests of {points} of {total} points are green here; the grader tries other inputs too."
        )

    def _digests(self) -> set[str]:
        return {digest for task in self._tested for digest in task.tests}

    def _note_answer(self, tag: str, code: str) -> None:
        for task in self._tested:
            if tag.split()[-1] == task.word and self._answers.get(task.id) != code:
                self._answers[task.id] = code
                self._green -= set(task.tests)


def count_points(assignment: Assignment) -> None:
    """Ask the running IPython shell to print the line after each test that holds; without a shell, do nothing."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return
    kept = (getattr(called, "__self__", None) for called in shell.events.callbacks["post_run_cell"])
    if not any(isinstance(owner, PointsSoFar) for owner in kept):  # the first cell may run twice
        shell.events.register("post_run_cell", PointsSoFar(assignment).note_end)
