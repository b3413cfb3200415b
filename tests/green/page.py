"""The table of notebooks against grader in docs/validity.md, of outcomes that `python -m tests.green --save` wrote."""

from collections import Counter
from pathlib import Path

from grader.stages.pipeline import graded_assignments
from tests.green.both import Answer
from tests.validity_page import put, saved
from utils.assignments import load_assignment

HEADING = "## Notebook against grader"
_ABOUT = """\
Right answers, usual slips and a sample of behavioural mutants, in the solved notebook with its visible tests and before the grader
(`python -m tests.green --save FILE`, then `--page FILE`). *Both pass* and *both refuse* agree. *Drawn inputs alone* are answers
that pass the tests and lose points only on inputs that the grader draws: the notebook cannot know them. A mutant that is green and
whose change comes to act nowhere is none and is left out, as is what `tests/green/explained.yaml` explains. *Red, full marks* and
*green, points lost* are disagreements."""
COLUMNS = ("both pass", "both refuse", "drawn inputs alone", "red, full marks", "green, points lost")


def table(rows: list[list]) -> str:
    """Saved outcomes as Markdown; the same outcomes give the same bytes."""
    lines = [HEADING, "", _ABOUT, "", f"| task | {' | '.join(COLUMNS)} |", "|---|" + "---:|" * len(COLUMNS)]
    total: Counter[str] = Counter()
    newest = {(row[1], row[2], row[3]): row for row in rows}
    for task in (task.id for name in graded_assignments() for task in load_assignment(name).tasks):
        counts = Counter(column(row) for key, row in newest.items() if key[0] == task)
        total += counts
        lines.append(_row(f"`{task}`", counts))
    return "\n".join([*lines, _row("**all**", total)])


def column(row: list) -> str:
    """The column that an outcome counts in; empty for a mutant that never acts, or an explained one."""
    _, task, kind, name, notebook, public, drawn, acted = row
    if Answer(task, kind, name, "").is_explained:
        return ""
    if notebook == "green":
        return COLUMNS[4] if public else COLUMNS[2] if drawn else COLUMNS[0] if acted else ""
    return COLUMNS[1] if public or drawn else COLUMNS[3] if acted or kind == "right" else ""


def _row(name: str, counts: "Counter[str]") -> str:
    return f"| {name} | {' | '.join(str(counts[key]) for key in COLUMNS)} |"


def write(paths: list[Path]) -> int:
    """Put the table into docs/validity.md, before the first notebook; 1 if there is a disagreement."""
    section = table(saved(paths))
    put(HEADING, section)
    return int(not section.endswith("| 0 | 0 |"))
