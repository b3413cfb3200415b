"""Waiting for room: a full disk, or a system without room for another process, is a pause, and no fault of who is graded now."""

import errno
import sys
import time

from grader.sandbox.watch import SandboxError

ROOM_SECONDS = 300.0  # for somebody to make room; whoever is graded beside this one has ended by then


class NoRoom(SandboxError):
    """There is no room to run anything; the message says for what. What is graded is kept."""


class Pause:
    """A pause that is said once, and ends with `NoRoom` if it does not get better."""

    def __init__(self, lack: str, advice: str) -> None:
        """Nothing yet.

        Args:
            lack: What there is no room for: a clause.
            advice: What whoever runs this can do.
        """
        self._lack, self._advice = lack, advice
        self._until: float | None = None

    def wait(self, seconds: float) -> None:
        """Wait so long.

        Raises:
            NoRoom: If there has been no room since the first call, `ROOM_SECONDS` ago.
        """
        if self._until is None:
            self._until = time.monotonic() + ROOM_SECONDS
            print(f"{self._lack[0].upper()}{self._lack[1:]}: waiting for room.", file=sys.stderr)
        if time.monotonic() > self._until:
            raise self.given_up()
        time.sleep(seconds)

    def given_up(self) -> NoRoom:
        """What is said in the end."""
        return NoRoom(f"{self._lack}: {self._advice}")


def is_no_room(error: Exception) -> bool:
    """Whether an error says that the system has no room for another process or thread."""
    return getattr(error, "errno", 0) in (errno.EAGAIN, errno.ENOMEM) or "start new thread" in str(error)


def full_disk(folder: str) -> Pause:
    return Pause(f"the disk of {folder} is full", "make room there, or set TMPDIR to another place")


def no_process() -> Pause:
    advice = "end other programs, use fewer workers, or allow more processes (ulimit -u, the container's pids limit)"
    return Pause("the system has no room for another process", advice)
