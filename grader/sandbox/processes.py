"""The process that a submission runs in, as the grader holds it: a child of the zygote, or the zygote itself."""

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from grader.sandbox.watch import read_line

_CPU_CLOCK = 2  # of a process by its number, as clock_getcpuclockid makes it


class Forked:
    """A child of the zygote. Its handle came with the fork, so a signal can never hit another process."""

    def __init__(self, control: socket.socket, pidfd: int) -> None:
        self._pidfd = pidfd
        self.ended = control  # becomes readable when the zygote has reaped the child

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def cpu_seconds(self) -> float:
        """What the kernel has counted so far; 0 where it does not show the process."""
        try:
            about = Path(f"/proc/self/fdinfo/{self._pidfd}").read_text(encoding="ascii")
            pid = int(about.partition("\nPid:")[2].split()[0])
            return time.clock_gettime(~pid << 3 | _CPU_CLOCK) if pid > 0 else 0.0
        except (OSError, LookupError, ValueError):
            return 0.0

    def report(self) -> dict:
        """Exit code and CPU seconds, from the zygote."""
        os.close(self._pidfd)
        line = read_line(self.ended)
        if not line:
            raise OSError("the zygote has ended")
        return json.loads(line)


class OwnProcess:
    """The zygote itself, where it must not fork (tier E): it serves one submission and ends."""

    ended = None  # the channel's end says it

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process
        self.kill = process.kill

    def cpu_seconds(self) -> float:
        return 0.0

    def report(self) -> dict:
        try:
            return {"exit": self._process.wait(5), "cpu_seconds": 0.0}
        except subprocess.TimeoutExpired:  # it closed the channel and goes on
            self._process.kill()
            return {"exit": self._process.wait(), "cpu_seconds": 0.0}
