"""What a module needs that measures handed-in weights (`[weights]` in an assignment's `about.toml`).

    CALLS: {model: (task, probe)}      after whose cell which probe builds the student's own class around the weights; none where the class is given
    PARTS: {part: models}              the shares of points, as in the reports, and the models each is measured on
    TOLD: {check: models}              where there is need: checks beside whose sentence a figure is told that moves nothing
    trial(model, files)                what the probe is given beside the weights: public inputs; `files` are those handed in beside the
                                       notebook, and `CannotTrain` says where one of them cannot be used
    disagreement(model, state, said)   "" where the probe's values are what these weights make; else what differs
    prepared(model, state, said)       where there is need: the weights as `score` takes them
    score(part, states, secret)        a `Score`, from the weights alone

The student's process says only whether its class is the network that the weights are of. What counts is worked out here, from
numbers, with codes and held-out data that it has never had. `grader.probe_kit.loaded` is the probe's side.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from grader.authoring.check import Arrays

_FACTORS = "|scale"  # as `utils.training.ours` writes it
State = dict[str, np.ndarray]  # a model's weights, float32, by their names


@dataclass(frozen=True)
class Score:
    """Points out of `most`, and the middle of a sentence that says what was measured; points None where a person has to look."""

    points: float | None
    most: float
    text: str
    figure: str = ""  # a data URI


def weights_as_inputs(state: State) -> Arrays:
    """A model's weights as a probe takes them: half precision, in pieces that the channel carries."""
    keys = list(state)
    arrays: Arrays = {"keys": np.frombuffer(json.dumps(keys).encode(), np.uint8)}
    return arrays | {f"w{n}": state[key].astype(np.float16) for n, key in enumerate(keys)}


def state_of_ours(file: Path, model: str = "") -> State:
    """A training of ours, as the bundle holds it for who cannot wait (`tools.weights`): eight bits a weight, multiplied out.

    Args:
        file: One of an assignment's `weights`.
        model: Which of the file's, where it holds several.
    """
    values = load_file(file)
    start = f"weights/{model}/"
    return {
        key.removeprefix(start): value.astype(np.float32) * values.get(f"{key}{_FACTORS}", np.float32(1))
        for key, value in values.items()
        if key.startswith(start)
        and not key.endswith(_FACTORS)
        and (value.dtype.kind == "f" or f"{key}{_FACTORS}" in values)  # counters are no weights
    }


def is_copied(state: State, ours: Path) -> bool:
    """Whether a tensor of ours is among a model's weights, number by number.

    A training with the notebook's seed ends near ours, but never on its eight bits. Tensors that we keep whole prove nothing.

    Args:
        state: As handed in.
        ours: The assignment's folder `weights`.
    """
    return any(_fingerprint(value) in _of_ours(ours) for value in state.values() if value.ndim > 1)


@cache
def _of_ours(folder: Path) -> frozenset[int]:
    return frozenset(_fingerprint(value) for file in sorted(folder.glob("*.safetensors")) for value in _coarse(file))


def _coarse(file: Path) -> Iterator[np.ndarray]:
    values = load_file(file)
    for key, factors in values.items():
        if key.endswith(_FACTORS):
            yield values[key.removesuffix(_FACTORS)].astype(np.float32) * factors


def _fingerprint(value: np.ndarray) -> int:
    return hash(value.astype(np.float16).tobytes())
