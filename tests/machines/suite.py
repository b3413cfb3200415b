"""`make test` as another machine would run it: settings of the environment, and of the zygote, for a whole test run.

    python -m tests.machines --suite "mkl avx2" "onednn avx2" misaligned

Several settings can hold at once, as long as no two set the same thing: thirteen machines cost three runs. In pytest
this module is a plugin, loaded in every worker; it puts the setting's zygote in place before the first test.
"""

import os
import subprocess
from pathlib import Path

from grader.sandbox import box
from tests.machines.settings import Setting

PROJECT = Path(__file__).parents[2]
_ZYGOTE = "TESTS_MACHINE_ZYGOTE"


def pytest_configure() -> None:
    """The zygote that the environment names starts every sandbox of this run."""
    if name := os.environ.get(_ZYGOTE):
        box.ZYGOTE = f"tests.machines.zygotes.{name}"


def together(chosen: list[Setting]) -> dict[str, str]:
    """One environment for all settings.

    Raises:
        ValueError: If two of them set the same thing otherwise; the message names both.
    """
    found: dict[str, tuple[str, str]] = {}
    for one in chosen:
        for key, value in {**one.environment, **({_ZYGOTE: one.zygote} if one.zygote else {})}.items():
            if found.get(key, (value, ""))[0] != value:
                raise ValueError(f"{found[key][1]} and {one.name} cannot hold at once: both set {key}")
            found[key] = (value, one.name)
    return {key: value for key, (value, _) in found.items()}


def run(chosen: list[Setting]) -> int:
    """Run the Makefile's test command under these settings; pytest's exit code."""
    environment = {**os.environ, **together(chosen), "PYTEST_ADDOPTS": "-p tests.machines.suite"}
    return subprocess.run(["make", "test"], cwd=PROJECT, env=environment, check=False).returncode
