"""The Gradescope bundle, run as the platform runs it: its folders, root without namespaces, its memory and time counted.

    python -m tests.autograder BUNDLE CASES [--cores 0.5]

CASES is a JSON file: name to the files of a submission, each as base64; BREAK names a module of ours to break. What came of
each is printed as JSON. `--cores` keeps all of it to that share of a core, as the platform does. A program of its own,
because what it gives up cannot be had back.
"""

import argparse
import base64
import compileall
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psutil

from tests.places import enter

ROOT = Path("/tmp/autograder")
SAMPLE_SECONDS = 0.2  # between two looks at the memory; a look costs about as much as a page of the class report
CPU_GROUPS = Path("/sys/fs/cgroup/cpu")  # control groups of version 1, the first place where a share of a core is set
METADATA = {
    "id": 12345,
    "created_at": "2026-03-01T10:00:00.000000-08:00",
    "assignment": {"id": 99, "course_id": 7, "title": "Notebook 1", "total_points": "35.0", "group_submission": False},
    "submission_method": "upload",
    "users": [{"email": "zoe@example.org", "id": 4711, "name": "Zoë Müller"}],
    "previous_submissions": [],
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--cores", type=float, default=0.0)
    options = parser.parse_args()
    bundle, cases = options.bundle.read_bytes(), json.loads(options.cases.read_text(encoding="utf-8"))
    with _kept_to(options.cores):
        enter("B")
        _lay_out(bundle)
        print(json.dumps({name: _run(files) for name, files in cases.items()}))


@contextlib.contextmanager
def _kept_to(cores: float) -> Iterator[None]:
    """Keep this process and all it starts to a share of a core; 0 leaves them free.

    The group's files are opened at once: where this process goes next, they have no path.

    Raises:
        OSError: If this machine lets nobody make a control group.
    """
    if not cores:
        yield
        return
    group = CPU_GROUPS / f"autograder-{os.getpid()}"
    group.mkdir()
    above = os.open(CPU_GROUPS, os.O_RDONLY)
    try:
        (group / "cpu.cfs_period_us").write_text("100000", encoding="utf-8")
        (group / "cpu.cfs_quota_us").write_text(str(round(100000 * cores)), encoding="utf-8")
        (group / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        procs = os.open("cgroup.procs", os.O_WRONLY, dir_fd=above)
        os.write(procs, str(os.getpid()).encode())
        os.rmdir(group.name, dir_fd=above)


def _lay_out(bundle: bytes) -> None:
    """The platform's folders, and what `setup.sh` makes of them."""
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        archive.extractall(ROOT / "source")
    for package in ("grader", "utils", "assignments"):
        compileall.compile_dir(ROOT / "source" / package, quiet=1)
    shutil.copy(ROOT / "source" / "run_autograder", ROOT / "run_autograder")
    (ROOT / "run_autograder").chmod(0o755)
    (ROOT / "venv").symlink_to(sys.prefix)
    ROOT.chmod(0o755)


def _run(files: dict[str, str | None]) -> dict:
    for name in ("submission", "results"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
        (ROOT / name).mkdir()
    (ROOT / "submission_metadata.json").write_text(json.dumps(METADATA), encoding="utf-8")
    breaks = base64.b64decode(files.pop("BREAK", None) or "").decode()
    for name, data in files.items():
        path = ROOT / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data or ""))
    began = time.monotonic()
    broken = ROOT / "source" / "grader" / breaks
    if breaks:
        before = broken.read_text(encoding="utf-8")
        broken.write_text("raise RuntimeError('a mistake of ours')", encoding="utf-8")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(ROOT), "HOME": "/tmp", "TMPDIR": "/tmp"}
    process = subprocess.Popen(
        ["./run_autograder"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    peak = _Peak(process.pid)
    output = process.communicate(timeout=580)[0].decode()
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    if breaks:
        broken.write_text(before, encoding="utf-8")
    return {
        "results": json.loads((ROOT / "results" / "results.json").read_text(encoding="utf-8")),
        "exit": process.returncode,
        "stdout": output,
        "peak_mib": peak.mib,
        "cpu_seconds": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
        "wall_seconds": time.monotonic() - began,
        "modes": {
            name: oct((ROOT / name).stat().st_mode & 0o777)
            for name in ("results", "source/assignments/kl_divergence/references")
        },
    }


class _Peak:
    """The largest sum of memory of a process and all below it; shared pages count once, as in the platform's limit."""

    def __init__(self, pid: int) -> None:
        self.mib = 0.0
        self._top = psutil.Process(pid)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self._top.is_running():
            total = 0
            try:
                for process in [self._top, *self._top.children(recursive=True)]:
                    total += _pss_bytes(process.pid)
            except (psutil.Error, OSError):
                continue
            self.mib = max(self.mib, total / 2**20)
            time.sleep(SAMPLE_SECONDS)


def _pss_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
