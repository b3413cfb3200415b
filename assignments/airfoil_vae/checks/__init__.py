"""The checks of notebook 2; the judges are in `airfoil_nets` and `airfoil_sampling`."""

from collections.abc import Callable
from functools import wraps
from itertools import pairwise

import numpy as np

from grader.authoring.check import Arrays, Check, Draw, Judge, Probe, Symptom
from grader.authoring.contract import Contract, Sizes
from grader.authoring.judges import close
from grader.authoring.lines import beyond, is_public, resembles, within

from . import nets, sampling


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def _number(value: float) -> np.ndarray:
    return np.asarray(value, np.float32 if isinstance(value, float) else np.int64)


def _seed(rng: np.random.Generator) -> np.ndarray:
    return _number(int(rng.integers(2**31)))


_EQUAL = -5  # five hidden layers of one width, each with a weight of its own
_TWINS = -4  # each layer but the last as wide as a neighbour, and no two weights of the same sizes


def _net(rng: np.random.Generator, depth: int | None = None) -> Arrays:
    """Sizes that are all different, so that no two layers can be mistaken for each other."""
    if depth == _EQUAL:
        return _net(rng, 1) | {"hidden_dims": np.full(5, 11)}
    if depth == _TWINS:
        return {"size": np.asarray(14), "hidden_dims": np.array([14, 9, 9, 5]), "latent_size": _number(5)}
    depth = int(rng.integers(1, 4)) if depth is None else depth
    sizes = rng.choice(np.arange(12, 32), size=depth + 1, replace=False)
    return {
        "size": sizes[0],
        "hidden_dims": sizes[1:].astype(np.int64),
        "latent_size": _number(int(rng.integers(3, 6))),
    }


def _profiles(depth: int | None = None) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        net = _net(rng, depth)
        size, latent = (
            int(net["size"]),
            int(net["latent_size"]) - (depth == _TWINS),
        )  # a head's bias fits no hidden layer
        kept = {"hidden_dims": net["hidden_dims"], "latent_size": _number(latent)}
        return {"y": _normal(rng, 6, size), **kept, **_chain(rng, [size, *net["hidden_dims"], 2 * latent])}

    return draw


def _latents(depth: int | None = None) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        net = _net(rng, depth)
        size, latent = int(net["size"]) + 3 * (depth == _TWINS), int(net["latent_size"])
        given = {"z": _normal(rng, 6, latent), "hidden_dims": net["hidden_dims"], "output_size": _number(size)}
        return {**given, **_chain(rng, [latent, *net["hidden_dims"][::-1], size])}

    return draw


def _chain(rng: np.random.Generator, widths: list[int]) -> Arrays:
    """Weights of a chain of layers, and an input at which all units of each hidden layer see one and the same number.

    Whatever activation stands there then has one slope, and the derivative of the chain is the product of its weights
    times a number. The last weight takes a layer of equal units to 0. The input is as far out as a limit would show, and a
    square weight is symmetric: which way it lies is an answer's own.
    """
    arrays = {"at": rng.uniform(15, 45, widths[0]).astype(np.float32)}
    point, level = arrays["at"].astype(float), 0.5
    for n, (inputs, outputs) in enumerate(pairwise(widths)):
        weight = rng.standard_normal((outputs, inputs)) / np.sqrt(inputs)
        if inputs == outputs:
            weight = weight + weight.T
            off = level - weight @ point
            share = (off - point * (point @ off) / (2 * point @ point)) / (point @ point)
            weight += np.outer(share, point) + np.outer(point, share)
        else:
            weight -= np.outer(weight @ point, point) / (point @ point)
            if n < len(widths) - 2:
                weight += level * point / (point @ point) - weight.mean(axis=0)
        arrays[f"weight_{n}"] = weight.astype(np.float32)
        point, level = np.ones(outputs), 1.0
    return arrays


def _published(draw: Callable[[int], Draw], *depths: int) -> Callable[[], list[Arrays]]:
    """Lists that are hardly ever drawn, as published cases, the same for all checks: the answer is made once.

    The empty one; those of equal widths; and one layer, where it shows whether the activation stands before or behind it.
    """
    return lambda: [draw(depth)(np.random.default_rng(abs(depth))) for depth in depths]


def _affine(name: str, halves: int) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        n_in, n_out = 7 + 2 * int(rng.integers(3)), halves * int(rng.integers(3, 6))  # never the same
        return {
            name: 4 * _normal(rng, 5, n_in),  # as far out as a clamp would show
            "weight": 0.5 * _normal(rng, n_out, n_in),
            "bias": 0.5 * _normal(rng, n_out),
        }

    return draw


def _vanishing(rng: np.random.Generator) -> Arrays:
    b, latent = int(rng.integers(3, 8)), int(rng.integers(3, 6))
    logvar = rng.uniform(-40, -30, (b, latent)).astype(np.float32)
    return {"mu": _normal(rng, b, latent), "logvar": logvar, "weight": _normal(rng, latent, 2 * latent)}


def _make_posteriors(num_samples: int):
    """logvar well away from 0, so that sigma, sigma**2 and logvar are different numbers; and others, on the other side of 1."""

    def make(rng: np.random.Generator, B: int, K: int) -> Arrays:
        signs = np.resize([1, -1], (B, 1)) * rng.choice([-1, 1])
        logvar = signs * rng.uniform(1.0, 1.5, (B, K))
        logvar[0] *= 5.0  # as far out as a limit would show
        first, again = ((rng.uniform(-2, 2, (B, K)), side * logvar) for side in (1, -1))
        arrays = {"mu": first[0], "logvar": first[1], "mu_again": again[0], "logvar_again": again[1]}
        return {
            **{name: array.astype(np.float32) for name, array in arrays.items()},
            "num_samples": _number(num_samples), "seed": _seed(rng),
        }  # fmt: skip

    return make


def _gradient_posteriors(rng: np.random.Generator) -> Arrays:
    inputs = _make_posteriors(5_000)(rng, int(rng.integers(2, 4)), int(rng.integers(2, 4)))
    return {name: array for name, array in inputs.items() if "again" not in name}


_POSTERIORS = Sizes(_make_posteriors(600), {"B": (3, 5), "K": (2, 4)}, has_twin=False)


def _sampling(rng: np.random.Generator) -> Arrays:
    sizes = {"n_samples": _number(7_993), "latent_size": _number(int(rng.integers(2, 5)))}
    return {**sizes, "seed": _seed(rng), "tones": _tones(rng)}


def _few(rng: np.random.Generator) -> Arrays:
    """More latent dimensions than the notebook has: a number that stands in place of their size shows."""
    sizes = {"n_samples": _number(int(rng.integers(2, 9))), "latent_size": _number(int(rng.integers(11, 15)))}
    return {**sizes, "tones": _tones(rng)}


def _tones(rng: np.random.Generator) -> np.ndarray:
    """Scale and mark of the probe's decoder in evaluation mode, then in training mode."""
    scales, marks = rng.uniform(0.5, 2, 2), rng.choice([-1, 1]) * np.array([1, -1]) * rng.uniform(1, 9, 2)
    return np.array([scales[0], marks[0], scales[1], marks[1]], np.float32)


def _loss(optimizer: int, absolute: bool, beta: float | None = None) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        return {
            "y": _normal(rng, int(rng.integers(5, 9)), 26),  # for 13 latent dimensions, more than the notebook has
            "beta": _number((2.0 if absolute else 0.1) * float(rng.uniform(0.6, 2)) if beta is None else beta),
            "optimizer": _number(optimizer),
            "absolute": _number(int(absolute)),
            "n_iters": _number(int(rng.integers(4, 7))),
        }

    return draw


def _without_prior() -> list[Arrays]:
    """beta 0: mu and logvar are then not trained at all. And one that is hardly more: Adam's steps are as long then."""
    return [_loss(1, True, beta=beta)(np.random.default_rng(0)) for beta in (0.0, 5e-5)]


def _steps(gamma: float) -> Draw:
    """Batches of four: 10 items make three batches an epoch, the last one short, and n_iters is no multiple of three."""

    def draw(rng: np.random.Generator) -> Arrays:
        return {
            "y": rng.uniform(0.5, 1.5, (1, 12)).astype(np.float32),
            "n_items": _number(10),
            "batch_size": _number(4),
            "n_iters": _number(
                int(rng.choice([14, 16, 17, 19]))
            ),  # more than items: several epochs, the last not whole
            "gamma": _number(gamma),
            "start": _number(float(rng.uniform(0.2, 0.9))),
        }

    return draw


def _one_batch() -> list[Arrays]:
    """An epoch that is a single batch: its scheduler steps too."""
    return [_steps(0.7)(np.random.default_rng(0)) | {"batch_size": _number(10), "n_iters": _number(5)}]


def _long_window() -> list[Arrays]:
    return [_plateau(np.random.default_rng(0), 20) | {"window": _number(13)}]


def _plateau(rng: np.random.Generator, n: int = 16) -> Arrays:
    """Falling losses that jump: the last one, its two terms and the running average fall and rise at different times."""
    return {
        "y": rng.uniform(0.5, 1.5, (4, 12)).astype(np.float32),
        "rec": (np.linspace(3, 1, n) + rng.normal(0, 0.7, n)).astype(np.float32),
        "mus": rng.uniform(0.2, 0.8, n).astype(np.float32),
        "beta": _number(2.5),
        "window": _number(int(rng.integers(3, 6))),
    }


def _said(about: str, judge: Judge) -> Judge:
    """The judge's sentence, behind what was called with what."""

    @wraps(judge)  # and so its tolerance
    def say(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        symptom = judge(values, reference, inputs)
        return Symptom(f"{about}, {symptom.text}", symptom.slip) if symptom else None

    return say


def _first_losses(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Before any step: how the weights move from there is another check's to judge."""
    names = [name for name in reference if name.endswith("_losses")]
    first = {name: values[name][:1] for name in names if name in values and values[name].ndim == 1}
    return close()(first, {name: reference[name][:1] for name in names}, inputs)


def _seeded(noise: np.ndarray) -> Symptom | None:
    """The noise of two trainings, of four iterations each."""
    if noise.shape != (2, 4) or not beyond(np.abs(noise[0] - noise[1]), 1e-6, "noise"):
        return Symptom(
            "whatever torch's seed is, the model draws the same noise: set no seed in the loop", "seeded_inside"
        )
    if not beyond(np.abs(np.diff(noise, axis=1)), 1e-6, "noise of the next iteration"):
        return Symptom("the model draws the same noise in one iteration after another: let torch's generator go on")
    return None


def _iterations(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    asked, ran = int(inputs["n_iters"]), len(values.get("w", np.empty(0))) - 1
    recorded = values.get("recorded", np.empty(0)).size
    if (ran, recorded) != (asked, asked):
        return Symptom(
            f"the model ran {ran} times and the tracker holds {recorded} losses, expected n_iters = {asked} for both"
        )
    if symptom := _batch_sizes(values, inputs):
        return symptom
    modes, numbers = values.get("training", np.zeros(0)), values.get("numbers", np.zeros(0))
    if modes.shape != (asked,) or not modes.all():
        return Symptom("the model is not in training mode while it trains: call model.train()", "left_in_eval")
    n_items = int(inputs["n_items"])
    if numbers.size < n_items or not np.isin(numbers, np.arange(1, n_items + 1)).all():
        return Symptom("the model was not given batches of the data set's profiles")
    if np.array_equal(numbers, np.resize(np.arange(1, n_items + 1), numbers.shape)):
        return Symptom("the profiles come in the data set's order in every epoch: shuffle them", "not_shuffled")
    if is_public() and (symptom := _seeded(values["noise"])):
        return symptom
    config = values.get("config", np.empty(0))
    if config.shape != (2,) or config[0] != 1 or not within(abs(config[1] - 1), 1e-3, "rate of the caller"):
        return Symptom("the caller's optimizer_config is another one after the training: leave it as it is")
    kept = {name: reference[name] for name in ("w", "recorded")}
    if symptom := close(1e-4, 1e-5)({name: values[name] for name in kept}, kept, inputs):
        return symptom
    return _prior_of_the_rest(values, reference, inputs)


def _prior_of_the_rest(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The prior loss of the last batch of an epoch, which is smaller: its mean runs over its own profiles.

    A loss that is wrong for whole batches too is another check's to judge.
    """
    got, expected = values.get("prior", np.empty(0)), reference["prior"]
    if got.shape != expected.shape or not np.isfinite(got).all():
        return Symptom("the tracker's prior losses are no finite numbers, one for each iteration")
    rest = int(np.argmax(values["sizes"].astype(int) != int(inputs["batch_size"])))  # 0 where it is left out
    if rest < 2:
        return None
    steps, right = (prior[1 : rest + 1] / prior[:rest] for prior in (got, expected))
    goes_another_way = not resembles(np.abs(steps[:-1] - right[:-1]), 0.002, "prior of whole batches")
    if goes_another_way or within(abs(steps[-1] - right[-1]), 0.05, "prior of the rest"):
        return None
    return Symptom(
        "the prior loss of a batch smaller than batch_size is on another scale: its mean runs over the profiles it has",
        "divided_by_batch_size",
    )


def _batch_sizes(values: Arrays, inputs: Arrays) -> Symptom | None:
    """Batches as large as asked for; the rest of an epoch is a smaller one, or left out. No profile twice in an epoch."""
    n_items, size = int(inputs["n_items"]), int(inputs["batch_size"])
    sizes, numbers = values.get("sizes", np.empty(0)).astype(int), values.get("numbers", np.empty(0))
    with_rest = np.resize([size] * (n_items // size) + [n_items % size], sizes.shape)
    if not (np.array_equal(sizes, with_rest) or (sizes == size).all()):
        return Symptom(
            f"of {n_items} profiles the batches have {sizes[:6].tolist()} ..., expected batch_size = {size}, and the rest as the last of an epoch",
            "other_batches",
        )
    per_epoch = n_items if np.array_equal(sizes, with_rest) else n_items // size * size
    whole = numbers[: len(numbers) // per_epoch * per_epoch].reshape(-1, per_epoch)
    if any(len(np.unique(epoch)) < per_epoch for epoch in whole):
        return Symptom("a profile comes twice in an epoch: each once, in a new order", "drawn_with_replacement")
    if not values.get("trainable", np.zeros(1)).all():
        return Symptom("the model's parameters take no gradient any more after the training: leave requires_grad alone")
    return None


CALLS = {"air.vae": ("Encoder", "Decoder")}
AS_IF = {"Decoder": sampling.in_either_order}


def _check(
    name: str, title: str, points: float, probe: Probe, judge: Judge, uses_reference: bool = False,
    *, advice: Judge | None = None,
) -> Check:  # fmt: skip
    return Check(
        name, "air." + name.split(".")[1], title, points, probe, judge=judge, uses_reference=uses_reference, advice=advice,
    )  # fmt: skip


CHECKS = (
    _check(
        "air.encoder.shapes", "mu and logvar of shape (B, latent_size), for any depth", 3,
        Probe("encoder", _profiles(), _published(_profiles, 0, _EQUAL)), nets.encoder_shapes,
    ),
    _check(
        "air.encoder.layers", "one layer for each width, all of them trained", 4,
        Probe("encoder", _profiles(), _published(_profiles, 0, _EQUAL, _TWINS)), nets.encoder_layers,
    ),
    _check(
        "air.encoder.activation", "an activation between the layers", 2,
        Probe("encoder", _profiles(), _published(_profiles, 1, _TWINS)), nets.is_bent,
    ),
    _check(
        "air.encoder.output", "mu is the first half of the last layer, logvar the second, and nothing follows", 3,
        Probe("affine_encoder", _affine("y", 2)), nets.affine_encoder,
    ),
    _check(
        "air.decoder.shapes", "y_hat of shape (B, output_size), for any depth", 3,
        Probe("decoder", _latents(), _published(_latents, 0, _EQUAL)), nets.decoder_shapes,
    ),
    _check(
        "air.decoder.layers", "one layer for each width, all of them trained", 4,
        Probe("decoder", _latents(2), _published(_latents, 0, _EQUAL, _TWINS)), nets.decoder_layers,
    ),
    _check(
        "air.decoder.activation", "an activation between the layers", 2,
        Probe("decoder", _latents(), _published(_latents, 1, _TWINS)), nets.is_bent,
    ),
    _check(
        "air.decoder.output", "nothing follows the last layer", 3,
        Probe("affine_decoder", _affine("z", 1)), nets.affine_decoder,
    ),
    _check(
        "air.vae.shapes", "y_hat, mu and logvar for any depth", 1,
        Probe("vae_shapes", _profiles(), _published(_profiles, 0, _EQUAL)), sampling.vae_shapes,
    ),
    _check(
        "air.vae.outputs", "the encoder's mu and logvar, and the decoded z", 3,
        Probe("vae_outputs", _vanishing), sampling.vae_outputs,
    ),
    _check(
        "air.vae.noise", "z with mean mu and standard deviation exp(logvar / 2)", 5,
        Probe("vae_noise", _POSTERIORS), sampling.vae_noise,
    ),
    _check(
        "air.vae.gradient", "gradients pass through z to mu and logvar", 4,
        Probe("vae_gradient", _gradient_posteriors), sampling.vae_gradient,
    ),
    _check(
        "air.vae.prior", "generate decodes draws from N(0, I)", 4,
        Probe("generate", _sampling), sampling.generate_prior,
    ),
    _check(
        "air.vae.seed", "generate repeats itself for the same seed, and only then", 3,
        Probe("generate", _sampling), sampling.generate_seeded,
    ),
    _check(
        "air.vae.modes", "generate decodes in evaluation mode", 3,
        Probe("generate_modes", _few), sampling.generate_modes, advice=sampling.modes_afterwards,
    ),
    _check(
        "air.vae.inference", "generate keeps no gradients", 2,
        Probe("generate_modes", _few), sampling.generate_free,
    ),
    _check(
        "air.vae.device", "generate works on the device asked for", 1,
        Probe("generate_device", _few), sampling.generate_device,
    ),
    _check(
        "air.train.losses", "both losses with their reductions, and the total with beta", 3,
        Probe("train", _loss(0, False)), _said("on one batch of known outputs", _first_losses), True,
    ),
    _check(
        "air.train.updates", "the weights after a few iterations, with another optimizer and rec_loss_fn, and with beta 0", 2,
        Probe("train", _loss(1, True), _without_prior), _said("with Adam and L1Loss", close(1e-3, 1e-4)), True,
    ),
    _check(
        "air.train.iterations", "exactly n_iters steps in training mode, on shuffled batches, each with fresh gradients", 2,
        Probe("train_steps", _steps(1.0)), _said("where the gradient of w is 100 in every iteration", _iterations), True,
    ),
    _check(
        "air.train.scheduler", "one scheduler step an iteration", 1,
        Probe("train_steps", _steps(0.7), _one_batch), _said("with ExponentialLR", _iterations), True,
    ),
    _check(
        "air.train.plateau", "ReduceLROnPlateau sees the running average of the total loss", 2,
        Probe("train_plateau", _plateau, _long_window), _said("with ReduceLROnPlateau", close()), True,
    ),
)  # fmt: skip

CONTRACTS = (
    # Layers are free, so a network may have dropout, which draws.
    Contract(
        "air.encoder", pays="air.encoder.shapes", watches=("Encoder.forward:generator", "Encoder.__init__:generator,modes,weights,frozen"),
        arguments=("self", "y"),
    ),
    Contract("air.decoder", pays="air.decoder.shapes", watches=("Decoder.forward:generator",), arguments=("self", "z")),
    # What the stand-ins return may be a piece of what they are given; the mode after `generate` is the caller's.
    Contract(
        "air.vae", pays="air.vae.outputs", watches=("VAE.forward:shared", "VAE.generate:modes", "VAE.__init__:modes,weights,frozen"),
        arguments=("self", "y"),
        is_random=True,
    ),
    Contract(
        "air.train", pays="air.train.updates", watches=("train_VAE:modes,weights",), arguments=("model", "train_dataset"),
        is_random=True, returns="anything",
    ),
)  # fmt: skip
