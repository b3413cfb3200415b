"""The gradients of a GAN's two losses, and those of the usual slips, through the probe's two plain networks.

The discriminator's logit of an image is weight * pixel + offset, the generator's pixel 0.5 + scale * z[0] + shift, so that
every gradient follows from the pixels shown, the first numbers of the codes, and the four parameters.
"""

import numpy as np

from .trace import Batch

Slips = dict[str, tuple[np.ndarray, str]]  # by name: the gradient it leaves, and what to say


def discriminator_gradients(
    real: np.ndarray, fake: np.ndarray, weight: float, offset: float
) -> tuple[np.ndarray, Slips]:
    """The right gradient, with respect to weight and offset, and those of the usual slips by name."""
    right, wrong = (
        [_slope(pixels, label, weight, offset) for pixels, label in zip((real, fake), labels, strict=True)]
        for labels in ((1, 0), (0, 1))
    )
    on_real, on_fake = right
    slips = {
        "labels_swapped": (wrong[0] + wrong[1], "the labels are the wrong way round: real is 1, fake is 0"),
        "fakes_labelled_real": (on_real + wrong[1], "the fakes are labelled real: to the discriminator they are 0"),
        "mean_of_both": ((on_real + on_fake) / 2, "the two losses are averaged: take their sum"),
        "real_only": (on_real, "only the real batch counts: add the loss on the fakes"),
        "fake_only": (on_fake, "only the fakes count: add the loss on the real batch"),
        "ascends": (
            -(on_real + on_fake),
            "the discriminator climbs its loss: backward() of the loss itself, not of its negative",
        ),
        "sum_for_mean": (len(real) * (on_real + on_fake), "the losses are sums over the batch: take means"),
        "sigmoid_twice": (
            _slope(real, 1, weight, offset, twice=True) + _slope(fake, 0, weight, offset, twice=True),
            "a sigmoid comes before a loss that has its own",
        ),
    }
    return on_real + on_fake, slips


def generator_gradients(batch: Batch, weight: float, offset: float) -> tuple[np.ndarray, Slips]:
    """The right gradient, with respect to scale and shift, and those of the usual slips by name."""
    first, n = batch.codes[:, 0].astype(float), len(batch.pixels)
    inner = np.stack([first, np.ones(n)])  # of a pixel with respect to scale and shift

    def slope(label: int, twice: bool = False) -> np.ndarray:
        return inner @ (weight * _residual(batch.pixels, label, weight, offset, twice)) / n

    slips = {
        "fakes_labelled_fake": (slope(0), "its fakes are labelled fake: here the label is real, 1"),
        "saturating": (
            -slope(0),
            "it climbs the loss with the label fake, which saturates: descend the loss with the label real",
        ),
        "ascends": (-slope(1), "it climbs its loss: backward() of the loss itself, not of its negative"),
        "no_gradient": (0 * slope(1), "no gradient reaches it: do not detach the fakes here"),
        "sum_for_mean": (n * slope(1), "the loss is a sum over the batch: take the mean"),
        "sigmoid_twice": (slope(1, twice=True), "a sigmoid comes before a loss that has its own"),
    }
    return slope(1), slips


def _residual(pixels: np.ndarray, label: int, weight: float, offset: float, twice: bool = False) -> np.ndarray:
    """The derivative of an image's binary cross-entropy with respect to its logit."""
    p = _sigmoid(weight * pixels + offset)
    return (_sigmoid(p) - label) * p * (1 - p) if twice else p - label


def _slope(pixels: np.ndarray, label: int, weight: float, offset: float, twice: bool = False) -> np.ndarray:
    residual = _residual(pixels, label, weight, offset, twice)
    return np.array([(residual * pixels).mean(), residual.mean()])


def bce(pixels: np.ndarray, label: int, weight: float, offset: float) -> float:
    """The discriminator's loss on a batch with one label, in nats."""
    logits = weight * pixels + offset
    return float((np.logaddexp(0, logits) - label * logits).mean())


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
