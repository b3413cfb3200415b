"""What this machine offers, for somebody who wonders why something is slow, refused or missing."""

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from grader.rubric.draws import DEFAULT_SALT, course_salt
from grader.sandbox import landlock, seccomp
from grader.sandbox.box import Box
from grader.sandbox.tiers import TIERS
from grader.sandbox.watch import SandboxError
from grader.stages.pipeline import graded_assignments
from utils.assignments import all_assignments
from utils.assignments.course import course_file

_PACKAGES = ("numpy", "nbconvert", "typst", "pypandoc-binary")  # of the bundle itself


def doctor() -> str:
    """Examine the machine.

    Returns:
        A line for each finding, ready to print.
    """
    lines = [f"Python       {platform.python_version()} at {sys.executable}"]
    declared = dict.fromkeys(package for one in all_assignments() for package in one.about.packages)
    lines += [f"{package:12} {_version(package)}" for package in dict.fromkeys((*declared, *_PACKAGES))]
    lines.append(f"device       {_device() if 'torch' in declared else f'{os.cpu_count()} CPU cores'}")
    lines += _isolation()
    lines.append(f"notebooks    {', '.join(graded_assignments()) or 'none can be graded: run `make references`'}")
    salt = (
        "set"
        if course_salt() != DEFAULT_SALT
        else f"the public default: set {course_file().secret} to a secret of your course"
    )
    lines.append(f"salt         {salt}")
    lines += _data()
    return "\n".join(lines)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing: run `make setup`"


def _device() -> str:
    from utils.training.device import Device

    return f"{Device} ({os.cpu_count()} CPU cores)"


def _isolation() -> list[str]:
    try:
        with Box([]) as box:
            tier, remark = TIERS[box.tier], box.remark
    except SandboxError as error:
        return [f"isolation    none: {error}"]
    landlock_abi = landlock.abi()
    return [
        f"isolation    tier {tier.name}: {tier.confined_by}",
        f"             not stopped: {tier.lacks}",
        *([f"             {remark}"] if remark else []),
        f"             Landlock {f'version {landlock_abi}' if landlock_abi else 'missing'}, "
        f"seccomp {'yes' if seccomp.is_supported() else 'unknown processor'}, "
        f"bubblewrap {'found' if shutil.which('bwrap') else 'not found'}",
    ]


def _data() -> list[str]:
    from utils.datasets._cache import data_dir

    folder = data_dir()
    sets = [assignment.about.data for assignment in all_assignments() if assignment.about.data]
    return [
        f"data         {data.title}: {'found' if any((folder / file).exists() for file in data.files) else data.mend}"
        for data in sets
    ]
