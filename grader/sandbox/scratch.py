"""The folder a student's process may write in: how full it is, and how it is emptied whatever stands there."""

import os
import secrets

MAX_BYTES = 64 * 2**20
_DEEPEST = 1000  # characters of a path


def is_full(folder: str) -> bool:
    """Whether more stands in it than a submission may write. What cannot be looked into counts as too much."""
    total, folders = 0, [folder]
    while folders:
        here = folders.pop()
        if len(here) > _DEEPEST:
            return True
        try:
            for entry in os.scandir(here):
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
