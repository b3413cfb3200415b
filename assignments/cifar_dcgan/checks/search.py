"""Judges of the search for the code behind an image."""

import numpy as np

from grader.authoring.adam import adam_path, odd_setting
from grader.authoring.check import Arrays, Symptom
from grader.authoring.lines import beyond, is_public, resembles, within

from ..numbers import ADAM_BETAS, LEARNING_RATE, VIS_LEARNING_RATE

_BETAS = (0.9, 0.999), ADAM_BETAS  # Adam's own; the notebook names others for the training
_PUBLISHED_STEPS = 500
_MANY = 68  # images in one of the searches
_FEW = 30  # steps: of a public search with fewer others come before it
_PATH_ERROR = 1e-5  # rounding of the loss leaves 1e-7, a decay of the codes 3e-5


def reconstruction_loss(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The mean of the squared differences, over images and pixels."""
    got, off = values["value"], inputs["generated"].astype(float) - inputs["target"]
    if got.shape != ():
        return Symptom(
            f"_reconstruction_loss has shape {got.shape}, expected () (a scalar): the mean over images and pixels",
            "no_reduction",
        )
    expected, slope = np.square(off).mean(), 2 * off / off.size
    if within(abs(got - expected), 1e-6 + 1e-4 * expected, "value"):
        found = values.get("d_generated", np.zeros_like(off))
        if found.shape == off.shape and within(np.abs(found - slope), 1e-3 * np.abs(slope).max(), "gradient"):
            return None
        return Symptom("_reconstruction_loss passes a wrong gradient on to the generated images, or none")
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
    """VIS_STEPS steps of Adam with the class's rate, down the mean squared error, from the first to the last."""
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
    moves = int(values["n_moves"].item())
    if not any(allowed <= tried <= allowed + 1 and moves in (0, allowed) for allowed in (steps, _PUBLISHED_STEPS)):
        return Symptom(
            f"with VIS_STEPS = {steps}, {tried} different codes are tried in {moves or tried - 1} steps, expected {steps + 1}: one step of "
            "Adam in each pass"
        )
    expected = _adam_paths(path, inputs)
    loss, at_best, at_zero = (_mse_at(at, inputs) for at in (path[-1], expected[0][-1], path[0]))
    if not within(loss, at_best + 0.1 * at_zero, "loss"):
        return Symptom(
            f"the loss goes from {at_zero:.2g} to {loss:.2g} only, where {at_best:.2g} can be reached: "
            "does each step follow the gradient of this loss, for these images and these codes, cleared before?",
            "not_close",
        )
    is_clean = not values["was_training"].any() and values["moved"].item() == 0  # else another check has said so
    return (_goes_as_adam(path, expected) or _as_it_is(values)) if is_clean else None


def _adam_paths(path: np.ndarray, inputs: Arrays) -> list[np.ndarray]:
    """Where Adam goes down the mean squared error, with either betas; its scale does not matter to Adam."""
    gain, codes = float(inputs["greys"][2]), inputs["codes"].astype(float)
    if path.ndim != 3 or path.shape[1:] != codes.shape:
        raise ValueError("codes of one shape")

    def slope(at: np.ndarray, step: int) -> np.ndarray:
        off = 3 * gain * (at - codes) - inputs["tint"].astype(float).sum()  # in the three colours of a square
        return 2 * gain * 16 * off / (codes.shape[0] * 3 * 32 * 32)

    return [adam_path(path[0], slope, len(path) - 1, VIS_LEARNING_RATE, betas) for betas in _BETAS]


def _goes_as_adam(path: np.ndarray, expected: list[np.ndarray]) -> Symptom | None:
    """The codes tried are where Adam goes."""
    error = min(np.abs(path - right).max() for right in expected)
    if within(error, _PATH_ERROR, "path"):
        return None
    return Symptom(
        f"the codes leave the path of Adam down the mean squared error by {error:.2g} within {len(path) - 1} steps: "
        "minimise that loss alone, with the rate as it is, and leave the codes where Adam takes them",
        "another_path",
    )


def _as_it_is(values: Arrays) -> Symptom | None:
    """Each step's optimizer is Adam as it is, and holds no weight of a network; a loop of one's own arithmetic has none."""
    rows = values["moved_by"]
    if rows[:, -1].any():
        return Symptom("the optimizer holds weights of the networks too: give it the codes alone", "generator_trained")
    if odd := odd_setting(rows, VIS_LEARNING_RATE, *_BETAS):
        return Symptom(f"a step of the search has {odd}: Adam with VIS_LEARNING_RATE, and nothing more")
    return None


def _mse_at(codes: np.ndarray, inputs: Arrays) -> float:
    """The loss of the images of these codes."""
    grey, _, gain = inputs["greys"].astype(float)
    painted = (grey + gain * codes).reshape(-1, 1, 8, 8)
    return float(np.square(painted - _given(inputs)).mean())


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
    if _is_asked_more(inputs) and (symptom := _counts(values, expected)):
        return symptom
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
    loss, found = values.get("loss"), _mse(values, inputs)
    if loss is None or (loss.shape == () and within(abs(loss.item() - found), 1e-6 + 1e-3 * found, "loss")):
        return _leaves(values, inputs) or (_of_others(values, inputs) if _is_asked_more(inputs) else None)
    return Symptom("the loss that comes back is not that of the images that come back", "loss_of_others")


def _is_asked_more(inputs: Arrays) -> bool:
    """Whether other searches come before it, as `probes.reconstruct` says."""
    return is_public() and int(inputs["steps"]) < _FEW


def _counts(values: Arrays, expected: tuple[int, ...]) -> Symptom | None:
    """As many images as are given, of one and of many."""
    if values["one"].shape != (1, 3, 8, 8) or not values["one"].any():
        return Symptom(f"of a single image, no images of shape {(1, *expected[1:])} come back")
    if values["many"].shape != (_MANY, 3, 8, 8):
        return Symptom(f"of {_MANY} images {len(values['many'])} come back: as many as are given")
    return None


def _of_others(values: Arrays, inputs: Arrays) -> Symptom | None:
    """Other searches: an image near the start is left for its code as any other, and of many the loss is the mean over all."""
    grey, _, gain = inputs["greys"].astype(float)
    if not beyond(
        np.abs(values["one"] - grey).min(), 0.004 * gain, "way of one"
    ):  # two steps, or one more, are 0.02 and 0.03
        return Symptom(
            "an image that differs little from that of zeros is searched with fewer steps, or with shorter ones: VIS_STEPS steps of "
            "Adam, however small the loss is"
        )
    if (loss := values.get("many_loss")) is None:
        return None
    given = np.tile(_given(inputs), (_MANY // len(inputs["codes"]) + 1, 1, 1, 1))[:_MANY]
    found = float(np.square(values["many"] - given).mean())
    if loss.shape == () and within(abs(loss.item() - found), 1e-6 + 1e-3 * found, "loss of many"):
        return None
    return Symptom(f"the loss of {_MANY} images is not that of the images that come back", "loss_of_others")


def _leaves(values: Arrays, inputs: Arrays) -> Symptom | None:
    """What a search leaves behind, and where."""
    if _is_asked_more(inputs) and values["is_elsewhere"].any():
        return Symptom(
            "with a device that is not the CPU, reconstruct mixes tensors of two devices, or its images do not come back to the "
            "CPU: target and codes on the device, images.cpu() at the end"
        )
    if values["is_frozen"].any():
        return Symptom(
            "the generator's weights take no gradient after the search, and a training could not go on: the optimizer holds the codes "
            "only, so leave requires_grad alone"
        )
    if values["has_other_optimizers"].any():
        return Symptom(
            "the networks' optimizers are others after the search: keep that of the codes to reconstruct alone"
        )
    if _is_asked_more(inputs) and values["is_seeded"].any():
        return Symptom(
            "torch's random generator stands at a seed of yours after the search: nothing here is drawn, set none"
        )
    return None
