"""Clocks, and the yardstick that times are compared with."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable


def seconds_of(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of an action, its ended child processes included."""
    wall, cpu = time.monotonic(), cpu_seconds()
    action()
    return time.monotonic() - wall, cpu_seconds() - cpu


def import_torch() -> None:
    """Start Python and import torch: the yardstick for everything that starts a process."""
    subprocess.run([sys.executable, "-c", "import torch"], check=True)


def cpu_seconds() -> float:
    """Of this process and of its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)
