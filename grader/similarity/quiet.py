"""Quiet evidence: what a copied file brings along without anybody's looking at it.

Ids of cells, metadata that an editor leaves, outputs that came out the same. A class that shares a computer room shares much
of this, so it counts for little, and only where it is rare.
"""

import hashlib
import json
from typing import Any

_MOST = 4_000
_LONGEST = 4_000  # characters of an output that are looked at
_SHORTEST = 24  # an output that says "done" says nothing


def quiet_evidence(notebook: dict[str, Any]) -> frozenset[str]:
    """The traces in a notebook's JSON, each as "kind:value".

    Args:
        notebook: As `json.loads` gave it; anything may be missing or of another type.
    """
    found = {f"metadata:{path}={value}" for path, value in _leaves(notebook.get("metadata"), "")}
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else []:
        if not isinstance(cell, dict) or len(found) > _MOST:
            continue
        if isinstance(cell.get("id"), str):
            found.add(f"cell id:{cell['id'][:64]}")
        found |= {f"cell metadata:{path}={value}" for path, value in _leaves(cell.get("metadata"), "")}
        outputs = cell.get("outputs")
        found |= {f"output:{text}" for text in map(_output, outputs if isinstance(outputs, list) else []) if text}
    return frozenset(found)


def _leaves(value: Any, path: str, depth: int = 0) -> list[tuple[str, str]]:
    if isinstance(value, dict) and depth < 6:
        items = list(value.items())[:50]
        return [leaf for key, part in items for leaf in _leaves(part, f"{path}.{str(key)[:40]}", depth + 1)]
    if isinstance(value, list) and depth < 6:
        return [leaf for part in value[:50] for leaf in _leaves(part, path, depth + 1)]
    return [(path.strip("."), str(value)[:100])] if value not in (None, "", {}, []) else []


def _output(output: Any) -> str:
    """A digest of what an output shows, "" if that is little."""
    if not isinstance(output, dict):
        return ""
    data = output.get("data")
    shown = output.get("text") or (data.get("image/png") or data.get("text/plain") if isinstance(data, dict) else "")
    text = "".join(part for part in shown if isinstance(part, str)) if isinstance(shown, list) else shown
    if not isinstance(text, str) or len(text.strip()) < _SHORTEST:
        return ""
    return hashlib.sha256(json.dumps(text[:_LONGEST]).encode()).hexdigest()[:16]
