"""Thousands of spoilt inputs: `python -m tests.fuzz [--count 10000] [--seed 0] [--start 0] [--only KIND]`.

Every case follows from seed, kind and number alone. A failure names the command that repeats it; `--start` goes on where
an earlier run ended.
"""

import argparse
import resource
import sys
import time
from collections import Counter

from tests.fuzz import KINDS, close, run_case

_SHOWN = 20


def main() -> int:
    options = _options()
    kinds = [options.only] if options.only else list(KINDS)
    total = sum(KINDS[kind].share for kind in kinds)
    endings: dict[str, Counter[str]] = {}
    failures: list[tuple[str, int, str]] = []
    began = time.monotonic()
    for kind in kinds:
        count = max(1, round(options.count * KINDS[kind].share / total))
        endings[kind] = Counter()
        at_kind = time.process_time()
        for number in range(options.start, options.start + count):
            ended, trouble = run_case(kind, options.seed, number)
            endings[kind][ended] += 1
            if trouble:
                failures.append((kind, number, trouble))
        told = ", ".join(f"{n} {ended}" for ended, n in endings[kind].most_common())
        print(f"{kind:12}{count:6}  {told}  ({time.process_time() - at_kind:.0f} CPU s)", flush=True)
    close()
    for kind, number, trouble in failures[:_SHOWN]:
        print(f"\npython -m tests.fuzz --only {kind} --seed {options.seed} --start {number} --count 1\n{trouble}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cases = sum(sum(ended.values()) for ended in endings.values())
    print(
        f"\n{cases} inputs, seed {options.seed}, cases from {options.start} on: {len(failures)} failures, "
        f"{time.monotonic() - began:.0f} s, peak memory {peak:.0f} MiB."
    )
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="inputs, all kinds together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="the number of the first case of each kind")
    parser.add_argument("--only", choices=list(KINDS), metavar="KIND", help="one kind: %(choices)s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
