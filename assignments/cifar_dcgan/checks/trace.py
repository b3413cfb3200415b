"""What was seen of a GAN's training, as records: the batches the discriminator was shown, the updates and gradients.

The pixels that the discriminator was shown tell the given images from those the generator has made.
"""

from dataclasses import dataclass

import numpy as np

from grader.authoring.check import Arrays
from grader.authoring.lines import within

CORNER = 0.01  # by which one corner of each given image is lighter than its opposite


@dataclass(frozen=True)
class Batch:
    """What the discriminator was shown in one call: pixels, and the codes of those the generator made."""

    kind: str  # real, fake, mixed, or other: pixels that are neither
    pixels: np.ndarray
    codes: np.ndarray


@dataclass(frozen=True)
class Update:
    """One optimizer step, and the batches the discriminator was shown since the last one."""

    whose: int
    batches: list[Batch]
    before: np.ndarray
    gradient: np.ndarray
    left: np.ndarray  # the gradients at the last update
    after: np.ndarray

    @property
    def kinds(self) -> list[str]:
        return [batch.kind for batch in self.batches]


def read_updates(values: Arrays, inputs: Arrays) -> list[Update]:
    """The updates in their order.

    Raises:
        ValueError: If the arrays do not belong together.
    """
    batches = read_batches(values, inputs)
    calls, whose = _row(values["shown_after"]).tolist(), _row(values["updates"]).tolist()
    before, gradients, after = (values[name].astype(float) for name in ("before", "gradients", "after"))
    if not len(whose) == len(before) == len(gradients) == len(after) or before.shape[1:] != (4,):
        raise ValueError("four parameters an update")
    if len(before) and not within(np.abs(before[0] - inputs["start"]), 1e-5, "start"):
        raise ValueError("the first update finds other parameters than those given")
    left = np.concatenate([np.zeros((1, 4)), gradients])
    shown: dict[int, list[Batch]] = {}
    for batch, call in zip(batches, calls, strict=True):
        shown.setdefault(call, []).append(batch)
    return [
        Update(
            whose=int(whose[n]), batches=shown.get(n, []), before=before[n], gradient=gradients[n], left=left[n], after=after[n],
        )
        for n in range(len(whose))
    ]  # fmt: skip


def read_batches(values: Arrays, inputs: Arrays) -> list[Batch]:
    """Name each batch by where its pixels come from: an image given, or one the generator has made."""
    shown, made = _row(values["shown"]).astype(np.float32), _row(values["made"])
    if values["codes"].shape[:-1] != made.shape:
        raise ValueError("a code for each image made")
    _, _, scale, shift = inputs["start"].astype(float)
    if len(made) and not within(abs(made[0] - (0.5 + scale * values["codes"][0, 0] + shift)), 1e-5, "first image"):
        raise ValueError("the first image made is not that of its code")
    given = are_given(values, inputs).tolist()
    origin = dict(zip(made.tolist(), values["codes"], strict=True))
    batches, at = [], 0
    for size in _row(values["shown_sizes"]).tolist():
        if not size >= 0:  # going back would show the same pixels again and again
            raise ValueError("a size below nothing")
        pixels = shown[at : at + size]
        kinds = {
            "real" if is_given else "fake" if pixel in origin else "other"
            for pixel, is_given in zip(pixels.tolist(), given[at : at + size], strict=True)
        }
        kind = kinds.pop() if len(kinds) == 1 else "other" if "other" in kinds else "mixed"
        codes = np.array([origin[pixel] for pixel in pixels.tolist()] if kind == "fake" else [])
        batches.append(Batch(kind, pixels.astype(float), codes))
        at += size
    return batches


def are_given(values: Arrays, inputs: Arrays) -> np.ndarray:
    """Which of the images shown are given ones: by their tone, and where the generator has made the same by chance, by their corner."""
    shown, made, rest = _row(values["shown"]).astype(np.float32), _row(values["made"]), values["shown_rest"]
    is_given = np.isin(shown, inputs["values"].astype(np.float32))
    if rest.shape != (len(shown), 5):
        return is_given
    return is_given & (~np.isin(shown, made.astype(np.float32)) | (rest[:, -1] > CORNER / 2))


def _row(values: np.ndarray) -> np.ndarray:
    """The values if they are one row, which is what takes no longer to read than to send."""
    if values.ndim != 1:
        raise ValueError("one row")
    return values
