"""Run every setting as a program of its own, compare, write docs/machines.md; see `tests.machines`."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.machines.document import differences, document, margins
from tests.machines.settings import QUICK, SETTINGS, Setting, setting
from tests.machines.suite import run as run_suite

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "machines.md"
BESIDE = PROJECT / "tests" / "machines" / "beside.md"  # what was tried by hand, and cannot be repeated everywhere


def run(chosen: Setting, is_quick: bool, kept: Path) -> dict:
    """What one machine tells; kept in a folder, so that a run that was stopped goes on.

    Raises:
        RuntimeError: If it cannot grade; the message holds its last words.
    """
    file = kept / f"{chosen.name}.json"
    if not file.exists():
        command = [
            sys.executable,
            "-m",
            "tests.machines.inside",
            chosen.name,
            "quick" if is_quick else "full",
            str(file),
        ]
        environment = {**os.environ, **chosen.environment, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, encoding="utf-8")
        if done.returncode:
            raise RuntimeError(f"{chosen.name}: {done.stderr[-2000:]}")
    return json.loads(file.read_text(encoding="utf-8"))


def processor() -> str:
    """As the kernel calls it."""
    cpu = Path("/proc/cpuinfo")
    names = (
        [
            line.split(":")[1].strip()
            for line in cpu.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        if cpu.exists()
        else []
    )
    return f"{names[0] if names else platform.processor()}, {platform.machine()}"


def main() -> int:
    names = [one.name for one in SETTINGS]
    parser = argparse.ArgumentParser(prog="python -m tests.machines", description="Grade as other machines would.")
    parser.add_argument("--quick", action="store_true", help=f"a sample, on {' and '.join(QUICK)}; writes nothing")
    parser.add_argument("--only", nargs="*", choices=names)
    parser.add_argument(
        "--kept", type=Path, help="a folder for what each machine tells; what lies there is not run again"
    )
    parser.add_argument("--jobs", type=int, default=1, help="so many settings at once")
    parser.add_argument("--suite", nargs="+", choices=names, help="run `make test` under these settings, all at once")
    options = parser.parse_args()
    if options.suite:
        return run_suite([setting(name) for name in options.suite])
    chosen = [one for one in SETTINGS if one.name in (options.only or (QUICK if options.quick else [one.name]))]
    with tempfile.TemporaryDirectory() as folder:
        kept = options.kept or Path(folder)
        told = {}
        with ThreadPoolExecutor(options.jobs) as pool:  # each is a program of its own
            for one, came in zip(chosen, pool.map(lambda one: run(one, options.quick, kept), chosen), strict=True):
                told[one.name] = came
                print(f"{one.name}: {came['machine']}, {len(came['answers'])} answers", flush=True)
    wrong = differences(told, chosen[0].name)
    near = [line for line in margins(told) if not line.is_kept]
    if not options.quick and not options.only:
        beside = BESIDE.read_text(encoding="utf-8").strip() if BESIDE.exists() else ""
        text = document(told, {one.name: one.says for one in SETTINGS}, chosen[0].name, processor(), beside)
        DOCUMENT.write_text(text, encoding="utf-8")
    print("\n".join([*wrong, *(f"near its line: {line}" for line in near)]))
    print(f"{len(wrong)} verdicts or names differ, {len(near)} margins are too small")
    return 1 if wrong or near else 0


if __name__ == "__main__":
    sys.exit(main())
