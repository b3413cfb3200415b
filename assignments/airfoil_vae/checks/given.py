"""What a model is trained on when the grader trains it: the data with some profiles kept back, and all bent alike.

Both are drawn from the files handed in and the course's secret. A decoder that brings its wings along, typed in as weights or looked up, draws
those of the published data and is as far off as the bend; one that knows the training profiles alone cannot make those that were kept
back. To training it is all the same: a bend is one bias, and the measures are taken when it is out again.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from utils.datasets.airfoils import AirfoilDataset

from .rebuilt import LATENT

N_SAMPLES = 24
N_KEPT_BACK = 150
BEND = 0.08  # mean height of the bend
_WAVES = 3
_AWAY = 0.05  # how far real wings have to be from each other's when one of them is bent so


@dataclass(frozen=True)
class Given:
    """One draw: float64 heights, but for the profiles to train on.

    Attributes:
        bend: What is added to every profile, the same on both surfaces, shape (200,).
        profiles: To train on, bent, float32, shape (N, 200).
        kept: The same without the bend, shape (N, 200).
        kept_back: Not trained on, without the bend, shape (150, 200).
        codes: To be decoded, shape (24, 10).
    """

    bend: np.ndarray
    profiles: np.ndarray
    kept: np.ndarray
    kept_back: np.ndarray
    codes: np.ndarray


def given(files: dict[str, bytes], secret: bytes) -> Given:
    """The draw of these configurations: the same for the same files, course and secret."""
    dataset = AirfoilDataset()
    text = b"".join(name.encode() + b"\n" + data + b"\n" for name, data in sorted(files.items()))
    seed = hashlib.blake2b(text, key=hashlib.blake2b(b"wings" + secret).digest()).digest()[:8]
    rng = np.random.default_rng(int.from_bytes(seed, "big"))
    x = dataset.get_x().astype(np.float64)
    bend = _bend(rng, x, dataset.profiles)
    back = rng.permutation(len(dataset))[:N_KEPT_BACK]
    kept = np.delete(dataset.profiles, back, axis=0).astype(np.float64)
    codes = rng.normal(size=(N_SAMPLES, LATENT))
    return Given(bend, (kept + bend).astype(np.float32), kept, dataset.profiles[back].astype(np.float64), codes)


def _bend(rng: np.random.Generator, x: np.ndarray, profiles: np.ndarray) -> np.ndarray:
    """A bend that no real wings differ by."""
    some = profiles[rng.permutation(len(profiles))[:N_SAMPLES]]
    while True:
        waves = sum(rng.normal() * np.sin((wave + 1) * np.pi * x) for wave in range(_WAVES))
        bend = BEND * waves / np.abs(waves).mean()
        if np.mean([np.abs(profiles - wing - bend).mean(axis=1).min() for wing in some]) > _AWAY:
            return bend
