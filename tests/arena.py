"""Attacks, run as submissions at one tier of isolation; what came of each is printed as JSON.

    python -m tests.arena --tier C [NAME ...]

As root, the weaker tiers are made: B in a private root directory with the capabilities of a default container, C and D
as an ordinary user. An ordinary user runs C and D as they are. The tests start this as a program of its own, because
what it gives up cannot be had back.
"""

import argparse
import json
import os
import socket
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.sandbox import linux
from grader.slips import Variant, parse_variants
from tests.places import PROJECT, enter

NOTEBOOK = "01_kl_divergence"
STEP_SECONDS = 1.5
ATTACKS = Path(__file__).parent / "submissions" / "attacks" / f"{NOTEBOOK}.py"
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


@dataclass(frozen=True)
class Outcome:
    """What came of one attack."""

    name: str
    status: str  # of the first check of the attacked task
    sentence: str
    points: float  # for the attacked task
    honest_points: float  # for all other tasks
    processes_left: int
    files_left: tuple[str, ...]
    next_points: float  # of the honest submission graded right after it
    fault: str
    seconds: float


def load_attacks() -> tuple[Variant, ...]:
    return parse_variants(ATTACKS.read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tier", choices=["A", "B", "B-", "C", "D"], required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    enter(options.tier)
    from tests.support import answers  # only now: what it imports must be reachable here

    attacks = [attack for attack in load_attacks() if attack.name in options.names or not options.names]
    with Arena(options.tier) as arena:
        honest = answers(NOTEBOOK)
        usual = arena.points(honest)
        outcomes = [asdict(arena.outcome(attack, answers, honest)) for attack in attacks]
        print(json.dumps({"tier": arena.grader.tier, "usual_points": usual, "outcomes": outcomes}))


class Arena:
    """A grader, and things around it worth attacking."""

    def __init__(self, tier: str) -> None:
        from grader.pipeline import Grader

        os.environ["GRADER_SECRET"] = "ENVIRONMENT_SECRET"
        self.folder = Path(tempfile.mkdtemp(prefix="arena-"))
        self.folder.chmod(0o755)
        self._make_files()
        self._hits: list[str] = []
        self._listen()
        self.grader = Grader(NOTEBOOK, salt="arena", max_tier=tier)
        self.grader.box.step_seconds = STEP_SECONDS

    def _make_files(self) -> None:
        for name, mode in (("outside", 0o777), ("closed", 0o755)):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(mode)
        self.secret = self.folder / "closed" / "secret"
        self.victim = self.folder / "outside" / "victim"
        for path, mode in ((self.secret, 0o644), (self.victim, 0o666)):
            path.write_text("SECRET_OF_THE_GRADER")
            path.chmod(mode)

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

    def _about(self) -> dict:
        return {
            "grader": os.getpid(), "zygote": self.grader.box.pid, "port": self._tcp.getsockname()[1],
            "socket": str(self.folder / "outside" / "socket"), "secret": str(self.secret), "victim": str(self.victim),
            "outside": str(self.folder / "outside"), "project": str(PROJECT),
        }  # fmt: skip

    def points(self, submission: bytes) -> float:
        report = self.grader.grade_bytes(submission, "honest.ipynb", "honest")
        return sum(verdict.points for verdict in report.verdicts)

    def outcome(self, attack: Variant, answers, honest: bytes) -> Outcome:
        before = self._processes()
        source = HELPERS.format(arena=self._about()) + attack.source
        began = time.monotonic()
        report = self.grader.grade_bytes(answers(NOTEBOOK, {attack.task: source}), "attack.ipynb", "attack")
        seconds = time.monotonic() - began
        own = [verdict for verdict in report.verdicts if verdict.task == attack.task] or list(report.verdicts)
        return Outcome(
            name=attack.name,
            status=own[0].status,
            sentence=own[0].sentence,
            points=sum(verdict.points for verdict in own),
            honest_points=sum(verdict.points for verdict in report.verdicts if verdict.task != attack.task),
            processes_left=len(self._processes() - before),
            files_left=self._files_left(),
            next_points=self.points(honest),
            fault=report.fault,
            seconds=round(seconds, 2),
        )

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
        places = ("/tmp", "/var/tmp", "/dev/shm", str(PROJECT), str(PROJECT / "utils"), sys.prefix)
        names = ("attack_was_here", "note_of_previous")
        strange += [f"{place}/{name}" for place in places for name in names if os.path.exists(f"{place}/{name}")]
        if self.victim.read_text() != "SECRET_OF_THE_GRADER" or self.victim.stat().st_mode & 0o777 != 0o666:
            strange.append("the victim was changed")
        scratch = Path(self.grader.box.folder) / "scratch"
        return (*strange, *(path.name for path in scratch.iterdir()), *self._hits)


if __name__ == "__main__":
    if not linux.IS_LINUX:
        sys.exit("the arena is for Linux")
    main()
