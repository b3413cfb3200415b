"""A table of downloads, platform by trouble, each with what must happen: `python -m tests.downloads`.

troubles    what somebody hands in, and what they must get for it, whatever the platform
layouts     the same as each platform hands it over
rows        one download through the whole command, its filled grade file held against the truth
"""

from tests.downloads.layouts import LAYOUTS
from tests.downloads.rows import run_row
from tests.downloads.troubles import TROUBLES, applies

__all__ = ["LAYOUTS", "TROUBLES", "applies", "run_row", "table"]


def table() -> list[tuple[str, str]]:
    """Every platform with every trouble that can be had on it."""
    return [(platform, trouble) for platform in LAYOUTS for trouble in TROUBLES if applies(platform, trouble)]
