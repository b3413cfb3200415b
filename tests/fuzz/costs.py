"""What reading and judging may cost: `python -m tests.fuzz.costs [--count 200] [--seed 0] [--start 0] [--most 64]`.

Any hand-in up to 64 MB is answered within 10 seconds of CPU time and 512 MB of memory, or with a sentence. Hand-ins are made by rule: a few
pieces that readers stumble over, nested and repeated up to a size, put where a notebook holds text; notebooks in zips; and arrays of
any shape that frames let through, as answers to every probe. Each is graded in a fork of its own, with a sandbox that answers at once.
"""

import argparse
import io
import json
import os
import random
import sys
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from grader.records import ProbeRun
from grader.sandbox import linux
from grader.sandbox.frames import MAX_PAYLOAD_BYTES
from tests.fuzz.promises import demand_report
from tests.fuzz.stand_in import StandIn, grader_with
from tests.support import answers
from utils.assignments import assignment_names, load_assignment

SECONDS, MIB = 10.0, 512
_WHY = (
    "damaged",
    "No answer to",
    "not a notebook",
    "too long or too much memory",
    "MB",
    "files",
    "notebooks",
    "cells",
    "characters",
)
MB = 2**20
_PR_SET_DUMPABLE = 4
_PIECES = (
    "# AUTOGRADED", "# AUTOGRADED (1)", "#AUTOGRADED", " ", "\t", "\r", "\n", "\n\n", "**RESPONSE:**", "**response", "**", "`", "```", "$", "$$",
    "\\", "\\\\", "\\begin{a}", "\\newcommand{\\a}{", "{", "}", "(", ")", "[", "]", "[a](", "![](", "<", "<b ", "<!--", "&", "|", "|-", "> ", "- ",
    "'", '"', '"""', "'''", "f'{", "rb'", "#", "@", ":", ";", ",", ".", "a", "a.", "a,", "a=", "a;", "-", "~", "not ", "lambda:", "lambda a:",
    "def a(", "def a():\n return 1\n", "class A:\n pass\n", "if a:\n ", "try:\n", "import a\n", "from a import b\n", "%", "%%", "!", "1", "9" * 50,
    "0x", "1e9", "\0", "\x1b[", "\ud7ff", "é", "e\u0301", "\U0001f600", "\ufeff", "\u2028", "\u202e", "BEGIN SOLUTION", "TODO", "NotImplementedError",
)  # fmt: skip
_OUTPUTS = ("{}", "[]", "[[]]", "0", '""', '{"a":{}}', '{"output_type":"stream","name":"stdout","text":"a"}', "null", "1e999", '"\\ud800"',
            '{"output_type":"display_data","data":{"image/png":"QUJD"},"metadata":{}}')  # fmt: skip


def _names() -> list[str]:
    """What a notebook's readers look for."""
    tasks = [task for name in assignment_names() for task in load_assignment(name).tasks]
    return [word for task in tasks for word in (f"**`{task.id}`**", *(f"def {name}(" for name in task.defines))]


def text(rng: random.Random, size: int) -> str:
    """About so many characters: pieces in a row, or nested, or a long one and an end that does not come."""
    words = (*_PIECES, *_names())
    unit = "".join(rng.choice(words) for _ in range(rng.choice((1, 1, 2, 3, 6))))
    count = max(1, size // max(1, len(unit)))
    kind = rng.randrange(4)
    if kind == 0:
        return unit * count
    if kind == 1:
        return unit * (count // 2) + rng.choice(words) * (count // 2)
    if kind == 2:
        return rng.choice(words) + unit * count + rng.choice(words)
    return "\n".join(f"{unit}{n}" for n in range(max(1, size // (len(unit) + 7))))


def notebook(rng: random.Random, size: int) -> bytes:
    """About so many bytes, in one place of a notebook or spread over many cells of it."""
    count = min(20_000, int(10 ** rng.uniform(0, 4.3)))
    each, cells = max(1, size // count), []
    kind = rng.randrange(5)
    if kind == 4:  # outputs that are cheap to write and dear to parse
        unit = rng.choice(_OUTPUTS)
        inner = ",".join([unit] * max(1, size // (len(unit) + 1)))
        return f'{{"cells":[{{"cell_type":"code","source":"x","outputs":[{inner}]}}],"metadata":{{}},"nbformat":4}}'.encode()
    same = text(rng, each)
    for n in range(count):
        source = same if rng.random() < 0.5 else f"{same}{n}"
        cell: dict = {"cell_type": ("code", "markdown", "raw")[0 if kind == 0 else kind % 3], "metadata": {}}
        cell["source"] = source.splitlines(keepends=True) if kind == 3 else source
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        cells.append(cell)
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def hand_in(rng: random.Random, most: int) -> bytes:
    """A notebook, or a zip of some, up to a number of bytes."""
    size = int(most ** rng.uniform(0.7, 1.0))
    if rng.random() < 0.5:
        return notebook(rng, min(size, 31 * MB))
    file, count = io.BytesIO(), rng.choice((1, 2, 16, 17))
    with zipfile.ZipFile(file, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)), compresslevel=1) as archive:
        for n in range(count):
            archive.writestr(f"{n}.ipynb", notebook(rng, min(31 * MB, size // count)))
        for n in range(int(10 ** rng.uniform(0, 4.5)) if rng.random() < 0.3 else 0):
            archive.writestr(f"{n}" + "x" * rng.choice((1, 1, 200)), b"")
    return file.getvalue()


class _HeavyAnswers(StandIn):
    """Answers with arrays of any shape that a frame may have."""

    def _answer(self, call: str) -> ProbeRun:
        run = super()._answer(call)
        return ProbeRun(call, "ran", {name: self._array(value) for name, value in run.values.items()})

    def _array(self, value: np.ndarray) -> np.ndarray:
        rng, kind = self.rng, self.rng.randrange(6)
        dtype = np.dtype(rng.choice(("f4", "f8", "f2", "i8", "i1", "u1", "b1")) if rng.random() < 0.3 else value.dtype)
        room = int(MAX_PAYLOAD_BYTES ** rng.uniform(0.3, 1.0)) // dtype.itemsize
        if kind == 0 or not value.shape:
            return value
        shape = list(value.shape)
        if kind <= 2:  # as it should be, but for one side
            side = rng.randrange(len(shape))
            rest = int(np.prod([n for k, n in enumerate(shape) if k != side])) or 1
            shape[side] = max(1, room // rest)
        else:
            shape = (
                [max(1, int(room ** (1 / len(shape))))] * len(shape) if kind == 3 else [room, *[1] * (len(shape) - 1)]
            )
        if int(np.prod(shape, dtype=np.float64)) * dtype.itemsize > MAX_PAYLOAD_BYTES:
            return value
        made = np.full(shape, rng.choice((0, 1, np.nan, 1e4)) if dtype.kind == "f" else 1, dtype)
        if rng.random() < 0.5:
            made = np.random.default_rng(rng.randrange(2**32)).normal(size=shape).astype(dtype)
        return made


def read_case(rng: random.Random, most: int) -> Callable[[], str]:
    """A hand-in that is all about reading."""
    data = hand_in(rng, most)
    name = "a.zip" if data[:2] == b"PK" else "a.ipynb"

    def read() -> str:
        grader = grader_with(rng, 0.0)
        report = grader.grade_bytes(data, name, "hog")
        ended = demand_report(report)
        return next((f"rejected ({why})" for why in _WHY if why in report.rejection), ended)

    return read


def judge_case(rng: random.Random, most: int) -> Callable[[], str]:
    """A right notebook, whose process sends back whatever fits."""
    data = answers(rng.choice([n for n in assignment_names() if load_assignment(n).auto_points]))

    def judged() -> str:
        grader = grader_with(rng, 0.0)
        grader.box = _HeavyAnswers(rng, 0.0)  # type: ignore[assignment]
        return demand_report(grader.grade_bytes(data, "a.ipynb", "hog"))

    return judged


CASES = {"read": read_case, "judge": judge_case}


def run_case(kind: str, seed: int, number: int, most: int) -> tuple[str, float, int, str]:
    """One case, in a fork of this process.

    Returns:
        What was wrong, or nothing; CPU seconds; MiB beyond what this process has; how it ended.
    """
    case = CASES[kind](random.Random(f"{seed} costs {kind} {number}"), most)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        wrong, ended, began, base = "", "", time.process_time(), _resident()
        try:  # nobody leaves this process but by its end
            _forget_peak()
            ended = case()
        except BaseException:
            wrong = traceback.format_exc()[-2000:]
        told = json.dumps([wrong, time.process_time() - began, max(0, _peak() - base), ended])
        os.write(writer, told.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    os.waitpid(pid, 0)
    if not told:
        return "it ended in the middle", 0.0, 0, ""
    wrong, seconds, mib, ended = json.loads(told)
    if not wrong and seconds > SECONDS:
        wrong = f"it took {seconds:.1f} s"
    if not wrong and mib > MIB:
        wrong = f"it took {mib} MiB"
    return wrong, seconds, mib, ended


def _status(what: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith(what))


def _resident() -> int:
    return _status("VmRSS:")


def _peak() -> int:
    return _status("VmHWM:")


def _forget_peak() -> None:
    """Let the system count the most memory of this process anew. A grader shields it, and its own files in /proc are root's then."""
    linux.prctl(_PR_SET_DUMPABLE, 1)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def warm_up() -> None:
    """What every grader has read before the first hand-in."""
    grader = grader_with(random.Random(0), 0.0)
    for name in assignment_names():
        grader.grade_bytes(answers(name), "a.ipynb", "first")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="hand-ins of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="the number of the first case of each kind")
    parser.add_argument("--most", type=int, default=64, help="megabytes of a hand-in (default: %(default)s)")
    options = parser.parse_args()
    warm_up()
    failures = 0
    for kind in CASES:
        dearest, endings = [0.0, 0], Counter()
        for number in range(options.start, options.start + options.count):
            wrong, seconds, mib, ended = run_case(kind, options.seed, number, options.most * MB)
            endings[ended] += 1
            dearest = [max(dearest[0], seconds), max(dearest[1], mib)]
            if wrong:
                failures += 1
                print(f"{kind} {number}, seed {options.seed}: {wrong}", flush=True)
        told = ", ".join(f"{n} {ended}" for ended, n in endings.most_common(8))
        print(
            f"{kind}: {options.count} hand-ins, at most {dearest[0]:.1f} CPU s and {dearest[1]} MiB: {told}", flush=True
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
