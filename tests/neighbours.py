"""One hostile hand-in in a class: what the others get, when the run ends, and how much memory the grader takes.

    python -m tests.neighbours [--honest 39] [--every] [FAMILY ...]

The honest are graded alone; then once more with one hostile hand-in of each family beside them (`--every`: with each that is
known of the family, in turn). Ends with 1 unless the honest get, byte for byte, what they got alone, the run ends by itself within
twice its time and the limits of one submission, and no more than one GiB is in the grader's processes together. What is in
sandboxes, which have limits of their own, is not counted.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from tests.attacks import sieges
from tests.mortals import NAME, grade, graded, write_class, written
from tests.support import answers

PEAK_MIB = 1024
HOSTILE = "hostile"
_FILES = ("results.json", "feedback.html")
Make = Callable[[], tuple[str, bytes]]
Attempt = tuple[str, str, Make]  # family, name, what makes the file

# ---------------------------------------------------------------- what is handed in


def attempts() -> list[Attempt]:
    """Every hostile hand-in that is known: family, name, and what makes its file; the first of a family is its example."""
    reading = {name: (family, _file(make)) for name, (family, _, make) in sieges.FILES.items()}
    found: list[Attempt] = [("leak", name, _spy(name)) for name in sieges.WAYS]
    found += [("stall", "an_answer_that_hangs", _answer("def D_KL(mu, logvar):\n    while True:\n        pass\n"))]
    found += [(family, name, make) for name, (family, make) in reading.items()]
    found += [("fill", name, _answer(source)) for name, source in sieges.FILL.items()]
    found += [("pose", f"pose_as_{name}", lambda files=files: _zip(files)) for name, files in _poses().items()]
    found += [("poison", "members_that_climb", lambda: _zip(_climbing())), ("print", "formulas_too_dear", _bombs)]
    return found


def _file(make: Callable) -> Make:
    def made() -> tuple[str, bytes]:
        data = make(SimpleNamespace(answers=answers))
        return f"{HOSTILE}.zip" if data[:2] == b"PK" else f"{HOSTILE}.ipynb", data

    return made


def _answer(source: str) -> Make:
    return lambda: (f"{HOSTILE}.ipynb", answers(NAME, {"kl.D_KL": source}))


def _spy(way: str) -> Make:
    return lambda: (f"{HOSTILE}.ipynb", sieges.spy(SimpleNamespace(answers=answers), way))


def _zip(files: dict[str, bytes]) -> tuple[str, bytes]:
    return f"{HOSTILE}.zip", sieges.zipped(files)


def _poses() -> dict[str, dict[str, bytes]]:
    """Zips that look like a platform's download of a class, in which the first of the honest hands this in."""
    victim, book = "honest000", answers(NAME, {"kl.D_KL": "def D_KL(mu, logvar):\n    return mu"})
    metadata = f"submission_1:\n  :submitters:\n  - :name: {victim}\n    :email: {victim}@x\n    :sid: {victim}\n"
    return {
        "gradescope": {"submission_metadata.yml": metadata.encode(), "submission_1/a.ipynb": book},
        "canvas": {f"{victim}_1_2_a.ipynb": book},
        "moodle": {f"{victim}_1_assignsubmission_file/a.ipynb": book},
        "nbgrader": {f"submitted/{victim}/ps1/a.ipynb": book},
        "plain": {f"{victim}.zip": sieges.zipped({"a.ipynb": book}), f"{victim}/{victim}.ipynb": book},
    }


def _climbing() -> dict[str, bytes]:
    """A solved notebook beside results of its own making, and names that lead to the results of others."""
    forged, book = b'{"score": 99, "student": "honest000"}', answers(NAME)
    names = ("results.json", "../honest000/results.json", "../../out/honest000/results.json", "honest000/results.json")
    return {"a.ipynb": book, **dict.fromkeys(names, forged), ".run": b"/tmp", "../.run": b"/tmp", "run.json": forged}


def _bombs() -> tuple[str, bytes]:
    """Formulas that are too dear, as responses that a person reads."""
    bombs = "\n\n".join(sieges.bombs(Path()))
    data = answers(NAME).decode().replace("**RESPONSE:**", f"**RESPONSE:** {_in_json(bombs)}")
    return f"{HOSTILE}.ipynb", data.encode()


def _in_json(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


# ---------------------------------------------------------------- a run


@dataclass(frozen=True)
class Run:
    """How a run of the command ended: exit code, seconds, MiB in all of the grader's processes together, and in one."""

    code: int
    seconds: float
    together_mib: int
    one_mib: int


def run(folder: Path, out: Path, temporary: Path, seconds: float) -> Run:
    """Grade a folder by the command, and watch its processes; it is killed after so many seconds."""
    began, together, one = time.monotonic(), 0, 0
    process = grade(folder, out, temporary)
    while process.poll() is None:
        shares = [_share(pid) for pid in _graders(process.pid)]
        together, one = max(together, sum(shares)), max([one, *shares])
        if time.monotonic() - began > seconds:
            process.kill()
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    return Run(process.returncode, time.monotonic() - began, together >> 20, one >> 20)


def _graders(pid: int) -> Iterator[int]:
    """The process, and all below it that are no sandboxes."""
    try:
        if b"grader.sandbox" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return
        children = [int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in _words(task / "children")]
    except OSError:
        return
    yield pid
    for child in children:
        yield from _graders(child)


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:  # a thread that has ended meanwhile
        return []


def _share(pid: int) -> int:
    """Bytes of a process; pages that several share count in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("Pss:", "SwapPss:")))


def own_seconds() -> float:
    """The limits of one submission, all of them used up: reading, two phases, judging, asking again, reporting, and setting its formulas."""
    from grader.report import formulas
    from grader.sandbox import sitting
    from grader.stages import clock, tried

    stages = clock.READ_SECONDS + 2 * sitting.JOB_SECONDS + clock.JUDGE_SECONDS + clock.REPORT_SECONDS
    return stages + tried.TRY_SECONDS + clock.JUDGE_SECONDS + formulas._SECONDS


# ---------------------------------------------------------------- the bar


def wrong_in(names: list[str], alone: Path, mixed: Path, alone_run: Run, mixed_run: Run) -> list[str]:
    """What came out differently: nothing, a line each."""
    before, after = written(alone), written(mixed)
    wrong = [
        f"{name}/{file} is another"
        for name in names
        for file in _FILES
        if before.get(f"{name}/{file}") is None or before[f"{name}/{file}"] != after.get(f"{name}/{file}")
    ]
    students = {path.parent.name for path in graded(mixed)}
    if students != {*names, HOSTILE}:
        wrong.append(f"results of {sorted(students ^ {*names, HOSTILE})} too many or missing")
    if mixed_run.code != alone_run.code:
        wrong.append(f"the run ended with {mixed_run.code}, alone with {alone_run.code}")
    if mixed_run.seconds > 2 * alone_run.seconds + own_seconds():
        wrong.append(f"it took {mixed_run.seconds:.0f} s, {alone_run.seconds:.0f} s without the hostile one")
    if mixed_run.together_mib > PEAK_MIB:
        wrong.append(f"the grader took {mixed_run.together_mib} MiB")
    return wrong


def with_one_more(place: Path, attempt: Attempt, grading: Callable[[Path, Path], Run]) -> Run:
    """Grade the honest, of whom `place/alone` is full, and one more; the results go to a folder of the attempt's name."""
    hostile, data = attempt[2]()
    (place / "alone" / hostile).write_bytes(data)
    try:
        return grading(place / "alone", place / attempt[1])
    finally:
        (place / "alone" / hostile).unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = attempts()
    families = list(dict.fromkeys(family for family, _, _ in known))
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(families)}; default: all")
    parser.add_argument("--honest", type=int, default=39, help="the rest of the class (default: %(default)s)")
    parser.add_argument("--every", action="store_true", help="every hostile hand-in of a family, not its first alone")
    options = parser.parse_args()
    firsts = {family: name for family, name, _ in reversed(known)}
    chosen = [
        attempt
        for attempt in known
        if attempt[0] in (options.families or families) and (options.every or firsts[attempt[0]] == attempt[1])
    ]
    failures = 0
    with tempfile.TemporaryDirectory(prefix="neighbours-") as folder:
        place = Path(folder)
        names = write_class(place / "alone", options.honest, 0, 0)
        alone = run(place / "alone", place / "out", place / "tmp", 3600)
        print(f"alone: {options.honest} hand-ins, {alone.seconds:.0f} s, {alone.together_mib} MiB", flush=True)
        limit = 2 * alone.seconds + own_seconds() + 60
        for attempt in chosen:
            mixed = with_one_more(place, attempt, lambda given, out: run(given, out, place / "tmp", limit))
            wrong = wrong_in(names, place / "out", place / attempt[1], alone, mixed)
            failures += bool(wrong)
            told = f"{mixed.seconds:.0f} s, {mixed.seconds / alone.seconds:.2f} times, {mixed.together_mib} MiB"
            print(f"{attempt[0]}, {attempt[1]}: {told}: {'; '.join(wrong[:5]) or 'as alone'}", flush=True)
    print(f"{len(chosen)} hostile hand-ins, {failures} changed something. {NAME}, limits of one: {own_seconds():.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
