"""Spend the evening from a terminal; see the package's own words."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.in_jupyter.evening import spend
from tests.marking.browser import WHY_NOT, chromium
from tools.notebook_source import source_names


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.in_jupyter", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks; default: all")
    parser.add_argument("--solved", action="store_true", help="fill every gap, so that all of it runs")
    parser.add_argument("--look", type=Path, metavar="FOLDER", help="keep a picture of the page after each step there")
    options = parser.parse_args()
    if unknown := set(options.names) - set(source_names()):
        parser.error(f"no notebook is called {', '.join(sorted(unknown))}; there are {', '.join(source_names())}")
    if WHY_NOT:
        print(WHY_NOT, file=sys.stderr)
        return 2
    if options.look:
        options.look.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name in options.names or source_names():
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="evening-") as folder:
                steps = spend(browser, name, Path(folder), options.solved, options.look)
            print(
                "\n".join([f"{name}, {time.monotonic() - began:.0f} s", *(f"  {step}" for step in steps)]), flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
