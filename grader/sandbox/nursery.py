"""The nursery: a process that has loaded torch, from which the zygotes of all sandboxes of a run are forked.

A zygote of its own costs every worker what `import torch` does. The nursery is a program of its own too (started by
`zygotes.Nursery`, never forked from the grader), holds no reference and reads no submission; what it forks becomes a zygote and
moves into namespaces and a root directory of its own before it forks a child. No zygote has the way to another or to the nursery: a
request brings a channel that only who asked holds the other end of.

It ends when all who could ask have gone, and whatever it forked ends with it.
"""

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

from grader.sandbox import linux
from grader.sandbox.warm_up import warm_up, warm_up_torch

MOST_BYTES = 1 << 17  # of a request


def serve(requests: socket.socket, tensors: bool, fork: Callable[[], int], become: Callable[[dict], None]) -> None:
    """Load, then fork a zygote for every request until nobody can ask any more.

    Args:
        requests: Each message is one request: JSON, with the zygote's end of a channel and a pipe for its last words; or
            without them, to load more while nobody waits.
        tensors: Whether to load torch now; else the first zygote that needs it loads it for itself.
        fork: Forks; raises an exception where the system has no room.
        become: Makes a process a zygote, of `settings`; does not return.
    """
    if tensors:
        warm_up_torch()
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        request, fds, _, _ = socket.recv_fds(requests, MOST_BYTES, 2)
        if not request:
            return _wait_for_all()
        if len(fds) == 2:
            _fork_zygote(json.loads(request), fds, requests, (fork, become))
        else:
            _load(json.loads(request))
        for fd in fds:
            os.close(fd)


def _load(assignments: list[str]) -> None:
    """Load assignments: all zygotes then have them. What does not load is the zygote's to say that needs it."""
    with suppress(Exception, SystemExit):
        warm_up(assignments)


def _fork_zygote(
    settings: dict, fds: list[int], requests: socket.socket, ways: tuple[Callable[[], int], Callable[[dict], None]]
) -> None:
    fork, become = ways
    try:
        pid = fork()
    except Exception:  # nobody's fault: who asked asks again
        with socket.socket(fileno=os.dup(fds[0])) as channel, suppress(OSError):
            channel.sendall(linux.NO_ROOM)
        return
    if pid:
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        requests.close()
        os.dup2(fds[1], 2)
        os.close(fds[1])
        os.environ["HOME"] = settings["home"]
        with socket.socket(fileno=os.dup(fds[0])) as channel:
            handle = os.pidfd_open(os.getpid())
            socket.send_fds(channel, [b"+"], [handle])
            os.close(handle)
        become(settings | {"control": fds[0]})
        os._exit(0)
    except SystemExit as error:  # with the sentence that says what does not load
        os.write(2, str(error.code).encode())
        os._exit(1)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}".encode())
        os._exit(1)


def _wait_for_all() -> None:
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _reap(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
