"""Landlock: after `restrict`, this process reaches the files it was given and no others. See landlock(7)."""

import ctypes
import os
import stat
from collections.abc import Iterable

from grader.sandbox import linux

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _MAKE_CHAR, _MAKE_BLOCK = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 6, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}  # how many file rights a version knows; 16 from version 5 on


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("fd", ctypes.c_int32))


def abi() -> int:
    """The kernel's Landlock version; 0 if it has none or it is switched off."""
    if not linux.IS_LINUX:
        return 0
    try:
        return linux.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except OSError:
        return 0


def ruleset(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Prepare the rules.

    Args:
        readable: Files and folders to read from; what does not exist is passed over.
        writable: Folders to write in; nothing there can be executed.

    Returns:
        A descriptor for `restrict`.
    """
    version = abi()
    every_right = (1 << _RIGHTS_BY_ABI.get(version, 16)) - 1
    # Version 4 adds TCP bind and connect, version 6 abstract sockets and signals to processes outside.
    rules = _Ruleset(every_right, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    fd = linux.syscall(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    for path in readable:
        _allow(fd, path, _READ_FILE | _READ_DIR | _EXECUTE)  # executing is seccomp's to forbid; libraries are mapped
    for path in writable:
        _allow(fd, path, every_right & ~(_EXECUTE | _MAKE_CHAR | _MAKE_BLOCK))
    return fd


def _allow(ruleset_fd: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _FILE_RIGHTS
        rule = _PathRule(rights, fd)
        linux.syscall(_ADD_RULE, ctypes.c_int(ruleset_fd), ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(fd)


def restrict(ruleset_fd: int) -> None:
    """Confine this process for good (it must have given up new privileges)."""
    linux.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset_fd), ctypes.c_uint32(0))
