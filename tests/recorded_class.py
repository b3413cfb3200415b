"""A class of all four notebooks, graded and kept: what a change that should move nothing is held to.

    python -m tests.recorded_class record FOLDER         grade the class of today; FOLDER keeps hand-ins and results
    python -m tests.recorded_class compare BEFORE AFTER  say what differs, but for digests, versions and times

The class: the examples; for each notebook its solution, its right answers and its slips, dealt out so that each hand-in
answers every task another way; a retrained model; and the files that attack the reader.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from grader.__main__ import main as grader
from grader.authoring.slips import Variant, load_slips
from grader.stages.pipeline import graded_assignments
from tests.attacks.files import FILES
from tests.validity import right_answers
from tools.examples import build, load_examples, with_answers, zipped

_MODEL = b"input_size: 200\nlatent_size: 10\nhidden_dims: [64]\n"
_TRAIN = b"beta: 1.0e-4\nn_iters: 300\nbatch_size: 64\noptimizer_name: Adam\noptimizer_config: {lr: 1.0e-3}\n"
_MOVES = {"key", "execution_time", "cpu_seconds", "wall_seconds", "seconds", "grader"}  # digests, versions, times


def hand_ins() -> Iterator[tuple[str, bytes]]:
    """Names of files and their bytes; the same sources give the same bytes."""
    yield from (build(example) for example in load_examples())
    for name in graded_assignments():
        yield f"{name}-solved.ipynb", _notebook(name, ())
        for kind, variants in (("right", right_answers(name)), ("slips", load_slips(name))):
            for number, dealt in enumerate(_dealt(variants)):
                yield f"{name}-{kind}-{number}.ipynb", _notebook(name, dealt)
        configs = {"model_config.yaml": _MODEL, "train_config.yaml": _TRAIN}
        yield f"{name}-with-configs.zip", zipped({f"{name}.ipynb": _notebook(name, ()), **configs})
    honest = _notebook(graded_assignments()[0], ())
    for name, (_, make) in FILES.items():
        file, data = make(honest)
        if isinstance(data, bytes):
            yield f"file-{name}{Path(file).suffix}", data


def _dealt(variants: tuple[Variant, ...]) -> list[tuple[Variant, ...]]:
    """The variants in as few hands as can be, no hand with two of one task."""
    hands: list[list[Variant]] = []
    for variant in variants:
        free = next((hand for hand in hands if variant.task not in {other.task for other in hand}), None)
        if free is None:
            hands.append(free := [])
        free.append(variant)
    return [tuple(hand) for hand in hands]


def _notebook(name: str, variants: tuple[Variant, ...]) -> bytes:
    return nbformat.writes(with_answers(name, variants)).encode()


def differences(before: Path, after: Path) -> list[str]:
    """Where two kept classes differ: hand-ins, and everything in their results that a score or a reader depends on."""
    found = []
    for part in ("hand-ins/*", "results/*/results.json"):
        old, new = ({path.relative_to(folder): path for path in folder.glob(part)} for folder in (before, after))
        found += [f"{path}: only in one of them" for path in sorted(old.keys() ^ new.keys())]
        for path in sorted(old.keys() & new.keys()):
            found += [f"{path}: {what}" for what in _changes(old[path].read_bytes(), new[path].read_bytes())]
    return found


def _changes(old: bytes, new: bytes) -> list[str]:
    if old == new:
        return []
    try:
        old_lines, new_lines = (json.dumps(_still(json.loads(data)), indent=1).split("\n") for data in (old, new))
    except ValueError:
        return ["its bytes differ"]
    changed = [f"{a.strip()} -> {b.strip()}" for a, b in zip(old_lines, new_lines, strict=False) if a != b]
    return changed or ([] if len(old_lines) == len(new_lines) else ["more or fewer lines"])


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _still(inner) for key, inner in value.items() if key not in _MOVES}
    return [_still(inner) for inner in value] if isinstance(value, list) else value


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.recorded_class", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("record").add_argument("folder", type=Path)
    compare = commands.add_parser("compare")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    options = parser.parse_args()
    if options.command == "compare":
        found = differences(options.before, options.after)
        print("\n".join(found) or "the same")
        return 1 if found else 0
    folder = options.folder / "hand-ins"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in hand_ins():
        (folder / name).write_bytes(data)
    grader(["grade", str(folder), "--out", str(options.folder / "results"), "--min-tier", "E", "--workers", "2"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
