"""The Linux calls the sandbox needs and Python does not offer: prctl, unshare, mounts, dropping to another user."""

import ctypes
import os
import platform
import resource
import sys
from contextlib import suppress

NO_ROOM = b"-"  # the zygote's answer to a request where the system has no room for another process
IS_LINUX = sys.platform == "linux"
ARCHITECTURE = platform.machine()

NEWNS, NEWPID, NEWNET, NEWIPC = 0x00020000, 0x20000000, 0x40000000, 0x08000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True) if IS_LINUX else None
if _libc is not None:
    _libc.syscall.restype = ctypes.c_long


def check(result: int) -> int:
    """Turn a C call's negative result into an OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def syscall(number: int, *args: object) -> int:
    """A raw system call.

    Raises:
        OSError: With the call's errno.
    """
    assert _libc is not None
    return check(_libc.syscall(ctypes.c_long(number), *args))


def prctl(option: int, value: int = 0, pointer: object = 0) -> None:
    assert _libc is not None
    second = ctypes.c_ulong(pointer) if isinstance(pointer, int) else pointer
    check(_libc.prctl(option, ctypes.c_ulong(value), second, ctypes.c_ulong(0), ctypes.c_ulong(0)))


def die_with_parent() -> None:
    prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def forbid_inspection() -> None:
    """No other process of the same user may attach to this one or read its memory."""
    prctl(_PR_SET_DUMPABLE, 0)


def forbid_new_privileges() -> None:
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def unshare(flags: int) -> None:
    """Leave the namespaces named by the flags for new ones.

    Raises:
        OSError: If this machine or container does not allow it.
    """
    assert _libc is not None
    check(_libc.unshare(ctypes.c_int(flags)))


def drop_to(uid: int) -> None:
    """Become an unprivileged user for good."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities() -> None:
    """Give up all that the superuser may do beyond its own files, for good: nothing can be executed to get it back."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    syscall(_CAPSET[ARCHITECTURE], ctypes.byref(header), ctypes.byref(none))


def limit(
    cpu_seconds: int, memory_bytes: int, file_bytes: int = 16 * 2**20, files: int = 64, threads: int = 64
) -> None:
    """Set the resource limits of this process; none can be raised again.

    Args:
        cpu_seconds: CPU time of the whole process.
        memory_bytes: Address space (RLIMIT_AS: a shared mapping escapes RLIMIT_DATA).
        file_bytes: Largest file.
        files: Open descriptors.
        threads: Tasks of this user, beside those it has already. Not enforced for root.
    """
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(what, (allowed, allowed))
        except (ValueError, OSError):
            if IS_LINUX:  # macOS refuses some limits; its tier says that they are not there
                raise
    if IS_LINUX:
        # Counted per user: a user of the sandbox's own has none beside this one, an ordinary user what runs already.
        tasks = threads if os.geteuid() == 0 else threads + tasks_of(os.getuid())
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        tasks = tasks if hard == resource.RLIM_INFINITY else min(tasks, hard)
        resource.setrlimit(resource.RLIMIT_NPROC, (tasks, tasks))
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))


def tasks_of(uid: int) -> int:
    """Processes and threads of a user, as far as they can be seen."""
    found = 0
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid in (uid, 0):
                with open(f"/proc/{entry.name}/status", encoding="ascii", errors="replace") as status:
                    facts = dict(line.split(":", 1) for line in status if line.startswith(("Uid:", "Threads:")))
                found += int(facts["Threads"]) if int(facts["Uid"].split()[0]) == uid else 0
    return found


def lift_soft_limits() -> None:
    """What the grader has set for its own work is not meant for a sandbox, which sets its own."""
    if IS_LINUX:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def mount_tmpfs(target: str, options: str) -> None:
    _mount("tmpfs", target, "tmpfs", _MS_NOSUID | _MS_NODEV, options)


def bind_read_only(source: str, target: str) -> None:
    """Show a file or folder at another place, not writable. Devices stay devices: /dev/null is one."""
    _mount(source, target, None, _MS_BIND | _MS_REC, None)
    _mount(None, target, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID, None)


def detach_mounts_from_host() -> None:
    """Mounts made from here on stay in this namespace."""
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE, None)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None) -> None:
    assert _libc is not None
    texts = [text.encode() if text is not None else None for text in (source, target, kind)]
    check(_libc.mount(*texts, ctypes.c_ulong(flags), options.encode() if options is not None else None))
