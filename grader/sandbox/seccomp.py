"""seccomp: system calls a student's process has no use for are refused with EPERM. See seccomp(2).

A new process is the root of most trouble (fork bombs, daemons, races at clean-up), so none can be made; threads can.
The filter is classic BPF put together by hand: a comparison a line, no compiler and no library.
"""

import ctypes
import errno
import os
import struct

from grader.sandbox import calls, linux

_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32_BIT = 0x40000000
_CLONE_NAMESPACES, _CLONE_THREAD = 0x7E020000, 0x00010000
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _FILTER_MODE = 1, 22, 2
# A descriptor's owner is sent signals by the kernel, and the owner can be any process.
_SETOWN, _SETSIG, _SETOWN_EX = 8, 10, 15
_FIOSETOWN, _SIOCSPGRP, _TIOCSTI = 0x8901, 0x8902, 0x5412
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

Instruction = tuple[int, int, int, int]
_REFUSE: Instruction = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
_PERMIT: Instruction = (_RETURN, 0, 0, _ALLOW)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def is_supported() -> bool:
    """Whether the filter knows this machine's system-call numbers."""
    return linux.IS_LINUX and linux.ARCHITECTURE in _ARCHITECTURES


def restrict(own_pid: int, may_write: bool = True) -> None:
    """Filter this process's system calls for good (it must have given up new privileges).

    Args:
        own_pid: The only process it may send signals to, itself.
        may_write: False where nothing else keeps it from changing files: then it can open none for writing.
    """
    instructions = _filter(own_pid, may_write)
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(instructions), ctypes.cast(buffer, ctypes.c_void_p))
    linux.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program))


def _filter(own_pid: int, may_write: bool) -> list[Instruction]:
    column, architecture = _ARCHITECTURES[linux.ARCHITECTURE]
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT), (_GREATER_EQUAL, 0, 1, _X32_BIT), _REFUSE,
    ]  # fmt: skip
    refused = calls.REFUSED if may_write else calls.REFUSED | calls.CHANGES_TO_FOLDERS
    for numbers in refused.values():
        program += _when(numbers[column], [_REFUSE])
    program += _when(calls.SOCKET[column], [(_RETURN, 0, 0, _ERRNO | errno.EACCES)])
    # What hides its flags behind a pointer does not exist: the C library falls back to the older call.
    for numbers in (calls.CLONE3, calls.OPENAT2):
        program += _when(numbers[column], [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)])
    program += _when(calls.CLONE[column], [
        _argument(0), (_ANY_BIT, 0, 1, _CLONE_NAMESPACES), _REFUSE, (_ANY_BIT, 1, 0, _CLONE_THREAD), _REFUSE, _PERMIT,
    ])  # fmt: skip
    for numbers in (calls.KILL, calls.TGKILL):
        program += _when(numbers[column], [_argument(0), (_EQUAL, 0, 1, own_pid), _PERMIT, _REFUSE])
    itself = [_argument(0), (_EQUAL, 1, 0, 0), (_EQUAL, 0, 1, own_pid), _PERMIT, _REFUSE]
    program += _when(calls.PRLIMIT[column], itself)
    program += _unless(calls.PRCTL[column], 0, [_PR_SET_PDEATHSIG])
    program += _unless(calls.FCNTL[column], 1, [_SETOWN, _SETSIG, _SETOWN_EX])
    program += _unless(calls.IOCTL[column], 1, [_FIOSETOWN, _SIOCSPGRP, _TIOCSTI])
    for numbers, flags_at in ((calls.OPEN, 1), (calls.OPENAT, 2)):
        program += _when(numbers[column], _opening(flags_at, may_write))
    return [*program, _PERMIT]


def _opening(flags_at: int, may_write: bool) -> list[Instruction]:
    """Emptying a file while opening it to read: Landlock sees that only since its version 3."""
    for_writing = os.O_WRONLY | os.O_RDWR
    if may_write:
        return [_argument(flags_at), (_ANY_BIT, 2, 0, for_writing), (_ANY_BIT, 0, 1, os.O_TRUNC), _REFUSE, _PERMIT]
    return [_argument(flags_at), (_ANY_BIT, 0, 1, for_writing | os.O_TRUNC | os.O_CREAT), _REFUSE, _PERMIT]


def _argument(number: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * number)  # its lower half: flags and process ids have 32 bits


def _unless(number: int | None, argument: int, refused: list[int]) -> list[Instruction]:
    tests = [line for value in refused for line in ((_EQUAL, 0, 1, value), _REFUSE)]
    return _when(number, [_argument(argument), *tests, _PERMIT])


def _when(number: int | None, body: list[Instruction]) -> list[Instruction]:
    """The body for one call; it must end in a return, since it may have loaded something else than the call's number."""
    return [] if number is None else [(_EQUAL, 0, len(body), number), *body]
