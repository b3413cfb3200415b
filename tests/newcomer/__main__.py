"""The README's commands at places unlike this one.

    python -m tests.newcomer [NAME ...] [--steps set-up grade test] [--folder DIR]

Ends with 1 if a command failed anywhere, or the example class got other grades. It writes what it saw into docs/places.md, and
prints what failed. A test run of some minutes and a set-up a place: allow two hours for all of them.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.newcomer.page import PAGE, page, row
from tests.newcomer.places import PLACES
from tests.newcomer.visit import STEPS, Visit, visit
from tests.places import why_not


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [place.name for place in PLACES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"the places: {', '.join(names)}; default: all")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS), help="default: all, in this order")
    parser.add_argument("--folder", type=Path, help="where to make them (default: the system's temporary folder)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"no place is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if reason := _why_not():
        print(f"No place can be made: {reason}.", file=sys.stderr)
        return 2
    visits = [
        _tell(visit(place, _base(options.folder), options.steps)) for place in PLACES if _is_asked(place.name, options)
    ]
    faults = [fault for visited in visits for fault in _faults(visited, visits[0])]
    print("\n".join([*faults, f"{len(visits)} places, {len(faults)} faults."]))
    PAGE.write_text(page(visits, faults, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 1 if faults else 0


def _why_not() -> str:
    missing = [program for program in ("git", "make", "useradd", "localedef") if not shutil.which(program)]
    return why_not("B-") or (f"{', '.join(missing)} not found" if missing else "")


def _is_asked(name: str, options: argparse.Namespace) -> bool:
    return not options.names or name in options.names


def _base(folder: Path | None) -> Path:
    base = Path(tempfile.mkdtemp(prefix="newcomer-", dir=folder))
    base.chmod(0o755)
    return base


def _tell(visited: Visit) -> Visit:
    print(row(visited), flush=True)
    for step in visited.steps:
        if step.code:
            print(f"--- {visited.place.name}, {step.name}: exit code {step.code}\n{step.said[-6000:]}", flush=True)
    return visited


def _faults(visited: Visit, first: Visit) -> list[str]:
    name = visited.place.name
    faults = [
        f"{name}: {STEPS[step.name]} ended with {step.code}" + (f": {', '.join(step.failed)}" if step.failed else "")
        for step in visited.steps
        if step.code
    ]
    if visited.grades and visited.grades != first.grades:
        moved = sorted(s for s in {*visited.grades, *first.grades} if visited.grades.get(s) != first.grades.get(s))
        faults.append(f"{name}: other grades than at {first.place.name}: {', '.join(moved)}")
    if visited.left_at_home and visited.place.home != "read-only":
        print(f"{name}: left at home: {', '.join(visited.left_at_home[:5])}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
