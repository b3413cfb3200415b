"""Measure how well copies are told from independent answers, and write docs/similarity.md.

    python -m tests.similarity [--students N] [--classes N] [--dolos DIR] [--sizes N ...]

copydetect is measured beside it where it is installed, Dolos where DIR is a folder in which `npm install @dodona/dolos-lib` was run.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tests.similarity.classes import HELD_OUT, STRENGTHS, Kind, MadeClass, made_class
from tests.similarity.figures import Calibration, Cost, Found, calibration, compared, costs, found_at, mixed
from tests.similarity.others import copydetect_scores, dolos_scores
from utils.assignments import assignment_names

DOCUMENT = Path(__file__).parents[2] / "docs" / "similarity.md"
NOTEBOOK = "03_mnist_vae"
COPIES = 20
_OURS = "this measure"
_EMPTY = Found(Counter(), Counter())

_INTRODUCTION = """\
# Similar answers: what the hint is worth

*Written by `python -m tests.similarity`. Figures are of made classes, drawn from seeds; the same command gives the same figures.*

`python -m grader similar` compares what students handed in and writes `similar.html`, for staff alone. What it measures, and how it comes to
its figure of chance, stands in `grader/similarity/__init__.py` and the modules that it names. This page says how well that works.

**The classes.** {students} students who are independent by construction: each answer is drawn from the right and wrong answers at hand, the
popular ones more often, and then written in the student's own hand (names, comments, layout, equivalent spellings, more or fewer
lines; `tests/similarity/styles.py`). Many independent students therefore share whole answers, as in any class. {copies} of them are
then made copies of others, hidden in several ways. The edits (`tests/similarity/edits.py`) know nothing of the measure, and are not its rules turned
round. Only code is compared here: the words, pictures and traces of a real copy would come on top.

The first six edits are the ones that were asked for. The next six came to show what else there is, and were looked at while the weights were
chosen; the last two were written when the measure was finished.

**What this does not show.** The students are made, and so are their habits: a real class may have more in common (one tutorial, one tutor), or less.
Few copies of each kind are planted, so a fraction is rough; `--classes N` draws more. A class in which very many copied hides some of
them, since the figure of chance comes from the class.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.similarity", description="Write docs/similarity.md.")
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--classes", type=int, default=1, help="of each kind")
    parser.add_argument("--dolos", type=Path, help="a folder with @dodona/dolos-lib installed in it")
    parser.add_argument("--sizes", type=int, nargs="*", default=[250, 500, 1000])
    options = parser.parse_args()
    tools: dict[str, Callable[[MadeClass], np.ndarray | None]] = {
        "copydetect": lambda made: copydetect_scores(made.students),
        "Dolos": lambda made: dolos_scores(made.students, options.dolos),
    }
    parts = [_INTRODUCTION.format(students=options.students, copies=COPIES)]
    calibrations: dict[str, list[Calibration]] = {}
    for kinds, heading, first_seed in ((STRENGTHS, "Copies of six strengths", 100), (HELD_OUT, "Other edits", 200)):
        classes = [
            made_class(NOTEBOOK, options.students, mixed(kinds, COPIES), first_seed + n) for n in range(options.classes)
        ]
        parts.append(_beside(heading, kinds, classes, tools, calibrations.setdefault("drawn and restyled", [])))
    parts.append(_harder(options.students, calibrations))
    parts.append(_calibrated(calibrations))
    parts.append(_cost_table(costs(NOTEBOOK, options.sizes, seed=300)))
    DOCUMENT.write_text("\n".join(parts), encoding="utf-8")


def _beside(
    heading: str,
    kinds: Sequence[Kind],
    classes: Sequence[MadeClass],
    tools: dict[str, Callable[[MadeClass], np.ndarray | None]],
    calibrations: list[Calibration],
) -> str:
    """One table: what each tool finds in the same classes."""
    found = dict.fromkeys((_OURS, *tools), _EMPTY)
    missing = set()
    for made in classes:
        mine = compared(made)
        calibrations.append(calibration(mine, made))
        assert mine.totals is not None
        found[_OURS] += found_at(mine.totals, made)
        for name, measure in tools.items():
            scores = measure(made)
            if scores is None:
                missing.add(name)
            else:
                found[name] += found_at(scores, made)
        print(heading, {name: sum(one.found.values()) for name, one in found.items()}, flush=True)
    names = [kind.name for kind in kinds]
    rows = [
        [name, *([found[name].told(kind) for kind in names] if name not in missing else ["not installed"])]
        for name in found
    ]
    return (
        f"## {heading}\n\n{_classes(len(classes))} of notebook {NOTEBOOK}. Found of those planted, at 1 false pair in "
        f"{1000:,} independent ones:\n\n" + _table(["", *names], [*rows, ["JPlag", "not to be had here"]])
    )


def _classes(count: int) -> str:
    return "One class" if count == 1 else f"{count} classes"


def _harder(students: int, calibrations: dict[str, list[Calibration]]) -> str:
    """The same measure where it must do worse."""
    cases = {f"notebook {name}": (name, True, 1.0) for name in assignment_names() if name != NOTEBOOK}
    cases["answers as published, nobody restyles"] = (NOTEBOOK, False, 1.0)
    cases["the same, and nearly everybody takes the popular answer"] = (NOTEBOOK, False, 2.0)
    rows = []
    for name, (notebook, is_restyled, crowding) in cases.items():
        made = made_class(notebook, students, mixed(STRENGTHS, COPIES), 400, is_restyled, crowding)
        mine = compared(made)
        assert mine.totals is not None
        calibrations[name] = [calibration(mine, made)]
        found = found_at(mine.totals, made)
        rows.append([name, *(found.told(kind.name) for kind in STRENGTHS)])
        print(name, dict(found.found), flush=True)
    return (
        "## Harder classes\n\nFewer questions, and a class in which answers stand word for word as they are published, so that only which of them "
        "a student chose tells anything. Where nearly everybody chooses the same, nothing does: such a copy cannot be told from chance by "
        "anybody, and the page then lists few pairs.\n\n" + _table(["", *(kind.name for kind in STRENGTHS)], rows)
    )


def _calibrated(calibrations: dict[str, list[Calibration]]) -> str:
    rows = []
    for name, several in calibrations.items():
        levels = several[0].shares
        pairs = sum(one.pairs for one in several)
        seen = [sum(one.shares[level] * one.pairs for one in several) / pairs for level in levels]
        alarms = sum(one.false_alarms for one in several)
        rows.append([name, *(f"{share:.2g}" for share in seen), f"{alarms} of {pairs:,}"])
    return (
        "## Is the figure of chance true?\n\nOf pairs that are independent, a tenth should be told 0.1 or less, and so on. More than that would "
        "accuse; less is caution. The last column counts independent pairs that the page would show as standing out (0.1 or fewer such pairs "
        "expected in the class).\n\n" + _table(["class", "told 0.1", "told 0.01", "told 0.001", "stand out"], rows)
    )


def _cost_table(found: Sequence[Cost]) -> str:
    rows = [[f"{cost.students:,}", f"{cost.cpu_seconds:.0f}", f"{cost.memory_mib:.0f}"] for cost in found]
    return (
        f"## What it costs\n\n`python -m grader similar` on files of notebook {NOTEBOOK}, in one process; seconds are of processor time. Reading "
        "grows with the class, comparing with its square.\n\n" + _table(["hand-ins", "CPU seconds", "peak MiB"], rows)
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([*row, *[""] * (len(heads) - len(row))] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
