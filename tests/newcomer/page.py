"""docs/places.md, from a run."""

import platform

from tests.newcomer.visit import Visit
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "places.md"
_HEAD = """\
# Places

*Written by `python -m tests.newcomer`: a clean clone at each of these places, and there `make setup`, `make grade` and `make test`.*

A place is what is otherwise there than on the machine of whoever wrote this: the path, the user, the home, the locale, the time
zone, the Python. What a place does not name is plain: root, C.UTF-8, UTC, a home to write to, the Python that this project was set
up with. Tests that need root skip without it, and say so.
"""
_COLUMNS = "| place | what is otherwise there | set-up | grade | test |\n|---|---|---|---|---|"


def page(visits: list[Visit], faults: list[str]) -> str:
    """The page as Markdown."""
    graded = [visited for visited in visits if visited.grades]
    agree = sum(visited.grades == graded[0].grades for visited in graded) if graded else 0
    told = [f"The example class got the same grades at {agree} of {len(visits)} places.", *(f"- {f}" for f in faults)]
    where = f"Run on {platform.system()} {platform.machine()}, Python {platform.python_version()}."
    return "\n".join([_HEAD, _COLUMNS, *map(row, visits), "", *told, "", where, ""])


def row(visited: Visit) -> str:
    """A place as a line of the table."""
    done = {step.name: step for step in visited.steps}
    cells = []
    for name in ("set-up", "grade", "test"):
        step = done.get(name)
        counted = ", ".join(f"{n} {what}" for what, n in step.counted.items()) if step else ""
        cells.append("not run" if not step else counted or ("done" if step.code == 0 else f"exit code {step.code}"))
    return f"| {visited.place.name} | {visited.place.says} | {' | '.join(cells)} |"
