"""A class that goes wrong: runs that are killed, neighbours that attack or are damaged, workers that die.

    python -m tests.mortals kills [--count 100] [--kills 10]     killed with SIGKILL at random moments, then gone on with
    python -m tests.mortals shards [--count 100] [--of 7]        graded in shards and merged, against one run
    python -m tests.mortals neighbours                           60 honest, 20 hostile and 20 damaged hand-ins, side by side

Each prints what it did and ends with 1 if anything came out differently. `make test` runs both, smaller.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

NAME = "01_kl_divergence"
_TIMES = re.compile(rb'"(execution_time|cpu_seconds)": [\d.e-]+')
_SALT = {"GRADER_SALT": "mortals"}


# ---------------------------------------------------------------- functions for a pool's workers: importable elsewhere


def die_once(marker: str) -> str:
    """End the process the first time it is called for this marker."""
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(1)
    return "alive"


def die_for(student: str, work, settings, seat) -> bytes:
    """Grade, but end the process when it is this student's turn."""
    from grader.classes.batch import grade_hand_in

    if work.student == student:
        os._exit(1)
    return grade_hand_in(work, settings, seat)


def nothing() -> None:
    """A warm-up that does nothing."""


# ---------------------------------------------------------------- classes


def write_class(folder: Path, honest: int, hostile: int, damaged: int) -> list[str]:
    """A class of notebook 1; no two files are the same.

    Args:
        folder: Where the hand-ins go.
        honest: Solutions, right answers written differently and slips, in turn.
        hostile: Attacks of `tests/submissions/attacks` on the same notebook, in turn; three that hang.
        damaged: Files of the example class that accidents happened to, in turn, and other spoilt files.

    Returns:
        The names of the honest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for n, data in zip(range(honest), _honest(), strict=False):
        names.append(f"honest{n:03}")
        (folder / f"honest{n:03}.ipynb").write_bytes(data)
    for n, data in zip(range(hostile), _hostile(), strict=False):
        (folder / f"hostile{n:03}.ipynb").write_bytes(data)
    for n, (name, data) in zip(range(damaged), _damaged(), strict=False):
        (folder / f"damaged{n:03}{Path(name).suffix}").write_bytes(data)
    return names


def _honest():
    from grader.authoring.slips import load_slips
    from grader.rubric import load_rubric
    from tests.support import answers
    from tests.validity import right_answers

    sources = {task: cell.source for cell in load_rubric(NAME).references.solution for task in cell.tasks}
    variants = [None, *right_answers(NAME), *load_slips(NAME)]
    n = 0
    while True:
        variant = variants[n % len(variants)]
        replaced = {variant.task: variant.cell(sources[variant.task])} if variant else {}
        yield answers(NAME, replaced) + b" " * n
        n += 1


def _hostile():
    from tests.arena import HELPERS
    from tests.attacks.catalogue import load_attacks
    from tests.support import answers

    attacks = [attack for attack in load_attacks() if attack.notebook == NAME and attack.source]
    random.Random(6).shuffle(attacks)
    hanging = [attack for attack in attacks if attack.hangs][:3]  # each uses up its ten seconds
    attacks = hanging + [attack for attack in attacks if not attack.hangs]
    n = 0
    while True:
        attack = attacks[n % len(attacks)]
        yield answers(NAME, {attack.task: HELPERS.format(arena={}) + attack.source}) + b" " * n
        n += 1


def _damaged():
    from tests.fuzz.submissions import spoilt_notebook
    from tools.examples import build, load_examples

    for example in load_examples():
        if example.damages:
            yield build(example)
    rng = random.Random(0)
    while True:
        yield "a.ipynb", spoilt_notebook(rng)


# ---------------------------------------------------------------- what a run leaves


def without_times(data: bytes) -> bytes:
    return _TIMES.sub(b"", data)


def written(out: Path) -> dict[str, bytes]:
    """All that a run wrote, times aside: the class page lists times, run.json is about the run."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.name not in (".run", "class.html", "run.json")]
    return {str(path.relative_to(out)): without_times(path.read_bytes()) for path in paths}


def graded(out: Path) -> dict[Path, int]:
    """The results that are there, and when each was written."""
    return {path: path.stat().st_mtime_ns for path in out.glob("*/results.json")}


def grade(folder: Path, out: Path, temporary: Path, workers: int = 2, *more: str) -> subprocess.Popen:
    """Start the command on a class; its own files go to `temporary`."""
    temporary.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "grader", "grade", str(folder), "--out", str(out), "--min-tier", "E"]
    return subprocess.Popen(
        [*command, "--workers", str(workers), *more],
        env=os.environ | _SALT | {"TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def processes_of(temporary: Path) -> list[int]:
    """Processes that were started with this temporary folder in their command, as sandboxes are."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(temporary).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


# ---------------------------------------------------------------- the two trials


@dataclass(frozen=True)
class Trial:
    """What was done, and what came out differently; empty if nothing did."""

    done: str
    wrong: tuple[str, ...]


def kill_and_go_on(place: Path, count: int, kills: int, seed: int) -> Trial:
    """Grade a class undisturbed; grade it again, killing the run at random moments; compare.

    Args:
        place: An empty folder.
        count: Hand-ins.
        kills: How often, each at a random moment: in the start of the workers, or behind some results.
        seed: Of the moments.
    """
    rng, wrong = random.Random(seed), []
    write_class(place / "class", count - count // 5, 0, count // 5)
    grade(place / "class", place / "undisturbed", place / "tmp0").wait()
    out, temporary = place / "killed", place / "tmp"
    first_written: dict[Path, int] = {}
    moments = []
    for left in range(kills, 0, -1):
        before = len(graded(out))
        more = rng.randrange((count - before) // (left + 1) + 1)
        run = grade(place / "class", out, temporary)
        while len(graded(out)) < before + more and run.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.1) if more else rng.uniform(0, 5))
        if run.poll() is not None:
            wrong.append(f"a run ended with {run.returncode} before it could be killed")
        run.kill()
        run.wait()
        moments.append(len(graded(out)))
        wrong += _changed(first_written, graded(out))
        first_written |= graded(out)
    last = grade(place / "class", out, temporary).wait()
    wrong += _changed(first_written, graded(out))
    if last:
        wrong.append(f"the last run ended with {last}")
    if written(out) != written(place / "undisturbed"):
        wrong.append(f"other files: {_differing(written(out), written(place / 'undisturbed'))}")
    if list(temporary.iterdir()) or processes_of(temporary):
        wrong.append("files or processes were left behind")
    told = ", ".join(map(str, moments))
    return Trial(f"{count} hand-ins, {kills} kills with {told} results written", tuple(wrong))


def _changed(before: dict[Path, int], now: dict[Path, int]) -> list[str]:
    return [f"{path.parent.name} was graded twice" for path, when in before.items() if now.get(path) != when]


def _differing(first: dict[str, bytes], second: dict[str, bytes]) -> str:
    names = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    return ", ".join(names[:10])


def grade_with_neighbours(place: Path, honest: int, hostile: int, damaged: int) -> Trial:
    """Grade a mixed class, then the honest alone; compare what they get."""
    wrong = []
    names = write_class(place / "mixed", honest, hostile, damaged)
    write_class(place / "alone", honest, 0, 0)
    for name in ("mixed", "alone"):
        code = grade(place / name, place / f"{name} out", place / "tmp").wait()
        if code:
            wrong.append(f"the run ended with {code}")
    mixed, alone = (written(place / f"{name} out") for name in ("mixed", "alone"))
    for name in names:
        wrong += [f"{name} got something else" for file in _FILES if mixed[f"{name}/{file}"] != alone[f"{name}/{file}"]]
    if len(graded(place / "mixed out")) != honest + hostile + damaged:
        wrong.append("not everybody has results")
    return Trial(f"{honest} honest, {hostile} hostile, {damaged} damaged", tuple(wrong))


def grade_in_shards(place: Path, count: int, of: int) -> Trial:
    """Grade a class in one run; in shards, two at a time, and merge them; compare all files, times aside."""
    wrong, running = [], []
    write_class(place / "class", count - 2 * (count // 5), count // 5, count // 5)
    code = grade(place / "class", place / "whole", place / "tmp").wait()
    for number in range(1, of + 1):
        out, temporary = place / "shards" / str(number), place / f"tmp{number}"
        running.append(grade(place / "class", out, temporary, 1, "--shard", f"{number}/{of}"))
        if len(running) == 2:
            running.pop(0).wait()
    for run in running:
        run.wait()
    shards = sorted(str(path) for path in (place / "shards").iterdir())
    merging = [sys.executable, "-m", "grader", "merge", *shards, "--out", str(place / "merged")]
    merged = subprocess.run(merging, env=os.environ | _SALT, capture_output=True, text=True, encoding="utf-8")
    if merged.returncode != code:
        wrong.append(f"merging ended with {merged.returncode}, one run with {code}: {merged.stderr}")
    if written(place / "merged") != written(place / "whole"):
        wrong.append(f"other files: {_differing(written(place / 'merged'), written(place / 'whole'))}")
    return Trial(f"{count} hand-ins in {of} shards", tuple(wrong))


_FILES = ("results.json", "feedback.html")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trial", choices=["kills", "shards", "neighbours"])
    parser.add_argument("--count", type=int, default=100, help="hand-ins (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--of", type=int, default=7, help="shards (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began, count = time.monotonic(), options.count
    with tempfile.TemporaryDirectory(prefix="mortals-") as folder:
        if options.trial == "kills":
            trial = kill_and_go_on(Path(folder), count, options.kills, options.seed)
        elif options.trial == "shards":
            trial = grade_in_shards(Path(folder), count, options.of)
        else:
            trial = grade_with_neighbours(Path(folder), count - 2 * (count // 5), count // 5, count // 5)
    for line in trial.wrong:
        print(line)
    print(f"{trial.done}: {'as it should be' if not trial.wrong else 'WRONG'}, {time.monotonic() - began:.0f} s.")
    return 1 if trial.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
