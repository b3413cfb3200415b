"""The same verdicts with every version that is promised: the oldest and newest torch and numpy, and each Python.

    python -m tests.versions [NAME ...] [--folder DIR]

makes an environment for each of `VERSIONS` (with uv, from the package index: some gigabytes each, most of them shared), has
`tests.verdicts` grade everything in it, and compares that with what the interpreter at hand says. It also asks the index where
the pins have wheels. It writes docs/versions.md, and ends with 1 if anything differs. What lies in DIR is not made again.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.places import PROJECT
from tests.verdicts import Verdicts, differences

PAGE = PROJECT / "docs" / "versions.md"
_INSTALLED = ".installed"
UV = "uv==0.13.8"
_SHOW = """
import json, sys, torch, torchvision, numpy
print(json.dumps([sys.version.split()[0], *(package.__version__ for package in (torch, torchvision, numpy))]))
"""


@dataclass(frozen=True)
class Versions:
    """An environment: a Python, and what is installed instead of the pinned version."""

    name: str
    python: str
    instead: tuple[tuple[str, str], ...] = ()


VERSIONS = (
    Versions("oldest", "3.10", (("torch", "2.2.0"), ("torchvision", "0.17.0"), ("numpy", "1.26.4"))),
    Versions("newest", "3.13", (("torch", "2.14.1"), ("torchvision", "0.29.1"), ("numpy", "2.4.6"))),
    Versions("pinned-3.13", "3.13"),
    Versions("pinned-3.10", "3.10"),
    Versions("pinned-3.12", "3.12"),
    Versions("pinned-3.11", "3.11"),
    Versions("between", "3.12", (("torch", "2.6.0"), ("torchvision", "0.21.0"), ("numpy", "2.0.2"))),
)
# Asked for wheels only: no Python of theirs could be run where this was written.
PLATFORMS = {
    "Linux x86-64": "x86_64-unknown-linux-gnu",
    "Linux arm64": "aarch64-unknown-linux-gnu",
    "macOS 14, Apple silicon": "aarch64-apple-darwin",
    "macOS, Intel": "x86_64-apple-darwin",
    "Windows x86-64": "windows",
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")


@dataclass(frozen=True)
class Tried:
    """What came of an environment: the versions in it, and what differs; or why it could not be tried."""

    asked: Versions
    shown: tuple[str, ...] = ()
    n_verdicts: int = 0
    differing: tuple[str, ...] = ()
    why_not: str = ""


def try_versions(asked: Versions, folder: Path, here: Verdicts) -> Tried:
    """Grade everything in an environment of its own.

    Args:
        asked: What is to be in it.
        folder: Where environments and verdicts are kept.
        here: The verdicts to compare with.
    """
    python = folder / asked.name / "bin" / "python"
    kept = folder / f"{asked.name}.json"
    try:
        if not (folder / asked.name / _INSTALLED).exists():
            _install(asked, folder)
        if not kept.exists():
            _run([str(python), "-m", "tests.verdicts", "--out", str(kept)])
        shown = json.loads(_run([str(python), "-W", "ignore", "-c", _SHOW]))
    except (FileNotFoundError, RuntimeError) as error:
        return Tried(asked, why_not=str(error))
    there = json.loads(kept.read_text(encoding="utf-8"))
    return Tried(asked, tuple(shown), sum(map(len, there.values())), tuple(differences(here, there)))


def _install(asked: Versions, folder: Path) -> None:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.partition("==")[0] not in dict(asked.instead)]
    wanted += [f"{package}=={version}" for package, version in asked.instead]
    requirements = folder / f"{asked.name}.txt"
    requirements.write_text("\n".join(wanted), encoding="utf-8")
    _uv(folder, "venv", "--quiet", "--clear", "--python", _interpreter(asked.python), str(folder / asked.name))
    python = str(folder / asked.name / "bin" / "python")
    _uv(folder, "pip", "install", "--quiet", "--python", python, "-r", str(requirements))
    (folder / asked.name / _INSTALLED).touch()


def _interpreter(python: str) -> str:
    """One on the path, or one of pyenv's.

    Raises:
        FileNotFoundError: If there is none.
    """
    by_pyenv = sorted(Path.home().glob(f".pyenv/versions/{python}.*/bin/python3"))
    found = [str(path) for path in by_pyenv] or [path for path in [shutil.which(f"python{python}")] if path]
    if not found:
        raise FileNotFoundError(f"no Python {python} here")
    return found[-1]


def has_wheels(platform: str, python: str, folder: Path) -> str:
    """Why the pinned requirements cannot be installed without a compiler; empty if they can."""
    command = ["pip", "compile", "--quiet", "--only-binary", ":all:", "--python-platform", platform]
    try:
        _uv(folder, *command, "--python-version", python, str(PROJECT / "requirements.txt"))
    except RuntimeError as error:
        said = re.search(r"Because (\S+) has no .*?wheels", str(error))
        return f"no {said[1]}" if said else "?"
    return ""


def _uv(folder: Path, *arguments: str) -> str:
    uv = folder / "uv" / "bin" / "uv"
    if not uv.exists():
        _run([sys.executable, "-m", "venv", str(folder / "uv")])
        _run([str(folder / "uv" / "bin" / "python"), "-m", "pip", "install", "--quiet", UV])
    return _run([str(uv), *arguments, "--no-python-downloads", "--cache-dir", str(folder / "cache")])


def _run(command: list[str]) -> str:
    """What a command prints; RuntimeError with its last words if it fails."""
    settings = {"MACOSX_DEPLOYMENT_TARGET": "14.0", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | settings, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        raise RuntimeError(" ".join(done.stderr.split())[-1500:] or f"exit code {done.returncode}")
    return done.stdout


# ---------------------------------------------------------------- the page

_HEAD = """\
# Versions

*Written by `python -m tests.versions`.* In each environment every solution, every right answer written differently, every named
slip and the example class were graded; what is compared is the status of each check, its points and the slip it names.
"""
_WHEELS = """
## Where the pinned versions can be installed

Asked of the package index, not run: whether every pin and what it needs has a wheel. Where one is missing, pip would look for a
compiler or find nothing.
"""


def page(tried: list[Tried], wheels: dict[str, list[str]]) -> str:
    """The page as Markdown."""
    rows = [
        "| environment | Python | torch | torchvision | numpy | verdicts | differ |",
        "|---|---|---|---|---|---:|---:|",
    ]
    rows += [_row(one) for one in tried]
    told = [f"- {one.asked.name}: {line}" for one in tried for line in one.differing[:20]]
    table = [f"| | {' | '.join(PYTHONS)} |", f"|---{'|---' * len(PYTHONS)}|"]
    table += [f"| {name} | {' | '.join(cell or 'yes' for cell in cells)} |" for name, cells in wheels.items()]
    return "\n".join([_HEAD, *rows, *(["", *told] if told else []), _WHEELS, *table, ""])


def _row(one: Tried) -> str:
    if one.why_not:
        return f"| {one.asked.name} | {one.asked.python} | not tried: {one.why_not} | | | | |"
    return f"| {one.asked.name} | {' | '.join(one.shown)} | {one.n_verdicts} | {len(one.differing)} |"


def _here(folder: Path) -> Verdicts:
    """What the interpreter at hand says."""
    kept = folder / "here.json"
    if not kept.exists():
        _run([sys.executable, "-m", "tests.verdicts", "--out", str(kept)])
    return json.loads(kept.read_text(encoding="utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [versions.name for versions in VERSIONS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--folder", type=Path, help="where environments are kept (default: a new temporary folder)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"nothing is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    folder = options.folder or Path(tempfile.mkdtemp(prefix="versions-"))
    here, tried = _here(folder), []
    for asked in VERSIONS:
        if not options.names or asked.name in options.names:
            tried.append(try_versions(asked, folder, here))
            print("\n".join([_row(tried[-1]), *tried[-1].differing[:20]]), flush=True)
    if not options.names:
        wheels = {name: [has_wheels(tag, python, folder) for python in PYTHONS] for name, tag in PLATFORMS.items()}
        PAGE.write_text(page(tried, wheels), encoding="utf-8")
    return 1 if any(one.differing for one in tried) else 0


if __name__ == "__main__":
    sys.exit(main())
