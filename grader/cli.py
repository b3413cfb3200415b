"""The command line: `python -m grader grade PATH...`, `python -m grader doctor`."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grader.collect import NothingToGrade, collect_files
from grader.doctor import doctor
from grader.pipeline import Grader
from grader.records import Report
from grader.report import feedback_page, folder_name, grades_csv, grades_table, results_json, write_atomically
from grader.sandbox.tiers import TIERS, is_at_least
from grader.sandbox.watch import SandboxError
from utils.assignments import assignment_names

WRITTEN, REJECTED, OUR_FAULT = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        0: reports written. 1: the one submission given was rejected at intake (its report is written all the same), or
        there was nothing to grade. 2: the grader itself failed.
    """
    options = _parser().parse_args(arguments)
    if options.command == "doctor":
        print(doctor())
        return WRITTEN
    try:
        return _grade(options)
    except NothingToGrade as error:
        print(error, file=sys.stderr)
        return REJECTED
    except SandboxError as error:
        print(f"The grader failed: {error}", file=sys.stderr)
        return OUR_FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader", description="Grade submissions of the course's notebooks.")
    commands = parser.add_subparsers(dest="command", required=True)
    grade = commands.add_parser("grade", help="grade submissions and write a report for each")
    grade.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a submission zip, a notebook, or a folder of them")
    grade.add_argument("--notebook", choices=assignment_names(), metavar="NAME", help="accept this assignment only: %(choices)s")
    grade.add_argument("--out", type=Path, default=Path("results"), metavar="DIR", help="where the results go (default: results)")
    grade.add_argument("--min-tier", choices=list(TIERS), help="refuse weaker isolation than this (default: C for a class, E for one)")
    commands.add_parser("doctor", help="say what this machine offers")
    return parser


def _grade(options: argparse.Namespace) -> int:
    began = time.monotonic()
    files = collect_files(options.paths)
    minimum = options.min_tier or ("C" if len(files) > 1 else "E")
    reports: list[Report] = []
    with Grader(options.notebook) as grader:
        if not is_at_least(grader.tier, minimum):
            print(_too_weak(grader.tier, minimum), file=sys.stderr)
            return OUR_FAULT
        for path in tqdm(files, desc="grading", unit="submission", disable=len(files) == 1 or not sys.stderr.isatty()):
            reports.append(grader.grade(path))
            _attend_to(reports[-1])
        tier = grader.tier
    results = _write(reports, options.out)
    _write_run(options, tier, results, time.monotonic() - began)
    print(grades_table(results))
    print(f"\n{len(reports)} graded in {time.monotonic() - began:.1f} s, isolation tier {tier} ({TIERS[tier].confined_by}).")
    print(f"Grades: {options.out / 'grades.csv'}. Feedback: {options.out}/<student>/feedback.html")
    return _exit_code(reports)


def _attend_to(report: Report) -> None:
    if report.fault:
        tqdm.write(f"{report.student}: grader error, {report.fault}", file=sys.stderr)


def _write(reports: list[Report], out: Path) -> list[dict[str, Any]]:
    all_results = []
    for report in reports:
        results = results_json(report)
        folder = out / folder_name(report.student)
        write_atomically(folder / "results.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        write_atomically(folder / "feedback.html", feedback_page(results))
        all_results.append(results)
    write_atomically(out / "grades.csv", grades_csv(all_results))
    return all_results


def _write_run(options: argparse.Namespace, tier: str, results: list[dict[str, Any]], seconds: float) -> None:
    run = {
        "command": ["grade", *(str(path) for path in options.paths)],
        "notebook": options.notebook,
        "tier": tier,
        "submissions": len(results),
        "wall_seconds": round(seconds, 2),
        "grader": next((r["extra_data"]["grader"] for r in results if r["extra_data"]["grader"]), {}),
    }
    write_atomically(options.out / "run.json", json.dumps(run, indent=1) + "\n")


def _exit_code(reports: list[Report]) -> int:
    if any(report.fault for report in reports):
        return OUR_FAULT
    return REJECTED if len(reports) == 1 and reports[0].rejection else WRITTEN


def _too_weak(tier: str, minimum: str) -> str:
    return (
        f"This machine offers isolation tier {tier} ({TIERS[tier].confined_by}), at least {minimum} is asked for: "
        f"{TIERS[tier].lacks}. Grade elsewhere, or allow it with --min-tier {tier}."
    )
