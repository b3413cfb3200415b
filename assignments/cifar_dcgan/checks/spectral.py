"""Judges of spectral norm."""

from dataclasses import replace

import numpy as np

from grader.authoring.check import Arrays, Symptom
from grader.authoring.judges import close
from grader.authoring.lines import beyond, explained, resembles, within

_CONVOLUTIONS = 3
_SLOPE_ERROR = 0.005  # what is left out of the derivative of a singular value is 0.02 of the whole and more
_OTHER_PARAMETERS = "the parameters are not those of the given layers: keep them, and normalise the convolutions"


def every_convolution(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Each convolution's largest singular value is 1, whatever its weight."""
    sigmas, changes = values["sigmas"], values["changes"][values["dims"] == 4]
    if not values["dims"].size:
        return Symptom("no weight of the network is a parameter of it: keep layers as attributes", "no_parameters")
    if sigmas.shape != (_CONVOLUTIONS,):
        return Symptom(f"the discriminator has {sigmas.size} convolutions, expected {_CONVOLUTIONS}")
    is_normalised = within(np.abs(sigmas - 1), 0.02, "singular values")
    if is_normalised and changes.shape == (_CONVOLUTIONS,) and within(changes, 1e-3, "changes of convolutions"):
        return _acting(values, reference, _CONVOLUTIONS, "convolution")
    if resembles(np.abs(values["at_start"] - 1), 0.05, "normalised_once"):
        return Symptom(
            "the weights are divided by their singular value once, at the start; after an update they no longer are: use spectral_norm",
            "normalised_once",
        )
    normalised = sum(resembles(abs(sigma - 1), 0.02, "not_every_convolution") for sigma in sigmas)
    if normalised and changes.shape == (_CONVOLUTIONS,):
        return Symptom(
            f"{normalised} of {_CONVOLUTIONS} convolutions are normalised: wrap each of them", "not_every_convolution"
        )
    if changes.size > _CONVOLUTIONS:  # a direction and a length
        return Symptom(
            "weight_norm separates length and direction; spectral_norm divides by the largest singular value",
            "weight_norm",
        )
    return Symptom(
        f"the convolutions' largest singular values are up to {sigmas.max():.3g}, expected 1: wrap each in spectral_norm",
        "no_norm",
    )


def nowhere_else(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The linear layer's weight acts in full."""
    changes = values["changes"][values["dims"] == 2]
    if changes.shape != (1,):
        return Symptom(f"the discriminator has {changes.size} linear layers, expected 1")
    if not beyond(changes[0], 1e-3, "changes of the linear layer"):
        return Symptom("the linear layer is normalised too: only the convolutions are", "linear_too")
    return _acting(values, reference, 1, "linear layer")


def _acting(values: Arrays, reference: Arrays, count: int, kind: str) -> Symptom | None:
    """The weights that act, out of ours in the layers: those of the convolutions, or of the linear layer behind them."""
    names = sorted(name for name in reference if name.startswith("weight_"))
    for name in names[:count] if count == _CONVOLUTIONS else names[-count:]:
        got, expected = values.get(name, np.empty(0)), reference[name]
        if got.shape != expected.shape or not within(np.abs(got - expected), 0.02 * np.abs(expected).max(), "acting"):
            return Symptom(f"the weights that act in a {kind} are not the layer's own, divided as they should be")
    return None


def rest(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The logits and their gradients are those of the given layers, with normalised convolutions; all of it can be trained, and is
    drawn as PyTorch draws it."""
    if not values["as_made"].all():
        return Symptom(
            "the discriminator comes in evaluation mode, or with weights that take no gradient: leave both as they are made"
        )
    if symptom := close(1e-4, 3e-5)(values, {"logits": reference["logits"]}, inputs):
        return symptom
    if symptom := close(1e-3, 3e-2)(values, {"eval_logits": reference["eval_logits"]}, inputs):
        return replace(symptom, text=f"after some passes in training mode, in evaluation mode: {symptom.text}")
    if "slopes" not in reference:  # asked with the public inputs alone
        return None
    return _slopes(values, reference) or _drawn(values, reference) or _apart(values)


def _slopes(values: Arrays, reference: Arrays) -> Symptom | None:
    """Gradients at the images and at each parameter. Of all numbers together: a unit at the kink of its activation moves single
    ones; and biases before a batch norm have none but rounding."""
    if not _is_like(values, reference, "slopes"):
        return Symptom(_OTHER_PARAMETERS)
    pairs = list(zip(*(_rows(some, "slopes") for some in (values, reference)), strict=True))
    least = 1e-5 * max(float(np.linalg.norm(expected)) for _, expected in pairs)
    for n, (got, expected) in enumerate(pairs):
        where, size = "weights of a layer" if n else "images", float(np.linalg.norm(expected))
        if size > least and not beyond(float(np.linalg.norm(got)), 0.01 * size, "no slope"):
            return Symptom(
                f"no gradient of the logits reaches the {where}: nothing is to be detached, nor computed from .data"
            )
        if not within(float(np.linalg.norm(got - expected)), _SLOPE_ERROR * size + least, "slopes"):
            return Symptom(
                f"the logits' gradient at the {where} is not that of the given layers with normalised convolutions"
            )
    return None


def _is_like(values: Arrays, reference: Arrays, name: str) -> bool:
    return values[name].shape == reference[name].shape and np.array_equal(
        values[f"{name}_sizes"], reference[f"{name}_sizes"]
    )


def _rows(values: Arrays, name: str) -> list[np.ndarray]:
    return np.split(values[name].astype(float), np.cumsum(values[f"{name}_sizes"])[:-1])


def _drawn(values: Arrays, reference: Arrays) -> Symptom | None:
    """What is not normalised begins as PyTorch draws it, anew in each object: weights and biases uniform within a bound."""
    first, again = values["first"].astype(float), values["again"].astype(float)
    if not _is_like(values, reference, "made") or not first.shape == again.shape == reference["first"].shape:
        return Symptom(_OTHER_PARAMETERS)
    for n, (got, expected) in enumerate(zip(*(_rows(some, "made") for some in (values, reference)), strict=True)):
        if np.ptp(expected) == 0 or expected.size == 1:  # scales and shifts of batch norm
            continue
        if not beyond(np.abs(first[n] - again[n]).max(), 0.01 * float(expected.std()), "objects alike"):
            return Symptom(
                "two new objects have the same weights: set no seed inside, and make the layers anew", "same_each_time"
            )
        off = abs(got.std() / expected.std() - 1)
        if not explained(off, 6 * 0.45 * np.sqrt(2 / expected.size), "spread"):
            return Symptom(
                f"some weights or biases begin with standard deviation {got.std():.2g}, PyTorch's with {expected.std():.2g}: leave them "
                "as they are made"
            )
    return None


def _apart(values: Arrays) -> Symptom | None:
    if values["is_plain_changed"].any():
        return Symptom(
            "the name Discriminator stands for the normalised network afterwards: leave the plain one as it is"
        )
    if not values["moves_along"].all():
        return Symptom(
            "a part of the network stays on the CPU when it goes to another device, with .to(device): keep tensors as parameters or "
            "buffers (register_buffer)"
        )
    return None
