"""Judges of notebook 3's networks and training loops: shapes, numbers of parameters, what a batch or a call leaves behind."""

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from grader.authoring.adam import odd_setting
from grader.authoring.check import Arrays, Judge, Symptom
from grader.authoring.judges import alike, close, close_gradients, differs
from grader.authoring.lines import beyond, explained, is_public, within

_NOTHING = np.empty(0)
_MOST_NUMBERS = 1000
_RATE, _BETAS = 0.01, (0.9, 0.999)  # of the long run, and Adam's own


def whole_numbers(values: Arrays, name: str) -> list[int]:
    """A short row of whole numbers; empty if what came is anything else, such as a shape of two billion rows of nothing."""
    got = values.get(name, _NOTHING)
    return got.tolist() if got.ndim == 1 and got.size <= _MOST_NUMBERS and got.dtype.kind in "iu" else []


@dataclass(frozen=True)
class close_pictures:
    """As `close`, with the shapes of whole tensors (`NAME_shape`) compared first; what no gradient reaches is judged by `reached`."""

    rtol: float = 1e-3
    atol: float = 1e-4

    def __call__(self, values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        for key in reference:
            if key.endswith("_shape") and whole_numbers(values, key) != reference[key].tolist():
                shapes = [tuple(shape) for shape in (whole_numbers(values, key), reference[key].tolist())]
                return Symptom(f"{key.removesuffix('_shape')} has shape {shapes[0]}, expected {shapes[1]}")
        wanted = {name: value for name, value in reference.items() if name != "unreached"}
        return close(self.rtol, self.atol)(values, wanted, inputs)


_NO_PARAMETERS = "a network's weights are no parameters of it: keep layers as attributes, as nn.Module finds them"
_CUT = "no .detach(), no torch.no_grad() and no requires_grad_(False) on the way"


def reached(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """A gradient comes from every output to all parameters behind it. Where a model cannot be run, another check says so."""
    if is_public() and "unreached" not in values:
        return Symptom("which parameters a gradient reaches did not come back")
    left = whole_numbers(values, "unreached")
    if min(left, default=0) < 0:
        return Symptom(
            _NO_PARAMETERS,
            "no_parameters",
        )
    if any(left):
        return Symptom(
            f"no gradient reaches {max(left)} of the parameters that the answer passes through: {_CUT}", "gradient_cut"
        )
    return None


def drawn_weights(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Weights begin as different numbers; then the numbers of parameters."""
    wanted = {name: value for name, value in reference.items() if name != "constant"}
    if symptom := same_counts(values, wanted, inputs):
        return symptom
    if "constant" not in reference:  # asked with the public inputs alone
        return None
    constant = values.get("constant", _NOTHING)
    if constant.shape != () or int(constant) > 1:
        return Symptom(
            "layers begin with one number for all of their weights: their units all learn the same, leave PyTorch's initial weights",
            "constant_weights",
        )
    return None


def loss_gradients(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Of the loss with respect to what `forward` returned. A loss of another value is another check's to judge."""
    if "loss" not in reference:  # asked with the public inputs alone
        return None
    if close()({"loss": values.get("loss", _NOTHING)}, {"loss": reference["loss"]}, inputs):
        return None
    kept, wanted = (
        {f"d_{n}": of[f"loss_d_{n}"] for n in ("q", "rec") if f"loss_d_{n}" in of} for of in (values, reference)
    )
    symptom = close_gradients()(kept, wanted, inputs)
    return Symptom(f"in the loss, {symptom.text}", symptom.slip) if symptom else None


def loss_and_gradients(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The loss, and then its gradients with respect to what the networks gave."""
    losses = {name: value for name, value in reference.items() if name.startswith("loss")}
    wanted = {name: value for name, value in reference.items() if name not in losses}
    return close(1e-5, 1e-5)(values, losses, inputs) or close_gradients()(values, wanted, inputs)


def is_true(values: Arrays, name: str) -> bool:
    """A flag can cost a check and never earn one: nothing, or anything but one plain yes, counts as a no."""
    return values.get(name, _NOTHING).shape == () and bool(values[name].all())


def same_counts(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The numbers of parameters, which the notebook tells everyone how to work out."""
    drawn = {name: value for name, value in reference.items() if name.endswith("_drawn")}
    for part, expected in reference.items():
        if part in drawn:
            continue
        got = values.get(part, np.zeros(()))
        if got.shape != () or int(got) != int(expected):
            return Symptom(
                f"{part} has {got} parameters, expected {expected}: compare widths and biases with the list of layers"
            )
    for name, expected in drawn.items():
        if differs(name, values.get(name), expected, 1e-4, 1e-5):
            part = name.removesuffix("_drawn")
            return Symptom(f"the parameters of {part} have other shapes than those in the list of layers")
    return None


def decodes_the_mean(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The posterior's mean gives the same picture twice."""
    if values.get("moved", _NOTHING).any():
        return Symptom("reconstruct changes the model's weights: they are training's to change", "weights_changed")
    if values.get("is_seeded", _NOTHING).any():
        return Symptom("reconstruct sets torch's seed: what is drawn after it comes again", "seed_fixed_inside")
    picture, again = values.get("picture", _NOTHING), values.get("again", _NOTHING)
    if picture.shape != again.shape or not alike(picture, again, "again"):
        return Symptom(
            "two reconstructions of the same image differ: decode the posterior's mean, not a draw, and keep nothing",
            "reconstruct_samples",
        )
    wanted = {name: value for name, value in reference.items() if name not in ("q", "moved", "is_seeded")}
    if symptom := close_pictures()(values, wanted, inputs):  # of both
        return symptom
    if "q" not in values:  # `forward` cannot be run, as other checks say
        return None
    symptom = close_pictures()({"q": values["q"]}, {"q": reference["q"]}, inputs)
    return Symptom(f"in forward, {symptom.text}: it is the encoder's output for the images given") if symptom else None


def uses_class(name: str) -> Judge:
    """An output for one image, or one code, under several classes: it must differ."""
    judge_values = close_pictures()

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        got, parameters = values.get(name, _NOTHING), values.get("parameters", np.ones(()))
        if not parameters.all():
            return Symptom(_NO_PARAMETERS, "no_parameters")
        if got.shape == reference[name].shape and alike(got, got[:1], "classes"):
            if np.allclose(got[0], reference[name][0], rtol=1e-2, atol=1e-2):  # right for the first row's class
                return Symptom(f"every row of {name} is the first row's: each image has a class of its own")
            if got.ndim > 1 and np.ptp(got[0]) < 1e-6 < np.ptp(reference[name][0]):
                return Symptom(
                    f"every number of {name} is the same: the layers have other weights than those it is made with"
                )
            where, what = ("encoder", "the flat image") if name == "mu" else ("decoder", "z")
            return Symptom(f"the class does not reach the {where}: join c to {what}", f"class_not_in_{where}")
        wanted = {name: value for name, value in reference.items() if name != "parameters"}
        return judge_values(values, wanted, inputs)

    return judge


def full_batches(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Every example at most once, in full batches only, each image beside its label."""
    size, examples = int(inputs["batch_size"]), len(inputs["labels"])
    sizes = whole_numbers(values, "sizes")
    if sizes == [size] * (examples // size) + [examples % size]:
        return Symptom(
            f"the last batch has {sizes[-1]} examples, expected full batches of {size} only", "drop_last_missing"
        )
    if sizes != [size] * (examples // size):
        return Symptom(
            f"{examples} examples come in {len(sizes)} batches, the first of {sizes[:1] or 0}, expected {examples // size} of {size}"
        )
    for epoch in ("first", "second"):
        order = whole_numbers(values, epoch)
        if len(np.unique(order)) < len(order):
            return Symptom(
                "an example comes twice in an epoch: give the loader each once, and let it shuffle, not draw with replacement",
                "drawn_with_replacement",
            )
    if (few := int(values["of_few"].item())) > 0:
        return Symptom(f"of {size - 1} examples, fewer than a batch of {size}, {few} batches come, expected none")
    if (many := values.get("of_many", _NOTHING)).shape != () or many != 468:
        return Symptom(
            f"of 60,000 examples {many} batches of 128 come, expected 468: give the loader all of them",
            "examples_left_out",
        )
    if not is_true(values, "is_in_order"):
        return Symptom("the data set given is in another order afterwards: let the loader shuffle, not the data")
    return _foreign(values, inputs) or _apart(values) or _never_served(values, inputs)


def _never_served(values: Arrays, inputs: Arrays) -> Symptom | None:
    """Each example is left out of some epochs, and of all of them once in a billion times. That no order is drawn is another check's to say."""
    if whole_numbers(values, "first") == whole_numbers(values, "second"):
        return None
    ever, examples = len(np.unique(whole_numbers(values, "ever"))), len(inputs["labels"])
    if ever >= examples:
        return None
    return Symptom(
        f"{examples - ever} of {examples} examples never come in 16 epochs: give the loader all of them",
        "examples_left_out",
    )


def _apart(values: Arrays) -> Symptom | None:
    """Images beside other labels than their own: an image is filled with its label's number."""
    order, images = whole_numbers(values, "first"), values.get("images", _NOTHING)
    if images.shape != (len(order), 1, 2, 2):
        return Symptom(f"the images of an epoch have shape {images.shape}, expected {(len(order), 1, 2, 2)}")
    if not np.array_equal(images, np.broadcast_to(np.reshape(order, (-1, 1, 1, 1)), images.shape)):
        return Symptom("images and labels do not belong together: shuffle the examples, not each apart", "labels_apart")
    return None


def _foreign(values: Arrays, inputs: Arrays) -> Symptom | None:
    """Labels that are not the data set's, or not as many as the batches hold."""
    full = len(inputs["labels"]) // int(inputs["batch_size"]) * int(inputs["batch_size"])
    for epoch in ("first", "second"):
        order = whole_numbers(values, epoch)
        if len(order) < full or not np.isin(order, inputs["labels"]).all():
            return Symptom("what the loader gives is not the data set it was given")
    return None


def shuffled(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """A random order, another one in every epoch."""
    first, second = whole_numbers(values, "first"), whole_numbers(values, "second")
    if len(first) < 2 or len(second) < 2:
        return Symptom("the loader gives no examples")
    if (np.diff(first) > 0).all() or (np.diff(first) < 0).all():
        return Symptom("the examples come in the order of the data: let the loader shuffle", "shuffle_missing")
    if first == second:
        return Symptom(
            "both epochs come in the same order: let the loader shuffle, with no seed of its own",
            "same_order_every_epoch",
        )
    if first == whole_numbers(values, "other"):
        return Symptom("a new loader has the same order, whatever torch's seed is: set no seed inside", "seeded_inside")
    return _foreign(values, inputs) or _hardly_shuffled(values, inputs)


def _hardly_shuffled(values: Arrays, inputs: Arrays) -> Symptom | None:
    """All orders of sixteen epochs: what comes first, what comes behind what, and how often a later example comes later."""
    orders = values.get("orders", _NOTHING)
    if orders.ndim != 2 or len(orders) < 2:
        return None  # the batches are another check's to say
    labels = np.sort(inputs["labels"])
    places = np.searchsorted(labels, orders)
    if len(np.unique(places[:, 0])) < 3:
        return Symptom("the same example comes first in nearly every epoch: shuffle all of them")
    rises = float((np.diff(places, axis=1) > 0).mean())
    if not explained(abs(rises - 0.5), 6 / np.sqrt(12 * places.size), "rises"):
        return Symptom(
            f"in {rises:.0%} of all pairs the example behind is a later one of the data, expected half: draw one order of all"
        )
    pairs = [{frozenset(pair) for pair in pairwise(order.tolist())} for order in places]
    common = max(len(one & other) / len(one) for one, other in pairwise(pairs))
    if not explained(common, 0.5, "common pairs"):
        return Symptom(
            "an epoch has the order of the one before, turned: draw a new one for each", "same_order_every_epoch"
        )
    return None


def losses(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """One loss for each step."""
    return _each_step("losses", values, reference, inputs)


def tensors_kept(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Tensors for losses are right, and dear."""
    if is_true(values, "holds_numbers"):
        return None
    return Symptom("tensors among the losses keep the graph of every step in memory, append value.item()")


def _each_step(name: str, values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """A loss of every step. Behind wrong steps the later ones cannot be right, and only the first is compared."""
    got, expected = values.get(name, _NOTHING), reference[name]
    if got.shape != expected.shape:
        return Symptom(f"{name} has {got.size} entries after 2 epochs with 2 batches, expected {expected.size}")
    if symptom := close()({"first": got[:1]}, {"first": expected[:1]}, inputs):
        return Symptom(f"on a batch of known images {symptom.text.replace('first', f'the first of {name}')}")
    if steps(values, reference, inputs) is None and close(1e-2, 1e-3)({name: got}, {name: expected}, inputs):
        return Symptom(
            f"the first of {name} is right, the later ones are not those of their own steps: append each step's value as it is",
            "running_average",
        )
    return None


def steps(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The parameters after two epochs with two batches."""
    wanted = {"parameters": reference["parameters"]}
    symptom = close(1e-4, 1e-4)({"parameters": values.get("parameters", _NOTHING)}, wanted, inputs)
    if symptom:
        return Symptom(
            f"after 4 steps of a small model {symptom.text.replace('parameters differs', 'its weights differ')}"
        )
    if "long_run" not in reference:  # asked with the public inputs alone
        return None
    wanted = {"long_run": reference["long_run"]}
    if symptom := close(1e-4, 1e-4)({"long_run": values.get("long_run", _NOTHING)}, wanted, inputs):
        return Symptom(
            f"after eleven epochs with a smaller last batch {symptom.text.replace('long_run differs', 'the one weight of a model differs')}"
        )
    if odd := odd_setting(values.get("moved_by", np.empty((0, 7))), _RATE, _BETAS):
        return Symptom(f"a step is made with {odd}: Adam as it is, from the first step to the last")
    draws = values.get("draws", np.zeros((2, 8)))
    if draws.shape != (2, 8) or not beyond(np.abs(draws[0] - draws[1]), 1e-7, "draws"):
        return Symptom(
            "whatever torch's seed is, a model that draws draws the same: set no seed in the loop", "seeded_inside"
        )
    return None


def history(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Each term of every step."""
    symptoms = (_each_step(term, values, reference, inputs) for term in ("rec_loss", "kl_loss"))
    return next((symptom for symptom in symptoms if symptom), None)


def float32_rows(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The reference's rows, in the type that the network's weights have."""
    if symptom := close()(values, reference, inputs):
        return symptom
    got = values["rows"].dtype
    return (
        None if got == np.float32 else Symptom(f"the rows are {got}, expected float32: call .float()", "other_floats")
    )


def log_sig_x(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """A trainable scalar that starts at 0, and both given networks."""
    moved = values.get("moved", _NOTHING)
    push = inputs["push"]
    if not is_true(values, "is_trained") or not (moved.size == 1 and within(np.abs(moved + push), 1e-5 * push, "step")):
        return Symptom(
            "log_sig_x is not among the model's parameters, so no optimizer moves it: make it an nn.Parameter",
            "width_not_a_parameter",
        )
    names = [f"{part}{kind}" for part in ("encoder", "decoder") for kind in ("", "_drawn")]
    symptom = same_counts(values, {name: reference[name] for name in names}, inputs)
    if symptom and not _are_own_networks(values, inputs):
        return symptom
    if symptom := reached(values, reference, inputs):
        return symptom
    return close()(values, {"log_sig_x": reference["log_sig_x"]}, inputs)


def quiet(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Generating tracks no gradient, and is random."""
    tracks = values.get("tracks_gradient", _NOTHING)
    if tracks.shape != () or tracks.any():
        return Symptom(
            "the images still carry the graph of the decoder: decode inside torch.no_grad()", "gradient_tracked"
        )
    n = int(inputs["n_samples"] if "n_samples" in inputs else inputs["n_images"])
    for name in ("first", "second"):
        if values[name].shape != (n, 14) or not np.isin(values[name][:, -1], inputs["marks"]).all():
            return Symptom("the images are not those of the model's decoder")
    for name in ("first", "second"):
        rows = values[name][:, :-1]
        if any(alike(one, other, "images") for one, other in combinations(rows, 2)):
            return Symptom("two of the images are the same: each is drawn from a code of its own")
    if alike(values["first"][:, :-1], values["second"][:, :-1], "second call"):
        return Symptom(
            "a second call gives the same images: fix no seed inside, and keep none from an earlier call",
            "seed_fixed_inside",
        )
    return None


def mode_afterwards(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Whether the model is left in the mode it was in: a good habit, and not asked for."""
    if is_true(values, "keeps_mode"):
        return None
    return Symptom("the model is in another mode (training or evaluation) afterwards than before, leave it as it was")


def _are_own_networks(values: Arrays, inputs: Arrays) -> bool:
    """Convolutions of 5 x 5 with the filters asked for, from images to codes and back: as good as the given ones."""
    filters = int(inputs["num_filters"])
    return (
        whole_numbers(values, "posterior_shape") == [3, int(inputs["K"]) + 1]
        and whole_numbers(values, "image_shape") == [3, 1, 28, 28]
        and all(filters in whole_numbers(values, f"{part}_filters") for part in ("encoder", "decoder"))
    )


def all_of(*judges: Judge) -> Judge:
    """What one check asks in several ways; the first symptom is told."""

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        return next((symptom for each in judges if (symptom := each(values, reference, inputs))), None)

    for name in ("rtol", "atol"):  # a judge of values is the first
        if hasattr(judges[0], name):
            setattr(judge, name, getattr(judges[0], name))
    return judge
