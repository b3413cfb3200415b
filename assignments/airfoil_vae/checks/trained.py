"""What notebook 2's handed-in weights come to: told beside the points of `air.quality`, which the model that is trained again earns.

No points hang on them, and none could: all profiles are published, so there is none that a handed-in model has surely not seen, and principal
components typed in as weights measure as well as a trained network (docs/airfoil-quality.md). What is trained again sees profiles that nobody
could know. So the two figures stand beside each other, and a person sees where weights and configuration do not belong together.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from grader.authoring.check import Arrays
from grader.authoring.trained import Score, State

from .configs import read_configs
from .given import given
from .quality import PART, POINTS, score_made
from .rebuilt import CHUNK, decoder_of, trial_codes

CALLS = {"vae": ("air.train", "trained_vae")}
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
TOLD = {PART: ("vae",)}


def trial(model: str, files: Mapping[str, bytes] | None = None) -> Arrays:
    """What the student's own class is built with, and codes that tell one activation from another; public.

    Raises:
        ConfigError: If the configurations cannot be used.
    """
    model_config, _ = read_configs(dict(files or {}))
    return {"config": np.frombuffer(json.dumps(model_config).encode(), np.uint8), "trial_codes": trial_codes()}


def disagreement(model: str, state: State, said: Arrays) -> str:
    """Where no decoder of the exercise comes of the weights, or the student's class makes something else of them; empty where not."""
    if decoder_of(prepared(model, state, said)) is None:
        return "your decoder has other parts than linear layers with one usual activation between them, or makes something else of these weights"
    return ""


def prepared(model: str, state: State, said: Arrays) -> State:
    """The decoder's weights out of the file, in the order in which the student's class has them, and what it makes of the trial codes."""
    keys, order = list(state), np.asarray(said.get("order", np.empty(0)))
    if order.ndim != 1 or order.dtype.kind != "i" or not all(0 <= n < len(keys) for n in order.tolist()):
        return {}
    layers = [state[keys[n]] for n in order.tolist()]
    if any(layer.ndim not in (1, 2) for layer in layers):
        return {}
    shapes = np.array([[*layer.shape, 0][:2] for layer in layers], np.int64).reshape(-1, 2)
    found = {"trial": np.asarray(said.get("trial", np.empty(0))), "shapes": shapes}
    for n, layer in enumerate(layers):
        for k, start in enumerate(range(0, layer.size, CHUNK)):
            found[f"weight_{n}_{k}"] = layer.reshape(-1)[start : start + CHUNK]
    return found


def score(part: str, states: dict[str, State], secret: bytes) -> Score:
    """What is told.

    Args:
        part: A key of `TOLD`.
        states: As `prepared` makes them.
        secret: Of the course.
    """
    decode = decoder_of(states["vae"])
    assert decode is not None  # `disagreement` has seen it
    drawn = replace(given({}, secret), bend=np.zeros(200))
    made = score_made(decode, drawn)
    text = (
        f"as handed in, your weights would be worth {made.points:g} of {POINTS:g} points, {made.text}: {made.quality}"
    )
    return Score(None, POINTS, f"{text}. The points are those of the model that is trained again")
