"""What it costs to measure handed-in weights: CPU seconds of a submission, in all processes, with all its models and without.

    python -m tests.weights_cost [NOTEBOOK ...] [--rounds 5]

Each notebook that takes weights is handed in solved, with models of a full training. The training again of `[quality]` is left out: it has a
budget of its own. Exits with 1 if the median of a notebook with weights is above three seconds.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from grader.stages.pipeline import Grader
from tests.machines.models import FILES, handed_in
from tests.trained import hand_in, weights_file
from tools.bench.grading import cpu_seconds_of

LIMIT = 3.0  # CPU seconds a submission


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one notebook's submission, one value a round."""

    notebook: str
    models: int
    with_weights: tuple[float, ...]
    without: tuple[float, ...]

    @property
    def row(self) -> str:
        """As a row of a Markdown table."""
        return f"| {self.notebook} | {self.models} | {_told(self.with_weights)} | {_told(self.without)} |"


HEAD = "| notebook | models | CPU s a submission with weights | without |\n|---|---:|---|---|"


def measure(names: list[str], rounds: int) -> Iterator[Cost]:
    """Measure the notebooks named, or all that take weights, after a round that does not count.

    Args:
        names: Of notebooks; empty for all.
        rounds: How often each is graded, with weights and without in turn.
    """
    for notebook, models in _trained_well().items():
        if names and notebook not in names:
            continue
        files = FILES.get(notebook, {})
        hand_ins = [
            hand_in(notebook, weights_file(notebook, models, files=files), files=files),
            hand_in(notebook, None, files=files),
        ]
        with Grader(notebook, "weights cost", quality_seconds=0) as grader:
            used = [[_graded(grader, data) for data in hand_ins] for _ in range(rounds + 1)][1:]
        yield Cost(notebook, len(models), *(tuple(column) for column in zip(*used, strict=True)))


def _trained_well() -> dict:
    return {notebook: models for notebook, what, models in handed_in() if what == "trained well"}


def _graded(grader: Grader, data: bytes) -> float:
    began = cpu_seconds_of(grader)
    report = grader.grade_bytes(data, "hand-in.zip", "ada")
    if report.fault or report.rejection:
        raise RuntimeError(f"{grader.notebook}: {report.fault or report.rejection}")
    return cpu_seconds_of(grader) - began


def _told(seconds: tuple[float, ...]) -> str:
    return f"{median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.weights_cost", description=__doc__)
    known = list(_trained_well())
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help=f"of {', '.join(known)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if unknown := set(options.names) - set(known):
        parser.error(
            f"no notebook that takes weights is called {', '.join(sorted(unknown))}; there are {', '.join(known)}"
        )
    print(HEAD, flush=True)
    is_dear = False
    for cost in measure(options.names, options.rounds):
        print(cost.row, flush=True)
        is_dear |= median(cost.with_weights) > LIMIT
    return int(is_dear)


if __name__ == "__main__":
    sys.exit(main())
