"""Cells that are the notebook's own and unchanged: set-up, imports, tests. A printed page need not show their code again.

The builder writes a digest of such a cell into its metadata. A cell whose text is another, or that carries no digest, is taken for
the student's, whatever its first line says, and is shown whole.
"""

from collections.abc import Mapping
from typing import Any

from utils.notebook.by_digest import digest

KEY = "given"
_KINDS = {"# SETUP": "set-up", "# IMPORTS": "imports", "# TEST": "test"}


def marked(source: str) -> dict[str, str]:
    """The metadata of a cell of the notebook's own; empty for other cells.

    Args:
        source: The cell's text, as given out.
    """
    return {KEY: digest(_plain(source)).hex()} if _kind(source) else {}


def folded(source: str, metadata: Mapping[str, Any]) -> str:
    """What stands for a cell's code where it is folded.

    Args:
        source: The cell's text.
        metadata: The cell's metadata.

    Returns:
        A few words; empty if the cell is to be shown whole.
    """
    given = marked(source)
    if not given or metadata.get(KEY) != given[KEY]:
        return ""
    lines = _plain(source).count("\n") + 1
    return f"Code of the {_kind(source)}, folded: {lines} line{'' if lines == 1 else 's'}, as given out."


def _kind(source: str) -> str:
    first = source.split("\n", 1)[0]
    return next((kind for start, kind in _KINDS.items() if first.split(":")[0].rstrip() == start), "")


def _plain(source: str) -> str:
    """Without what editors change: spaces at the ends."""
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))
