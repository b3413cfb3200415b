"""The versions that this bundle was made with."""

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
    pins = {line.partition("==")[0]: line.split()[0] for line in lines if "==" in line}
    return " ".join(pins.get(package, package) for package in packages)
