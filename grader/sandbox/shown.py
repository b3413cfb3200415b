"""What the zygote, and with it the code of submissions, is shown of this machine: files to read, and an environment."""

import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from grader.sandbox.failure import SandboxError
from utils.assignments import load_assignment
from utils.assignments.places import place_of, this_course

PROJECT = Path(__file__).resolve().parents[2]
# How the libraries are told to do their sums: which instructions they may use. An answer is worked out as they say.
_ARITHMETIC = (
    "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE",
)  # fmt: skip
# The C library hands freed memory back to the system at once and asks for it again: most of the system's share of a probe. A
# process that lives for a second keeps it, and takes it in large pages: each small one is a fault, and an entry that a fork copies.
# (32 MiB is the largest that glibc takes; other C libraries know none of these names.)
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
_SYSTEM_FILES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")


def readable_paths(assignments: Sequence[str]) -> list[str]:
    """What a student's process may read: the interpreter, its packages, `utils`, the probes. No reference among them.

    Args:
        assignments: Whose probes, and whose data where it is part of the course.

    Raises:
        SandboxError: If the reference values lie inside one of these folders.
    """
    paths = sysconfig.get_paths()
    python = [sys.base_prefix, sys.prefix, paths["purelib"], paths["platlib"], paths["stdlib"]]
    ours = [str(PROJECT / part) for part in ("utils", "grader/__init__.py", "grader/probe_kit")]
    places = [place_of(name) for name in assignments]
    ours += [str(place.path / "probes.py") for place in places]
    ours += [str(place_of(name).course.data(file)) for name in assignments for file in _bundled_data(name)]
    readable = [path for path in dict.fromkeys([*_SYSTEM_FILES, *python, *ours]) if os.path.lexists(path)]
    secrets = [Path(os.path.realpath(place.references)) for place in places]
    for path in readable:
        if any(secret.is_relative_to(os.path.realpath(path)) for secret in secrets):
            raise SandboxError(
                f"the reference values lie inside {path}, which the code of submissions may read: move the project elsewhere"
            )
    return readable


def _bundled_data(assignment: str) -> tuple[str, ...]:
    data = load_assignment(assignment).about.data
    return data.files if data and data.bundled else ()


def environment(folder: str) -> dict[str, str]:
    """The zygote's environment, and with it every answer's.

    Args:
        folder: Its home.
    """
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "VECLIB_MAXIMUM")}
    cache = os.path.expanduser("~/.cache/matplotlib")  # where there is no home, a name that leads nowhere
    fonts = os.environ.get("MPLCONFIGDIR", cache)  # else a second lost on every start
    return {
        **{name: os.environ[name] for name in _ARITHMETIC if name in os.environ},
        **one_thread,
        **_KEEP_MEMORY,
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": folder,
        "PYTHONPATH": str(PROJECT),
        "COURSE": str(this_course().root),
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": fonts,
    }
