"""The grader's side of the sandbox: start a zygote, hand it jobs, believe nothing but arrays.

with Box(["07_flows"]) as box:
    run = box.run(job)
"""

import errno
import json
import math
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from grader.records import Job, SandboxRun, Seat
from grader.sandbox import linux
from grader.sandbox.processes import Forked, OwnProcess
from grader.sandbox.room import full_disk, is_no_room, no_process
from grader.sandbox.scratch import Disk, empty
from grader.sandbox.script import Steps, encode_script
from grader.sandbox.shown import readable_paths
from grader.sandbox.sitting import Sitting
from grader.sandbox.slots import Slot, take
from grader.sandbox.tiers import remark_on, tier_of
from grader.sandbox.watch import Attempt, Deadlines, SandboxError, Watch, read_line
from grader.sandbox.zygotes import ZYGOTE, Executed, Zygote, start

MEMORY_MIB = 2048
_CLOSE_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.5
_FORK_AGAIN_SECONDS = 0.02  # quicker than whoever takes each place that gets free
_FIRST_UID = 61000


class Box:
    """A zygote and the channel to it. Not shared between threads; one for each worker."""

    def __init__(
        self,
        assignments: list[str],
        max_tier: str | None = None,
        seat: Seat = Seat(),
        nursery: socket.socket | None = None,
    ) -> None:
        """Remember the settings; `start` or `with` starts the process.

        Args:
            assignments: Names whose import cells and probes the zygote loads ahead.
            max_tier: Use no stronger isolation than this (tests do), "A" to "E" or "B-". Default: the environment's
                GRADER_MAX_TIER, else the strongest this machine offers.
            seat: Where it works; boxes of a run have other numbers. Users differ on the whole machine, see `slots`.
            nursery: The way to one that forks the zygote; else it is started as a program.
        """
        self.assignments = assignments
        self._packages: set[str] = set()
        self._seat = seat
        self.memory_mib = MEMORY_MIB  # for a submission, beside what the zygote has; small machines lower it
        self.step_seconds = math.inf  # a cap on the time of each cell and probe; tests lower it
        self._max_tier = max_tier or os.environ.get("GRADER_MAX_TIER") or ("A" if sys.platform == "linux" else "E")
        self._features: dict[str, bool] = {}
        self._slot: Slot | None = None  # held while it runs
        self._nursery = nursery
        self._process: Zygote | None = None
        self._control: socket.socket | None = None
        self.folder = ""

    def __enter__(self) -> "Box":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def tier(self) -> str:
        """The isolation reached, as the zygote reported it; see `tiers`."""
        return tier_of(self._features)

    @property
    def remark(self) -> str:
        """What whoever runs this should know about the isolation and could mend; usually nothing."""
        return remark_on(self._features, sys.executable) if self._max_tier[0] in "AB" else ""

    @property
    def pid(self) -> int:
        """The process that stands for the zygote: killing it ends all within."""
        assert self._process is not None
        return self._process.pid

    def load(self, assignment: str, packages: Sequence[str] = ()) -> None:
        """See that one more assignment's import cells and probes are loaded: a zygote without them makes way for another.

        Args:
            assignment: Its name.
            packages: Of `late.PACKAGES`, to be loaded as well.
        """
        if assignment in self.assignments and self._packages.issuperset(packages):
            return
        self.close()
        self.assignments = [*dict.fromkeys([*self.assignments, assignment])]
        self._packages |= set(packages)

    def start(self) -> None:
        """Start the zygote and wait until it has loaded everything.

        Raises:
            SandboxError: If it does not come up; the message holds its own last words.
            NoRoom: If there is none for its process, or for its folder.
        """
        if linux.IS_LINUX:
            linux.forbid_inspection()  # of this process, by code that runs as the same user
        try:
            readable = readable_paths(self.assignments)
        except ValueError as error:
            raise SandboxError(f"the sandbox did not start: {error}") from None
        is_first, pause = not self._features, no_process()
        while not self._is_started(readable):
            pause.wait(_LOOK_AGAIN_SECONDS)
        if is_first and self.remark and self._seat.number == 0:  # once a run
            print(self.remark, file=sys.stderr)

    def _is_started(self, readable: list[str]) -> bool:
        """Start the zygote; False where the system has no room for its processes."""
        self._slot = self._slot or take(self._seat.number)
        self._make_folder()
        is_alone = self._max_tier == "E"  # it must not fork
        try:
            started = start(ZYGOTE, self._settings(readable), self.folder, None if is_alone else self._nursery)
        except OSError as error:
            self._remove_files()
            if not is_no_room(error):
                raise
            return False
        self._process, self._control = started.process, started.control
        line = b""
        with suppress(OSError):
            line = read_line(self._control)
        if not line:
            raise SandboxError(f"the sandbox did not start: {self._end()}")
        features = json.loads(line)
        if features is None:  # it could not fork
            self._end()
            return False
        self._features = features
        return True

    def _make_folder(self) -> None:
        try:
            self.folder = tempfile.mkdtemp(prefix="grader-", dir=self._seat.folder)
            os.chmod(self.folder, 0o711)  # the child's user passes through to its scratch
            for name in ("scratch", "root"):
                os.mkdir(f"{self.folder}/{name}")
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):  # nobody's fault who is graded now
                raise full_disk(self._seat.folder or tempfile.gettempdir()).given_up() from None
            raise

    def _settings(self, readable: list[str]) -> dict:
        assert self._slot is not None
        return {
            "tier": self._max_tier[0],
            "without_landlock": self._max_tier in ("B-", "D"),
            "uid": _FIRST_UID + self._slot.number,
            "scratch": f"{self.folder}/scratch",
            "root": f"{self.folder}/root",
            "readable": readable,
            "assignments": self.assignments,
            "packages": sorted(self._packages),
            "once": self._max_tier == "E",
        }

    def close(self) -> None:
        """End the zygote and everything it started; remove its files."""
        self._end(_CLOSE_SECONDS)

    def _remove_files(self) -> None:
        with suppress(OSError):
            empty(f"{self.folder}/scratch")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, seconds: float = 0.0) -> str:
        """End it, at once or after it had a while to end by itself; its last words."""
        words = ""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            if not self._process.is_ended(seconds):
                self._process.kill()
                self._process.is_ended(None)
            words = self._process.last_words()
            self._remove_files()
        if self._slot is not None:  # nothing runs as its user any more
            self._slot.free()
        self._process = self._control = self._slot = None
        return words or "no message"

    def run(self, job: Job, seconds: float = math.inf) -> SandboxRun:
        """A whole job, public calls first, then the hidden ones. Whoever runs more than one for a submission sits: `sitting`.

        Args:
            job: What is asked.
            seconds: The most it may take in all, by the clock; never more than `sitting.JOB_SECONDS` allows.

        Returns:
            One `ProbeRun` for every call of the job.

        Raises:
            SandboxError: If the sandbox failed; student code is not to blame for that.
        """
        return Sitting(self).both(job, seconds)

    def attempt(self, job: Job, steps: Steps, until: Deadlines, seal: Callable[[], None]) -> Attempt:
        """One process that runs these steps. For `Sitting`, which minds the order.

        Args:
            job: What is asked.
            steps: Of `steps_of`.
            until: When it is ended.
            seal: Called before the hidden steps, if there are any, are sent.
        """
        for step in (*steps[0], *steps[1]):
            step["seconds"] = min(step["seconds"], self.step_seconds)

        secret = encode_script(None, steps[1])

        def released() -> bytes:
            if steps[1]:
                seal()
            return secret

        return self._attempt(job, steps, released, until)

    def _attempt(self, job: Job, steps: Steps, released: Callable[[], bytes], until: Deadlines) -> Attempt:
        began = time.monotonic()
        if self._process is None:
            self.start()
        self._wait_for_room()
        limits = {
            "cpu_seconds": int(sum(step["seconds"] for step in steps[0] + steps[1])) + 5,
            "memory_mib": self.memory_mib,
        }
        ours = None
        try:
            ours, child = self._child(json.dumps(limits).encode())
            paused = time.monotonic() - began  # nobody's time who is graded now
            watch = Watch(ours, child, (until[0] + paused, until[1] + paused), f"{self.folder}/scratch")
            attempt = watch.follow(encode_script(job, steps[0]), released, steps)
            attempt.paused_seconds = paused
            return attempt
        except OSError as error:
            raise SandboxError(f"the sandbox broke off ({error}): {self._end()}") from error
        except BaseException:  # out of step with the zygote, which still has something to say about this child
            self.close()
            raise
        finally:
            if ours is not None:
                ours.close()
            if self._max_tier == "E":
                self.close()  # one process a submission

    def _wait_for_room(self) -> None:
        """A full disk is a pause: whoever fills it may be ended, or somebody may make room.

        Raises:
            NoRoom: If it does not get better.
        """
        pause = full_disk(self.folder)
        while Disk(f"{self.folder}/scratch").is_too_small():
            pause.wait(_LOOK_AGAIN_SECONDS)

    def _child(self, limits: bytes) -> tuple[socket.socket, Forked | OwnProcess]:
        """A process for one attempt, and the channel to it; waits where the system has no room for it."""
        pause = no_process()
        while True:
            ours, theirs = socket.socketpair()
            try:
                assert self._control is not None
                socket.send_fds(self._control, [limits], [theirs.fileno()])
                child = self._own_process() if self._max_tier == "E" else self._forked()
                if child is not None:
                    return ours, child
                pause.wait(_FORK_AGAIN_SECONDS)
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
            ours.close()

    def _forked(self) -> Forked | None:
        assert self._control is not None
        message, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        if message == linux.NO_ROOM:
            return None
        if not message or not fds:
            raise OSError("the zygote has ended")
        return Forked(self._control, fds[0])

    def _own_process(self) -> OwnProcess:
        assert isinstance(self._process, Executed)
        return OwnProcess(self._process.process)
