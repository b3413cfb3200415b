"""Judges of encoders and decoders: what must hold however they are built."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from grader.authoring.check import Arrays, Symptom
from grader.authoring.judges import alike
from grader.authoring.lines import beyond, resembles, within

_TOLERANCE = 1e-3  # of the largest slope; float32 leaves a tenth of that
_NO_MATRIX = (
    "without hidden layers one linear layer is left, with its weight and bias; none of its size belongs to the module"
)
_NOT_APPLIED = (
    "with other weights in the layers the output does not follow from them: apply each layer once, one after another"
)
_TURN = 5e-6  # without an activation rounding leaves 3e-7, with a norm and a sigmoid behind each of four layers 8e-5 are left
_MOST_NUMBERS = 60  # of a table from a student's process: it is repeated in a sentence
_USUAL_ENDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ReLU": lambda x: np.maximum(x, 0),
    "LeakyReLU": lambda x: np.where(x > 0, x, 0.01 * x),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Tanh": np.tanh,
    "Softplus": lambda x: np.log1p(np.exp(x)),
}
_USUAL_SIGMAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp(logvar / 2)": lambda x: np.exp(x / 2),
    "exp(logvar)": np.exp,
}


def not_floats(values: Arrays, shapes: dict[str, tuple[int, ...]]) -> Symptom | None:
    """Shapes first: everything after it may then index."""
    for name, shape in shapes.items():
        got = values.get(name, np.empty(0))
        if got.shape != shape:
            return Symptom(f"{name} has shape {got.shape}, expected {shape}")
        if got.dtype.kind != "f" or not np.isfinite(got).all():
            return Symptom(f"{name} does not hold finite floats")
    return None


def table(values: Arrays, name: str) -> list:
    """Whole numbers that a student's process sent, as lists; empty if they are none, or more than an answer has."""
    got = values.get(name, np.empty(0))
    return got.tolist() if 0 < got.size <= _MOST_NUMBERS and got.dtype.kind in "iu" else []


def _count(values: Arrays, name: str) -> int:
    got = values.get(name, np.empty(0))
    return int(got) if got.shape == () and got.dtype.kind in "iu" else 0


def encoder_shapes(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """mu and logvar, each (B, latent_size), for this list of hidden widths."""
    shape = (len(inputs["y"]), int(inputs["latent_size"]))
    symptom = not_floats(values, {"mu": shape, "logvar": shape})
    if symptom:
        return Symptom(f"with hidden_dims {inputs['hidden_dims'].tolist()}, {symptom.text}")
    if alike(values["mu"], values["logvar"], "halves"):
        if len(values["mu"]) > 1 and np.allclose(values["mu"], values["mu"][:1]):
            return Symptom("mu and logvar are the same for every input: forward has to use what it is given")
        return Symptom(
            "mu and logvar are the same numbers; they are two different halves of the output", "same_half_twice"
        )
    return None


def decoder_shapes(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """y_hat (B, output_size), and the caller's list as it was."""
    given = inputs["hidden_dims"].tolist()
    symptom = not_floats(values, {"y_hat": (len(inputs["z"]), int(inputs["output_size"]))})
    if symptom:
        return Symptom(f"with hidden_dims {given}, {symptom.text}")
    if table(values, "hidden_dims") != given:
        return Symptom(
            f"the list {given} that the caller gave is {table(values, 'hidden_dims')} afterwards: reverse a copy",
            "list_changed",
        )
    return None


def encoder_layers(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """A matrix for each step of the chain; the last may be cut into two heads."""
    latent = int(inputs["latent_size"])
    body: list[int] = [inputs["y"].shape[1], *inputs["hidden_dims"].tolist()]
    chain = chain_of([*body, 2 * latent])
    two_heads = sorted([*chain_of(body), sorted([body[-1], latent]), sorted([body[-1], latent])])
    return _layers(values, [chain, two_heads], inputs)


def _is_chain(values: Arrays, inputs: Arrays, may_be_cut: bool = False) -> bool:
    """With weights of ours in the layers each row of the slope is that of their product times a number, as in no other
    network.

    What follows the last layer gives each row a number of its own, and which half of the rows is which is another
    check's to judge: it does not cost this one. Where the answer `may_be_cut`, as by a ReLU, a row of zeros is fine too.
    """
    weights = [inputs[name].astype(float) for name in sorted(inputs) if name.startswith("weight_")]
    product, got = weights[0], values.get("slope", np.empty(0))
    for weight in weights[1:]:
        product = weight @ product
    if got.shape != product.shape or not beyond(np.abs(got).max(initial=0), 1e-6, "size of the slope"):
        return False
    half = len(product) // 2
    rows = np.arange(len(product))
    orders = [rows, np.roll(rows, half), *([rows % half, rows % half + half] if "y" in inputs else [])]
    kept = np.abs(got).max(axis=1) > 0 if may_be_cut else rows >= 0
    off = min(_off_multiple(got[kept].astype(float), product[order][kept]) for order in orders)
    return within(off, _TOLERANCE, "slope")


def _off_multiple(got: np.ndarray, of: np.ndarray) -> float:
    """How far each row is from the nearest multiple of its own, as a share of the multiple's largest value; the worst."""
    factor = (got * of).sum(axis=1, keepdims=True) / np.square(of).sum(axis=1, keepdims=True)
    off = np.abs(got - factor * of).max(axis=1) / np.maximum(np.abs(factor * of).max(axis=1), 1e-9)
    return float(np.where(np.abs(factor[:, 0]) > 1e-9, off, np.inf).max())


def decoder_layers(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The encoder's chain, mirrored: the probe asks for it in the decoder's own order of widths."""
    widths = [inputs["z"].shape[1], *inputs["hidden_dims"].tolist()[::-1], int(inputs["output_size"])]
    if (symptom := _layers(values, [chain_of(widths)], inputs)) is None:
        return None
    in_order = [widths[0], *sorted(widths[1:-1]), widths[-1]]
    if table(values, "layers") == chain_of(in_order) != chain_of(widths):
        return Symptom("the widths of the layers are sorted: use them in the order they come in", "sorted_widths")
    return symptom


def chain_of(widths: list[int]) -> list[list[int]]:
    """Sizes of the matrices of a chain; smaller number first, as a matrix may be stored either way."""
    return sorted(sorted(pair) for pair in pairwise(widths))


def _frozen(values: Arrays) -> Symptom | None:
    frozen = values.get("frozen", np.empty(0))
    if frozen.shape == () and not frozen:
        return None
    return Symptom(f"{frozen} of the network's parameters take no gradient: leave requires_grad alone", "gradient_cut")


def _no_bias(values: Arrays, inputs: Arrays) -> Symptom | None:
    """Each hidden layer has a bias, or a norm behind it has; the last layer's is seen where it is the only one."""
    biases = table(values, "biases")
    missing = [
        width
        for width in inputs["hidden_dims"].tolist()
        if biases.count(width) < inputs["hidden_dims"].tolist().count(width)
    ]
    return (
        Symptom(f"the hidden layer of width {missing[0]} has no bias: leave it to nn.Linear", "no_bias")
        if missing
        else None
    )


def _layers(values: Arrays, allowed: list[list[list[int]]], inputs: Arrays) -> Symptom | None:
    got, registered = table(values, "layers"), _count(values, "matrices")
    if got in allowed:
        is_known = len({tuple(pair) for pair in allowed[0]}) == len(allowed[0])  # which layer of a size is which
        if is_known and not _is_chain(values, inputs):
            return Symptom(_NOT_APPLIED)
        return _frozen(values) or _no_bias(values, inputs)
    given = f"with hidden_dims {inputs['hidden_dims'].tolist()}"
    if registered < len(allowed[0]) - 1 or registered == 0:
        return Symptom(
            f"{given}, {registered} of {len(allowed[0])} layers belong to the module: layers in a plain list are invisible to "
            "the optimizer, nn.Sequential and nn.ModuleList show them",
            "layers_in_a_list",
        )
    if registered > len(got):
        return Symptom(
            f"{given}, {registered - len(got)} of {registered} layers get no gradient: are all of them applied?"
        )
    sizes = " ".join(f"{a}x{b}" for a, b in got)
    return Symptom(f"{given}, the layers' sizes are {sizes}, expected {' '.join(f'{a}x{b}' for a, b in allowed[0])}")


def is_bent(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """With hidden layers the answer is no linear map, no sum of functions of one input coordinate each, and each layer counts."""
    is_deep = len(inputs["hidden_dims"]) > 3  # as it is initialised, hardly anything is left behind four sigmoids
    if not is_deep and (symptom := _flat(values)):
        return symptom
    if not _is_chain(values, inputs, may_be_cut=True):
        return Symptom("what stands between the layers shows only where the layers are right: mend these first")
    turns = values.get("turns", np.empty(0))
    flat = [n + 1 for n, turn in enumerate(turns.ravel()[:_MOST_NUMBERS]) if not beyond(turn, _TURN, "turn")]
    if turns.shape != inputs["hidden_dims"].shape or flat:
        which = f"hidden layer {flat[0]}" if flat else "a hidden layer"
        return Symptom(
            f"with hidden_dims {inputs['hidden_dims'].tolist()}, no activation follows {which}: put one after each",
            "activation_missing",
        )
    if not within(values.get("entry", np.inf), _TURN, "entry"):
        return Symptom(
            "where the input and the first layer's weights both change their signs, another answer comes: give that layer its input as it is"
        )
    return None


def _flat(values: Arrays) -> Symptom | None:
    if not _is_far_from_zero(values, "bend"):
        outputs = [values[name] for name in ("mu", "logvar", "y_hat") if name in values and len(values[name]) > 1]
        is_constant = not _is_far_from_zero(values, "alone")  # a constant is linear too
        if is_constant or (outputs and all(np.allclose(rows, rows[:1]) for rows in outputs)):
            return Symptom("the answer is the same for every input: forward has to use what it is given")
        return Symptom("the answer is linear in its input: put an activation after each hidden layer", "no_activation")
    if not _is_far_from_zero(values, "mixed"):
        if not all(beyond(moved, 1e-4, "alone") for moved in values.get("alone", np.zeros(1)).ravel()):
            return Symptom("a part of the input changes nothing: forward has to use all that it is given")
        return Symptom(
            "each coordinate of the input acts by itself: an activation stands before a layer where it should follow it",
            "activation_before_layer",
        )
    return None


def _is_far_from_zero(values: Arrays, name: str) -> bool:
    got = values.get(name, np.zeros(1))
    return bool(np.isfinite(got).all() and beyond(np.abs(got).max(), 1e-4, name))


def affine_encoder(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Without hidden layers: mu is the first half of a linear layer's output, logvar the second."""
    expected = inputs["y"] @ inputs["weight"].T + inputs["bias"]
    mu, logvar = np.split(expected, 2, axis=1)
    if symptom := not_floats(values, {"mu": mu.shape, "logvar": mu.shape}):
        return symptom
    heads = _count(values, "heads")
    if heads == 0:
        return Symptom(_NO_MATRIX)
    got_mu, got_logvar = values["mu"], values["logvar"]
    off, swapped = (
        max(_off(got_mu, halves[0]), _off(got_logvar, halves[1])) for halves in ((mu, logvar), (logvar, mu))
    )
    if within(min(off, swapped) if heads == 2 else off, 1, "mu and logvar"):
        return _another_in_training(values, np.concatenate([got_mu, got_logvar], axis=1)) or _behind_the_end(values)
    if resembles(swapped, 1, "swapped"):
        return Symptom("mu and logvar are swapped: mu is the first half of the output, logvar the second", "swapped")
    return _misread(got_mu, got_logvar, mu, logvar)


def _misread(got_mu: np.ndarray, got_logvar: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> Symptom:
    for name, sigma in _USUAL_SIGMAS.items():
        if resembles(_off(got_logvar, sigma(logvar)), 1, name):
            return Symptom(f"logvar is {name}: return the output itself, VAE takes the exponential", "exponentiated")
    for name, end in _USUAL_ENDS.items():
        if resembles(max(_off(got_mu, end(mu)), _off(got_logvar, end(logvar))), 1, name):
            return Symptom(
                f"a {name} follows the output layer; nothing may, both mu and logvar take every sign",
                "activation_at_the_end",
            )
        if resembles(_off(got_logvar, end(logvar)), 1, f"{name} of logvar"):
            return Symptom(f"logvar passes through a {name}; a logarithm takes every sign", "activation_on_logvar")
    error = max(np.abs(got_mu - mu).max(), np.abs(got_logvar - logvar).max())
    return Symptom(
        f"without hidden layers mu and logvar are the two halves of one linear layer's output, in this order; yours are off by {error:.2g}"
    )


def affine_decoder(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Without hidden layers the decoder is one linear layer."""
    expected = inputs["z"] @ inputs["weight"].T + inputs["bias"]
    if symptom := not_floats(values, {"y_hat": expected.shape}):
        return symptom
    if _count(values, "heads") == 0:
        return Symptom(_NO_MATRIX)
    if within(_off(values["y_hat"], expected), 1, "y_hat"):
        return _another_in_training(values, values["y_hat"]) or _behind_the_end(values)
    for name, end in _USUAL_ENDS.items():
        if resembles(_off(values["y_hat"], end(expected)), 1, name):
            return Symptom(
                f"a {name} follows the last layer; heights take every sign, nothing may follow", "activation_at_the_end"
            )
    error = np.abs(values["y_hat"] - expected).max()
    return Symptom(f"without hidden layers y_hat is a linear layer's output; yours is off by {error:.2g}")


def _another_in_training(values: Arrays, expected: np.ndarray) -> Symptom | None:
    """What stands behind the output layer may act in training mode alone, as dropout does."""
    got = values.get("in_training", np.empty(0))
    if got.shape == expected.shape and within(_off(got, expected), 1, "in training mode"):
        return None
    return Symptom("in training mode the last layer's output is another one: no dropout and no norm may follow it")


def _behind_the_end(values: Arrays) -> Symptom | None:
    """With a hidden layer, and a last layer that only adds numbers from -40 to 30: these, and then their negatives, come out, in either mode."""
    got = values.get("end", np.empty(0))
    if _count(values, "end_heads") == 0:  # no layer of this size: another check's to judge
        return None
    if got.ndim != 3 or len(got) != 3 or got.dtype.kind != "f":
        return Symptom("with a hidden layer the output has no row for each input")
    numbers = np.linspace(-40, 30, got.shape[2])
    for n, mode in enumerate(("evaluation", "evaluation", "training")):
        if not within(np.abs(got[n] - (-numbers[::-1] if n == 1 else numbers)), 0.01, f"end in {mode} mode {n}"):
            return Symptom(
                f"with a hidden layer, and a last layer that only adds its bias, other numbers come out in {mode} mode: "
                "compute the answer anew in each call, and let nothing follow the last layer"
            )
    return None


def _off(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest error over what rounding may leave."""
    return float((np.abs(got - expected) / (1e-4 + 1e-4 * np.abs(expected))).max())
