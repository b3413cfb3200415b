"""What starting the sandbox costs: with the course's notebooks, with none, and beside `import torch`.

    python -m tools.bench starting [--course DIR]

torch is loaded only where an assignment declares it, so a course of numpy alone starts as one without notebooks does.
"""

from grader.authoring.measurement import Measurement, ratios
from grader.sandbox.box import Box
from grader.stages.pipeline import graded_assignments
from tools.bench.timing import import_torch, seconds_of


def measure(rounds: int = 5) -> list[Measurement]:
    """Start the sandbox and end it, in turn.

    Returns:
        Wall times, and their ratios within a round.
    """
    names = graded_assignments()
    torch_wall, course, bare = [], [], []
    for _ in range(rounds):
        torch_wall.append(seconds_of(import_torch)[0])
        course.append(seconds_of(lambda: _start(names))[0])
        bare.append(seconds_of(lambda: _start([]))[0])
    return [
        Measurement("the sandbox with this course's notebooks, started and ended", tuple(course), "wall s"),
        ratios("the same against a process that imports torch", course, torch_wall),
        ratios("the same without any notebook, so without torch, against it", bare, torch_wall),
    ]


def _start(names: list[str]) -> None:
    with Box(names):
        pass
