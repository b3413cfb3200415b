"""What comes out of a student's process: frames that are none, and well-formed ones in every wrong order."""

import json
import random
import socket
import tempfile
import time
from dataclasses import replace
from functools import cache

import numpy as np

from grader.classes.batch import Sandboxes, Settings
from grader.records import Job, ProbeRun, Reading, Report, Seat, Submission
from grader.rubric import Rubric, load_rubric
from grader.sandbox.frames import Decoder, FrameError, encode
from grader.sandbox.script import Skipped, blame, collect, hidden_values, merge_cells, steps_of
from grader.sandbox.watch import SandboxError, Told, Watch
from grader.stages.compare import compare
from grader.stages.notebook import read
from grader.stages.pipeline import Grader
from tests.fuzz.changes import changed_array, changed_bytes, changed_json, changed_text
from tests.fuzz.promises import demand, demand_report
from tests.support import answers

NAME = "01_kl_divergence"


# ---------------------------------------------------------------- frames


def frames(rng: random.Random) -> str:
    """Bytes that were frames, in any pieces: arrays and headers within the caps, or a `FrameError`."""
    data = b"".join(_frame(rng) for _ in range(rng.randint(1, 4)))
    for _ in range(rng.choice([0, 1, 1, 3])):
        data = changed_bytes(rng, data, 3)
    decoder, count = Decoder(), 0
    try:
        while data:
            size = rng.choice([1, 7, 100, len(data)])
            for frame in decoder.feed(data[:size]):
                count += 1
                demand(isinstance(frame.header, dict), "a header that is no dictionary")
                for array in frame.arrays.values():
                    demand(array.dtype.kind in "fiub" and array.nbytes <= 8 * 2**20, "an array beyond the caps")
            data = data[size:]
    except FrameError:
        return "refused"
    return "frames" if count else "nothing"


def _frame(rng: random.Random) -> bytes:
    header = {
        "kind": rng.choice(["step", "answer", "error", "end", "x"]),
        "number": rng.randint(-2, 5),
        "probe": "p",
    }
    kinds = [np.ones((2, 3), np.float32), np.zeros(0), np.array(7), np.ones(1, bool)]
    arrays = {name: rng.choice(kinds) for name in rng.sample("abc", rng.randrange(4))}
    arrays = {name: changed_array(rng, array) if rng.random() < 0.5 else array for name, array in arrays.items()}
    if rng.random() < 0.3:
        named = {"arrays": [["a", "f4", [2, 1]], ["b", "u1", [rng.choice([0, 3])]]]}
        text = changed_json(rng, header | named, 2).encode("utf-8", "replace")[:5000]
        payload = bytes(rng.choice([0, 8, 16, 32]))
        return len(text).to_bytes(4, "little") + len(payload).to_bytes(4, "little") + text + payload
    return encode(header, arrays)


# ---------------------------------------------------------------- whole conversations


class _Gone:
    """A child that has said everything and ended."""

    ended = None

    def __init__(self, code: int) -> None:
        self.code = code

    def kill(self) -> None:
        """It has ended."""

    def cpu_seconds(self) -> float:
        return 0.0

    def report(self) -> dict:
        return {"exit": self.code, "cpu_seconds": 0.01}


@cache
def _job() -> tuple[Rubric, Reading, Job]:
    """What the solved notebook asks of its child."""
    rubric = load_rubric(NAME)
    reading = read(Submission("ada", "a.ipynb", "0" * 64, {"a.ipynb": answers(NAME)}))
    from grader.authoring.check import fresh_calls
    from grader.rubric.draws import job_of

    drawn = [call for check in rubric.checks for call in fresh_calls(check, 1)]
    return rubric, reading, job_of(rubric.assignment, merge_cells(reading.runnable), (*rubric.public, *drawn))


@cache
def _conversation() -> tuple[bytes, ...]:
    """The frames that a child with the right answers sends; to drawn inputs it answers as to the first published ones."""
    rubric, _, job = _job()
    outputs, sent = rubric.references.outputs, []
    public, hidden = steps_of(job, {}, is_hidden=True)
    for number, step in enumerate([*public, *hidden]):
        if number == len(public):
            sent.append(encode({"kind": "end"}))
        sent.append(encode({"kind": "step", "number": number}))
        if step["do"] == "probe":
            name = step["name"]
            values = outputs.get(name) or outputs.get(_published(name), {})
            sent.append(encode({"kind": "answer", "probe": name}, values))
    return (*sent, encode({"kind": "end"}))


def _published(call: str) -> str:
    return f"{call.split('#')[0]}#public0"


def children(rng: random.Random) -> str:
    """A child's conversation with frames dropped, doubled, exchanged, forged: judged all the same, to a report."""
    rubric, reading, job = _job()
    skipped: Skipped = {}
    steps = steps_of(job, skipped, is_hidden=True)
    sent = _spoilt(rng, list(_conversation()))
    began = time.monotonic()
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryDirectory() as scratch:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**22)
        theirs.sendall(b"".join(sent)[: 2**20])
        theirs.shutdown(socket.SHUT_WR)
        child = _Gone(rng.choice([0, 0, 0, 1, -9, -11, 99]))
        try:
            attempt = Watch(ours, child, (began + 60, began + 60), scratch).follow(b"", lambda: b"", steps)
            if attempt.fault:
                blame(attempt, steps, skipped)
        except (SandboxError, OSError):  # nothing that a student's code could do: it ended before the first cell
            return "no child"
    run, values = collect(job, steps, attempt.told or Told(), skipped, 0.0, 0.0), hidden_values(job, attempt)
    hidden = [call.name for call in job.calls if not call.is_public]
    ended = {n: ProbeRun(n, "ran", values[n]) if n in values else ProbeRun(n, "wrong") for n in hidden}
    run = replace(run, runs=run.runs | ended)
    outputs = rubric.references.outputs
    drawn = {call.name: outputs.get(_published(call.name), {}) for call in job.calls if not call.is_public}
    verdicts = compare(rubric, reading, run, job.calls, drawn)
    report = Report(
        student="ada", file_name="a.ipynb", notebook=NAME, submission_sha256="0" * 64, tier="A", verdicts=verdicts
    )
    return (attempt.fault or "ended") + ", " + demand_report(report)


def _spoilt(rng: random.Random, sent: list[bytes]) -> list[bytes]:
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        at, other = rng.randrange(len(sent)), rng.randrange(len(sent))
        kind = rng.randrange(7)
        if kind == 0 and len(sent) > 1:
            del sent[at]
        elif kind == 1:
            sent.insert(other, sent[at])
        elif kind == 2:
            sent[at], sent[other] = sent[other], sent[at]
        elif kind == 3:
            sent[at] = changed_bytes(rng, sent[at], 2)
        elif kind == 4:
            sent.insert(at, _error(rng))
        elif kind == 5:
            sent[at] = _other_header(rng, sent[at])
        else:
            sent = sent[: at + 1]
    return sent


def _error(rng: random.Random) -> bytes:
    header = {"kind": "error", "type": "ValueError", "text": "wrong", "lines": [[3, 2]]}
    return _other_header(rng, encode(header)) if rng.random() < 0.6 else encode(header)


def _other_header(rng: random.Random, frame: bytes) -> bytes:
    """The same frame with another header, well formed or not; its array stays."""
    size = int.from_bytes(frame[:4], "little")
    try:
        header = json.loads(frame[8 : 8 + size])
    except ValueError:
        return frame
    text = changed_json(rng, header, 1).encode("utf-8", "replace")[:4096]
    return len(text).to_bytes(4, "little") + frame[4:8] + text + frame[8 + size :]


# ---------------------------------------------------------------- the real sandbox


_sandboxes = Sandboxes()


def _grader() -> Grader:
    grader = _sandboxes.grader(Settings(NAME, "fuzz"), Seat())
    grader.box.step_seconds = 1.0
    return grader


def sandboxed(rng: random.Random) -> str:
    """A notebook whose answers were spoilt, run in the real sandbox."""
    return run_spoilt_answer(rng, _grader())


def run_spoilt_answer(rng: random.Random, grader: Grader) -> str:
    """One answer's text changed at random, graded by `grader`."""
    sources = {task: source.source for task, source in _job()[1].sources.items()}
    task = rng.choice(sorted(sources))
    source = changed_text(rng, sources[task], 2).encode("utf-8", "replace").decode()  # half characters cannot be saved
    report = grader.grade_bytes(answers(NAME, {task: source}), "a.ipynb", "ada")
    return demand_report(report)


def close() -> None:
    """End the sandbox, if one was started."""
    _sandboxes.close()
