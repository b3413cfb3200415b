"""The checks of notebook 4; the judges are in `init`, `step`, `spectral` and `search`."""

import numpy as np

from grader.authoring.check import Arrays, Check, Draw, Judge, Probe
from grader.authoring.contract import Contract

from . import init, search, spectral, step


def _seeded(rng: np.random.Generator) -> Arrays:
    return {"seed": np.asarray(int(rng.integers(2**31)))}


def _sized(rng: np.random.Generator) -> Arrays:
    """Channels of two networks, at most 128, and biases for their convolutions."""
    return {
        "channels": rng.integers(64, 129, 6),
        "biases": rng.uniform(-1, 1, 130).astype(np.float32),
        **_seeded(rng),
    }


def _devices(rng: np.random.Generator) -> Arrays:
    """Whether the device is another one, for two constructors in a row, one of the two times; channels for each, few."""
    return {"elsewhere": rng.permutation(2), "channels": rng.integers(2, 9, (2, 6))}


def _logits(rng: np.random.Generator) -> Arrays:
    """Logits that could be probabilities, so that every slip has a value, and large ones of both signs."""
    n = int(rng.integers(2, 4))
    labels = rng.permutation(np.arange(3 * n) % 3 == 0)  # not as many of one label as of the other
    return {
        "logits": rng.uniform(0.1, 0.9, (3 * n, 1)).astype(np.float32),
        "labels": labels[:, None].astype(np.float32),
        "large": (rng.choice([-1, 1], (3 * n, 1)) * rng.uniform(200, 300, (3 * n, 1))).astype(np.float32),
    }


def _game(rng: np.random.Generator) -> Arrays:
    """Images of one colour each, one or two more than two full batches; three epochs, so six steps: codes enough to judge them."""
    size = int(rng.integers(9, 14))
    values = rng.permutation(np.arange(1, 32))[: 2 * size + int(rng.integers(1, 3))]
    return {
        "values": (values / 32).astype(np.float32),
        "batch_size": np.asarray(size),
        "epochs": np.asarray(3),
        "start": rng.uniform([1.1, -0.5, 0.12, -0.15], [1.5, -0.3, 0.18, -0.05]).astype(np.float32),
        **_far(rng, size),
        "asked_sizes": rng.permutation(np.arange(3, 9))[:2],
        **_seeded(rng),
    }


def _far(rng: np.random.Generator, size: int) -> Arrays:
    """Two games of one step that stand far off balance: in one the discriminator is right about everything, in the other
    about nothing. Its logits are around 6 and -6: one network's loss is above 5, the other's nearly nothing."""
    starts = np.array([[13, -6.5, 0.02, -0.45], [-13, 6.5, 0.02, -0.45]]) + rng.uniform(-0.01, 0.01, (2, 4))
    values = [rng.permutation(np.arange(210, 256))[:size] / 256 for _ in starts]  # the generator's are around 0.05
    return {"far_values": np.array(values, np.float32), "far_starts": starts.astype(np.float32)}


def _pushed(rng: np.random.Generator) -> Arrays:
    """Four small parameters, and five gradients for each: of both signs, so that Adam's two averages show, and each of a size of
    its own, which matters to nothing but Adam's epsilon."""
    pushes = rng.choice([-1, 1], (5, 4)) * rng.uniform(0.3, 1.5, (5, 4)) * rng.permutation([1, 1e-1, 1e-3, 1e-5])
    return {"start": rng.uniform(-0.01, 0.01, 4).astype(np.float32), "pushes": pushes.astype(np.float32)}


def _pairs(rng: np.random.Generator) -> Arrays:
    shape = int(rng.integers(2, 5)), 3, 4, 4
    return {name: rng.uniform(0, 1, shape).astype(np.float32) for name in ("generated", "target")}


def _hidden_codes(low: int, high: int) -> Draw:
    """Codes to be found in a number of steps between two limits: near ones, which are passed and come back to, and farther ones."""

    def draw(rng: np.random.Generator) -> Arrays:
        rng.random(low)  # other images than another number of steps has: an answer kept from call to call shows
        codes = rng.choice([-1, 1], (3, 64)) * rng.uniform(0.02, 0.15, (3, 64))
        return {
            "codes": codes.astype(np.float32),
            "tint": rng.permutation([-0.02, 0, 0.02]).astype(np.float32),
            # Grey in evaluation mode, in training mode, and the gain.
            "greys": rng.uniform([0.45, 0.6, 0.95], [0.55, 0.7, 1.05]).astype(np.float32),
            "steps": np.asarray(int(rng.integers(low, high))),
            "as_array": np.asarray(int(rng.integers(2))),
        }

    return draw


def _check(name: str, title: str, points: float, probe: Probe, judge: Judge, uses_reference: bool = False) -> Check:
    return Check(
        name, name.rpartition(".")[0], title, points, probe, judge=judge, uses_reference=uses_reference,
    )  # fmt: skip


CALLS = {"gan.train": ("DCGAN",), "gan.reconstruct": ("DCGAN",)}
LITERALS = {"gan.train": {25: "NUM_EPOCHS", 128: "BATCH_SIZE"}, "gan.reconstruct": {500: "VIS_STEPS"}}
_FEW_STEPS, _ENOUGH_STEPS = _hidden_codes(9, 13), _hidden_codes(50, 61)

CHECKS = (
    _check("gan.init.convolutions", "weights of all convolutions from N(0, 0.02^2)", 1, Probe("layers", _sized), init.convolutions),
    _check("gan.init.batch_norm", "scales of batch norm from N(1, 0.02^2), shifts 0", 1, Probe("layers", _sized), init.batch_norms),
    _check("gan.init.others", "linear layers, and biases of convolutions, as PyTorch makes them", 1, Probe("layers", _sized), init.others),
    _check("gan.init.device", "both networks on the device", 1, Probe("networks_on_device", _devices), init.on_device),
    _check(
        "gan.init.optimizers", "the class's settings, and Adam for each network alone with its rate and betas", 2,
        Probe("optimizers", _pushed), init.optimizers,
    ),
    _check("gan.init.loss", "the mean binary cross-entropy of logits", 1, Probe("classification_loss", _logits), init.classification_loss),
    _check("gan.train.updates", "one update of each network in each step, the discriminator's first", 2, Probe("train", _game), step.updates),
    _check("gan.train.batches", "full batches, real and fake apart, in a new order in each epoch", 2, Probe("train", _game), step.batches),
    _check("gan.train.detached", "the discriminator's update leaves the generator alone", 2, Probe("train", _game), step.detached),
    _check("gan.train.discriminator", "the gradient of the discriminator's loss, and that loss", 3, Probe("train", _game), step.discriminator),
    _check("gan.train.generator", "the gradient of the generator's loss, and that loss", 3, Probe("train", _game), step.generator),
    _check("gan.train.codes", "new codes from N(0, I) for each update", 1, Probe("train", _game), step.codes),
    _check(
        "gan.spectral.convolutions", "each convolution's largest singular value is 1", 2,
        Probe("spectral", _seeded), spectral.every_convolution, True,
    ),
    _check("gan.spectral.nowhere_else", "the linear layer is as it was", 1, Probe("spectral", _seeded), spectral.nowhere_else, True),
    _check("gan.spectral.rest", "all other layers are as they were", 1, Probe("spectral", _seeded), spectral.rest, True),
    _check("gan.reconstruct.loss", "the mean squared error", 2, Probe("reconstruction_loss", _pairs), search.reconstruction_loss),
    _check("gan.reconstruct.start", "codes of zeros at the start", 2, Probe("reconstruct", _FEW_STEPS), search.start),
    _check("gan.reconstruct.eval_mode", "the generator in evaluation mode", 2, Probe("reconstruct", _FEW_STEPS), search.eval_mode),
    _check("gan.reconstruct.unchanged", "the generator stays as it was, the codes move", 2, Probe("reconstruct", _FEW_STEPS), search.unchanged),
    _check("gan.reconstruct.search", "VIS_STEPS steps of Adam come close to the images", 3, Probe("reconstruct", _ENOUGH_STEPS), search.search),
    _check("gan.reconstruct.images", "the images found, and their loss", 1, Probe("reconstruct", _FEW_STEPS), search.images),
)  # fmt: skip

CONTRACTS = (
    Contract("gan.init", pays="gan.init.others", watches=("DCGAN.__init__:modes,weights,frozen",), is_random=True),
    Contract("gan.spectral", pays="gan.spectral.rest", watches=("SpectralDiscriminator.forward",), arguments=("self", "images")),
    # Who switches the discriminator's gradients off for the generator's turn may leave them so; the published training
    # shuffles the array that it is given.
    Contract(
        "gan.train", pays="gan.train.codes", watches=(
            "DCGAN.train:weights,modes,frozen,argument", "DCGAN._update_discriminator:weights,modes,frozen",
            "DCGAN._update_generator:weights,modes,frozen",
        ), arguments=("self", "train_samples"),
        is_random=True, returns="anything",
    ),
    Contract(
        "gan.reconstruct", pays="gan.reconstruct.images",
        watches=("DCGAN.reconstruct:modes,shared,dtype,generator,frozen", "DCGAN._reconstruction_loss"),
        arguments=("self", "samples"),
    ),
)  # fmt: skip
