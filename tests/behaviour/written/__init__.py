"""Answers written from the students' notebooks alone, right ones in many styles and wrong ones as they come to mind: `right.txt`, `wrong.txt`.

Each begins with a line `# %% TASK NAME`; the first line of a task's cell is put before it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.rubric import load_rubric
from grader.stages.pipeline import graded_assignments

_HEAD = re.compile(r"^# %% (\S+) (\S+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Written:
    notebook: str
    task: str
    name: str
    code: str


def written(kind: str) -> Iterator[Written]:
    """The answers of a kind, "right" or "wrong"."""
    notebook_of = {check.task: name for name in graded_assignments() for check in load_rubric(name).checks}
    text = Path(__file__).with_name(f"{kind}.txt").read_text(encoding="utf-8")
    parts = _HEAD.split(text)[1:]
    for task, name, code in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        yield Written(notebook_of[task], task, name, code)
