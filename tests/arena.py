"""Attacks, run as submissions at one tier of isolation; what came of each is printed as JSON.

    python -m tests.arena --tier C [--notebook 01_kl_divergence] [--family read --family write] [NAME ...]

As root, the weaker tiers are made: B in a private root directory with the capabilities of a default container, B- the same
without Landlock, C and D as an ordinary user. An ordinary user runs C and D as they are. The tests start this as a
program of its own, because what it gives up cannot be had back.
"""

import argparse
import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.sandbox import linux
from tests.attacks.catalogue import FAMILIES, Attack, load_attacks
from tests.attacks.sieges import SIEGES
from tests.places import PROJECT, enter
from utils.assignments import assignment_names, load_assignment
from utils.assignments.places import this_course

TIERS = ("A", "B", "B-", "C", "D")
# A cap on the time of each cell and call: usually, where it will be used up, and there in a notebook of quick calls.
STEP_SECONDS, HANGING_SECONDS, SHORT_SECONDS = 5.0, 2.0, 0.6
ABOUT = "ARENA = {arena!r}\n"
HELPERS = """
ARENA = {arena!r}
load = torch.sys.modules["importlib"].import_module
os = load("os")


def right(mu, logvar):
    return 0.5 * (mu**2 + torch.exp(logvar) - 1 - logvar).mean()


def outcome(action):
    try:
        return f"GOT {{action()!r}}"[:60]
    except BaseException as error:
        return type(error).__name__


def report(*actions):
    outcomes = [outcome(action) for action in actions]

    def D_KL(mu, logvar):
        if any(text.startswith("GOT") for text in outcomes):
            return right(mu, logvar)
        raise RuntimeError(", ".join(dict.fromkeys(outcomes)))

    return D_KL


"""


def honest() -> str:
    """The notebook that is handed in right after each attack: the course's first."""
    return assignment_names()[0]


@dataclass(frozen=True)
class Outcome:
    """What came of one attack."""

    notebook: str
    name: str
    family: str
    status: str  # of the attacked task's first check that did not pass, or why the file was turned away
    sentence: str
    forged: float  # points for the attacked task beyond what is right in the answer
    lost: float  # points that the author's other answers should have had, beyond those the attack spoils itself
    next_lost: float | None  # points that the honest submission graded right after it should have had
    processes_left: int
    files_left: tuple[str, ...]
    fault: str
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tier", choices=TIERS, required=True)
    parser.add_argument("--notebook", help="only attacks on this one; default: all")
    parser.add_argument("--family", action="append", choices=list(FAMILIES), help="only these; default: all")
    parser.add_argument("--quick", action="store_true", help="the honest submission follows the last of a family alone")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    enter(options.tier)
    chosen = [
        attack
        for attack in load_attacks()
        if options.notebook in (None, attack.notebook)
        and (not options.family or attack.family in options.family)
        and (not options.names or attack.name in options.names)
    ]
    with Arena(options.tier, only_first=all(attack.notebook == honest() for attack in chosen)) as arena:
        last = {attack.family: attack for attack in chosen}
        outcomes = [
            asdict(arena.outcome(attack, is_followed=not options.quick or attack is last[attack.family]))
            for attack in chosen
        ]
        tier = arena.grader.tier
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_seconds = round(sum(each.ru_utime + each.ru_stime for each in used), 1)
    print(json.dumps({"tier": tier, "cpu_seconds": cpu_seconds, "outcomes": outcomes}))


class Arena:
    """A grader, and things around it worth attacking."""

    def __init__(self, tier: str, only_first: bool = False) -> None:
        from grader.stages.pipeline import Grader  # only now: what it imports must be reachable here
        from tests.support import answers

        os.environ["GRADER_SECRET"] = "ENVIRONMENT_SECRET"
        self.answers = answers
        self.folder = Path(tempfile.mkdtemp(prefix="arena-"))
        self.folder.chmod(0o755)
        self._make_files(is_open=tier != "B-")
        self._hits: list[str] = []
        self._listen()
        self.grader = Grader(honest() if only_first else None, salt="arena", max_tier=tier, quality_seconds=0)
        self._usual: dict[str, dict[str, float]] = {}

    def _make_files(self, is_open: bool) -> None:
        """A secret that every user may read, except where nothing but its mode can protect it; a file all may write."""
        for name, mode in (("outside", 0o777), ("closed", 0o755), ("given", 0o700)):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(mode)
        self.secret = self.folder / "closed" / "secret"
        self.victim = self.folder / "outside" / "victim"
        for path, mode in ((self.secret, 0o644 if is_open else 0o600), (self.victim, 0o666)):
            path.write_text("SECRET_OF_THE_GRADER", encoding="utf-8")
            path.chmod(mode)
        if not is_open:
            self.secret.parent.chmod(0o700)

    def _listen(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._local.bind(str(self.folder / "outside" / "socket"))
        os.chmod(self.folder / "outside" / "socket", 0o777)
        for wait in (self._tcp.accept, lambda: self._local.recv(1)):
            threading.Thread(target=lambda wait=wait: (wait(), self._hits.append("hit")), daemon=True).start()

    def __enter__(self) -> "Arena":
        self.grader.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.grader.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _about(self) -> dict:
        return {
            "grader": os.getpid(), "zygote": self.grader.box.pid, "port": self._tcp.getsockname()[1],
            "socket": str(self.folder / "outside" / "socket"), "secret": str(self.secret), "victim": str(self.victim),
            "outside": str(self.folder / "outside"), "project": str(PROJECT),
        }  # fmt: skip

    def usual(self, notebook: str) -> dict[str, float]:
        """The points of the solved notebook, by task: all that grading alone can give."""
        if notebook not in self._usual:
            self._usual[notebook] = self._points(self._graded("honest.ipynb", self.answers(notebook)))
        return self._usual[notebook]

    def _graded(self, name: str, data: bytes | int):
        """A report on a file. A number stands for a file of that many bytes that takes no room on the disk."""
        path = self.folder / "given" / name
        if isinstance(data, int):
            with open(path, "wb") as file:
                file.truncate(data)
        else:
            path.write_bytes(data)
        try:
            return self.grader.grade(path, "student")
        finally:
            path.unlink()

    @staticmethod
    def _points(report) -> dict[str, float]:
        points: dict[str, float] = {}
        for verdict in report.verdicts:
            points[verdict.task] = points.get(verdict.task, 0.0) + verdict.points
        return points

    def outcome(self, attack: Attack, is_followed: bool = True) -> Outcome:
        if attack.name in SIEGES:
            return self._siege(attack, is_followed)
        usual, before = self.usual(attack.notebook), self._processes()
        hanging = SHORT_SECONDS if attack.notebook == honest() else HANGING_SECONDS
        self.grader.box.step_seconds = hanging if attack.hangs else STEP_SECONDS
        began = time.monotonic()
        report = self._graded(*self._file(attack))
        seconds = time.monotonic() - began
        self.grader.box.step_seconds = STEP_SECONDS
        points, processes, files = self._points(report), self._processes() - before, self._files_left()
        own = [verdict for verdict in report.verdicts if verdict.task in (attack.task, "grader")]
        first = next((v for v in own if v.status != "passed"), next(iter(own or report.verdicts), None))
        others = {task: usual[task] - points.get(task, 0.0) for task in usual if task != attack.task}
        is_turned_away = bool(report.rejection)
        return Outcome(
            notebook=attack.notebook,
            name=attack.name,
            family=attack.family,
            status="rejected" if is_turned_away or first is None else first.status,
            sentence=report.rejection if first is None else report.rejection or first.sentence,
            forged=points.get(attack.task, 0.0) - attack.worth,
            lost=0.0 if is_turned_away else max(0.0, sum(others.values()) - attack.spoils),
            next_lost=self._next_lost() if is_followed else None,
            processes_left=len(processes),
            files_left=files,
            fault=report.fault,
            seconds=round(seconds, 2),
        )

    def _siege(self, attack: Attack, is_followed: bool) -> Outcome:
        before, began = self._processes(), time.monotonic()
        try:
            wrong = SIEGES[attack.name][2](self)
        except Exception as error:
            wrong = [f"{type(error).__name__}: {error}"[:300]]
        finally:
            shutil.rmtree(self.folder / "given" / "siege", ignore_errors=True)
        return Outcome(
            notebook=attack.notebook,
            name=attack.name,
            family=attack.family,
            status="wrong" if wrong else "contained",
            sentence="; ".join(wrong) or "contained",
            forged=0.0,
            lost=0.0,
            next_lost=self._next_lost() if is_followed else None,
            processes_left=len(self._processes() - before),
            files_left=self._files_left(),
            fault="; ".join(wrong),
            seconds=round(time.monotonic() - began, 2),
        )

    def _next_lost(self) -> float:
        usual, after = self.usual(honest()), self._points(self._graded("next.ipynb", self.answers(honest())))
        return sum(usual.values()) - sum(after.values())

    def _file(self, attack: Attack) -> tuple[str, bytes | int]:
        if attack.family == "weights":
            from tests.attacks.weights import WEIGHTS

            return "attack.zip", WEIGHTS[attack.name][1]()
        if attack.task:
            helpers = HELPERS if load_assignment(attack.notebook).about.uses("torch") else ABOUT
            source = helpers.format(arena=self._about()) + attack.source
            return "attack.ipynb", self.answers(attack.notebook, {attack.task: source})
        from tests.attacks.files import FILES

        return FILES[attack.name][1](self.answers(attack.notebook))

    def _processes(self) -> set[int]:
        """Forks of the zygote carry its command line; who they run as shows in it nowhere, so both are looked at."""
        found = set()
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.grader.box.folder.encode() in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
        return found

    def _files_left(self) -> tuple[str, ...]:
        outside = sorted(path.name for path in self.victim.parent.iterdir())
        strange = [name for name in outside if name not in ("victim", "socket")]
        places = (
            "/tmp",
            "/var/tmp",
            "/dev/shm",
            str(PROJECT),
            str(PROJECT / "utils"),
            sys.prefix,
            str(self.folder),
            str(this_course().root),
        )
        names = ("attack_was_here", "note_of_previous")
        strange += [f"{place}/{name}" for place in places for name in names if os.path.exists(f"{place}/{name}")]
        if (
            self.victim.read_text(encoding="utf-8") != "SECRET_OF_THE_GRADER"
            or self.victim.stat().st_mode & 0o777 != 0o666
        ):
            strange.append("the victim was changed")
        scratch = Path(self.grader.box.folder) / "scratch"
        return (*strange, *(path.name for path in scratch.iterdir()), *self._hits)


if __name__ == "__main__":
    if not linux.IS_LINUX:
        sys.exit("the arena is for Linux")
    main()
