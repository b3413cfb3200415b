"""The table of behavioural mutants in docs/validity.md, of outcomes that `python -m tests.behaviour --save` wrote."""

from collections import Counter
from pathlib import Path

from grader.stages.pipeline import graded_assignments
from tests.validity_page import put, saved
from utils.assignments import load_assignment

HEADING = "## Behavioural mutants"
_ABOUT = """\
Wrappers that know nothing of a task make its right answer behave otherwise (all there are, `python -m tests.behaviour --save FILE`,
then `--page FILE`): its result detached, rounded, kept from call to call; an argument changed in place, ignored or swapped; its noise
seeded, shared, scaled or clamped; a gradient cut at any expression; a parameter frozen; a step, a batch or a row fewer. Counted
are those whose change comes to act. *Explained* is a change that makes no wrong answer, with its reason in
`tests/behaviour/explained.yaml`; *open* would be one that gets full marks without a reason. *Named* are those that are told a slip."""


def table(rows: list[list[str]]) -> str:
    """Saved outcomes as Markdown; the same outcomes give the same bytes."""
    head = "| task | mutants | refused | of them named | explained | open |"
    lines = [HEADING, "", _ABOUT, "", head, "|---|---:|---:|---:|---:|---:|"]
    total: Counter[str] = Counter()
    for task in (task.id for name in graded_assignments() for task in load_assignment(name).tasks):
        counts = _counts([row for row in {tuple(row[:3]): row for row in rows}.values() if row[0] == task])
        total += counts
        lines.append(_row(f"`{task}`", counts))
    return "\n".join([*lines, _row("**all**", total)])


def _counts(rows: list[list[str]]) -> "Counter[str]":
    acting = [row for row in rows if row[3] != "idle"]
    refused = [row for row in acting if row[3] not in ("passed", "explained")]
    explained = sum(row[3] == "explained" for row in acting)
    return Counter(
        mutants=len(acting), refused=len(refused), named=sum(bool(row[5]) for row in refused), explained=explained,
        open=len(acting) - len(refused) - explained,
    )  # fmt: skip


def _row(name: str, counts: "Counter[str]") -> str:
    shown = " | ".join(str(counts[key]) for key in ("mutants", "refused", "named", "explained", "open"))
    return f"| {name} | {shown} |"


def write(paths: list[Path]) -> int:
    """Put the table into docs/validity.md, before the first notebook; 1 if a survivor is open."""
    section = table(saved(paths))
    put(HEADING, section)
    return int(not section.splitlines()[-1].endswith("| 0 |"))
