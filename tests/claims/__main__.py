"""Measure what the notebooks say about behaviour, over several seeds, and write docs/claims.md.

    python -m tests.claims --out DIR [--data DIR] [--device cuda] [--jobs N] [--seeds N] [--only WORD] [--share 0.02]
    python -m tests.claims --page --out DIR          docs/claims.md from what DIR holds

Each measure and seed is a process of its own with one thread, which leaves one JSON file in DIR. What is there already is not
measured again. `--share` below 1 is a rehearsal: everything runs, nothing is worth quoting.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# From the longest to the shortest, so that no core waits at the end.
MEASURES = (
    "photographs.long_game", "photographs.spectral", "digits.autoencoders", "digits.annealing", "digits.nats", "photographs.game",
    "airfoils.designs", "airfoils.weights", "airfoils.depth", "digits.blur", "photographs.unbalanced", "gaussians.toys", "gaussians.estimators",
    "digits.width", "airfoils.facts", "photographs.measure", "photographs.steepness",
)  # fmt: skip
ON_CPU = ("airfoils", "gaussians")  # whatever --device says
ONCE = ("airfoils.facts", "digits.width")  # they draw nothing, or hardly
HERE = Path(__file__).parents[2]


def main() -> int:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.claims", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--only", default="", help="measures whose name holds this word")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.page:
        from tests.claims.page import write

        return write(options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    return _measure_one(options) if options.one else _measure_all(options)


def _measure_all(options: argparse.Namespace) -> int:
    asked = [name for name in MEASURES if options.only in name]
    jobs = [(name, seed) for name in asked for seed in range(1 if name in ONCE else options.seeds)]
    jobs = [job for job in jobs if not _file(options.out, *job).is_file()]
    with ThreadPoolExecutor(options.jobs) as pool:
        codes = list(pool.map(lambda job: _start(options, *job), jobs))
    failed = [f"{name} {seed}" for (name, seed), code in zip(jobs, codes, strict=True) if code]
    print(f"{len(jobs) - len(failed)} of {len(jobs)} measures done", *(f"failed: {job}" for job in failed), sep="\n")
    return bool(failed)


def _start(options: argparse.Namespace, name: str, seed: int) -> int:
    command = [sys.executable, "-m", "tests.claims", "--one", name, "--seed", str(seed), "--out", str(options.out)]
    command += ["--data", str(options.data), "--device", options.device, "--share", str(options.share)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    started = time.perf_counter()
    with _file(options.out, name, seed).with_suffix(".log").open("w", encoding="utf-8") as log:
        code = subprocess.run(command, cwd=HERE, env=environment, stdout=log, stderr=log, check=False).returncode
    print(
        f"{name}, seed {seed}: {'done' if code == 0 else 'FAILED'} after {time.perf_counter() - started:.0f} s",
        flush=True,
    )
    return code


def _measure_one(options: argparse.Namespace) -> int:
    import importlib

    import torch

    torch.set_num_threads(1)
    module, function = options.one.split(".")
    measure = getattr(importlib.import_module(f"tests.claims.{module}"), function)
    started = time.perf_counter()
    figures = measure(options.device, options.seed, options.data, options.share)
    on_gpu = options.device == "cuda" and module.__name__.rpartition(".")[2] not in ON_CPU
    device = torch.cuda.get_device_name() if on_gpu else f"CPU ({platform.machine()})"
    ran = {
        "device": device,
        "torch": torch.__version__,
        "seconds": round(time.perf_counter() - started, 1),
        "share": options.share,
    }
    text = json.dumps({"measure": options.one, "seed": options.seed, **ran, "figures": figures}, indent=1)
    _file(options.out, options.one, options.seed).write_text(text, encoding="utf-8")
    return 0


def _file(folder: Path, name: str, seed: int) -> Path:
    return folder / f"{name}-{seed}.json"


if __name__ == "__main__":
    sys.exit(main())
