"""What is measured: copies found at a rate of false pairs, whether the figure of chance is true, seconds and memory."""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.similarity.compare import STANDS_OUT, Comparison, compare
from tests.similarity.classes import Kind, MadeClass, made_class
from tests.similarity.files import write_class

FALSE_PAIRS = 1e-3


@dataclass(frozen=True)
class Found:
    """Copies found, by how they were hidden."""

    planted: Counter[str]
    found: Counter[str]

    def __add__(self, other: "Found") -> "Found":
        return Found(self.planted + other.planted, self.found + other.found)

    def told(self, kind: str) -> str:
        return f"{self.found[kind]}/{self.planted[kind]}" if self.planted[kind] else ""


def mixed(kinds: Sequence[Kind], count: int) -> list[Kind]:
    """So many copies, as evenly over the kinds as can be."""
    return [kinds[n % len(kinds)] for n in range(count)]


def independent(made: MadeClass) -> np.ndarray:
    """Which pairs are independent by construction, bool, shape (n, n)."""
    pairs = np.triu(np.ones((len(made.students), len(made.students)), bool), 1)
    for one, other in made.copies:
        pairs[min(one, other), max(one, other)] = False
    return pairs


def found_at(scores: np.ndarray, made: MadeClass, false_pairs: float = FALSE_PAIRS) -> Found:
    """The copies that lie above all but a share of the independent pairs.

    Args:
        scores: Higher is more alike, upper triangle, shape (n, n).
        made: The class.
        false_pairs: The share.
    """
    threshold = np.quantile(scores[independent(made)], 1 - false_pairs)
    above = [kind.name for pair, kind in made.copies.items() if scores[min(pair), max(pair)] > threshold]
    return Found(Counter(kind.name for kind in made.copies.values()), Counter(above))


@dataclass(frozen=True)
class Calibration:
    """How often independent pairs were told a probability, and how many stood out without reason."""

    shares: dict[float, float]  # told -> seen
    false_alarms: int
    pairs: int


def calibration(compared: Comparison, made: MadeClass, told: Sequence[float] = (0.1, 0.01, 0.001)) -> Calibration:
    """Hold the figure of chance to the pairs that are known to be independent."""
    assert compared.chance is not None
    assert compared.totals is not None
    probability = compared.chance.probability(compared.totals[independent(made)])
    shares = {level: float((probability <= level).mean()) for level in told}
    return Calibration(shares, int((probability * compared.n_pairs <= STANDS_OUT).sum()), len(probability))


def compared(made: MadeClass) -> Comparison:
    return compare(made.notebook, made.students)


@dataclass(frozen=True)
class Cost:
    """One run of the command on a class of files."""

    students: int
    cpu_seconds: float
    memory_mib: float


def costs(notebook: str, sizes: Sequence[int], seed: int) -> list[Cost]:
    """Run `python -m grader similar` on classes of several sizes, each in a process of its own."""
    made = made_class(notebook, max(sizes), [], seed)
    return [_cost(made, size) for size in sizes]


def _cost(made: MadeClass, size: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        write_class(made.students[:size], Path(folder) / "class")
        command = [sys.executable, "-m", "grader", "similar", f"{folder}/class", "--out", folder]
        measured = [sys.executable, "-c", _MEASURE, *command]
        out = subprocess.run(measured, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    seconds, kibibytes = out.splitlines()[-1].split()
    return Cost(size, float(seconds), float(kibibytes) / (2**20 if sys.platform == "darwin" else 1024))


_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
