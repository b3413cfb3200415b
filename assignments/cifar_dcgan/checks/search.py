"""Judges of spectral norm, and of the search for the code behind an image."""

import numpy as np

from grader.authoring.adam import adam_path
from grader.authoring.check import Arrays, Symptom
from grader.authoring.judges import close
from grader.authoring.lines import beyond, resembles, within

from ..numbers import ADAM_BETAS, LEARNING_RATE, VIS_LEARNING_RATE

_CONVOLUTIONS = 3
_BETAS = (0.9, 0.999), ADAM_BETAS  # Adam's own; the notebook names others for the training
_PUBLISHED_STEPS = 500
_PATH_ERROR = 1e-5  # rounding of the loss leaves 1e-7, a decay of the codes 3e-5
_BOUND = 0.15  # of the loss at the start; the reference comes near 0.03


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


def reconstruction_loss(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The mean of the squared differences, over images and pixels."""
    got, off = values["value"], inputs["generated"].astype(float) - inputs["target"]
    if got.shape != ():
        return Symptom(
            f"_reconstruction_loss has shape {got.shape}, expected () (a scalar): the mean over images and pixels",
            "no_reduction",
        )
    expected = np.square(off).mean()
    if within(abs(got - expected), 1e-6 + 1e-4 * expected, "value"):
        return None
    usual = {
        "sum_for_mean": (off.size * expected, "it is a sum; take the mean over all pixels"),
        "sum_over_pixels": (
            off[0].size * expected,
            "it is summed over the pixels of an image; take their mean as well",
        ),
        "root": (np.sqrt(expected), "it is the root of the mean squared error; leave the root out"),
        "absolute_error": (np.abs(off).mean(), "it is the mean absolute difference; square the differences"),
        "half": (expected / 2, "it is half the mean squared error"),
    }
    for slip, (wrong, sentence) in usual.items():
        if resembles(abs(got - wrong), 1e-4 * wrong, slip):
            return Symptom(f"_reconstruction_loss: {sentence}", slip)
    return Symptom(f"_reconstruction_loss is off by {abs(got - expected):.2g} from the mean squared error")


def start(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The first codes tried are zeros, one for each image."""
    first = values["first"]
    if first.shape != inputs["codes"].shape:
        return Symptom(f"the codes at the start have shape {first.shape}, expected {inputs['codes'].shape}")
    if not (first == 0).all():
        slip = "random_start" if np.isfinite(first).all() and len(np.unique(first)) > 1 else ""
        return Symptom("the search does not start at zero: codes of zeros, with requires_grad=True", slip)
    painted = values["painted_first"]
    greys = inputs["greys"][:2]
    if painted.shape != first.shape or not within(
        min(np.abs(painted - grey).max() for grey in greys), 1e-5, "first images"
    ):
        return Symptom("the first images are not the generator's images of these codes")
    return None


def eval_mode(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The generator is in evaluation mode in every call."""
    modes = values["was_training"]
    if modes.size < 2:
        return Symptom(f"the generator is called {modes.size} times: one call in each step of the search")
    if modes.any():
        return Symptom(
            "the generator is in training mode: an image then depends on the whole batch, and its statistics move; call eval() first",
            "no_eval",
        )
    if not _painted(values, inputs):
        return Symptom("the images are not those of the generator in evaluation mode: call eval() before the search")
    return None


def _painted(values: Arrays, inputs: Arrays) -> bool:
    """The generator's answers to the first and the last codes are those of evaluation mode."""
    grey, _, gain = inputs["greys"].astype(float)
    pairs = [(values[name], values[f"painted_{name}"]) for name in ("first", "last")]
    return all(
        codes.shape == images.shape == inputs["codes"].shape
        and within(np.abs(images - (grey + gain * codes)), 1e-4, "painted images")
        for codes, images in pairs
    )


def unchanged(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Weights and statistics of the generator are what they were."""
    if values["moved"].item() != 0:
        if values["was_training"].any():
            return Symptom("the generator's statistics move: call eval() on it first", "no_eval")
        return Symptom("the networks' weights move: give the optimizer the codes alone", "generator_trained")
    if int(values["tried"].item()) < 2:
        return Symptom("no code but the first is tried: nothing moves", "codes_do_not_move")
    at_rest = np.array([inputs["greys"][2], 0])
    is_at_rest = values["state"].shape == (2,) and within(np.abs(values["state"] - at_rest), 1e-5, "state")
    if not is_at_rest or not _painted(values, inputs):
        return Symptom("the generator is not as it was: its weights and statistics stay")
    if not beyond(np.abs(values["last"].astype(float) - values["first"]).max(), 1e-3, "way of the codes"):
        return Symptom("no code but the first is tried: nothing moves", "codes_do_not_move")
    return None


def search(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """VIS_STEPS steps of Adam with the class's rate, which bring the images close."""
    steps, tried = int(inputs["steps"]), int(values["tried"].item())
    if tried < 2:
        return Symptom("no code but the first is tried: nothing moves", "codes_do_not_move")
    path = values["path"].astype(float)
    length = float(np.abs(path[1] - path[0]).max())
    if not within(
        abs(length - VIS_LEARNING_RATE), 0.02 * VIS_LEARNING_RATE, "first step"
    ):  # Adam's first step is the rate, whatever the gradient
        rate = f"the first step moves a code by {length:.2g}, Adam with VIS_LEARNING_RATE by {VIS_LEARNING_RATE:g}"
        slips = {
            1e-3: ("default_rate", "1e-3 is Adam's default"),
            LEARNING_RATE: ("training_rate", "2e-4 is the rate of the training"),
        }
        slip, advice = next(
            (found for wrong, found in slips.items() if resembles(abs(length - wrong), 0.02 * wrong, found[0])),
            ("", ""),
        )
        return Symptom(f"{rate}: {advice}" if advice else rate, slip)
    if not any(allowed <= tried <= allowed + 1 for allowed in (steps, _PUBLISHED_STEPS)):
        return Symptom(
            f"with VIS_STEPS = {steps}, {tried} different codes are tried, expected {steps + 1}: one step of Adam in each pass"
        )
    loss = _mse(values, inputs)
    at_zero = _mse({"images": np.full_like(values["images"], inputs["greys"][0])}, inputs)
    if not within(loss, _BOUND * at_zero, "loss"):
        return Symptom(
            f"the loss goes from {at_zero:.2g} to {loss:.2g} only, where less than {_BOUND * at_zero:.2g} can be reached: "
            "does each step follow the gradient of this loss, for these images and these codes, cleared before?",
            "not_close",
        )
    is_clean = not values["was_training"].any() and values["moved"].item() == 0  # else another check has said so
    return _goes_as_adam(path, inputs) if is_clean else None


def _goes_as_adam(path: np.ndarray, inputs: Arrays) -> Symptom | None:
    """The first codes tried are where Adam goes down the mean squared error; its scale does not matter to Adam."""
    gain, codes = float(inputs["greys"][2]), inputs["codes"].astype(float)
    if path.ndim != 3 or path.shape[1:] != codes.shape:
        raise ValueError("codes of one shape")

    def slope(at: np.ndarray, step: int) -> np.ndarray:
        off = 3 * gain * (at - codes) - inputs["tint"].astype(float).sum()  # in the three colours of a square
        return 2 * gain * 16 * off / (codes.shape[0] * 3 * 32 * 32)

    expected = [adam_path(path[0], slope, len(path) - 1, VIS_LEARNING_RATE, betas) for betas in _BETAS]
    error = min(np.abs(path - right).max() for right in expected)
    if within(error, _PATH_ERROR, "path"):
        return None
    return Symptom(
        f"the codes leave the path of Adam down the mean squared error by {error:.2g} within {len(path) - 1} steps: "
        "minimise that loss alone, with the rate as it is",
        "another_path",
    )


def _mse(values: Arrays, inputs: Arrays) -> float:
    """Of images against the given ones: each code number is a square, of which one pixel was kept."""
    given = _given(inputs)
    if values["images"].shape != given.shape:
        raise ValueError("an image for each one given")
    return float(np.square(values["images"] - given).mean())


def _given(inputs: Arrays) -> np.ndarray:
    grey, _, gain = inputs["greys"].astype(float)
    squares = inputs["codes"].astype(float).reshape(-1, 1, 8, 8)
    return grey + gain * squares + inputs["tint"].reshape(3, 1, 1)


def images(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The generator's images, without history, and their loss if it comes with them."""
    shape, expected = values["images_shape"], (len(inputs["codes"]), 3, 32, 32)
    if not np.array_equal(shape, expected):
        got = tuple(shape.tolist()) if shape.size < 9 and shape.ndim == 1 else "no shape at all"
        return Symptom(f"the images have shape {got}, expected {expected}")
    if values["one"].shape != (1, 3, 8, 8) or not values["one"].any():
        return Symptom(f"of a single image, no images of shape {(1, *expected[1:])} come back")
    if values["keeps_gradient"].shape != () or values["keeps_gradient"].any():
        return Symptom(
            "the images keep a gradient: compute them under torch.no_grad(), or detach them", "keeps_gradient"
        )
    images = values["images"].astype(float)
    if resembles(
        np.abs(images - _given(inputs)), 1e-4, "given_images_returned"
    ):  # their tint is out of the generator's reach
        return Symptom("the images that come back are the given ones: return the generator's", "given_images_returned")
    if not within(np.ptp(images, axis=1), 1e-4, "colours"):
        return Symptom("the images that come back are not the generator's")
    if values["images"].dtype != np.float32:
        return Symptom(f"the images are {values['images'].dtype}, expected float32", "other_floats")
    if not within(values["off"], 1e-4, "own images"):
        return Symptom(
            "the images that come back are not the generator's, of any codes it tried: return them as they are"
        )
    loss, losses, found = values.get("loss"), values["losses"].astype(float), _mse(values, inputs)
    at_zero = _mse({"images": np.full(images.shape, inputs["greys"][0])}, inputs)
    if loss is None or (
        loss.shape == ()
        and within(abs(loss.item() - found), 0.03 * at_zero, "loss")
        and within(np.min(np.abs(losses - loss.item()) / (losses + 1e-5)), 1e-3, "own loss")
    ):
        return None
    return Symptom("the loss that comes back is not that of the images that come back", "loss_of_others")


def rest(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The logits are those of the given layers, with normalised convolutions; all of it can be trained."""
    if not values.get("as_made", np.zeros(1)).all():
        return Symptom(
            "the discriminator comes in evaluation mode, or with weights that take no gradient: leave both as they are made"
        )
    return close(1e-4, 3e-5)(values, {"logits": reference["logits"]}, inputs)
