"""Trained weights as data: one safetensors file beside a notebook, several models in it. Nothing in it is ever run or unpickled.

    03_flows.safetensors
        header: {"trained_on": "…", "stand_in": "no", "code": "{task: digest}", "files": "{name: digest}"}
        "coupling/net.0.weight"     model, slash, name in the model's state

A file comes from a stranger: it is measured before the library sees it, and its sizes before any number is read. `utils.submission.trained`
writes it.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from utils.notebook.cell_code import normalised_code
from utils.notebook.extraction import TaskSource

MAX_BYTES = 24 * 2**20
_MAX_HEADER, _MAX_TENSORS, _MAX_AXES = 100_000, 400, 5
_KINDS = {"F16": 2, "F32": 4}
_DIGITS = 16  # of a digest: it tells versions of one notebook apart
_AGAIN = "run the cell that saves what you trained once more, and hand in again"


class WeightsError(ValueError):
    """A file of weights that cannot be used; the message is a sentence for the student."""


@dataclass(frozen=True)
class Weights:
    """What a file holds.

    Attributes:
        models: By name, each model's state: float32 arrays by their names.
        trained_on: The title of the data, as the notebook says it.
        is_stand_in: Whether that was a stand-in for the data set.
        code: By task, a digest of the answer as it stood when the file was written.
        files: By name, a digest of each file that is handed in beside the notebook, as it lay there then.
    """

    models: dict[str, dict[str, np.ndarray]]
    trained_on: str = ""
    is_stand_in: bool = False
    code: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def read_weights(data: bytes, name: str = "the file of weights") -> Weights:
    """Read weights from a stranger's bytes.

    Args:
        data: The file.
        name: What the sentences call it.

    Returns:
        Finite numbers only.

    Raises:
        WeightsError: If it is no such file, too large, or holds anything else; before memory is spent on it.
    """
    header, start = _header(data, name)
    note = header.pop("__metadata__", {})
    _require(isinstance(note, dict), f"{name} has a header that is damaged: {_AGAIN}")
    _require(
        0 < len(header) <= _MAX_TENSORS, f"{name} holds {len(header)} tensors, 1 to {_MAX_TENSORS} are read: {_AGAIN}"
    )
    taken = sum(_size(key, entry, name) for key, entry in header.items())
    _require(
        taken == len(data) - start,
        f"{name} says that it holds {taken:,} bytes of numbers and has {len(data) - start:,}: {_AGAIN}",
    )
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise WeightsError(f"{name} is damaged: {_AGAIN}.") from None
    models: dict[str, dict[str, np.ndarray]] = {}
    for key, value in tensors.items():
        model, _, inner = key.partition("/")
        _require(
            bool(np.isfinite(value).all()),
            f"{name}: {_shown(key)} holds numbers that are not finite: the training diverged. Train that model again",
        )
        models.setdefault(model, {})[inner] = value.astype(np.float32)
    return Weights(
        models,
        str(note.get("trained_on", ""))[:60],
        note.get("stand_in") == "yes",
        _digests(note, "code"),
        _digests(note, "files"),
    )


def count(state: dict[str, np.ndarray]) -> int:
    """How many numbers a model's state holds."""
    return sum(value.size for value in state.values())


def code_digests(sources: Iterable[TaskSource]) -> dict[str, str]:
    """What each answer does, by task; comments and spacing do not count."""
    return {source.task: normalised_code(source.source)[:_DIGITS] for source in sources}


def file_digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """What files hold, by their names."""
    return {name: hashlib.sha256(data).hexdigest()[:_DIGITS] for name, data in files.items()}


def why_stale(
    weights: Weights, model: str, tasks: Iterable[str], now: Mapping[str, str], files: Mapping[str, bytes]
) -> str:
    """Why a model does not belong to a notebook and its files: a sentence without its point; empty if it does.

    Args:
        weights: As read.
        model: Its name.
        tasks: The answers that it is made and trained with.
        now: Their digests in the notebook.
        files: What is handed in beside the notebook, and is to be what it was trained with.
    """
    changed = [task for task in tasks if weights.code.get(task, "") != now.get(task, "")]
    if changed:
        return f"{model} was trained with another version of {' and '.join(changed)} than the notebook holds"
    other = [name for name, digest in file_digests(files).items() if weights.files.get(name, "") != digest]
    return f"{model} was trained with another {' and '.join(other)} than is handed in" if other else ""


def _header(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    """The header as plain data, and where the numbers begin."""
    _require(
        len(data) <= MAX_BYTES,
        f"{name} has more than {MAX_BYTES // 2**20} MB: save it with the notebook's own cell, and hand in again",
    )
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else 0
    _require(2 <= length <= len(data) - 8, f"{name} is no safetensors file, or cut off: {_AGAIN}")
    _require(
        length <= _MAX_HEADER, f"{name} has a header of {length:,} bytes, at most {_MAX_HEADER:,} are read: {_AGAIN}"
    )
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        header = None
    _require(isinstance(header, dict), f"{name} has a header that is damaged: {_AGAIN}")
    return header, 8 + length


def _size(key: str, entry: Any, name: str) -> int:
    """The bytes that a tensor takes, as its shape says."""
    entry = entry if isinstance(entry, dict) else {}
    shape, kind = entry.get("shape"), str(entry.get("dtype"))[:12]
    _require(kind in _KINDS, f"{name}: {_shown(key)} is of type {_shown(kind)}, float16 is expected: {_AGAIN}")
    is_shape = (
        isinstance(shape, list)
        and len(shape) <= _MAX_AXES
        and all(type(n) is int and 0 < n <= MAX_BYTES for n in shape)
    )
    _require(is_shape, f"{name}: {_shown(key)} has no shape that can be used: {_AGAIN}")
    size = _KINDS[kind]
    for n in shape:
        size = min(size * n, 2 * MAX_BYTES)
    return size


def _digests(note: dict, key: str) -> dict[str, str]:
    try:
        found = json.loads(str(note.get(key, "{}")))
    except (ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _shown(key: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in key[:60])


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise WeightsError(f"{sentence}.")
