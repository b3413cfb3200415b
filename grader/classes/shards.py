"""A class in shards: each run of a job array grades a part of it, and `merge` makes one folder of results of them.

    python -m grader grade CLASS --shard 3/16 --out shards/3

Whose hand-in a shard grades depends on the student's name alone, so that a hand-in more moves nobody. Every shard sees the
names of the whole class, and `shard.json` in its folder says them, what it was made with, and that the shard is finished.
"""

import argparse
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.classes.batch import Settings, is_sealed, sealed
from grader.classes.held import SHARD_FILE, HoldsAnother, secret_mark
from grader.report.files import write_atomically

_MOST = 10_000


@dataclass(frozen=True)
class Shard:
    """One of so many parts of a class; numbers begin with 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"

    def has(self, student: str) -> bool:
        """Whether it grades this student's hand-in."""
        digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1


def shard_option(text: str) -> Shard:
    """What `--shard` says.

    Raises:
        argparse.ArgumentTypeError: If it is no number and count, such as 3/16.
    """
    number, _, of = text.partition("/")
    if not (_is_number(number) and _is_number(of) and 1 <= int(number) <= int(of) <= _MOST):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no shard: write which and of how many, from 1/{_MOST} on, as 3/16"
        )
    return Shard(int(number), int(of))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST))


class NoShard(ValueError):
    """A folder that cannot be merged, or folders that make no whole; the message is one sentence."""


@dataclass(frozen=True)
class Record:
    """What `shard.json` says."""

    shard: Shard
    settings: dict[str, Any]  # what results depend on beside `made_with`, as the command line gave it
    made_with: dict[str, str]  # see `sameness`
    facts: dict[str, Any]  # of the run, see `grader.report.write_class`
    notebooks: dict[str, dict[str, Any]]  # see `about_notebook`
    is_several: bool  # each notebook has a folder of its own

    def students(self, notebook: str) -> list[str]:
        """Those of the whole class whose hand-ins this shard grades."""
        return [student for student in self.notebooks[notebook]["hand_ins"] if self.shard.has(student)]


def about_notebook(students: Iterable[str], facts: dict[str, Any], own: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What a record says of one notebook.

    Args:
        students: Of the whole class, in order.
        facts: Of the run, see `grader.report.write_class`.
        own: Contents of the `results.json` files that this shard has.
    """
    seals = {results["extra_data"]["student"]: results["extra_data"]["seal"] for results in own}
    return {"hand_ins": list(students), "facts": facts, "seals": seals}


def begin(out: Path, shard: Shard, settings: Settings) -> None:
    """Note that a shard is being graded in a folder: until `end` nobody takes it for a finished one."""
    _write(out, {"shard": asdict(shard), "secret": secret_mark(settings)})


def end(out: Path, record: Record, settings: Settings) -> None:
    """Note that it is finished."""
    names = {"notebooks": list(record.notebooks)} if record.is_several else {}
    content = {"shard": asdict(record.shard), "secret": secret_mark(settings), **names, "record": asdict(record)}
    write_atomically(out / SHARD_FILE, sealed(content | {"extra_data": {}}, settings))


def _write(out: Path, content: dict[str, Any]) -> None:
    write_atomically(out / SHARD_FILE, json.dumps(content, indent=1) + "\n")


def refuse_whole(options: argparse.Namespace) -> None:
    """Refuse, for a shard, the options that are about a whole class.

    Raises:
        NoShard: With the first that was given.
    """
    given = {"--fill": options.fill, "--by-hand": options.by_hand, "--adjust": options.adjust, "--late": options.late}
    for name, value in given.items():
        if value not in (None, []):
            raise NoShard(
                f"{name} is about the whole class: give it to `grade` with the merged results as --out, which grades nobody again."
            )


def require_place(out: Path, shard: Shard | None) -> None:
    """See that a run's results belong into a folder.

    Raises:
        HoldsAnother: If it holds a shard and something else is graded now, or results of a class and a shard is.
    """
    held = _read(out)
    there = _shard_in(held) if held is not None else None
    if there is not None and there != shard:
        other = f"this is {shard}" if shard else "the whole class is to be graded"
        raise HoldsAnother(f"{out} holds {there}, and {other}: choose another --out, a folder for each.")
    if shard and there is None and (out / "run.json").exists():
        raise HoldsAnother(f"{out} holds results of a whole class, and this is {shard}: choose another --out.")


def read_record(folder: Path, settings: Settings) -> Record:
    """What a finished shard says of itself.

    Raises:
        NoShard: If the folder is no finished shard, was graded with another secret, or was changed.
    """
    held = _read(folder)
    shard = _shard_in(held) if held is not None else None
    if held is None or shard is None:
        raise NoShard(f"{folder} holds no shard: give folders that `grade --shard I/N --out DIR` has written.")
    if "record" not in held:
        raise NoShard(
            f"{folder} holds {shard}, which is not finished: the command that graded it goes on from where it is."
        )
    if held.get("secret") != secret_mark(settings):
        raise NoShard(f"{folder} ({shard}) was graded with another secret of the course: set the one that was used.")
    try:
        is_as_written = is_sealed(held, settings)
        found = held["record"]
        record = Record(**{**found, "shard": Shard(**found["shard"])})
    except (KeyError, TypeError, AttributeError, ValueError):
        is_as_written = False
    if not is_as_written:
        raise NoShard(f"{folder}: {SHARD_FILE} is not as it was written: run the command that graded {shard} again.")
    return record


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / SHARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _shard_in(held: dict[str, Any]) -> Shard | None:
    about = held.get("shard")
    if not isinstance(about, dict):
        return None
    number, of = about.get("number"), about.get("of")
    if not isinstance(number, int) or not isinstance(of, int):
        return None
    return Shard(number, of) if 1 <= number <= of <= _MOST else None


def numbers(shards: Iterable[int]) -> str:
    """Numbers of shards as a job array takes them: 2,5-7."""
    runs: list[list[int]] = []
    for number in sorted(shards):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)
