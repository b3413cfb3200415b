"""docs/places.md, from a run."""

import platform

from tests.newcomer.places import PLACES, Place
from tests.newcomer.visit import STEPS, Visit
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "places.md"
_HEAD = """\
# Places

*Written by `python -m tests.newcomer`: a clean clone at each of these places, and there `make setup`, `make grade` and `make test`.*

A place is what is otherwise there than on the machine of whoever wrote this: the path, the user, the home, the locale, the time
zone, the Python. What a place does not name is plain: root, C.UTF-8, UTC, a home to write to, the Python that this project was set
up with. Tests that need root skip without it, and say so. A cell tells of the last run of its command there.
"""
_COLUMNS = "| place | what is otherwise there | set-up | grade | test |\n|---|---|---|---|---|"
_NOT_RUN = "not run"


def page(visits: list[Visit], faults: list[str], before: str) -> str:
    """The page as Markdown.

    Args:
        visits: Those of this run.
        faults: What went wrong in them.
        before: The page so far: what this run did not do stands there still.
    """
    graded = [visited for visited in visits if visited.grades]
    agree = sum(visited.grades == graded[0].grades for visited in graded)
    told = [f"In the last run the example class got the same grades at {agree} of {len(visits)} places."]
    told += [f"- {fault}" for fault in faults]
    seen, kept = {visited.place: visited for visited in visits}, _cells_of(before)
    rows = [_row(place, _cells(seen.get(place)), kept.get(place.name, [_NOT_RUN] * len(STEPS))) for place in PLACES]
    where = f"Run on {platform.system()} {platform.machine()}, Python {platform.python_version()}."
    return "\n".join([_HEAD, _COLUMNS, *rows, "", *told, "", where, ""])


def row(visited: Visit) -> str:
    """A place as a line of the table."""
    return _row(visited.place, _cells(visited), [_NOT_RUN] * len(STEPS))


def _row(place: Place, cells: list[str], kept: list[str]) -> str:
    shown = [old if new == _NOT_RUN else new for new, old in zip(cells, kept, strict=True)]
    return f"| {' | '.join([place.name, place.says, *shown])} |"


def _cells(visited: Visit | None) -> list[str]:
    done = {step.name: step for step in visited.steps} if visited else {}
    cells = []
    for name in STEPS:
        step = done.get(name)
        counted = ", ".join(f"{n} {what}" for what, n in step.counted.items()) if step else ""
        cells.append(_NOT_RUN if not step else counted or ("done" if step.code == 0 else f"exit code {step.code}"))
    return cells


def _cells_of(page: str) -> dict[str, list[str]]:
    """The cells of the table's rows, by place."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return {name: cells for name, _, *cells in rows if len(cells) == len(STEPS)}
