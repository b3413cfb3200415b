"""Run the solved notebooks under nbval from a terminal; see the package's own words."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.solved.outputs import keep
from tests.solved.run import execute
from tools.notebook_source import source_names

_OTHERWISE = (  # what changes the order in which a processor adds
    {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    {"OMP_NUM_THREADS": "2"},
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.solved", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks; default: all")
    parser.add_argument("--full", action="store_true", help="run in full; every cell has to run, nothing is compared")
    parser.add_argument("--keep", action="store_true", help="keep what the run prints")
    parser.add_argument("--spread", action="store_true", help="run with other instruction sets and with two threads")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the executed notebooks here, to look at them")
    options = parser.parse_args()
    if unknown := set(options.names) - set(source_names()):
        parser.error(f"no notebook is called {', '.join(sorted(unknown))}; there are {', '.join(source_names())}")
    failures = 0
    for name in options.names or source_names():
        for settings in _OTHERWISE if options.spread else ({},):
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="solved-") as folder:
                run = execute(name, Path(folder), settings, options.full, not options.full)
            if options.keep:
                keep(name, run.notebook)
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                nbformat.write(run.notebook, options.out / f"{name}.ipynb")
            failures += bool(run.failed) and not options.keep
            words = (
                f"{len(run.failed)} cells differ" if run.failed else "as kept" if not options.full else "every cell ran"
            )
            print(f"{name} {settings or ''}: {words}, {time.monotonic() - began:.0f} s", flush=True)
            print("" if options.keep else run.complaints()[-20_000:], flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
