"""Make a place, run the README's commands there, and take it away again."""

import contextlib
import csv
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.newcomer.places import Place, environment
from tests.places import ORDINARY_UID, PROJECT

ACCOUNT = "newcomer"
STEPS = {"set-up": "make setup", "grade": "make grade", "test": "make test"}
_NAMELESS_UID = ORDINARY_UID + 1
_SECONDS = 5400


@dataclass(frozen=True)
class Step:
    """One command: whether it ended well, what it said, how long it took."""

    name: str
    code: int
    said: str
    seconds: float

    @property
    def counted(self) -> dict[str, int]:
        """What pytest's last line counts: {"passed": 3715, "failed": 2}."""
        lines = re.findall(r"^.*\d+ (?:passed|failed).* in [\d.]+s.*$", self.said, re.MULTILINE)
        return {what: int(n) for n, what in re.findall(r"(\d+) ([a-z]+)", lines[-1].split(" in ")[0])} if lines else {}

    @property
    def failed(self) -> list[str]:
        """The tests that failed."""
        return re.findall(r"^(?:FAILED|ERROR) (\S+)", self.said, re.MULTILINE)


@dataclass(frozen=True)
class Visit:
    """What happened at a place."""

    place: Place
    steps: tuple[Step, ...]
    grades: dict[str, tuple[str, str]] = field(default_factory=dict)  # student -> score, status
    left_at_home: tuple[str, ...] = ()


def visit(place: Place, base: Path, steps: list[str]) -> Visit:
    """Clone the last commit to the place and run the commands there.

    Args:
        place: Where.
        base: An empty folder that everybody may enter; what is made in it is taken away again, but for the clone of a
            place where something failed.
        steps: Of `STEPS`, in order; what follows one that fails is not run.

    Raises:
        subprocess.CalledProcessError: If the place cannot be made.
    """
    with _account(place.user, base) as uid:
        clone, home = _made(place, base, uid)
        done: list[Step] = []
        for name in steps:
            done.append(_run(name, place, clone, home, uid))
            if done[-1].code:
                break
        table = clone / "results" / "grades.csv"
        grades = _grades(table) if table.exists() else {}
        left = tuple(sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()))
    if not any(step.code for step in done):
        shutil.rmtree(clone)
    return Visit(place, tuple(done), grades, left)


@contextlib.contextmanager
def _account(user: str, base: Path) -> Iterator[int]:
    """The user's id; an account is made for the time of the visit."""
    if user != ACCOUNT:
        yield {"root": 0, "nameless": _NAMELESS_UID}[user]
        return
    home = str(base / "home")
    command = ["useradd", "--uid", str(ORDINARY_UID), "--user-group", "--no-create-home", "--home-dir", home, ACCOUNT]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield ORDINARY_UID
    finally:
        subprocess.run(["userdel", ACCOUNT], check=True, capture_output=True)


def _made(place: Place, base: Path, uid: int) -> tuple[Path, Path]:
    clone, home, scratch = base / place.folder, base / "home", base / (place.scratch or "scratch")
    subprocess.run(["git", "clone", "--quiet", "--no-local", str(PROJECT), str(clone)], check=True, capture_output=True)
    for folder in (home, scratch):
        folder.mkdir()
        os.chown(folder, uid, uid)
    for path in (clone, *clone.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)
        if not path.is_symlink():
            os.chmod(path, os.stat(path).st_mode & ~place.umask)
    if place.home == "read-only":
        os.chown(home, 0, 0)
        os.chmod(home, 0o555)
    _make_locale(place.locale, base / "locales")
    return clone, home


def _make_locale(name: str, folder: Path) -> None:
    """Where a program looks that LOCPATH is set for: nothing is installed on this machine."""
    folder.mkdir()
    if name and not name.startswith("C"):
        language, _, charset = name.partition(".")
        command = ["localedef", "--no-archive", "-i", language, "-f", charset, str(folder / name)]
        subprocess.run(command, check=True, capture_output=True)


def _run(name: str, place: Place, clone: Path, home: Path, uid: int) -> Step:
    began = time.monotonic()
    done = subprocess.run(
        [*STEPS[name].split(), f"PYTHON={place.python}"],
        cwd=clone,
        env=environment(place, str(home), str(clone.parent / place.scratch), str(clone.parent / "locales")),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=uid,
        group=uid,
        extra_groups=[],
        umask=place.umask,
        timeout=_SECONDS,
    )
    return Step(name, done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - began)


def _grades(table: Path) -> dict[str, tuple[str, str]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: (row["score"], row["status"]) for row in csv.DictReader(file)}
