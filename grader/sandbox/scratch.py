"""The folder a student's process may write in: how full it is, and how it is emptied whatever stands there."""

import os
import secrets

MAX_BYTES = 64 * 2**20
MAX_NAMES = 1024
_SPARE_BYTES, _SPARE_INODES = 256 * 2**20, 20_000
_DEEPEST = 1000  # characters of a path


def is_full(folder: str) -> bool:
    """Whether more stands in it than a submission may write. What cannot be looked into counts as too much."""
    total, names, folders = 0, 0, [folder]
    while folders:
        here = folders.pop()
        if len(here) > _DEEPEST:
            return True
        try:
            for entry in os.scandir(here):
                names += 1
                if names > MAX_NAMES:
                    return True
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:  # removed while we look
            continue
        except OSError:
            return True
        if total > MAX_BYTES:
            return True
    return False


class Disk:
    """The room on the disk that a scratch folder lies on. A file that was unlinked while it is open or mapped has no name to be
    found by, but the room it takes is gone."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._before = _room(folder)

    def is_too_small(self) -> bool:
        """Whether a submission could fill it."""
        return self._before[0] < _SPARE_BYTES or self._before[1] < _SPARE_INODES

    def is_shrinking(self) -> bool:
        """Whether more has gone since the beginning than a submission may write. Somebody else may be to blame."""
        now = _room(self._folder)
        return self._before[0] - now[0] > _SPARE_BYTES or self._before[1] - now[1] > _SPARE_INODES


def _room(folder: str) -> tuple[int, int]:
    """Bytes and inodes that are free; some file systems count no inodes."""
    try:
        found = os.statvfs(folder)
    except OSError:  # not to be seen from here: a memory disk of its own, with a cap
        return 1 << 62, 1 << 62
    return found.f_bavail * found.f_frsize, found.f_favail if found.f_files else 1 << 62


def empty(folder: str) -> None:
    """Leave nothing for the next submission.

    What lies in a subfolder is moved up before the subfolder is removed: no depth of nesting, length of path or closed
    mode is too much. Links are removed, never followed.

    Raises:
        OSError: If something cannot be removed.
    """
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _dissolve(entry.path, folder)
            else:
                os.unlink(entry.path)


def _dissolve(subfolder: str, folder: str) -> None:
    os.chmod(subfolder, 0o700)
    for inner in list(os.scandir(subfolder)):
        if inner.is_dir(follow_symlinks=False):
            os.chmod(inner.path, 0o700)  # moving a folder writes its entry for the folder above
            os.rename(inner.path, f"{folder}/{secrets.token_hex(16)}")
        else:
            os.unlink(inner.path)
    os.rmdir(subfolder)
