"""What a measurement returns, and how it is shown: for `bench.py` of an assignment, and for the engine's own.

>>> ratios("a copy against the original", of=[2.0, 4.5], to=[1.0, 1.5]).row
'| a copy against the original | 2.5 | times | 2 to 3 |'
"""

import statistics
from collections.abc import Sequence
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
