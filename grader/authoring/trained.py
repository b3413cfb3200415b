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
from dataclasses import dataclass

import numpy as np

from grader.authoring.check import Arrays

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
