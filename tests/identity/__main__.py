"""Thousands of random classes: `python -m tests.identity [--count 10000] [--seed 0] [--start 0]`.

Every class follows from seed and number alone; a failure names the command that repeats it.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.identity import run_trial

_SHOWN = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="classes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="the number of the first class")
    options = parser.parse_args()
    seen: Counter[str] = Counter()
    failed: list[tuple[int, list[str]]] = []
    began = time.process_time()
    for number in range(options.start, options.start + options.count):
        with tempfile.TemporaryDirectory(prefix="identity-") as folder:
            trial = run_trial(options.seed, number, Path(folder))
        seen += trial.seen
        if trial.faults:
            failed.append((number, trial.faults))
    for number, faults in failed[:_SHOWN]:
        print(f"\npython -m tests.identity --seed {options.seed} --start {number} --count 1", *faults, sep="\n  ")
    for what, count in seen.most_common():
        print(f"{count:8}  {what}")
    print(
        f"{options.count} classes, seed {options.seed}: {len(failed)} with a fault, {time.process_time() - began:.0f} CPU s."
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
