"""The threat model, made by a run: every attack at every tier this machine can stand in for, written to docs/threat-model.md.

    python -m tests.threat_model [--jobs N] [--keep FOLDER [--tier C]]

Root on Linux shows all tiers, an ordinary user C and D. It takes minutes to an hour; `make test` runs a part of it (`test_attacks`). With a
folder, outcomes are kept in it by tier and family: a run that was broken off goes on from there, and families may be run in turn.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from grader.sandbox.tiers import TIERS as ABOUT_TIERS
from tests.arena import TIERS
from tests.attacks.catalogue import FAMILIES, load_attacks
from tests.marking import threats
from tests.places import PROJECT, why_not
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import shown, this_course

PAGE = PROJECT / "docs" / "threat-model.md"  # of this course; another has its own
_BEGIN, _END = "<!-- made by the run: begin -->", "<!-- made by the run: end -->"
# What a tier says it lacks, shown to be so: the records of `grader.sandbox.tiers` must stay true in this direction as well.
NOT_STOPPED = {"D": {"read_a_secret", "read_the_references", "read_by_other_calls"}}
# The disk is watched by the clock: where no memory disk caps it, a quick writer may be done before anybody looks.
RACES = {("fill_the_disk", "B"), ("fill_the_disk", "C")}


def run_arena(tier: str, *options: str, seconds: float = 3000) -> dict:
    """The outcomes at one tier, from a program of its own.

    Raises:
        RuntimeError: With its last words, if it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.arena", "--tier", tier, *options],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=seconds,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


def by_family(tier: str, folder: Path, is_kept_alone: bool) -> dict:
    """The outcomes at one tier, a program for each family; those that are kept in the folder are taken from there."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[dict] = []
    for family in FAMILIES:
        path = folder / f"{tier}.{family}.json"
        if not path.exists() and not is_kept_alone:
            run = run_arena(tier, "--family", family)
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(run), encoding="utf-8")
            partial.replace(path)
        found += json.loads(path.read_text(encoding="utf-8"))["outcomes"] if path.exists() else []
    return {"tier": tier, "outcomes": found}


def main(arguments: list[str] | None = None) -> int:
    arguments, path = enter_course(arguments), this_course().root / "docs" / PAGE.name
    parser = argparse.ArgumentParser(description="Run every attack at every tier and write docs/threat-model.md.")
    parser.add_argument("--jobs", type=int, default=1, help="tiers at a time")
    parser.add_argument(
        "--keep", type=Path, help="a folder for the outcomes of each tier and family; what is there is not run again"
    )
    parser.add_argument("--tier", action="append", choices=TIERS, help="only these (default: all)")
    parser.add_argument("--kept", action="store_true", help="run nothing: write the page from what is kept")
    add_course_option(parser)
    options = parser.parse_args(arguments)
    if options.kept and not options.keep:
        parser.error("--kept needs --keep FOLDER")
    tiers = options.tier or list(TIERS)
    reasons = {tier: why_not(tier) if tier in tiers else "it was left out" for tier in TIERS}

    def outcomes(tier: str) -> dict | None:
        if reasons[tier]:
            return None
        return by_family(tier, options.keep, options.kept) if options.keep else run_arena(tier)

    with ThreadPoolExecutor(options.jobs) as pool:
        found = dict(zip(TIERS, pool.map(outcomes, TIERS), strict=True))
    runs = {tier: run for tier, run in found.items() if run}
    path.parent.mkdir(exist_ok=True)
    page = path.read_text(encoding="utf-8") if path.exists() else f"# Threat model\n\n{_BEGIN}\n{_END}\n"
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    path.write_text(f"{before}{_BEGIN}\n\n{_made(runs, reasons)}\n\n{_END}{after}", encoding="utf-8")
    surprises = [line for tier, run in runs.items() for line in _surprises(tier, run["outcomes"])]
    if path == PAGE and not options.kept:  # the marking page is the grader's, whatever the course
        marking = threats.run()
        threats.write(marking)
        surprises += threats.surprises(marking)
    print("\n".join(surprises) or f"{shown(path)}: nothing got through that is not on the list.")
    return 1 if surprises else 0


def is_contained(outcome: dict) -> bool:
    """Nothing earned, nothing lost by others, nothing left behind, no fault of ours."""
    left = outcome["processes_left"] or outcome["files_left"]
    return not (outcome["forged"] > 0 or outcome["lost"] or outcome["next_lost"] or left or outcome["fault"])


def is_expected(tier: str, outcome: dict) -> bool:
    """Whether an attack that was not contained is one of those the tier says it does not stop."""
    return outcome["name"] in NOT_STOPPED.get(tier, set()) or (outcome["name"], tier) in RACES


def _surprises(tier: str, outcomes: Iterable[dict]) -> list[str]:
    return [
        f"{tier} {outcome['notebook']} {outcome['name']}: {outcome}"
        for outcome in outcomes
        if not is_contained(outcome) and not is_expected(tier, outcome)
    ]


def _made(runs: dict[str, dict], reasons: dict[str, str]) -> str:
    return "\n\n".join([_about(runs, reasons), _matrix(runs), _sums(runs), _named(runs), _list()])


def _about(runs: dict[str, dict], reasons: dict[str, str]) -> str:
    kernel = re.match(r"\d+\.\d+", platform.release())
    machine = (
        f"Linux {kernel[0] if kernel else platform.release()}, {platform.machine()}, Python {platform.python_version()}"
    )
    attacks = load_attacks()
    lines = [
        f"Made by `python -m tests.threat_model`: {len(attacks)} attacks on {len({a.notebook for a in attacks})} notebooks, each at "
        f"tiers {', '.join(runs)}, an honest submission graded right after each. {machine}, torch {version('torch')}."
    ]
    lines += [f"Tier {tier} was not run: {reason}." for tier, reason in reasons.items() if reason]
    return "\n".join(lines)


def _matrix(runs: dict[str, dict]) -> str:
    head = ["Attacks that try to", *(f"{tier}" for tier in runs), "held by"]
    rows = [head, ["---"] * len(head)]
    for name, family in FAMILIES.items():
        cells = []
        for run in runs.values():
            outcomes = [outcome for outcome in run["outcomes"] if outcome["family"] == name]
            cells.append(f"{sum(map(is_contained, outcomes))}/{len(outcomes)}" if outcomes else "not run")
        rows.append([family.aim, *cells, family.held_by])
    return "**Contained, of all tried.**\n\n" + _table(rows)


def _sums(runs: dict[str, dict]) -> str:
    def all_of(what) -> list[str]:
        return [f"{what(run['outcomes']):g}" for run in runs.values()]

    reading = {attack.name for attack in load_attacks() if attack.family == "read"}
    rows = [
        ["In sum", *runs],
        ["---"] * (1 + len(runs)),
        ["points forged", *all_of(lambda found: sum(max(0, o["forged"]) for o in found if o["name"] not in reading))],
        ["secrets read", *all_of(lambda found: sum(o["forged"] > 0 for o in found if o["name"] in reading))],
        ["processes left", *all_of(lambda found: sum(o["processes_left"] for o in found))],
        ["files left or changed", *all_of(lambda found: sum(len(o["files_left"]) for o in found))],
        ["points lost by the author's other answers", *all_of(lambda found: sum(abs(o["lost"]) for o in found))],
        ["points lost by the next submission", *all_of(lambda found: sum(abs(o["next_lost"] or 0) for o in found))],
        ["faults of the grader", *all_of(lambda found: sum(bool(o["fault"]) for o in found))],
    ]
    return _table(rows)


def _named(runs: dict[str, dict]) -> str:
    """What got through, by name, with the tier's own words about it."""
    lines = [
        f"- {tier}, `{outcome['name']}`: "
        + (f"expected there ({ABOUT_TIERS[tier].lacks})." if is_expected(tier, outcome) else "**not expected**.")
        for tier, run in runs.items()
        for outcome in run["outcomes"]
        if not is_contained(outcome)
    ]
    return "**What got through.**\n\n" + ("\n".join(lines) or "- Nothing.")


def _list() -> str:
    attacks = load_attacks()
    lines = []
    for name, family in FAMILIES.items():
        lines.append(f"**{family.aim[0].upper()}{family.aim[1:]}**\n")
        lines += [f"- `{a.name}` ({a.notebook[:2]}): {a.aim}" for a in attacks if a.family == name]
        lines.append("")
    return "<details><summary>All attacks, one line each</summary>\n\n" + "\n".join(lines) + "</details>"


def _table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
