"""What a measurement returns, and how it is shown: for `bench.py` of an assignment, and for the engine's own.

>>> ratios("a copy against the original", of=[2.0, 4.5], to=[1.0, 1.5]).row
'| a copy against the original | 2.5 | times | 2 to 3 |'
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    """One measured quantity, once for each round."""

    name: str  # what was measured, for a reader
    rounds: tuple[float, ...]
    unit: str = "times"  # "times": a ratio of two things measured in the same round

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def row(self) -> str:
        """As a row of a Markdown table: name, median, unit, smallest and largest."""
        low, high = min(self.rounds), max(self.rounds)
        spread = f"{low:.3g} to {high:.3g}" if len(self.rounds) > 1 else "one run"
        return f"| {self.name} | {self.median:.3g} | {self.unit} | {spread} |"


def ratios(name: str, of: Sequence[float], to: Sequence[float]) -> Measurement:
    """The ratio of two quantities, round by round."""
    return Measurement(name, tuple(a / b for a, b in zip(of, to, strict=True)))


def median_and_ends(values: Sequence[float]) -> str:
    """Median, and from the smallest to the largest."""
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


MARGIN_HEAD = ["| measured | worst that is to pass | mark | best that is not |", "|---|---|---:|---|"]


def margin_row(
    name: str,
    mark: float,
    passes: Mapping[str, Sequence[float]],
    fails: Mapping[str, Sequence[float]],
    is_less_better: bool = False,
) -> str:
    """How far a mark lies from the worst that is to pass it and the best that is not, below `MARGIN_HEAD`.

    Args:
        name: What is measured.
        mark: Where it is cut.
        passes: Values by what they are of, all on the good side of the mark if it is well placed.
        fails: The same on the bad side.
        is_less_better: Whether smaller values are the good ones.
    """
    sign = -1 if is_less_better else 1
    cells = []
    for values, pick, side in ((passes, min, sign), (fails, max, -sign)):
        if not any(values.values()):
            cells.append("nothing measured")
            continue
        value, what = pick(
            ((one, what) for what, row in values.items() for one in row), key=lambda pair: sign * pair[0]
        )
        off = side * (value - mark)
        cells.append(f"{value:.3g} ({what}), {f'{off:.2g} off' if off > 0 else f'**{-off:.2g} on the other side**'}")
    return f"| {name} | {cells[0]} | {mark:g} | {cells[1]} |"


def put_between(page: Path, begin: str, end: str, made: str) -> None:
    """Put what a run made into a page, between two marks; the rest of the page stays.

    Raises:
        ValueError: If the page lacks one of the marks; nothing is written.
    """
    text = page.read_text(encoding="utf-8")
    if begin not in text or end not in text.partition(begin)[2]:
        raise ValueError(f"{page} lacks the lines {begin} and, below it, {end}: put them where the table is to stand")
    before, _, rest = text.partition(begin)
    page.write_text(f"{before}{begin}\n\n{made}\n\n{end}{rest.partition(end)[2]}", encoding="utf-8")
