"""Places to run a grader in that are weaker than this machine: a container without namespaces, an ordinary user.

The interpreter or the project may lie in a folder that only root can enter, as under a home directory or a temporary
one. So root first moves into a private root directory that shows them with their paths, parents made afresh.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from grader.sandbox import landlock, linux
from grader.sandbox.shown import readable_paths
from grader.sandbox.zygote import show
from grader.stages.pipeline import graded_assignments
from utils.assignments.places import this_course

PROJECT = Path(__file__).resolve().parents[1]
ORDINARY_UID = 60999
# Those a container has by default: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
# net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap. Not among them: sys_admin, which unshare needs.
_CONTAINER = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
_PR_CAPBSET_DROP, _LAST_CAPABILITY = 24, 40
# What the scripts for Gradescope close where the kernel cannot, and what their bundle does not hold.
_CLOSED = ("assignments", "tests")
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc", "/proc", "/dev/null", "/dev/urandom")


def why_not(tier: str) -> str:
    """Why this process cannot reach a place of this tier; empty if it can."""
    if not linux.IS_LINUX:
        return "the tiers above E need Linux"
    if tier in ("A", "B", "B-") and os.geteuid() != 0:
        return f"tier {tier} needs root"
    if tier in ("A", "B", "C") and not landlock.abi():
        return "this kernel has no Landlock"
    if os.geteuid() == 0 and not _can_unshare():
        return "root without namespaces cannot make a private root directory"
    return ""


def _can_unshare() -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            linux.unshare(linux.NEWNS | linux.NEWPID)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def enter(tier: str) -> None:
    """Make this process one that can reach the given tier and no better one. There is no way back."""
    if tier == "A" or os.geteuid() != 0:
        return
    _enter_private_root(_CLOSED if tier == "B-" else ())
    if tier in ("B", "B-"):
        for capability in set(range(_LAST_CAPABILITY + 1)) - _CONTAINER:
            linux.prctl(_PR_CAPBSET_DROP, capability)
    else:
        linux.drop_to(ORDINARY_UID)
        linux.prctl(4, 1)  # changing the user made this process one that may not look at itself in /proc


def _enter_private_root(closed: tuple[str, ...] = ()) -> None:
    root = tempfile.mkdtemp(prefix="place-")
    linux.unshare(linux.NEWNS)
    linux.detach_mounts_from_host()
    linux.mount_tmpfs(root, "mode=0755,size=16m")
    # Before the project is shown: it may lie below one of these.
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        os.makedirs(root + folder, exist_ok=True)
        linux.mount_tmpfs(root + folder, "mode=1777,size=2g")
    course = this_course().root
    paths = [*_SYSTEM, str(PROJECT), str(course), sys.base_prefix, sys.prefix, *readable_paths(graded_assignments())]
    for path in dict.fromkeys([*paths, *(os.path.realpath(path) for path in paths)]):
        show(path, root + path)
    own = [course / "assignments"] if closed and course != PROJECT else []
    for part in [*(PROJECT / name for name in closed), *own]:  # a copy of its own: the modes of the project itself stay
        folder = root + str(part)
        linux.mount_tmpfs(folder, "mode=0700,size=64m")
        shutil.copytree(part, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        os.chmod(folder, 0o700)
    os.chroot(root)
    os.chdir(str(PROJECT))
    os.environ.update(TMPDIR="/tmp", HOME="/tmp")
