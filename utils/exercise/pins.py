"""The versions that this bundle was made with."""

import re
import sys
from pathlib import Path

_REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"


def pinned(*packages: str) -> str:
    """What `pip install` is to be given for some packages.

    Args:
        packages: Their names.

    Returns:
        The names, each with the version of the bundle's requirements.txt, where that is found and names it.
    """
    lines = _REQUIREMENTS.read_text(encoding="utf-8").splitlines() if _REQUIREMENTS.is_file() else []
    pins = {line.partition("==")[0]: re.split(r"[;\s]", line)[0] for line in lines if "==" in line and _is_for_us(line)}
    return " ".join(pins.get(package, package) for package in packages)


def _is_for_us(line: str) -> bool:
    """Whether a pin is meant for this Python: some are for the older ones, some for the newer."""
    limit = re.search(r'python_version (<|>=) "3\.(\d+)"', line)
    return not limit or (sys.version_info < (3, int(limit[2]))) == (limit[1] == "<")
