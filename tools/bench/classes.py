"""How long a class takes: throughput with one worker and with two, memory, and growth with the class.

    python -m tools.bench classes
    python -m tools.bench.classes 3000 [--workers 2]     one class of 3,000 submissions to notebook 1

Each class is graded through the command line from a cold start.
"""

import argparse

from grader.authoring.measurement import Measurement, ratios
from tools.bench.cold import time_alone, time_class
from tools.bench.timing import import_torch, seconds_of
from utils.assignments.course import enter_course

_FEW = 20


def measure(count: int = 300, rounds: int = 3) -> list[Measurement]:
    """Grade one hand-in alone, twenty, a class of `count` with one worker and with two, and one twice as large.

    Returns:
        The wall time against `import torch`, what the second worker gains, what a class twice as large costs, and memory.
    """
    torch_wall, alone, few, one, two, double = [], [], [], [], [], []
    for _ in range(rounds):
        torch_wall.append(seconds_of(import_torch)[0])
        alone.append(time_alone())
        few.append(time_class(_FEW, 2)["wall_seconds"])
        one.append(time_class(count, 1))
        two.append(time_class(count, 2))
        double.append(time_class(2 * count, 2))

    def column(of: list[dict[str, float]], name: str) -> list[float]:
        return [row[name] for row in of]

    return [
        ratios("one hand-in alone, from a cold start, against a process that imports torch, wall", alone, torch_wall),
        ratios(f"{_FEW} hand-ins, two workers, against it", few, torch_wall),
        Measurement(
            f"a class of {count}, two workers, from a cold start", tuple(column(two, "wall_seconds")), "wall s"
        ),
        ratios("the same against a process that imports torch, wall", column(two, "wall_seconds"), torch_wall),
        Measurement("submissions a second, two workers", tuple(count / s for s in column(two, "wall_seconds")), "1/s"),
        ratios("one worker against two, wall", column(one, "wall_seconds"), column(two, "wall_seconds")),
        ratios(
            f"a class of {2 * count} against {count}, CPU", column(double, "cpu_seconds"), column(two, "cpu_seconds")
        ),
        Measurement(
            "memory of the whole run, two workers, shared pages counted once", tuple(column(two, "peak_mib")), "MiB"
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a class.")
    parser.add_argument("count", type=int)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(enter_course())
    for name, value in time_class(options.count, options.workers).items():
        print(f"{name:14} {value:.4g}")


if __name__ == "__main__":
    main()
