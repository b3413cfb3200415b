"""The zygote: a process that has loaded what answers need, holds no reference, and forks one confined child for each submission.

Started as a program of its own (never forked from the grader), or forked by a `nursery`, which this program is when it is asked to
be. It never reads a submission: the grader hands it a socket, the child reads from that.

    python -m grader.sandbox.zygote '{"control": 5, "tier": "A", ...}'
    python -m grader.sandbox.zygote '{"requests": 5, "tensors": true, ...}'
"""

import gc
import json
import os
import select
import signal
import socket
import stat
import sys
import time

from grader.sandbox import landlock, late, linux, nursery
from grader.sandbox.scratch import empty
from grader.sandbox.warm_up import warm_up

_FORK_SECONDS = 30.0  # at the start
_ROOT_FILES = ("/dev/null", "/dev/urandom")


def main(settings: dict) -> None:
    """Be a zygote, or a nursery of zygotes."""
    gc.disable()  # while everything is loaded, which stays: a fifth of the time that takes
    linux.lift_soft_limits()
    late.put_off()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to handle
    if "requests" in settings:
        linux.die_with_parent()
        linux.forbid_inspection()
        requests = socket.socket(fileno=settings["requests"])
        nursery.serve(requests, settings["tensors"], lambda: _fork(0.0), be_zygote)
        os._exit(0)  # at once: taking torch down takes time
    else:
        be_zygote(settings)


def be_zygote(settings: dict) -> None:
    """Prepare, say what confines here, then fork a child for every request until the grader hangs up."""
    control = socket.socket(fileno=settings["control"])
    if linux.IS_LINUX:
        linux.die_with_parent()  # this process, which may become the keeper: else a killed grader leaves it waiting
    try:
        has_namespaces = settings["tier"] == "A" and _enter_namespaces(control)
        if linux.IS_LINUX:
            linux.die_with_parent()
        for package in settings["packages"] if _has_landlock(settings) else late.PACKAGES:
            late.load(package)  # where nothing may be written, answers cannot: it wants a folder for its cache
        warm_up(settings["assignments"])
        rules, features = _prepare(settings, has_namespaces)
    except NoProcess:
        control.sendall(b"null\n")
        return
    gc.freeze()  # what the collector does not look at is not copied for a child
    gc.enable()
    gc.set_threshold(20_000, 20, 20)  # what answers leave is little, and a process of theirs ends soon
    control.sendall(json.dumps(features).encode() + b"\n")
    if settings["once"]:
        _serve_here(control, rules)
    else:
        _fork_on_request(control, rules)


def _enter_namespaces(control: socket.socket) -> bool:
    """Move into new pid, network, ipc and mount namespaces, as their first process. False where that is refused.

    The process that stays outside only waits: when it is killed, the first process dies and all in the namespace with it.
    """
    if os.geteuid() != 0:
        return False
    try:
        linux.unshare(linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWNS)
    except OSError:
        return False
    pid = _fork()
    if pid:
        control.close()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)
    return True


def _prepare(settings: dict, has_namespaces: bool):
    """Decide and set up what confines the children."""
    from grader.sandbox import child, not_allowed, seccomp

    not_allowed.note_modules()
    scratch, readable = settings["scratch"], settings["readable"]
    address_space = _address_space()
    if has_namespaces:
        scratch = _enter_private_root(settings["root"], readable)
    uid = settings["uid"] if os.geteuid() == 0 and settings["tier"] in ("A", "B") else None
    if uid is not None:
        os.chown(scratch, uid, uid)
        os.chmod(scratch, 0o700)
        if not _can_work_as(uid, scratch):
            uid = None
            os.chown(scratch, os.geteuid(), os.getegid())  # who works there without capabilities must own it
    has_landlock = _has_landlock(settings)
    has_seccomp = settings["tier"] != "E" and seccomp.is_supported()
    if linux.IS_LINUX:
        linux.forbid_inspection()
    rules = child.Confinement(
        scratch=scratch,
        memory_bytes=address_space,
        uid=uid,
        landlock_fd=landlock.ruleset(readable, [scratch]) if has_landlock else -1,
        has_seccomp=has_seccomp,
    )
    features = {"namespaces": has_namespaces, "uid": uid is not None, "landlock": has_landlock, "seccomp": has_seccomp}
    features["is_root"] = uid is None and os.geteuid() == 0
    return rules, features


def _has_landlock(settings: dict) -> bool:
    return settings["tier"] in ("A", "B", "C") and not settings["without_landlock"] and landlock.abi() > 0


def _address_space() -> int:
    if not linux.IS_LINUX:
        return 1 << 36
    with open("/proc/self/statm", encoding="utf-8") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _enter_private_root(root: str, readable: list[str]) -> str:
    """Make a root directory that holds what may be read and nothing else, and move there.

    Paths keep their names, so that late imports still work; their parents are made afresh and open to every user,
    which also serves interpreters installed under a closed home directory.

    Returns:
        The scratch folder, on a memory disk of its own with a cap on bytes and files.
    """
    linux.detach_mounts_from_host()
    linux.mount_tmpfs(root, "mode=0755,size=1m,nr_inodes=4096")
    for path in [*readable, *_ROOT_FILES]:
        show(path, root + path)
    scratch = "/scratch"
    os.mkdir(root + scratch)
    linux.mount_tmpfs(root + scratch, "mode=0700,size=64m,nr_inodes=1024")
    os.chroot(root)
    os.chdir("/")
    return scratch


def show(path: str, target: str) -> None:
    if os.path.lexists(target) or not os.path.lexists(path):
        return
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if stat.S_ISDIR(os.stat(path).st_mode):
        os.mkdir(target, 0o755)
    else:
        os.close(os.open(target, os.O_CREAT, 0o644))
    linux.bind_read_only(path, target)


def _can_work_as(uid: int, scratch: str) -> bool:
    """Whether the interpreter is reachable for another user: under a 0700 home, late imports would fail."""
    pid = _fork()
    if pid == 0:
        try:
            linux.drop_to(uid)
            os.chdir(scratch)
            os.stat(os.__file__)
            import utils

            os.stat(utils.__file__)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _fork_on_request(control: socket.socket, rules) -> None:
    while True:
        request, fds, _, _ = socket.recv_fds(control, 4096, 1)
        if not request or not fds:
            return
        try:
            pid = _fork(0.0)
        except NoProcess:  # nobody's fault who is graded now: the grader asks again
            os.close(fds[0])
            control.sendall(linux.NO_ROOM)
            continue
        if pid == 0:
            _become_child(socket.socket(fileno=fds[0]), json.loads(request), rules)
        os.close(fds[0])
        pidfd = os.pidfd_open(pid)
        socket.send_fds(control, [b"+"], [pidfd])
        _wait_with(control, pid, pidfd)
        _, status, used = os.wait4(pid, 0)
        empty(rules.scratch)  # if that fails, end: a new zygote gets a new folder
        report = {
            "exit": os.waitstatus_to_exitcode(status),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 4),
            "peak_mib": used.ru_maxrss // 1024,
        }
        control.sendall(json.dumps(report).encode() + b"\n")


def _wait_with(control: socket.socket, pid: int, pidfd: int) -> None:
    """Wait until a child ends, or who asked for it has gone: then it is nobody's."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(control, select.POLLHUP)
    if not any(fd == pidfd for fd, _ in poll.poll()):
        os.kill(pid, signal.SIGKILL)
    os.close(pidfd)


class NoProcess(RuntimeError):
    """The system has no room for another process."""


def _fork(seconds: float = _FORK_SECONDS) -> int:
    """Fork; again for a while where the system has no room.

    Raises:
        NoProcess: If it has none for so long.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return os.fork()
        except OSError as error:
            if time.monotonic() >= until:
                raise NoProcess(str(error)) from None
            time.sleep(0.02)


def _become_child(channel: socket.socket, request: dict, rules) -> None:
    from grader.sandbox import child

    try:
        confined = child.confine(channel, request, rules)
    except BaseException:
        os._exit(99)  # no student code has run; the grader reports it as its own fault
    try:
        child.serve(confined)
    except BaseException:
        os._exit(98)
    os._exit(0)


def _serve_here(control: socket.socket, rules) -> None:
    """Where forking a process with torch in it is unsafe (macOS): this process serves one submission and ends."""
    request, fds, _, _ = socket.recv_fds(control, 4096, 1)
    if request and fds:
        _become_child(socket.socket(fileno=fds[0]), json.loads(request), rules)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
