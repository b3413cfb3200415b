"""Numbers for the sandboxes of a machine: no two that run at a time have the same, whoever started them.

The number decides the user that answers run as. Processes of one user may send each other signals where no namespace parts
them, and share its limits; two runs, or workers that an engine started, know nothing of each other. So the kernel keeps the
numbers: a lock on a file, which ends with the process that holds it, however it ends. Only root can give users, so only root
needs numbers.
"""

import fcntl
import os
import stat
from contextlib import suppress

from grader.sandbox.watch import SandboxError

FOLDER = "/run/grader-slots"
COUNT = 1024


class Slot:
    """A number, held until `free` or the end of this process."""

    def __init__(self, number: int, lock: int = -1) -> None:
        self.number, self._lock = number, lock

    def free(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1


def take(wished: int) -> Slot:
    """A number that no other sandbox has.

    Args:
        wished: The number to have where numbers cannot be kept: not as root, or where `/run` cannot be written.

    Raises:
        SandboxError: If all numbers are taken.
    """
    if os.geteuid() != 0 or not _has_folder():
        return Slot(wished)
    for number in range(COUNT):
        with suppress(BlockingIOError):
            return Slot(number, _locked(number))
    raise SandboxError(f"{COUNT} sandboxes run on this machine at a time: wait until some of them have ended")


def _has_folder() -> bool:
    """Whether there is a folder that root alone can write in."""
    try:
        with suppress(FileExistsError):
            os.mkdir(FOLDER, 0o700)
        found = os.lstat(FOLDER)
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022 and os.access(FOLDER, os.W_OK)
    )


def _locked(number: int) -> int:
    lock = os.open(f"{FOLDER}/{number}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
