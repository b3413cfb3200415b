"""Training that survives an interrupted kernel: what was reached is on disk, and a second run goes on from there.

A checkpoint holds everything that decides how training goes on: networks, optimizers with their moments, trackers, and
the state of every random generator. On a CPU an interrupted and resumed run ends with the same weights as one that was
left alone.
"""

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch import Tensor

_SCHEMA = 1


class Checkpoint:
    """One file that is written after every epoch, and read when training begins.

    Args:
        path: The file; its folder is made when needed.
        settings: What must be the same for going on to make sense, such as data="CIFAR-10", batch_size=128. A file
            written with other settings is set aside, and training starts from the beginning.
    """

    def __init__(self, path: str | os.PathLike, **settings: str | int | float) -> None:
        self.path = Path(path)
        self.settings = settings

    def save(self, trained: object, epoch: int) -> None:
        """Write the state of everything `trained` has: its attributes with a state, and its tensors.

        The file is complete or is not there: it is written beside the old one, then takes its place.

        Args:
            trained: For example a DCGAN, with networks and optimizers as attributes.
            epoch: How many epochs are done.
        """
        content = {
            "schema": _SCHEMA,
            "epoch": epoch,
            "settings": self.settings,
            "parts": {name: _get_state(part) for name, part in _parts(trained)},
            "random": _get_random_state(),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(self.path.name + ".unfinished")
        torch.save(content, unfinished)
        os.replace(unfinished, self.path)

    def resume(self, trained: object) -> int:
        """Bring `trained` and the random generators to where the file left them, and say so in one line.

        Args:
            trained: As for `save`, freshly made.

        Returns:
            How many epochs are done; 0 when there is no file, or one that does not fit.
        """
        if not self.path.is_file():
            return 0
        parts = dict(_parts(trained))
        content, problem = self._read(parts)
        if problem:
            aside = self.path.with_name(self.path.name + ".old")
            os.replace(self.path, aside)
            print(f"{self.path}: {problem}; it is kept as {aside.name}, and training starts from the beginning.")
            return 0
        for name, part in parts.items():
            _set_state(part, content["parts"][name])
        _set_random_state(content["random"])
        print(f"{self.path}: going on after epoch {content['epoch']}. To start afresh, delete this file.")
        return content["epoch"]

    def _read(self, parts: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The file's content, or what is wrong with it, before anything is changed."""
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception:  # bytes that are no checkpoint can make the reader raise anything
            return {}, "this checkpoint cannot be read"
        if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
            return {}, "this file is no checkpoint of this version"
        old = content["settings"]
        changed = [key for key in sorted(old.keys() | self.settings.keys()) if old.get(key) != self.settings.get(key)]
        if changed:
            return {}, f"this checkpoint was made with another {' and another '.join(changed)}"
        if _shapes(content["parts"]) != _shapes({name: _get_state(part) for name, part in parts.items()}):
            return {}, "this checkpoint is of other networks"
        return content, ""


def code_digest(owner: type, *names: str) -> str:
    """A short name for what methods do, which changes when their code does.

    A checkpoint that was trained by a wrong step must not go on under the mended one: give this as one of its settings.

    Args:
        owner: A class.
        names: Methods written in Python; a name that the class does not have is passed over.

    Returns:
        12 hexadecimal digits. Comments and line numbers do not count.
    """
    digest = hashlib.sha256()
    for function in [getattr(owner, name) for name in names if hasattr(owner, name)]:
        for code in _codes(function.__code__):
            digest.update(repr((code.co_code, code.co_names, code.co_varnames, _constants(code))).encode())
    return digest.hexdigest()[:12]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _codes(value)


def _constants(code: CodeType) -> list[str]:
    plain = [value for value in code.co_consts if not isinstance(value, CodeType)]
    return [repr(sorted(value, key=repr) if isinstance(value, frozenset) else value) for value in plain]


def _parts(trained: object) -> list[tuple[str, Any]]:
    """The attributes with a state, by name. Losses have one as well: an empty one."""
    return [
        (name, part)
        for name, part in sorted(vars(trained).items())
        if isinstance(part, Tensor) or (hasattr(part, "state_dict") and hasattr(part, "load_state_dict"))
    ]


def _get_state(part: Any) -> Any:
    return part.detach() if isinstance(part, Tensor) else part.state_dict()


def _set_state(part: Any, state: Any) -> None:
    if isinstance(part, Tensor):
        with torch.no_grad():
            part.copy_(state)
    else:
        part.load_state_dict(state)


def _shapes(parts: dict[str, Any]) -> dict[str, Any]:
    """What must agree: the parts' names, and the names and shapes of the weights (not of an optimizer's moments)."""
    return {
        name: tuple(state.shape)
        if isinstance(state, Tensor)
        else {key: tuple(value.shape) for key, value in state.items() if isinstance(value, Tensor)}
        for name, state in parts.items()
    }


def _get_random_state() -> dict[str, Any]:
    numpy_state = np.random.get_state(legacy=False)
    numpy_state["state"]["key"] = numpy_state["state"]["key"].tolist()  # plain numbers: read back without running code
    return {
        "python": random.getstate(),
        "numpy": numpy_state,
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "mps": [torch.mps.get_rng_state()] if torch.backends.mps.is_available() else [],
    }


def _set_random_state(state: dict[str, Any]) -> None:
    random.setstate(state["python"])
    numpy_state = state["numpy"]
    numpy_state["state"]["key"] = np.array(numpy_state["state"]["key"], dtype=np.uint32)
    np.random.set_state(numpy_state)
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():  # otherwise it was another machine: nothing to restore
        torch.cuda.set_rng_state_all(state["cuda"])
    if state["mps"] and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"][0])
