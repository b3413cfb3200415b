"""The attacks, and what they are worth. One file a notebook beside this one, and `files` for those that lie in the file itself.

The format is that of `grader.authoring.slips`; the comment begins with the attack's family in brackets. There it also says whether
the attack `hangs`, what the right part of its answer is `worth`, and which points of other tasks the answer `spoils`:

    # %% air.vae patched_stand_ins
    # [probes, worth 1] Replaces the networks that watch `generate`; its shapes are right.
"""

import re
from dataclasses import dataclass

from grader.authoring.slips import parse_variants
from utils.assignments import assignment_names
from utils.assignments.places import place_of

_HEAD = re.compile(r"^\[(\w+)(, hangs)?(?:, worth ([\d.]+))?(?:, spoils ([\d.]+))?\] (.*)$", re.DOTALL)


@dataclass(frozen=True)
class Family:
    """Attacks with one aim: what they try, and what stands in their way."""

    aim: str
    held_by: str
    differs_by_tier: bool = False  # what stands in their way is not the same at every tier


FAMILIES = {
    "end": Family("end, hang or crash the process", "a clock for every cell and call, a kill that no process can refuse"),
    "exhaust": Family("use up memory, threads, disk or output", "resource limits, a cap on the scratch folder"),
    "processes": Family("start other processes or programs", "seccomp", True),
    "network": Family("reach the network or other programs", "seccomp; Landlock; no network at A", True),
    "read": Family("read secrets: files, memory, environment", "Landlock, another user, a root folder of its own", True),
    "write": Family("change files outside the scratch folder", "Landlock, another user; without Landlock: seccomp", True),
    "others": Family("signal, slow or inspect other processes", "seccomp, another user, processes that cannot be inspected", True),
    "undo": Family("undo the sandbox", "limits that cannot be raised, no new privileges, no capabilities", True),
    "next": Family("reach the next submission", "a fresh fork for each, an emptied scratch folder"),
    "channel": Family("forge or flood what goes to the grader", "frames read as data: caps, turns, one value each"),
    "values": Family("return values that fit everything", "shape, dtype and finiteness before values; inputs drawn afresh"),
    "probes": Family("fool the probes, torch, the stand-ins", "nothing judged in that process; evidence tied to drawn inputs"),
    "rules": Family("use what the notebook rules out", "the text is searched, the modules are taken away"),
    "leak": Family("tell hidden inputs to the report", "everything public runs before the first hidden input is sent; then arrays alone"),
    "stall": Family("make reading or judging take long", "linear patterns and judges, budgets of characters, cells and rows, a clock"),
    "bloat": Family("fill the grader's memory", "parts counted before they are read, one notebook at a time, limits on workers"),
    "fill": Family("fill the disk, its names, or the table of threads", "caps on scratch, a watch on free space, a limit on threads", True),
    "pose": Family("pose as a class or as somebody else", "a zip is one hand-in unless told otherwise; links are not followed"),
    "poison": Family("poison the folder of results", "sealed results; only folders of our own making are removed"),
    "print": Family("reach files or waste time by being printed", "pictures below the notebook alone, readers in a sandbox, a content policy"),
    "weights": Family("pass off other numbers as a trained model", "read as data under caps; measured here, with codes and digits of our own"),
    "file": Family("hide something in the file handed in", "bytes read in memory, caps, only what is asked for is taken"),
}  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """One attack: a cell's source in place of the answer to a task, or a whole file."""

    notebook: str
    task: str  # "" for a file; of weights the question that they are to earn points for
    name: str
    family: str
    aim: str
    source: str = ""
    hangs: bool = False  # it uses up whatever time it is given
    worth: float = 0.0  # points of what is right in it
    spoils: float = (
        0.0  # at most so many points of the author's other tasks: they call the answer, or what it has replaced
    )


def load_attacks() -> tuple[Attack, ...]:
    """All attacks, notebook by notebook, then the files, then the sieges."""
    from tests.attacks.files import FILES
    from tests.attacks.sieges import SIEGES
    from tests.attacks.weights import BREAK_THEIR_CLASS, NOTEBOOK, QUESTION, WEIGHTS

    cells = [attack for name in assignment_names() for attack in _attacks_on(name)]
    files = [Attack(assignment_names()[0], "", name, "file", aim) for name, (aim, _) in FILES.items()]
    files += [
        Attack(NOTEBOOK, QUESTION, name, "weights", aim, spoils=2.0 if name in BREAK_THEIR_CLASS else 0.0)
        for name, (aim, _) in WEIGHTS.items()
    ]
    sieges = [Attack(assignment_names()[0], "", name, family, aim) for name, (family, aim, _) in SIEGES.items()]
    return (*cells, *files, *sieges)


def _attacks_on(notebook: str) -> list[Attack]:
    path = place_of(notebook).path / "attacks.py"
    if not path.exists():
        return []
    found = []
    for variant in parse_variants(path.read_text(encoding="utf-8")):
        head = _HEAD.match(variant.sentence)
        if head is None or head[1] not in FAMILIES:
            raise ValueError(f"{notebook}: {variant.name} names no family of attacks")
        worth, spoils = float(head[3] or 0), float(head[4] or 0)
        found.append(
            Attack(
                notebook=notebook,
                task=variant.task,
                name=variant.name,
                family=head[1],
                aim=head[5],
                source=variant.source,
                hangs=bool(head[2]),
                worth=worth,
                spoils=spoils,
            )
        )
    return found
