"""`make bench`: every measurement of the project in one run, as one table with the spread, kept in docs/benchmarks.md.

    python -m tools.bench                 everything, and write the page
    python -m tools.bench NAME ...        some of it, shown only
    python -m tools.bench.arrivals 10000  the long one, by itself: hand-ins that arrive up to a deadline

Times depend on the machine and on who shares it; a ratio of two things measured in turn, in one run, depends on neither
much. Each module beside this one, and `bench.py` of an
assignment, measures one thing: `measure()` returns its figures, and `missing()`, where there is one, says what cannot be measured here.
"""

import argparse
import importlib
import inspect
import os
import platform
import sys
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version

from tools.bench.others import VARIABLE
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import PROJECT, Place, shown, this_course

OF_ANY_COURSE, OF_THE_LIBRARY = ("grading", "classes", "starting", "engines", "others"), ("pdf",)


def _names() -> tuple[str, ...]:
    """What can be measured: of any course, of the library that this one shows off, and what assignments bring."""
    library = OF_THE_LIBRARY if this_course().root == PROJECT else ()
    return (*OF_ANY_COURSE, *library, *_of_assignments())


def _of_assignments() -> dict[str, Place]:
    return {place.folder: place for place in this_course().places() if place.has("bench")}


def main(arguments: list[str] | None = None) -> int:
    arguments, known = enter_course(arguments), _names()
    parser = argparse.ArgumentParser(
        description="Measure what the project promises.",
        epilog=f"`others` measures nbgrader and otter-grader; {VARIABLE} in the environment names a Python that has them.",
    )
    parser.add_argument("names", nargs="*", help=f"what to measure, of: {', '.join(known)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="how often each thing is measured (default: as each wants)"
    )
    add_course_option(parser)
    options = parser.parse_args(arguments)
    names = options.names
    if unknown := set(names) - set(known):
        parser.error(f"nothing is called {', '.join(sorted(unknown))}; there is {', '.join(known)}")
    began = time.monotonic()
    parts = []
    for name in names or known:
        parts.append("\n".join(_part(name, options.rounds)))
        print(parts[-1], "\n", flush=True)
    if not names:
        page = this_course().root / "docs" / "benchmarks.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(_page(parts, time.monotonic() - began), encoding="utf-8")
        print(f"Written: {shown(page)}")
    return 0


def _part(name: str, rounds: int | None) -> Iterator[str]:
    of_assignment = _of_assignments().get(name)
    module = of_assignment.load("bench") if of_assignment else importlib.import_module(f"tools.bench.{name}")
    yield f"## {name}\n"
    yield (inspect.getdoc(module) or "").splitlines()[0] + "\n"
    if said := getattr(module, "missing", str)():
        yield said + "\n"
    if figures := module.measure(**({"rounds": rounds} if rounds else {})):
        yield "| what | median | unit | smallest to largest |"
        yield "|---|---|---|---|"
        yield from (figure.row for figure in figures)


def _page(parts: list[str], seconds: float) -> str:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    head = f"""# Benchmarks

Made by `make bench` on {date.today():%d %B %Y}, in {seconds / 60:.0f} minutes, on {os.cpu_count()} cores without a GPU in use
({platform.system()}, {platform.machine()}, Python {platform.python_version()}, torch {version("torch")}; load at the end: {load:.1f}).

Rows in *times* are ratios of two things measured in turn in the same round: they hold elsewhere too. Rows in seconds,
milliseconds or rates are of this machine at that hour and are given so that a ratio can be read. The last column is
the smallest and the largest of the rounds: what lies within it is noise.
"""
    return "\n\n".join([head.rstrip(), *parts]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
