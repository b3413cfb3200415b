"""A class on a machine without room for more processes: hand-ins hold all the threads they get, forks fail, and nobody else pays.

    python -m tests.starved [--tier B] [--honest 10] [--hogs 2]

The honest are graded alone, and it is counted how many processes and threads that takes. Then the kernel allows hardly more, and
hand-ins that start threads until they cannot, and keep them, are graded beside them. Ends with 1 unless forks have failed and the honest
get, byte for byte, what they got alone. Needs root and the kernel's pids controller, which is what bounds a container.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.mortals import NAME, grade, write_class, written
from tests.places import enter
from tests.support import answers

TIERS = ("A", "B", "C")
SPARE = 4  # processes and threads beyond what the honest need
_PLACES = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
HOG = """
import torch
load = torch.sys.modules["importlib"].import_module
threading, time = load("threading"), load("time")
threading.stack_size(32768)
def D_KL(mu, logvar):
    end = time.monotonic() + 9
    while time.monotonic() < end:
        try:
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        except (RuntimeError, MemoryError):
            time.sleep(0.01)
    return mu.mean()
"""


class Pen:
    """A group of processes whose number the kernel bounds. What is opened stays open, whatever becomes of paths."""

    def __init__(self) -> None:
        parent = next((place for place in _PLACES if _is_writable(place)), None)
        if parent is None:
            raise OSError("no pids controller that can be written to")
        self._folder = Path(tempfile.mkdtemp(prefix="starved-", dir=parent))
        (self._folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        self._parent, self._most = parent, open(self._folder / "pids.max", "w", encoding="ascii")
        self._now = open(self._folder / "pids.current", encoding="ascii")
        self._events = open(self._folder / "pids.events", encoding="ascii")

    def allow(self, count: int) -> None:
        self._most.write(f"{count}\n")
        self._most.flush()

    def count(self) -> int:
        self._now.seek(0)
        return int(self._now.read())

    def refused(self) -> int:
        """How often a process or thread was refused."""
        self._events.seek(0)
        return int(self._events.read().split()[1])

    def leave(self) -> None:
        (self._parent / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        for _ in range(100):  # what was killed may take a moment to go
            try:
                return self._folder.rmdir()
            except OSError:
                time.sleep(0.1)
        self._folder.rmdir()


def _is_writable(place: Path) -> bool:
    try:
        folder = Path(tempfile.mkdtemp(prefix="starved-", dir=place))
    except OSError:
        return False
    has_limit = (folder / "pids.max").exists()
    folder.rmdir()
    return has_limit


def run(pen: Pen, folder: Path, out: Path, temporary: Path) -> tuple[int, float, int]:
    """Grade a folder by the command: exit code, seconds, and the most processes and threads at a time."""
    began, most = time.monotonic(), 0
    process = grade(folder, out, temporary)
    while process.poll() is None:
        most = max(most, pen.count())
        time.sleep(0.02)
    return process.returncode, time.monotonic() - began, most


def shown(pen: Pen, tier: str, honest: int, hogs: int) -> list[str]:
    """Both runs at a tier; what came out differently, a line each. Ends in that tier: for a process of its own."""
    enter(tier)
    os.environ["GRADER_MAX_TIER"] = tier
    wrong = []
    with tempfile.TemporaryDirectory(prefix="starved-") as place_name:
        place = Path(place_name)
        names = write_class(place / "class", honest, 0, 0)
        code, seconds, most = run(pen, place / "class", place / "alone", place / "tmp")
        for n in range(hogs):  # names that come among the honest
            (place / "class" / f"honest{n * honest // max(1, hogs):03}hog.ipynb").write_bytes(
                answers(NAME, {"kl.D_KL": HOG}) + b" " * n
            )
        before = pen.refused()
        pen.allow(most + SPARE)
        mixed_code, mixed_seconds, _ = run(pen, place / "class", place / "mixed", place / "tmp")
        refused = pen.refused() - before
        alone, mixed = written(place / "alone"), written(place / "mixed")
        for name in names:
            for file in ("results.json", "feedback.html"):
                if alone[f"{name}/{file}"] != mixed.get(f"{name}/{file}"):
                    wrong.append(f"{name}/{file} is another")
        wrong += [] if refused else ["nothing was refused"]
        wrong += [] if mixed_code == code else [f"it ended with {mixed_code}, alone with {code}"]
        told = f"{len(names)} honest, {most} processes and threads, {seconds:.0f} s; then {hogs} hogs, {most + SPARE} allowed"
        print(
            f"{tier}: {told}, {refused} refused, {mixed_seconds:.0f} s: {'; '.join(wrong[:6]) or 'as alone'}",
            flush=True,
        )
        shutil.rmtree(place / "tmp", ignore_errors=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", action="append", choices=TIERS, help="default: all")
    parser.add_argument("--honest", type=int, default=10)
    parser.add_argument("--hogs", type=int, default=2)
    options = parser.parse_args()
    failures = 0
    for tier in options.tier or TIERS:
        pen = Pen()
        pid = os.fork()  # what a tier gives up cannot be had back
        if pid == 0:
            os._exit(bool(shown(pen, tier, options.honest, options.hogs)))
        failures += os.waitpid(pid, 0)[1] != 0
        pen.leave()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
