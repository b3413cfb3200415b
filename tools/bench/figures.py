"""What a measurement returns, and how it is shown."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
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


def ratios(name: str, of: Sequence[float], to: Sequence[float]) -> Figure:
    """The ratio of two quantities, round by round."""
    return Figure(name, tuple(a / b for a, b in zip(of, to, strict=True)))


def seconds_of(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of an action, its ended child processes included."""
    wall, cpu = time.monotonic(), cpu_seconds()
    action()
    return time.monotonic() - wall, cpu_seconds() - cpu


def import_torch() -> None:
    """Start Python and import torch: the yardstick for everything that starts a process."""
    subprocess.run([sys.executable, "-c", "import torch"], check=True)


def cpu_seconds() -> float:
    """Of this process and of its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)
