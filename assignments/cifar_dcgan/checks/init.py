"""Judges of a GAN's constructor: how its layers are drawn, who moves them, by which loss.

A moment of drawn weights is allowed six standard errors: a right answer fails once in a hundred million.
"""

import numpy as np

from grader.authoring.adam import adam_path
from grader.authoring.check import Arrays, Symptom
from grader.authoring.lines import beyond, explained, is_public, resembles, within

from ..numbers import ADAM_BETAS, LEARNING_RATE, VIS_LEARNING_RATE

_NETWORKS = ("generator", "discriminator")
_KINDS = ("convolution", "transposed convolution", "batch norm", "linear layer")
_IS_CONVOLUTION, _IS_BATCH_NORM, _IS_LINEAR = (0, 1), (2,), (3,)
# Columns of a layer's row.
_NETWORK, _KIND, _COUNT, _MEAN, _STD, _FOURTH, _SPREAD, _BIAS, _BIAS_OFF = range(9)
_MOST = 4000  # so many of a weight are sent, about

_SIGMAS = 6.0
_WEIGHT_STD = 0.02
_NUMBERS = {
    "_num_epochs": 25, "_batch_size": 128, "_code_size": 64, "_learning_rate": LEARNING_RATE,
    "_vis_learning_rate": VIS_LEARNING_RATE,
}  # fmt: skip
_UNIFORM_SPREAD = 3**-0.5  # of a uniform draw, in units of its bound


def convolutions(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Weights of convolutions and transposed ones are drawn from N(0, 0.02^2), anew in each object."""
    rows, symptom = _rows(values, inputs, _IS_CONVOLUTION)
    for row in rows:
        if symptom := _drawn(row, 0.0):
            return symptom
        if symptom := _not_normal(row[_FOURTH], int(row[_COUNT]), f"weights of a {_name(row)}", "uniform_weights"):
            return symptom
    if symptom or not rows:
        return symptom
    if symptom := _not_normal(
        _pooled(values, inputs), sum(int(row[_COUNT]) for row in rows), "weights of all convolutions"
    ):
        return symptom
    for n, kind in enumerate(_KINDS[:2]):
        weight = values.get(f"alone_{n}", np.empty(0)).astype(float)
        if weight.size and (symptom := _alone(weight, kind, 0.0)):
            return symptom
    return _anew(values)


def _pooled(values: Arrays, inputs: Arrays) -> float:
    """The fourth moment of all weights of convolutions, in units of the squared variance."""
    kinds = [layer[1] for layer in _given(inputs["channels"].tolist())]
    weights = [values[f"weight_{n}"].astype(float) for n, kind in enumerate(kinds) if kind in _IS_CONVOLUTION]
    return _fourth_moment(np.concatenate([weight - weight.mean() for weight in weights]))


def _not_normal(fourth: float, count: int, what: str, slip: str = "") -> Symptom | None:
    """The fourth moment is 3 for a normal draw, 1.8 for a uniform one, 6 for a Laplace one; its variance is 24 by their number."""
    error = _SIGMAS * np.sqrt(24 / count)
    if not explained(max(3 - fourth, 0), error, "fourth moment"):
        is_uniform = resembles(abs(fourth - 1.8), 0.3, "uniform_weights")
        text = "drawn uniformly" if is_uniform else "cut off at a few standard deviations"
        return Symptom(f"the {what} are {text}: draw from a normal distribution", slip if is_uniform else "")
    # Among so few, far ones are rarer than the tails of a normal draw's fourth moment need: twice the line.
    if not explained(max(fourth - 3, 0), 2 * error, "far draws"):
        return Symptom(f"the {what} have far more large values than normal draws: draw from a normal distribution")
    return None


def _alone(weight: np.ndarray, kind: str, mean: float) -> Symptom | None:
    """What `_init_weights` leaves in a single layer that it is called with."""
    error = _SIGMAS * _WEIGHT_STD / np.sqrt(weight.size)
    is_drawn = explained(abs(weight.std() - _WEIGHT_STD), error / np.sqrt(2), "single standard deviation")
    if not is_drawn or not explained(abs(weight.mean() - mean), error, "single mean"):
        return Symptom(
            f"called with a single {kind}, _init_weights leaves weights of mean {weight.mean():.2g} and standard deviation "
            f"{weight.std():.2g}, expected {mean:g} and {_WEIGHT_STD}: it draws the weights of the layer that it is given"
        )
    return _not_normal(
        _fourth_moment(weight - weight.mean()), weight.size, f"weights that _init_weights draws for a {kind}"
    )


def _anew(values: Arrays) -> Symptom | None:
    """No two layers of an object, and no two objects, begin with the same weights, be it at another scale."""
    if not is_public():
        return None
    first, second = values["twice"].astype(float)
    scaled = [(rows - (abs(rows.mean(1, keepdims=True)) > 0.5)) / _WEIGHT_STD for rows in (first, second)]
    if any(not beyond(np.abs(one - other).max(), 1e-2, "objects alike") for one, other in zip(*scaled, strict=True)):
        return Symptom("the weights are the same in each new object: set no seed inside", "same_each_time")
    for n, row in enumerate(scaled[0]):
        if any(not beyond(np.abs(row - other).max(), 1e-2, "layers alike") for other in scaled[0][:n]):
            return Symptom("two layers begin with the same weights: draw those of each anew", "same_each_time")
    return None


def batch_norms(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Scales of batch norm are drawn from N(1, 0.02^2), shifts are 0."""
    rows, symptom = _rows(values, inputs, _IS_BATCH_NORM)
    for row in rows:
        if row[_STD] == 0 and row[_MEAN] == 1:
            return Symptom(
                f"the scales of a {_name(row)} are all 1, as PyTorch leaves them: draw them from N(1, 0.02^2)",
                "no_batch_norm",
            )
        if not beyond(abs(row[_MEAN]), 0.25, "size of the mean"):
            return Symptom(
                f"the scales of a {_name(row)} are drawn around 0, which switches the layer off: draw around 1",
                "scales_around_0",
            )
        if symptom := _drawn(row, 1.0):
            return symptom
        if row[_BIAS] != 0:
            return Symptom(f"the shifts of a {_name(row)} are not 0: its bias starts at 0", "shifts_not_0")
    scales = values.get("scales", np.empty(0)).astype(float)
    if symptom or not rows or not scales.size:
        return symptom
    if values["shifts"].any():
        return Symptom("_init_weights leaves shifts of a batch norm that are not 0", "shifts_not_0")
    return _alone(scales, _KINDS[2], 1.0)


def others(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Linear layers, and the biases of convolutions, are as PyTorch makes them, and all else is as given."""
    rows, symptom = _rows(values, inputs, _IS_CONVOLUTION + _IS_LINEAR)
    if rows and (found := _changed(values)):
        return found
    if rows and values.get("linear_off", np.zeros(())).any():
        return Symptom(
            "_init_weights changes a linear layer: initialise convolutions and batch norm only", "linear_too"
        )
    for row in rows:
        off = abs(row[_SPREAD] - _UNIFORM_SPREAD)
        if row[_KIND] in _IS_LINEAR and not explained(off, _SIGMAS * 0.3 / np.sqrt(row[_COUNT]), "spread"):
            return Symptom(
                f"the weights of a {_name(row)} are not PyTorch's own: initialise convolutions and batch norm only",
                "linear_too",
            )
    for row in rows:
        if not within(row[_BIAS_OFF], 1e-5, "biases"):
            how = "all 0" if row[_BIAS] == 0 else "drawn anew"
            return Symptom(f"the biases of a {_name(row)} are {how}: leave them as PyTorch makes them", "biases_too")
    return symptom


def _changed(values: Arrays) -> Symptom | None:
    """Networks that answer otherwise than the given ones with the same weights, or cannot be trained."""
    for n, network in enumerate(_NETWORKS if is_public() else ()):
        if not values["trainable"][n]:
            return Symptom(f"weights of the {network} take no gradient: leave requires_grad as it is", "frozen")
        if not values["modes"][n]:
            return Symptom(f"the {network} comes in evaluation mode: leave it as it is made")
        if not within(values["off"][n], 1e-4, "given networks"):
            return Symptom(
                f"the {network} is not the given one: its layers are others or have other settings, or something is added to them"
            )
    return None


def _given(channels: list[int]) -> list[tuple[int, int, int, int, int]]:
    """The layers of `drawn_networks`: network, kind, numbers in the weight, those of them that lead to one output, biases."""
    (g0, g1, g2), (d0, d1, d2) = channels[:3], channels[3:]
    return [
        (0, 3, 1024 * g0, 64, 16 * g0), (0, 2, g0, 1, g0), (0, 1, 16 * g0 * g1, 16 * g1, g1), (0, 2, g1, 1, g1),
        (0, 1, 16 * g1 * g2, 16 * g2, g2), (0, 2, g2, 1, g2), (0, 1, 48 * g2, 48, 3), (1, 0, 48 * d0, 48, d0),
        (1, 0, 16 * d0 * d1, 16 * d0, d1), (1, 2, d1, 1, d1), (1, 0, 16 * d1 * d2, 16 * d1, d2), (1, 2, d2, 1, d2),
        (1, 3, 16 * d2, 16 * d2, 1),
    ]  # fmt: skip


def _rows(values: Arrays, inputs: Arrays, kinds: tuple[int, ...]) -> tuple[list[np.ndarray], Symptom | None]:
    """The rows of these kinds, and what is wrong if the networks are not the ones whose classes stood in for the given."""
    layers, given = values["layers"], _given(inputs["channels"].tolist())
    if layers.shape != (len(given), 2) or layers.tolist() != [list(layer[:2]) for layer in given]:
        return [], Symptom(
            "the networks are not the given ones: make them with Generator(self._code_size) and Discriminator()"
        )
    rows, convolutions = [], [0, 0]  # so many of each network's come before
    for n, (network, kind, numbers, fan_in, count) in enumerate(given):
        weight, bias = values[f"weight_{n}"].astype(float), values[f"bias_{n}"].astype(float)
        if weight.shape != (len(range(0, numbers, max(1, numbers // _MOST))),) or bias.shape != (count,):
            name = f"{_KINDS[kind]} of the {_NETWORKS[network]}"
            return [], Symptom(
                f"a {name} has not as many weights as the given one: make it with Generator(self._code_size), code size "
                "64, or with Discriminator()"
            )
        made = None
        if kind in _IS_CONVOLUTION:
            before = convolutions[network]
            made, convolutions[network] = fan_in**-0.5 * inputs["biases"][before : before + count], before + 1
        if kind in kinds:
            rows.append(_row(network, kind, weight, bias, fan_in**-0.5, made))
    return rows, None


def _row(
    network: int, kind: int, weight: np.ndarray, bias: np.ndarray, bound: float, made: np.ndarray | None
) -> np.ndarray:
    """Network, kind, then of the weights: count, mean, standard deviation, fourth moment in units of the squared variance,
    spread; of the biases: largest value, and how far they are from those they were made with, in units of their bound."""
    off = weight - weight.mean()
    variance, fourth = np.square(off).mean(), _fourth_moment(off)
    spread = 0.0 if kind in _IS_BATCH_NORM else _spread(weight, bound)
    bias_off = _bias_off(kind, bias, bound, made)
    return np.array(
        [network, kind, len(weight), weight.mean(), variance**0.5, fourth, spread, np.abs(bias).max(), bias_off]
    )


def _fourth_moment(off: np.ndarray) -> float:
    """Of deviations from their mean, in units of the squared variance."""
    squares = np.square(off)  # a fourth power is some twenty times as slow
    return float(np.square(squares).mean() / max(squares.mean() ** 2, 1e-30))


def _bias_off(kind: int, bias: np.ndarray, bound: float, made: np.ndarray | None) -> float:
    """0 for biases that are as they were made; a linear layer's, which torch draws, are where they lie inside its bound and
    are not all one number. Where there is one bias, that one number is fine."""
    if made is not None:
        return float(np.abs(bias - made).max()) / bound
    if kind not in _IS_LINEAR:
        return 0.0
    spread = _spread(bias, bound)
    return 0.0 if np.isfinite(spread) and (spread > 0 or bias.size == 1) else 1.0


def _spread(values: np.ndarray, bound: float) -> float:
    """Standard deviation in units of the bound of torch's own uniform draw; infinite if a value lies outside it."""
    outside = max(np.abs(values).max() - bound, 0)
    return float(values.std()) / bound if within(outside, 1e-4 * bound, "outside the bound") else float("inf")


def _drawn(row: np.ndarray, mean: float) -> Symptom | None:
    """Mean and standard deviation, up to sampling error."""
    error = _SIGMAS * _WEIGHT_STD / np.sqrt(row[_COUNT])
    if not explained(abs(row[_STD] - _WEIGHT_STD), error / np.sqrt(2), "standard deviation"):
        text = f"the weights of a {_name(row)} have standard deviation {row[_STD]:.2g}, expected {_WEIGHT_STD}"
        if resembles(abs(row[_STD] - _WEIGHT_STD**0.5), 0.2 * _WEIGHT_STD**0.5, "variance_for_std"):
            return Symptom(f"{text}: 0.02 is the standard deviation, not the variance", "variance_for_std")
        if resembles(abs(row[_STD] - _WEIGHT_STD**2), 0.2 * _WEIGHT_STD**2, "std_squared"):
            return Symptom(f"{text}: 0.02 is the standard deviation, do not square it", "std_squared")
        if resembles(abs(row[_SPREAD] - _UNIFORM_SPREAD), 0.05, "not_initialised"):
            kind = "transposed_left_out" if row[_KIND] == 1 else "not_initialised"
            return Symptom(
                f"{text}: they still are PyTorch's; is _init_weights applied to both networks, to each kind of layer?",
                kind,
            )
        return Symptom(text)
    if not explained(abs(row[_MEAN] - mean), error, "mean"):
        return Symptom(f"the weights of a {_name(row)} have mean {row[_MEAN]:.3g}, expected {mean:g}")
    return None


def _name(row: np.ndarray) -> str:
    return f"{_KINDS[int(row[_KIND])]} of the {_NETWORKS[int(row[_NETWORK])]}"


def on_device(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Both networks, whole, are on the notebook's device, which is another one from time to time."""
    elsewhere, here, there = inputs["elsewhere"].astype(bool), values["here"], values["there"]
    whole = np.array([_numbers(channels) for channels in inputs["channels"].tolist()])
    if here.shape != whole.shape or there.shape != whole.shape:
        raise ValueError("a row for every constructor")
    for side, network in enumerate(_NETWORKS):
        if (here + there != whole)[:, side].any():
            return Symptom(
                f"the {network} is not the given one: make it with {('Generator(self._code_size)', 'Discriminator()')[side]}"
            )
        if here[elsewhere, side].any():
            return Symptom(
                f"the {network} is not on the device when it is not the CPU: move it with .to(device)", "not_on_device"
            )
        if there[~elsewhere, side].any():
            return Symptom(f"the {network} is elsewhere when the device is the CPU: move it with .to(device)")
    return None


def _numbers(channels: list[int]) -> list[int]:
    """So many numbers, in weights and biases, each network of these channels has."""
    given = _given(channels)
    return [sum(numbers + count for network, _, numbers, _, count in given if network == side) for side in (0, 1)]


def optimizers(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """One Adam for each network, which holds all of it and nothing else, with the class's rate and betas."""
    held, settings = values["held"], values["settings"]
    if held.shape[1:] != (3,) or settings.shape != (len(held), 6) or values["named"].shape != (2, len(held)):
        raise ValueError("rows of three and six")
    if any(row[0] > 0 and row[1] > 0 for row in held):
        return Symptom(
            "one optimizer holds parameters of both networks: give each network an optimizer of its own",
            "shared_optimizer",
        )
    for side, network in enumerate(_NETWORKS):
        own = [n for n, row in enumerate(held) if row[side] == 1 and row[2] == 0]
        if len(own) != 1:
            return Symptom(
                f"{len(own)} of the {len(held)} optimizers hold exactly the parameters of the {network}, expected 1: "
                "make it from this network's .parameters()",
                "wrong_parameters",
            )
        if symptom := _settings(network, settings[own[0]].tolist()):
            return symptom
        named = values["named"][side]
        if named.any() and not named[own[0]]:
            return Symptom(
                f"self._{network}_optimizer holds the parameters of the other network: exchange the two",
                "swapped_optimizers",
            )
    if symptom := _given_lines(values):
        return symptom
    pushes = inputs["pushes"].astype(float)
    expected = adam_path(inputs["start"], lambda _, step: pushes[step], len(pushes), LEARNING_RATE, ADAM_BETAS)[1:]
    if values["moved"].shape != expected.shape or not within(
        np.abs(values["moved"] - expected), 0.01 * LEARNING_RATE, "steps of Adam"
    ):
        return Symptom("the optimizers do not move the networks as Adam with the class's rate and betas would")
    return None


def _given_lines(values: Arrays) -> Symptom | None:
    """The other attributes are what the given lines make them; a class of one's own may do without any of them."""
    for (name, expected), got in zip(_NUMBERS.items(), values["numbers"].tolist(), strict=True):
        if not (np.isnan(got) or within(abs(got - expected), 1e-6 * expected, name)):
            return Symptom(f"self.{name} is {got:g}, expected {expected:g}: keep the given lines")
    shape, noise = values["noise_shape"].tolist(), values["noise"].astype(float)
    if shape not in ([0], [64, 64]):
        return Symptom(f"self._tracked_noise has shape {tuple(shape)}, expected (64, 64): keep the given lines")
    if noise.size and not explained(abs(noise.std() - 1), _SIGMAS / np.sqrt(2 * noise.size), "tracked noise"):
        return Symptom(f"self._tracked_noise has standard deviation {noise.std():.2f}, expected 1: draw_codes draws it")
    return None


def _settings(network: str, numbers: list[float]) -> Symptom | None:
    is_adam, rate, beta1, beta2, decay, is_amsgrad = numbers  # as `probes` writes them down
    of = f"the {network}'s optimizer"
    if is_adam != 1:
        return Symptom(f"{of} is not torch.optim.Adam", "not_adam")
    if not within(abs(rate - LEARNING_RATE), 1e-6 * LEARNING_RATE, "rate"):
        slip = "default_rate" if resembles(abs(rate - 1e-3), 1e-9, "default_rate") else ""
        advice = "1e-3 is Adam's default, pass lr=self._learning_rate" if slip else "pass lr=self._learning_rate"
        return Symptom(f"{of} has learning rate {rate:.3g}, expected {LEARNING_RATE:g}: {advice}", slip)
    if not within(np.abs(np.subtract([beta1, beta2], ADAM_BETAS)), 1e-6, "betas"):
        slip = "default_betas" if resembles(abs(beta1 - 0.9), 1e-6, "default_betas") else ""
        return Symptom(f"{of} has betas ({beta1:.3g}, {beta2:.4g}), expected {ADAM_BETAS}: pass betas=ADAM_BETAS", slip)
    if decay != 0:
        return Symptom(f"{of} has weight decay {decay:.3g}, expected none")
    if is_amsgrad != 0:
        return Symptom(f"{of} is Adam's variant AMSGrad: leave amsgrad out")
    return None


def classification_loss(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The mean of softplus(logit) - label * logit, for large logits too."""
    x, y, large = (inputs[name].astype(float) for name in ("logits", "labels", "large"))
    expected, got = _bce(x, y), values["value"]
    if got.shape != ():
        return Symptom(
            f"_classification_loss has shape {got.shape}, expected () (a scalar): the mean over the batch",
            "no_reduction",
        )
    usual = {
        "sum_for_mean": (expected.sum(), "it is a sum over the batch; take the mean"),
        "probabilities": (
            -(y * np.log(x) + (1 - y) * np.log(1 - x)).mean(),
            "logits are taken for probabilities; take BCEWithLogitsLoss",
        ),
        "squared_error": (np.square(x - y).mean(), "it is a squared error; take the binary cross-entropy of logits"),
        "sigmoid_twice": (_bce(1 / (1 + np.exp(-x)), y).mean(), "a sigmoid comes before a loss that has its own"),
    }
    if not within(abs(got - expected.mean()), 1e-5 + 1e-4 * expected.mean(), "value"):
        for slip, (wrong, sentence) in usual.items():
            if resembles(abs(got - wrong), 1e-4 * abs(wrong), slip):
                return Symptom(f"_classification_loss: {sentence}", slip)
        return Symptom(
            f"_classification_loss is off by {abs(got - expected.mean()):.2g} from the mean binary cross-entropy of logits"
        )
    at_large = _bce(large, y).mean()
    if not within(np.abs(values.get("large", np.full((), np.nan)) - at_large), 1e-4 * at_large + 1e-6, "large"):
        return Symptom(
            "_classification_loss is wrong for large logits, where a sigmoid rounds to 0 or 1: take BCEWithLogitsLoss, which has none",
            "sigmoid_before_loss",
        )
    slope = (1 / (1 + np.exp(-x)) - y) / len(x)
    d_logits = values.get("d_logits", np.zeros_like(x))
    if d_logits.shape != x.shape or not within(np.abs(d_logits - slope), 1e-3 * np.abs(slope).max(), "gradient"):
        return Symptom(
            "_classification_loss passes a wrong gradient on to the logits, or none: it is to be differentiated, without "
            ".item() or .detach()"
        )
    return None


def _bce(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, logits) - labels * logits
