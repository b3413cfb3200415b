"""Digits that no student trains on, and a judge of the grader's own: `references/held_out.npz` and `references/judge.npz`.

`python -m assignments.mnist_vae.make_judge` makes both from MNIST. Students get neither; the notebook's visible judge is another network, trained
on other draws.
"""

from functools import cache
from pathlib import Path

import numpy as np

_FOLDER = Path(__file__).parents[1] / "references"
HELD_OUT, JUDGE = _FOLDER / "held_out.npz", _FOLDER / "judge.npz"
SURE = 0.95  # as in the notebook


@cache
def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Images, float32, (300, 784), values in [0, 1], and their labels, int64, (300,): 30 of each class."""
    with np.load(HELD_OUT, allow_pickle=False) as file:
        return file["images"].reshape(-1, 784).astype(np.float32) / 255, file["labels"].astype(np.int64)


@cache
def _judge() -> list[tuple[np.ndarray, np.ndarray]]:
    with np.load(JUDGE, allow_pickle=False) as file:
        return [(file[f"weight{n}"].astype(np.float32), file[f"bias{n}"].astype(np.float32)) for n in range(3)]


def read(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the judge reads in images (N, 784), int64, (N,), and how sure it is, 0 to 1, (N,)."""
    x = images.astype(np.float32)
    for n, (weight, bias) in enumerate(_judge()):
        x = x @ weight.T + bias
        x = np.maximum(x, 0) if n < 2 else x
    shares = np.exp(x - x.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares.argmax(axis=1), shares.max(axis=1)
