"""`make bench`: every measurement of the project in one run, as ratios, with the spread of what they are relative to.

    python -m tools.bench [NAME ...]

Times depend on the machine and on who shares it; a ratio of two things measured in turn, in one run, depends on neither
much. Each module beside this one measures one thing: `measure()` returns plain numbers, its docstring says what they are.
"""

import argparse
import importlib
import inspect
import pkgutil
import sys
import time
from pathlib import Path


def main() -> int:
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name != "__main__"]
    parser = argparse.ArgumentParser(description="Measure what the project promises.")
    parser.add_argument(
        "names", nargs="*", default=names, help=f"what to measure, of: {', '.join(names)} (default: all)"
    )
    for name in parser.parse_args().names:
        module = importlib.import_module(f"tools.bench.{name}")
        print(f"\n{name}: {(inspect.getdoc(module) or '').splitlines()[0]}", flush=True)
        began = time.monotonic()
        for figure, value in module.measure().items():
            print(f"  {figure:34} {value:.4g}")
        print(f"  (measured in {time.monotonic() - began:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
