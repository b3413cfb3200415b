"""What the grader makes of what a child sends: everything here is sent by a liar."""

import random
import socket
import time

import numpy as np
import pytest

from grader.sandbox import frames
from grader.sandbox.watch import Attempt, SandboxError, Watch

STEPS = (
    [{"do": "cell", "cell": 1, "seconds": 5}, {"do": "probe", "name": "p0", "seconds": 5}],
    [{"do": "restore", "cell": 1, "seconds": 5}, {"do": "probe", "name": "h0", "seconds": 5}],
)
VALUE = np.ones(2, np.float32)


class Released:
    """In the place of the hidden script: counts how often it went out."""

    count = 0

    def __call__(self) -> bytes:
        self.count += 1
        return b"hidden"


RELEASED = Released()


class Liar:
    """A child that sends what it was told to, and then ends with an exit code."""

    ended = None

    def __init__(self, channel: socket.socket, data: bytes, exit_code: int = 0) -> None:
        self._exit = exit_code
        channel.sendall(data)  # little enough for the socket to hold
        channel.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        pass

    def cpu_seconds(self) -> float:
        return 0.05

    def report(self) -> dict:
        return {"exit": self._exit, "cpu_seconds": 0.1}


def follow(*parts: bytes | dict, exit_code: int = 0) -> Attempt:
    ours, theirs = socket.socketpair()
    RELEASED.count = 0
    data = b"".join(part if isinstance(part, bytes) else frames.encode(part) for part in parts)
    with ours, theirs:
        until = (time.monotonic() + 30,) * 2
        return Watch(ours, Liar(theirs, data, exit_code), until, "/nowhere").follow(b"public", RELEASED, STEPS)


def step(number: object) -> dict:
    return {"kind": "step", "number": number}


def answer(probe: object, *names: str) -> bytes:
    return frames.encode({"kind": "answer", "probe": probe}, dict.fromkeys(names or ["value"], VALUE))


END = {"kind": "end"}
DONE = {"kind": "answer", "probe": "p0"}  # an answer without values
PUBLIC = [step(0), step(1), answer("p0"), END]  # what an honest child says before it is sent anything hidden
ERROR = {"kind": "error", "type": "E", "text": "x", "lines": []}


def test_an_honest_child():
    attempt = follow(
        step(0),
        step(1),
        answer("p0"),
        END,
        step(2),
        step(3),
        answer("h0", "value", "other"),
        END,
    )
    assert attempt.fault == ""
    assert {probe: list(arrays) for probe, arrays in attempt.values.items()} == {
        "p0": ["value"],
        "h0": ["value", "other"],
    }
    np.testing.assert_array_equal(attempt.values["h0"]["value"], VALUE)


@pytest.mark.parametrize(
    "told",
    [
        [*PUBLIC, step(1), answer("p0")],  # a public step, when hidden inputs are known
        [*PUBLIC, answer("p0", "more")],
        [*PUBLIC, DONE],
        [*PUBLIC, {**ERROR, "text": "hidden"}],
        [step(0), step(1), DONE, step(2)],  # a hidden step before the public part has ended
        [END],  # ends that come too early
        [step(0), END],
        [step(0), step(1), END],
        [*PUBLIC, END],
        [*PUBLIC, step(2), END],
        [*PUBLIC, step(2), step(3), END],
        [*PUBLIC, step(3)],
        [*PUBLIC, step(2), step(3), answer("h0"), END, answer("h0", "more")],
        [*PUBLIC, step(2), step(3), answer("h0"), END, END],
        [step(0), step(1), DONE, DONE],  # more than one answer
        [step(0), step(1), DONE, ERROR],
        [step(0), step(1), ERROR, DONE],
        [step(0), step(1), ERROR, ERROR],
        [step(0), ERROR, ERROR],
        [step(0), step(1), DONE, answer("p0")],
        [step(1)],
        [step(0), step(0)],
        [step(0), step(1), DONE, step(0)],
        [step(4)],
        [step(-1)],
        [step(False)],
        [step("0")],
        [step(None)],
        [step(0), step(1), answer("h0")],
        [step(0), answer("p0")],
        [step(0), answer(None)],
        [answer("p0")],
        [DONE],
        [step(0), step(1), answer("p0"), answer("p0")],
        [step(0), step(1), answer(["p0"])],
        [step(0), step(1), answer(None)],
        [step(0), step(1), {"kind": "answer", "probe": "p0", "arrays": [["x", "f4", [2]]]}],
        [step(0), step(1), {"kind": "value", "probe": "p0", "name": "x"}],
        [step(0), step(1), {"kind": "verdict", "status": "passed"}],
        [step(0), step(1), {"kind": ["step"]}],
        [step(0), step(1), {}],
        [step(0), step(1), {"kind": "error"}],
        [step(0), step(1), {"kind": "answer"}],
        [step(0), step(1), b"\xff" * 8],
    ],
)
def test_a_liar_is_stopped(told):
    attempt = follow(*told)
    assert attempt.fault == "malformed"
    assert bool(RELEASED.count) == (told[: len(PUBLIC)] == PUBLIC), "hidden inputs go out when all that is public is in"


def test_what_is_told_was_said_before_the_hidden_inputs_were_sent():
    """Everything public is made up at random, then all that a child may say: none of it changes what is told."""
    rng = random.Random(16)
    later = [
        step(2),
        ERROR,
        step(3),
        ERROR,
        answer("h0"),
        answer("p0"),
        answer("p0", "more"),
        DONE,
        END,
        step(1),
        b"\xff" * 8,
    ]
    for _ in range(200):
        public: list[dict | bytes] = [step(0), *rng.sample([ERROR], rng.randrange(2)), step(1)]
        said: list[dict | bytes] = [DONE, ERROR, answer("p0"), answer("p0", "v0", "v1")]
        public += [rng.choice(said), END]
        first, second = (
            follow(*public, *rng.choices(later, k=rng.randrange(6)), exit_code=rng.choice([0, 1, -9, -24])).told
            for _ in range(2)
        )
        assert first is not None
        assert second is not None
        assert first.fault == second.fault == ""
        assert (first.errors, first.cpu_seconds) == (second.errors, 0.05)
        assert {p: list(arrays) for p, arrays in first.values.items()} == {p: list(a) for p, a in second.values.items()}
        assert RELEASED.count == 1


def test_nothing_after_a_fault_counts():
    attempt = follow(step(0), step(1), {"kind": "?"}, answer("p0"), END, END)
    assert (attempt.fault, attempt.values) == ("malformed", {})


@pytest.mark.parametrize(("exit_code", "fault"), [(0, "killed"), (98, "killed"), (-9, "killed"), (-24, "timeout")])
def test_an_end_that_was_not_announced(exit_code, fault):
    attempt = follow(step(0), step(1), exit_code=exit_code)
    assert attempt.fault == fault
    assert attempt.told is not None
    assert attempt.told.fault == fault
    assert follow(*PUBLIC, step(2), exit_code=exit_code).fault == fault


def test_a_bad_exit_after_everything_was_said_still_counts_as_one():
    told = [*PUBLIC, step(2), step(3), answer("h0"), END]
    assert follow(*told).fault == ""
    assert follow(*told, exit_code=-11).fault == "killed"


def test_before_the_first_step_it_is_ours():
    with pytest.raises(OSError, match="could not be confined"):
        follow(exit_code=99)
    with pytest.raises(SandboxError, match="do not run: no module"):
        follow({"kind": "fault", "text": "no module"})
    assert follow(step(0), {"kind": "fault", "text": "x"}).fault == "malformed"
    assert follow(step(0), exit_code=99).fault == "killed"


def test_words_are_made_printable():
    error = follow(
        step(0),
        step(1),
        {
            "kind": "error",
            "type": "\x1b[2J\ud800",
            "text": "\u202e\x00" + "x" * 999,
            "lines": [[1, 2], [1], "x", [None, 3], [1.5, 2]],
        },
    ).errors[1]
    assert error.type.isprintable()
    assert error.text.isprintable()
    assert len(error.text) == 300
    assert error.lines == ((1, 2),)


@pytest.mark.parametrize(
    "header", [{"type": 5, "text": [1], "lines": 3}, {"type": None}, {"type": {}, "lines": {"a": 1}}]
)
def test_words_that_are_no_words(header):
    error = follow(step(0), step(1), {"kind": "error", **header}).errors[1]
    assert (error.type, error.text, error.lines) == ("", "", ())


def test_an_error_on_hidden_inputs_keeps_only_its_kind():
    told = {"kind": "error", "text": "hidden", "lines": [[1, 2]]}
    for kind in ("hidden", "malformed"):
        error = follow(*PUBLIC, step(2), step(3), {**told, "type": kind}).errors[3]
        assert (error.type, error.text, error.lines) == ("", "", ())
