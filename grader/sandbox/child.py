"""The student's side: one forked process, confined, that runs cells and probes and sends back arrays.

`confine` is trusted and runs first; an error in it ends the process before any student code. `serve` follows the
grader's list of steps like a script: run a cell, call a probe, put the namespace back to where it stood after a cell.

The inputs of hidden probes are sent only after everything about the public ones has been sent back, so no message
that leaves this process before that can carry them, whatever the student's code does.
"""

import ctypes  # noqa: F401  (imported before the sandbox closes: torch asks for it late)
import importlib
import json
import linecache
import os
import random
import resource
import socket
import sys
import types
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from grader.sandbox import frames, landlock, linux, not_allowed, seccomp

CONTRACT = "contract"  # among a probe's values: what its calls left behind
START = ""  # the name of the namespace that the given cells leave
_MAX_TEXT = 300
_STEP_SEED = 7_919_551  # one that no answer sets: who seeds the generator leaves it in another state
_CHANNEL_FD = 250


@dataclass(frozen=True)
class Confinement:
    """What holds a child: decided once by the zygote, the same for every submission."""

    scratch: str
    memory_bytes: int  # address space of the zygote; a job's own memory comes on top
    uid: int | None
    landlock_fd: int  # -1: the kernel has none
    has_seccomp: bool


def confine(channel: socket.socket, job_limits: dict, rules: Confinement) -> socket.socket:
    """Give up everything a student's code must not have. The order matters: see the package's theory of operation.

    Args:
        channel: The socket to the grader, the one descriptor that stays.
        job_limits: `cpu_seconds` and `memory_mib` of this job.
        rules: What this machine offers.

    Returns:
        The channel, at a fixed descriptor.
    """
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.dup2(channel.fileno(), _CHANNEL_FD, inheritable=False)
    ruleset_fd = rules.landlock_fd
    if ruleset_fd >= 0:
        ruleset_fd = os.dup2(ruleset_fd, _CHANNEL_FD + 1, inheritable=False)
    os.closerange(3, _CHANNEL_FD)
    os.closerange(_CHANNEL_FD + 2, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.chdir(rules.scratch)
    os.environ.clear()
    os.environ.update(HOME=rules.scratch, TMPDIR=rules.scratch, OMP_NUM_THREADS="1", MPLBACKEND="Agg")
    # Else a first optimizer makes a folder of its own, which some tiers forbid.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = rules.scratch
    if linux.IS_LINUX:
        linux.die_with_parent()
    linux.limit(job_limits["cpu_seconds"], rules.memory_bytes + job_limits["memory_mib"] * 2**20)
    if rules.uid is not None:
        linux.drop_to(rules.uid)
    elif linux.IS_LINUX and os.geteuid() == 0:  # no other user can reach the interpreter
        linux.drop_capabilities()
    if linux.IS_LINUX:
        linux.forbid_inspection()  # again, and so below: changing the user has reset both
        linux.die_with_parent()
        linux.forbid_new_privileges()
    if ruleset_fd >= 0:
        landlock.restrict(ruleset_fd)
        os.close(ruleset_fd)
    if rules.has_seccomp:
        seccomp.restrict(os.getpid(), may_write=ruleset_fd >= 0)
    return socket.socket(fileno=_CHANNEL_FD)


def serve(channel: socket.socket) -> None:
    """Run the public steps, then the hidden ones, each list as the grader sends it."""
    decoder = frames.Decoder()
    try:
        script = _receive(channel, decoder)
        run = _Run(channel, script["probes"], script["tensors"])
        for source in script["prelude"]:
            exec(given_code(source), run.namespace)
        run.keep(START)
        not_allowed.hide(script["not_allowed"])
    except BaseException as error:  # no student code has run: this is ours to mend
        channel.sendall(frames.encode({"kind": "fault", "text": repr(error)[:1000]}))
        raise
    for number, step in enumerate(script["steps"]):
        run.step(number, step, is_public=True)
    run.send({"kind": "end"})
    hidden = _receive(channel, decoder)
    for number, step in enumerate(hidden["steps"], len(script["steps"])):
        run.step(number, step, is_public=False)
    run.send({"kind": "end"})


def _receive(channel: socket.socket, decoder: frames.Decoder) -> dict:
    """Read frames up to the one that says `go`; the arrays among them become the script's inputs."""
    script: dict = {}
    inputs: dict[str, dict[str, np.ndarray]] = {}
    while True:
        data = channel.recv(1 << 16)
        if not data:
            os._exit(0)  # the grader has gone
        for frame in decoder.feed(data):
            if frame.header["kind"] == "script":
                script = json.loads(frame.arrays["steps"].tobytes())
            elif frame.header["kind"] == "inputs":
                inputs[frame.header["probe"]] = frame.arrays
            else:
                for step in script["steps"]:
                    step["inputs"] = inputs.get(step.get("name", ""), {})
                return script


@cache
def given_code(source: str) -> types.CodeType:
    """A given cell's code: the zygote has compiled it before it forks."""
    return compile(source, "<given>", "exec", dont_inherit=True)


class _Malformed(TypeError):
    """An answer that is no tensor, array or number."""


class _Names:
    """The notebook's namespace, as probes see it.

    `is_public`: the inputs are those of a public case. What hangs on no number that is drawn, such as devices, long runs and
    batches of other sizes, a probe may ask there alone, and save its time with the inputs of each submission.
    `watcher`: Who watches the calls, if anybody; see `grader.probe_kit.watching.unwatched`.
    """

    def __init__(self, namespace: dict, is_public: bool, watcher: Any = None) -> None:
        self._namespace = namespace
        self.is_public = is_public
        self.watcher = watcher

    def __getitem__(self, name: str):
        if name not in self._namespace:
            raise NameError(f"`{name}` is not defined after this cell has run")
        return self._namespace[name]

    def patched(self, **values: object) -> None:
        """Replace names for the probe that asks, for example a number of epochs; the next step starts from a copy again."""
        self._namespace.update(values)


class _Run:
    def __init__(self, channel: socket.socket, probes: str, tensors: bool) -> None:
        self._channel = channel
        self._waiting: list[bytes] = []  # to be sent with the next step's announcement: half as many writes, and reads
        self._torch = importlib.import_module("torch") if tensors else None  # the zygote has it
        self._tools = importlib.import_module("grader.probe_kit.tools") if tensors else None
        self._probes = importlib.import_module(probes) if probes else None
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.namespace = module.__dict__
        self._kept: dict[str, tuple[dict, bool]] = {}
        # As they are before any answer runs: one that replaces them is not to stop the next.
        self._makes_gradients = self._torch.is_grad_enabled if self._torch else lambda: True
        self._make_gradients = self._torch._C._set_grad_enabled if self._torch else lambda _: None
        self._is_public = True
        self._watching: Any = importlib.import_module("grader.probe_kit.watching") if tensors else None
        self._watcher: Any = self._watching.Watcher() if self._watching else None

    def send(self, header: dict) -> None:
        """Send what waits, and this behind it."""
        data = b"".join([*self._waiting, frames.encode(header)])
        self._waiting.clear()
        self._channel.sendall(data)

    def step(self, number: int, step: dict, is_public: bool) -> None:
        self.send({"kind": "step", "number": number})
        self._is_public = is_public
        if self._tools:
            self._tools.seed_torch(_STEP_SEED)
        random.seed(0)
        np.random.seed(0)
        try:
            getattr(self, f"_{step['do']}")(step)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are a student's errors too
            self._send_error(number, error, is_public)

    def _cell(self, step: dict) -> None:
        name, source = f"<cell {step['cell']}>", step["source"]
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        self._back_to(step["start"])
        self._stand_in(step["stand_ins"])
        try:
            exec(compile(source, name, "exec", dont_inherit=True), self.namespace)
        finally:
            self._stand_in(step["behind"])
            self.keep(step["keep"])

    def _restore(self, step: dict) -> None:
        self._back_to(step["keep"])

    def _stand_in(self, names: list[str]) -> None:
        if names:
            assert self._probes is not None
            self.namespace.update({one: self._probes.STAND_INS[one] for one in names})

    def keep(self, name: str) -> None:
        """Keep the namespace as it is now, and whether torch makes gradients: an answer that switches them off costs no other."""
        self._kept[name] = dict(self.namespace), self._makes_gradients()

    def _back_to(self, name: str) -> None:
        kept, makes_gradients = self._kept[name]
        self.namespace.clear()
        self.namespace.update(kept)
        self._make_gradients(makes_gradients)

    def _probe(self, step: dict) -> None:
        before = dict(self.namespace)
        inputs = {name: array.copy() for name, array in step["inputs"].items()}
        if self._torch:
            inputs = {name: self._torch.from_numpy(array) for name, array in inputs.items()}
        watched = step.get("watched", []) if self._watching else []
        names = _Names(self.namespace, self._is_public, self._watcher)
        try:
            with self._watching.watching(self.namespace, watched, self._watcher) if watched else nullcontext():
                values = getattr(self._probes, step["function"])(names, **inputs)
            if watched:
                values = {**values, CONTRACT: self._watcher.take()}
            arrays = {name: _array(name, value, self._torch) for name, value in values.items()}
            told = frames.encode({"kind": "answer", "probe": step["name"]}, arrays)
        finally:
            self.namespace.clear()
            self.namespace.update(before)
        self._waiting.append(told)

    def _send_error(self, number: int, error: BaseException, is_public: bool) -> None:
        header: dict = {
            "kind": "error",
            "number": number,
            "type": "malformed" if isinstance(error, _Malformed) else type(error).__name__[:60],
        }
        if is_public:
            header |= {"text": _text(error), "lines": _own_lines(error)}
        self._waiting.append(frames.encode(header))


def _array(name: str, value: object, torch: types.ModuleType | None) -> np.ndarray:
    if torch and isinstance(value, torch.Tensor):
        with torch._C.DisableTorchFunctionSubclass():
            tensor = value.detach().cpu()
            return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy()
    if isinstance(value, bool | int | float | np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind in "fiub":
            return array
    got = "None (is a `return` missing?)" if value is None else f"a {type(value).__name__}"
    raise _Malformed(f"{name} is {got}, expected {'a tensor' if torch else 'an array or a number'}")


def _text(error: BaseException) -> str:
    try:
        return "".join(c if c.isprintable() else " " for c in str(error)[:_MAX_TEXT])
    except BaseException:  # a student's __str__ may do anything
        return ""


def _own_lines(error: BaseException) -> list[list[int]]:
    """Where in the student's own cells the error passed, outermost first."""
    lines: list[list[int]] = []
    trace = error.__traceback__
    while trace is not None and len(lines) < 20:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith("<cell ") and name[6:-1].isdigit():
            lines.append([int(name[6:-1]), trace.tb_lineno])
        trace = trace.tb_next
    if (
        isinstance(error, SyntaxError)
        and not lines
        and isinstance(error.filename, str)
        and error.filename[6:-1].isdigit()
    ):
        lines.append([int(error.filename[6:-1]), error.lineno or 1])
    return lines
