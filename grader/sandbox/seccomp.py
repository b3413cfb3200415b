"""seccomp: system calls a student's process has no use for are refused with EPERM. See seccomp(2).

A new process is the root of most trouble (fork bombs, daemons, races at clean-up), so none can be made; threads can.
The filter is classic BPF put together by hand: a comparison a line, about forty lines, no compiler and no library.
"""

import ctypes
import errno
import struct

from grader.sandbox import linux

_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_X32_BIT = 0x40000000
_CLONE_NAMESPACES, _CLONE_THREAD = 0x7E020000, 0x00010000
_PR_SET_SECCOMP, _FILTER_MODE = 22, 2

# name: (x86_64, aarch64); None where an architecture has no such call. Numbers from 424 on are the same everywhere.
_REFUSED = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    "personality": (135, 92),
    "fsopen": (430, 430),
    "move_mount": (429, 429),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "kexec_load": (246, 104),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_CLONE, _CLONE3, _SOCKET, _KILL, _TGKILL = (56, 220), (435, 435), (41, 198), (62, 129), (234, 131)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def is_supported() -> bool:
    """Whether the filter knows this machine's system-call numbers."""
    return linux.IS_LINUX and linux.ARCHITECTURE in _ARCHITECTURES


def restrict(own_pid: int) -> None:
    """Filter this process's system calls for good (it must have given up new privileges).

    Args:
        own_pid: The only process it may send signals to, itself.
    """
    instructions = _filter(own_pid)
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(instructions), ctypes.cast(buffer, ctypes.c_void_p))
    linux.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program))


def _filter(own_pid: int) -> list[tuple[int, int, int, int]]:
    column, architecture = _ARCHITECTURES[linux.ARCHITECTURE]
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT), (_GREATER_EQUAL, 0, 1, _X32_BIT), refuse,
    ]  # fmt: skip
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            program += [(_EQUAL, 0, 1, number), refuse]
    # The C library falls back from clone3, whose flags a filter cannot see, to clone when it does not exist.
    program += [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    program += _when(_CLONE[column], [
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT), (_ANY_BIT, 0, 1, _CLONE_NAMESPACES), refuse, (_ANY_BIT, 1, 0, _CLONE_THREAD), refuse, allow,
    ])  # fmt: skip
    for call in (_KILL, _TGKILL):
        program += _when(call[column], [(_LOAD, 0, 0, _FIRST_ARGUMENT_AT), (_EQUAL, 0, 1, own_pid), allow, refuse])
    program += [(_EQUAL, 0, 1, _SOCKET[column]), (_RETURN, 0, 0, _ERRNO | errno.EACCES)]
    return [*program, allow]


def _when(number: int, body: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """The body for one call; it must end in a return, since it may have loaded something else than the call's number."""
    return [(_EQUAL, 0, len(body), number), *body]
