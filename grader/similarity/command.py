"""`python -m grader similar`: from paths to `similar.html`."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grader.classes.diff import link_class_page
from grader.classes.results_folder import read_results
from grader.marking import add_marks
from grader.platforms import HandIn, NothingToGrade, collect
from grader.report.files import made_of, write_atomically
from grader.similarity.answers import Answers, Skipped, read_answers
from grader.similarity.compare import STANDS_OUT, Comparison, compare
from grader.similarity.page import similar_page

PAGE = "similar.html"


def similar(paths: Sequence[Path], against: Sequence[Path], out: Path | None) -> str:
    """Compare a class and write the page.

    Args:
        paths: A folder that `grade` has written, or submissions in any layout.
        against: The same of earlier years.
        out: Where the page goes; by default into the folder of results, or into `results`.

    Returns:
        What was found, to print.

    Raises:
        NothingToGrade: If there are no submissions where they are looked for.
    """
    folder = out or next((path for path in paths if _is_results(path)), Path("results"))
    results = read_results(folder)
    class_hand_ins = _hand_ins(paths)
    read = list(_bar(read_answers(class_hand_ins, results), len(class_hand_ins)))
    if against:
        earlier = _hand_ins(against)
        read += _bar(read_answers(earlier, is_earlier=True), len(earlier))
    students = [one for one in read if isinstance(one, Answers)]
    skipped = [one for one in read if isinstance(one, Skipped)]
    names = sorted({student.notebook for student in students if not student.is_earlier})
    comparisons = [compare(name, [s for s in students if s.notebook == name]) for name in names]
    write_atomically(
        folder / PAGE, similar_page(comparisons, skipped, bool(results), made_of(results.values()) if results else "")
    )
    link_class_page(folder, add_marks(folder, list(results.values()))[0])
    return "\n".join([*map(_sentence, comparisons), *_about_skipped(skipped), f"For staff only: {folder / PAGE}"])


def _hand_ins(paths: Iterable[Path]) -> list[HandIn]:
    found: list[HandIn] = []
    for path in paths:
        found += _graded(path) if _is_results(path) else collect([path], zips_hold_classes=True).hand_ins
    return found


def _is_results(path: Path) -> bool:
    return (path / "run.json").is_file()


def _graded(folder: Path) -> list[HandIn]:
    """The hand-ins that results were made from, of those students whose results are still there."""
    try:
        run: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        sources = [Path(str(path)) for path in run["command"][1:]]
    except (OSError, ValueError, LookupError, TypeError):
        raise NothingToGrade(f"{folder / 'run.json'} cannot be read: give the submissions instead.") from None
    gone = [path for path in sources if not path.exists()]
    if gone or not sources:
        what = f"{gone[0]} is not there any more" if gone else "run.json does not say where they were"
        raise NothingToGrade(
            f"{folder} holds no submissions, only what came of them, and {what}: "
            f"give the submissions themselves, with --out {folder}."
        )
    kept = read_results(folder)
    return [hand_in for hand_in in collect(sources, zips_hold_classes=True).hand_ins if hand_in.student in kept]


def _bar(found: Iterable[Answers | Skipped], total: int) -> Iterable[Answers | Skipped]:
    return tqdm(found, total=total, desc="reading", unit="submission", disable=None)


def _sentence(comparison: Comparison) -> str:
    n = sum(pair.expected <= STANDS_OUT for pair in comparison.pairs)
    told = f"{n} stand{'s' if n == 1 else ''} out" if comparison.n_pairs else "too few to tell"
    return f"{comparison.notebook}: {comparison.size} hand-ins, {comparison.n_pairs:,} pairs compared, {told}."


def _about_skipped(skipped: Sequence[Skipped]) -> list[str]:
    return [f"{one.student}: not compared, {one.sentence}" for one in skipped]
