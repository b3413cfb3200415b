"""The same submission, the same score: twice, on one and two workers, as root and as an ordinary user, with any inputs drawn.

    python -m tests.determinism places               the same class at every place and with every number of workers
    python -m tests.determinism seeds [--count 200]  the solutions of all notebooks, with other inputs drawn each time
    python -m tests.determinism variants [--count 20] the right answers written differently, likewise

Each prints what it compared and ends with 1 if anything differed. A check that fails once in 200 draws is a wrong check.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.places import PROJECT, enter, why_not

# Where a class is graded: the isolation tier that the place can reach (C is an ordinary user), and the workers.
PLACES = (("A", 1), ("A", 2), ("A", 2), ("B", 2), ("C", 1), ("C", 2))
SLIPS = 4  # of each notebook, in the class that is graded at every place


# ---------------------------------------------------------------- places


def compare_places() -> list[str]:
    """What came out differently anywhere."""
    wrong, first = [], None
    for tier, workers in PLACES:
        if reason := why_not(tier):
            print(f"tier {tier}: not tried, {reason}")
            continue
        command = [sys.executable, "-m", "tests.determinism", "inside", "--tier", tier, "--workers", str(workers)]
        done = subprocess.run(
            command, cwd=PROJECT, capture_output=True, text=True, env=_environment(), encoding="utf-8"
        )
        if done.returncode:
            return [f"tier {tier}: {done.stderr[-2000:]}"]
        results = json.loads(done.stdout)
        first = first or results
        differing = [name for name in first if first[name] != results.get(name)]
        wrong += [f"tier {tier}, {workers} workers: {name} got something else" for name in differing]
        n_checks = sum(len(tests["tests"]) for tests in results.values())
        print(
            f"tier {tier}, {workers} workers: {len(results)} submissions, {n_checks} verdicts, {len(differing)} differ"
        )
    return wrong


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PROJECT), "GRADER_SALT": "determinism", "OMP_NUM_THREADS": "1"}


def grade_inside(tier: str, workers: int) -> None:
    """Go to a place from which there is no way back; grade the class there; print scores and sentences."""
    os.environ["GRADER_MAX_TIER"] = tier
    enter(tier)
    from grader.cli import main as grader_main

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "class").mkdir()
        for name, data in _class().items():
            (place / "class" / f"{name}.ipynb").write_bytes(data)
        command = [
            "grade",
            str(place / "class"),
            "--out",
            str(place / "out"),
            "--min-tier",
            "E",
            "--quality-seconds",
            "0",
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            code = grader_main([*command, "--workers", str(workers)])
        results = {
            path.parent.name: json.loads(path.read_text(encoding="utf-8"))
            for path in (place / "out").glob("*/results.json")
        }
    tiers = {result["extra_data"]["tier"] for result in results.values()}
    if code or tiers != {tier}:
        sys.exit(f"exit code {code}, graded at tier {tiers}")
    print(json.dumps({name: _what_must_agree(result) for name, result in sorted(results.items())}))


def _what_must_agree(result: dict) -> dict:
    extra = result["extra_data"]
    return {
        "score": result["score"],
        "output": result["output"],
        "tests": result["tests"],
        "draw": extra["draw"],
        "repairs": extra["repairs"],
    }


def _class() -> dict[str, bytes]:
    """Of each notebook: the solution, right answers written differently, and some slips."""
    from grader.authoring.slips import load_slips
    from grader.stages.pipeline import graded_assignments
    from tests.support import answers

    hand_ins = {}
    for name in graded_assignments():
        sources = _sources(name)
        hand_ins[f"{name} solved"] = answers(name)
        hand_ins[f"{name} differently"] = answers(name, _bundles(name)[0])
        slips = load_slips(name)
        for slip in slips[:: max(1, len(slips) // SLIPS)][:SLIPS]:
            hand_ins[f"{name} {slip.task} {slip.name}"] = answers(name, {slip.task: slip.cell(sources[slip.task])})
    return hand_ins


def _sources(name: str) -> dict[str, str]:
    from grader.rubric import load_rubric

    return {task: cell.source for cell in load_rubric(name).references.solution for task in cell.tasks}


# ---------------------------------------------------------------- seeds


def compare_seeds(grader, submissions: dict[str, bytes], count: int) -> list[str]:
    """Grade right answers with inputs drawn from many salts.

    Args:
        grader: A running `Grader`.
        submissions: Right answers, by what to call them.
        count: Of salts.

    Returns:
        The verdicts that are not full marks.
    """
    wrong, salt = [], grader.salt
    for name, data in submissions.items():
        failed, draws = 0, set()
        for number in range(count):
            grader.salt = f"determinism {number}"
            report = grader.grade_bytes(data, "right.ipynb", "right")
            draws.add(report.draw)
            lost = [v for v in report.verdicts if v.status not in ("passed", "manual")]
            failed += bool(lost or report.fault or report.rejection)
            wrong += [f"{name}, salt {grader.salt!r}: {v.sentence}" for v in lost]
            wrong += [f"{name}, salt {grader.salt!r}: {text}" for text in (report.fault, report.rejection) if text]
        print(f"{name}: {count} salts, {len(draws)} draws, {failed} without full marks", flush=True)
    grader.salt = salt
    return wrong


def _bundles(name: str) -> list[dict[str, str]]:
    """The right answers written differently, put together: the first of each task, the second of each, and so on."""
    from tests import validity

    sources, bundles, level = _sources(name), [], {}
    for variant in validity.right_answers(name):
        n = level[variant.task] = level.get(variant.task, -1) + 1
        if n == len(bundles):
            bundles.append({})
        bundles[n][variant.task] = variant.cell(sources[variant.task])
    return bundles


def right_answers(names: list[str], is_written_differently: bool) -> dict[str, bytes]:
    """The solved notebooks, or all other right answers in as few notebooks as hold them."""
    from tests.support import answers

    if not is_written_differently:
        return {name: answers(name) for name in names}
    return {
        f"{name}, {len(bundle)} tasks differently ({n})": answers(name, bundle)
        for name in names
        for n, bundle in enumerate(_bundles(name), 1)
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["places", "seeds", "variants", "inside"])
    parser.add_argument("--count", type=int, help="salts (default: 200 for the solutions, 20 for the variants)")
    parser.add_argument("--notebook", action="append", help="only this one; default: all")
    parser.add_argument("--tier", default="A", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.what == "inside":
        grade_inside(options.tier, options.workers)
        return 0
    began = time.monotonic()
    wrong = compare_places() if options.what == "places" else _compare_draws(options)
    for line in wrong[:50]:
        print(line)
    print(f"{len(wrong)} differences, {time.monotonic() - began:.0f} s.")
    return 1 if wrong else 0


def _compare_draws(options: argparse.Namespace) -> list[str]:
    from grader.stages.pipeline import Grader, graded_assignments

    is_variants = options.what == "variants"
    submissions = right_answers(options.notebook or graded_assignments(), is_variants)
    with Grader(quality_seconds=0) as grader:
        return compare_seeds(grader, submissions, options.count or (20 if is_variants else 200))


if __name__ == "__main__":
    sys.exit(main())
