"""Probes of notebook 4: a GAN's constructor, its training, spectral norm, the search for codes.

Training and search are watched from outside. Networks of ours stand in for the given ones while `DCGAN()` is called, so
that its optimizers hold them; they write down how they are called, and a hook of torch tells when an optimizer moves
them. The networks are so plain that the grader works out the right gradients from what they saw.
"""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from grader.probe_kit.gan_stand_ins import Critic, Curves, Mirror, Painter, Saves, drawn_networks, noting_updates
from grader.probe_kit.stand_ins import fill, plain_layers, sample, uniform, without_draws
from grader.probe_kit.tools import gradients, noting_settings, seed_torch, seeds
from grader.probe_kit.watching import unwatched

_KINDS = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.Linear)
_NUMBERS = ("_num_epochs", "_batch_size", "_code_size", "_learning_rate", "_vis_learning_rate")
_ADAM = {"lr": 2e-4, "betas": (0.5, 0.999)}  # as in numbers.py, which no student's process may read

# ---------------------------------------------------------------- networks, optimizers, loss


def layers(names, channels: Tensor, biases: Tensor, seed: Tensor):
    """Network and kind of every layer, and for layer n some of its weights, `weight_n`, and of its biases, `bias_n`.

    The networks have the given ones' layers in sizes of ours, and biases of ours in their convolutions.
    """
    names.patched(**drawn_networks(channels, biases))
    seed_torch(seed)
    gan = names["DCGAN"]()
    found = [
        (side, kind, layer)
        for side, network in enumerate((gan._generator, gan._discriminator))
        for layer in network.modules()
        for kind in [n for n, of in enumerate(_KINDS) if isinstance(layer, of)]
    ]
    values = {"layers": torch.tensor([[side, kind] for side, kind, _ in found], dtype=torch.long).reshape(-1, 2)}
    for n, (_, _, layer) in enumerate(found):
        values |= {f"weight_{n}": sample(layer.weight, most=4000), f"bias_{n}": sample(layer.bias, most=4000)}
    values |= _one_layer(gan)
    return values | _small(names, int(seed)) if names.is_public else values


@torch.no_grad()
def _one_layer(gan) -> dict[str, Tensor]:
    """What `_init_weights`, where there is one, makes of single layers: kernels, many scales, and a layer that is not to be touched."""
    if not callable(init := getattr(gan, "_init_weights", None)):
        return {}
    kernels, norm = [nn.Conv2d(20, 20, 4), nn.ConvTranspose2d(20, 20, 4)], nn.BatchNorm2d(2000)
    linear = nn.Linear(6, 5)
    before = [parameter.clone() for parameter in linear.parameters()]
    for layer in (*kernels, norm, linear, nn.LeakyReLU()):
        init(layer)
    off = max(float((one - other).abs().max()) for one, other in zip(before, linear.parameters(), strict=True))
    alone = {f"alone_{n}": sample(layer.weight, most=4000) for n, layer in enumerate(kernels)}
    return alone | {"scales": norm.weight, "shifts": norm.bias[:50], "linear_off": torch.tensor(off)}


_LEADING = 12  # weights of a layer, by which its draw is known again


def _small(names, seed: int) -> dict[str, Tensor]:
    """Of small networks: the first weights of every layer that is drawn, in two objects, shape (2, layers, _LEADING), and whether the
    networks are the given ones."""
    names.patched(**drawn_networks(torch.full((6,), _LEADING), torch.linspace(-1, 1, 130)))
    rows = []
    for number in (1, 2):
        seed_torch(number)
        gan = names["DCGAN"]()
        layers = [*gan._generator.modules(), *gan._discriminator.modules()]
        rows.append(torch.stack([_first_of(layer.weight) for layer in layers if isinstance(layer, _KINDS[:3])]))
    return {"twice": torch.stack(rows), **_as_given(names, gan, seed)}


def _first_of(parameter: Tensor) -> Tensor:
    """So many as make it known again; 0 behind those of a shorter one."""
    few = parameter.detach().flatten()[:_LEADING]
    return torch.cat([few, torch.zeros(_LEADING - len(few))])


@torch.no_grad()
def _as_given(names, gan, seed: int) -> dict[str, Tensor]:
    """Whether the networks answer as the given ones do with the same weights, in training and then in evaluation mode, come in
    training mode, and can be trained."""
    networks = gan._generator, gan._discriminator
    size = next(gan._generator.parameters()).shape[-1]  # of a code: the first weight is the linear layer's
    with plain_layers():
        given = names["Generator"](size), names["Discriminator"]()
    modes = [all(module.training for module in network.modules()) for network in networks]
    trainable = [all(parameter.requires_grad for parameter in network.parameters()) for network in networks]
    off = []
    for one, other, x in zip(networks, given, (uniform(seed, 2, size) - 0.5, uniform(seed, 2, 3, 32, 32)), strict=True):
        other.load_state_dict(dict(one.named_parameters()), strict=False)  # and not the statistics
        gaps = [(one.train(mode)(x) - other.train(mode)(x)).abs().max() for mode in (False, True, False)]
        off.append(float(max(gaps)))
    return {"off": torch.tensor(off), "modes": torch.tensor(modes), "trainable": torch.tensor(trainable)}


def networks_on_device(names, elsewhere: Tensor, channels: Tensor):
    """For constructor after constructor, how many numbers each network has on the CPU, `here`, and on another device, `there`.

    The notebook's device is another where `elsewhere` is 1; `meta`, which holds no values, stands for it. Every constructor
    has networks of other sizes: what it leaves on the device is theirs.
    """
    counts = torch.zeros(len(elsewhere), 2, 2, dtype=torch.long)
    for row, is_other, sizes in zip(counts, elsewhere, channels, strict=True):
        device = torch.device("meta" if is_other else "cpu")
        names.patched(device=device, Device=device, **drawn_networks(sizes, torch.zeros(130)))
        with without_draws() if is_other else nullcontext():
            gan = names["DCGAN"]()
        for side, network in enumerate((gan._generator, gan._discriminator)):
            for parameter in network.parameters():
                row[side, int(parameter.is_meta)] += parameter.numel()
    return {"here": counts[..., 0], "there": counts[..., 1]}


def optimizers(names, start: Tensor, pushes: Tensor):
    """Every optimizer among the attributes: what it holds, its settings, and where it moves parameters from `start` that
    have the gradients `pushes`, one after another. Beside them the other attributes of the given lines, where they are."""
    names.patched(Generator=Painter, Discriminator=Critic)
    gan = names["DCGAN"]()
    found = _optimizers(gan)
    networks = [{id(p) for p in network.parameters()} for network in (gan._generator, gan._discriminator)]
    held, settings = [], []
    for optimizer in found:
        own = {id(p) for group in optimizer.param_groups for p in group["params"]}
        held.append(
            [*(len(own & network) / len(network) for network in networks), len(own - networks[0] - networks[1])]
        )
        first = optimizer.param_groups[0]
        betas = first.get("betas", (0.0, 0.0))
        extras = first.get("weight_decay", 0.0), first.get("amsgrad", False)
        settings.append([type(optimizer) is Adam, first["lr"], *map(float, betas), *map(float, extras)])
    named = [getattr(gan, name, None) for name in ("_generator_optimizer", "_discriminator_optimizer")]
    noise = torch.as_tensor(getattr(gan, "_tracked_noise", torch.empty(0)))
    return {
        "held": torch.tensor(held, dtype=torch.float64).reshape(-1, 3),
        "settings": torch.tensor(settings, dtype=torch.float64).reshape(-1, 6),
        "named": torch.tensor([[one is optimizer for optimizer in found] for one in named]).reshape(2, len(found)),
        "numbers": torch.tensor([float(getattr(gan, name, "nan")) for name in _NUMBERS], dtype=torch.float64),
        "noise_shape": torch.tensor(noise.shape, dtype=torch.long),
        "noise": sample(noise, most=500),
        "moved": _moved(gan, found, start, pushes),
    }


def _moved(gan, found: list[Optimizer], start: Tensor, pushes: Tensor) -> Tensor:
    """The four parameters after each push."""
    watched, after = _watched(gan), []
    _set(watched, start)
    for push in pushes:
        for parameter, gradient in zip(watched, push, strict=True):
            parameter.grad = gradient.clone()
        for optimizer in found:
            optimizer.step()
        after.append([parameter.item() for parameter in watched])
    return torch.tensor(after)


def _watched(gan) -> list[nn.Parameter]:
    critic, painter = gan._discriminator, gan._generator
    return [critic.slope, critic.offset, painter.scale, painter.shift]


@torch.no_grad()
def _set(parameters: list[nn.Parameter], numbers: Tensor) -> None:
    for parameter, number in zip(parameters, numbers, strict=True):
        parameter.fill_(float(number))


def _optimizers(gan) -> list[Optimizer]:
    """Those among the attributes, and inside their lists, tuples and dictionaries, each once."""
    found: list = []
    for value in vars(gan).values():
        found += value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    return list({id(value): value for value in found if isinstance(value, Optimizer)}.values())


def classification_loss(names, logits: Tensor, labels: Tensor, large: Tensor):
    """On logits that could be probabilities, and on large ones, which no probability can stand for."""
    names.patched(Generator=Painter, Discriminator=Critic)
    gan = names["DCGAN"]()
    values = {"value": gan._classification_loss(logits, labels)}
    values |= gradients(lambda logits: gan._classification_loss(logits, labels), logits=logits)
    with suppress(RuntimeError):  # a loss of probabilities refuses them: then "large" is missing
        values["large"] = gan._classification_loss(large, labels)
    return values


# ---------------------------------------------------------------- one step of the game


def train(names, **inputs: Tensor):
    """The whole training on images of one colour each, seen by the two networks and at every update.

    `updates` says whose parameters the optimizer holds, 1 the discriminator's, 2 the generator's, 3 both; `before`,
    `after` and `gradients` have the columns slope, offset, scale, shift, which begin at `start`.

    With the public inputs, each with a new object: `far_0_…` and `far_1_…`, one step of games that stand far off balance; and
    `asked_…`, the two methods of the notebook, where they are, asked for batches of other sizes, and whether all of it is on the
    notebook's device.
    """
    given = {name: inputs[name] for name in ("values", "batch_size", "epochs", "start", "seed")}
    seen, gan, images = _played(names, **given)
    if not names.is_public:
        return seen
    seen |= _resumed(gan, images, int(inputs["epochs"])) if gan.checkpoint.was_asked else {}
    for n, (values, start) in enumerate(zip(inputs["far_values"], inputs["far_starts"], strict=True)):
        far = {"values": values, "start": start, "batch_size": inputs["batch_size"], "epochs": 1}
        seen |= {
            f"far_{n}_{name}": value for name, value in _played(names, **far, seed=inputs["seed"] + 1 + n)[0].items()
        }
    return seen | _asked(names, images, inputs["asked_sizes"].tolist(), inputs["start"])


def _played(names, values, batch_size, epochs, start, seed) -> tuple[dict[str, Any], Any, Tensor]:
    """A training from its start on: what was seen of it, the object, and the images."""
    names.patched(NUM_EPOCHS=int(epochs), BATCH_SIZE=int(batch_size), NUM_TRACKED=4)
    gan = _at_start(names, start)
    gan._num_epochs, gan._batch_size = int(epochs), int(batch_size)  # for a constructor that has their numbers
    gan.checkpoint = Saves(gan, done=0, is_there=False)
    images = _images_of(values)
    seed_torch(seed)
    with noting_updates(_watched(gan), gan._discriminator.updates):
        gan.train(images.numpy().copy())
    return _seen_of(gan), gan, images


def _at_start(names, start: Tensor):
    """A DCGAN of two plain networks, with curves, that stands where it is told."""
    gan = _instrumented(names, Painter, Critic)
    gan.tracker = Curves()
    # The loss and the optimizers have been asked about: here they are the right ones.
    gan._classification_loss = nn.BCEWithLogitsLoss()
    for optimizer in _optimizers(gan):
        _make_right(optimizer)
    gan._generator.updates = gan._discriminator.updates
    _set(_watched(gan), start)
    return gan


def _images_of(values: Tensor) -> Tensor:
    """Of nearly one tone each: no value of another image, three colours that differ, and a corner that does."""
    tones = values[:, None, None, None] / 2 + torch.tensor([0.003, 0.005, 0.007])[:, None, None]
    images = tones * torch.ones(32, 32)
    images[:, :, 0, 0] = values[:, None]
    images[:, :, 0, -1] += 0.01
    return images


def _seen_of(gan) -> dict[str, Any]:
    painter, critic = gan._generator, gan._discriminator
    moved = [update for update in critic.updates if len(update) == 4]
    settings = [
        [group["lr"], *map(float, group.get("betas", (0.0, 0.0)))]
        for optimizer in _optimizers(gan) for group in optimizer.param_groups
    ]  # fmt: skip
    return {
        "shown": _joined(critic.shown),
        "shown_rest": torch.cat([torch.empty(0, 5), *critic.rests]),
        "shown_sizes": torch.tensor([len(batch) for batch in critic.shown], dtype=torch.long),
        "shown_after": torch.tensor(critic.after, dtype=torch.long),
        "made": _joined(painter.made),
        "codes": torch.cat([torch.empty(0, painter.fc.in_features), *painter.codes]),
        "pulled": torch.tensor(painter.pulled, dtype=torch.long),
        "in_training": torch.tensor([all(critic.was_training), _is_training_when_shown(painter, critic)]),
        "updates": torch.tensor([update[0] for update in moved], dtype=torch.long),
        "before": torch.tensor([update[1] for update in moved]).reshape(-1, 4),
        "gradients": torch.tensor([update[2] for update in moved]).reshape(-1, 4),
        "after": torch.tensor([update[3] for update in moved]).reshape(-1, 4),
        "settings": torch.tensor(settings, dtype=torch.float64).reshape(-1, 3),
        "losses": torch.tensor(gan.tracker.losses).reshape(-1, 2),
        "loss_kinds": torch.tensor(gan.tracker.kinds, dtype=torch.long).reshape(-1, 2),
        "tracker_asked": gan.tracker.was_asked,
        "pictures": torch.tensor(gan.tracker.pictures, dtype=torch.long).reshape(-1, 4),
    }


def _asked(names, images: Tensor, sizes: list[int], start: Tensor) -> dict[str, Any]:
    """What the two methods of the notebook do with other numbers of images than BATCH_SIZE, and on another device; nothing where
    they are not."""
    gan = _at_start(names, start)
    if not all(_takes_one(getattr(gan, name, None)) for name in ("_update_discriminator", "_update_generator")):
        return {"is_elsewhere": False}
    real, count = images[: sizes[0]], sizes[1]
    with suppress(Exception), noting_updates(_watched(gan), gan._discriminator.updates):
        gan.tracker.update(gan._update_discriminator(real.clone()), gan._update_generator(count))
    seen = {f"asked_{name}": value for name, value in _seen_of(gan).items()}
    there = real.to("meta")

    def both(gan: Any) -> Any:
        try:
            gan._update_discriminator(there)
        except Exception as error:  # one that wants a number ends there, and the other is asked all the same
            if _is_of_two_devices(error):
                raise
        return gan._update_generator(2)

    return seen | {"is_elsewhere": _is_elsewhere(names, Painter, both)}


def _takes_one(method: Any) -> bool:
    with suppress(TypeError, ValueError):
        return callable(method) and bool(signature(method).bind(None))
    return False


_NOT_THERE = "is not on the expected device"  # torch's words


def _is_elsewhere(names, kind: type[nn.Module], call: Callable[[Any], Any]) -> bool:
    """Whether tensors of an answer stay on the CPU when the notebook's device is another one; `meta`, which holds no values,
    stands for it: an answer that needs a value ends there."""
    names.patched(device=torch.device("meta"), Device=torch.device("meta"), VIS_STEPS=1)
    try:
        with without_draws():
            gan = _instrumented(names, kind, Critic)
        gan._classification_loss = _meet
        for network in (gan._generator, gan._discriminator):
            network.to("meta")
        for optimizer in _optimizers(gan):
            setattr(optimizer, "step", _stay)  # noqa: B010 - mypy takes no other function there
        found = call(gan)
    except Exception as error:
        return _is_of_two_devices(error)
    finally:
        names.patched(device=torch.device("cpu"), Device=torch.device("cpu"))
    _, images = _found(found)  # they are to come back on the CPU
    return isinstance(images, Tensor) and images.ndim == 4 and images.is_meta


def _meet(logits: Tensor, labels: Tensor) -> Tensor:
    """In place of the loss, which takes its time on `meta`: whether both are on one device."""
    if logits.device != labels.device:
        raise RuntimeError(f"the labels' {labels.device} {_NOT_THERE} {logits.device}")
    return logits.sum()


def _stay(closure: Callable[[], object] | None = None) -> None:
    """In place of an optimizer's step."""
    if closure is not None:
        closure()


def _make_right(optimizer: Optimizer) -> None:
    """Make it the class's Adam, wherever it is kept and whatever it was. `fused` moves all parameters at once, which takes less time."""
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    optimizer.__class__ = Adam
    optimizer.__init__(held, **_ADAM, fused=True)  # type: ignore[misc]


def _resumed(gan, images: Tensor, epochs: int) -> dict[str, Any]:
    """The notebook's own `train` once more, from a checkpoint of all epochs but one, with bytes and without a tracker,
    and from networks in evaluation mode."""
    painter, critic = gan._generator.eval(), gan._discriminator.eval()
    before = torch.cat([torch.empty(0, painter.fc.in_features), *painter.codes])[:, 0]
    painter.codes.clear()
    critic.shown, critic.after, critic.updates, critic.rests = [], [], [], []
    painter.was_training, critic.was_training = [], []
    gan.tracker, gan.checkpoint = None, Saves(gan, done=epochs - 1, is_there=True)
    with suppress(Exception), noting_updates(_watched(gan), critic.updates):
        gan.train((256 * images).floor().to(torch.uint8))
    return {
        "resumed_shown": _joined(critic.shown),
        "old_codes": sum(bool((before == code).any()) for codes in painter.codes for code in codes[:, 0]),
        "resumed_updates": torch.tensor([update[0] for update in critic.updates], dtype=torch.long),
        "resumed_in_training": torch.tensor(painter.was_training + critic.was_training),
        "saved": torch.tensor(gan.checkpoint.epochs, dtype=torch.long),
    }


def _joined(batches: list[Tensor]) -> Tensor:
    return torch.cat([torch.empty(0), *batches])


def _is_training_when_shown(painter: Painter, critic: Critic) -> bool:
    """The generator's mode, for the batches that the discriminator saw; pictures for the eye may be made in eval mode.

    A tone of theirs may be one that was shown, by chance: not most of them."""
    shown = _joined(critic.shown)
    batches = zip(painter.made, painter.was_training, strict=True)
    return all(mode for made, mode in batches if 2 * int(torch.isin(made, shown).sum()) > len(made))


def _instrumented(names, generator: type[nn.Module], discriminator: type[nn.Module]):
    """A DCGAN with networks of ours; where its constructor, another question's, fails: one with the documented attributes."""
    names.patched(Generator=generator, Discriminator=discriminator)
    kind = names["DCGAN"]
    with suppress(Exception):
        gan = kind()
        if isinstance(gan._generator, generator) and isinstance(gan._discriminator, discriminator):
            return gan
    gan = object.__new__(kind)
    gan._num_epochs, gan._batch_size, gan._code_size = names["NUM_EPOCHS"], names["BATCH_SIZE"], names["CODE_SIZE"]
    gan._learning_rate, gan._vis_learning_rate = names["LEARNING_RATE"], names["VIS_LEARNING_RATE"]
    gan._tracked_noise = torch.randn(4, gan._code_size)
    gan._generator, gan._discriminator = generator(gan._code_size), discriminator()
    settings = {"lr": gan._learning_rate, "betas": names["ADAM_BETAS"]}
    gan._generator_optimizer = Adam(gan._generator.parameters(), **settings)
    gan._discriminator_optimizer = Adam(gan._discriminator.parameters(), **settings)
    return gan


def _is_of_two_devices(error: Exception) -> bool:
    return _NOT_THERE in str(error)


# ---------------------------------------------------------------- spectral norm


def spectral(names, seed: Tensor):
    """Logits in training and in evaluation mode; largest singular values of the convolutions, and what a larger or smaller weight
    changes, matrix by matrix. With the public inputs also the logits' gradients, and the weights as they are made, in two objects."""
    made = []
    for n in range(2 if names.is_public else 1):
        seed_torch(seed + n)
        made.append(names["SpectralDiscriminator"]())
    model, x = made[0], _images(int(seed))
    is_trained, in_training = all(p.requires_grad for p in model.parameters()), all(m.training for m in model.modules())
    at_start, as_made = _singular_values(model), _as_made(names, made) if names.is_public else {}
    with unwatched(names):
        values = {"at_start": at_start, "logits": _settle(model, x, int(seed))}
    values |= as_made | _slopes(model, x) if names.is_public else {}
    model.eval()
    with torch.no_grad():
        plain = model(x)
        weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
        with unwatched(names):
            changes = [_change(model, x, plain, weight) for weight in weights]
        acting = [layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        values |= {f"weight_{n}": sample(weight) for n, weight in enumerate(acting)}
    return values | {
        "as_made": torch.tensor([is_trained, in_training]),
        "eval_logits": plain,
        "sigmas": _singular_values(model),
        "dims": torch.tensor([weight.ndim for weight in weights], dtype=torch.long),
        "changes": torch.tensor(changes),
        **({"moves_along": _moves_along(model)} if names.is_public else {}),
    }


def _as_made(names, models: list[nn.Module]) -> dict[str, Any]:
    """Of a new object some numbers of each parameter, and the first of each, of it and of another; and whether the plain
    discriminator has been changed."""
    made, again = (_by_dimensions(model) for model in models)
    return {
        **_in_a_row("made", [sample(p, most=100) for p in made]),
        "first": torch.stack([_first_of(p) for p in made]),
        "again": torch.stack([_first_of(p) for p in again]),
        "is_plain_changed": issubclass(names["Discriminator"], names["SpectralDiscriminator"]),
    }


def _in_a_row(name: str, rows: list[Tensor]) -> dict[str, Tensor]:
    return {name: torch.cat(rows).clone(), f"{name}_sizes": torch.tensor([len(row) for row in rows])}


def _by_dimensions(model: nn.Module) -> list[nn.Parameter]:
    """Convolutions' weights, the linear one, then biases and the like, whichever way they are registered."""
    return sorted(model.parameters(), key=lambda parameter: -parameter.ndim)


def _slopes(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Gradients of a weighted sum of the logits, at the images and at some numbers of each parameter; 0 where none arrives."""
    leaves = [x.clone().requires_grad_(), *_by_dimensions(model)]
    logits = model(leaves[0])
    weighted = (logits * torch.tensor([[1.0], [-2.0], [0.5]])).sum()
    open_ = [leaf for leaf in leaves if leaf.requires_grad] if logits.requires_grad else []
    found = torch.autograd.grad(weighted, open_, allow_unused=True) if open_ else ()
    slopes = {id(leaf): slope for leaf, slope in zip(open_, found, strict=True) if slope is not None}
    return _in_a_row("slopes", [sample(slopes.get(id(leaf), torch.zeros_like(leaf)), most=50) for leaf in leaves])


def _moves_along(model: nn.Module) -> bool:
    """Whether no tensor of the model stays behind when it goes to another device; `meta`, which holds no values, stands for one.

    What older spectral norm works out anew in each pass may."""
    return all(
        value.is_meta or f"{name}_orig" in module._parameters
        for module in model.to("meta").modules()
        for name, value in vars(module).items()
        if isinstance(value, Tensor)
    )


def _images(seed: int) -> Tensor:
    """Three of very different contrast, so that not all logits are small by accident."""
    return (uniform(seed, 3, 3, 32, 32) - 0.5) * torch.tensor([0.2, 2.0, 10.0])[:, None, None, None]


@torch.no_grad()
def _settle(model: nn.Module, x: Tensor, seed: int) -> Tensor:
    """Weights of ours, with one large singular value, so that a few steps of power iteration find it; the last logits."""
    fill(model, seed)
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.add_(2.4 / parameter[0].numel() ** 0.5)
    model.train()
    for _ in range(7):  # the iteration needs passes, not images
        model(x[:1])
    logits = model(x)
    for layer in model.modules():  # what batch norm has seen meanwhile hangs on where the iteration began
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
    for _ in range(2):
        model(x)
    return logits


@torch.no_grad()
def _singular_values(model: nn.Module) -> Tensor:
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    matrices = [layer.weight.flatten(1) for layer in convolutions]
    return torch.tensor([float(torch.linalg.eigvalsh(matrix @ matrix.T)[-1].sqrt()) for matrix in matrices])


def _change(model: nn.Module, x: Tensor, plain: Tensor, weight: Tensor) -> float:
    """How much the largest logit differs when a weight is three times as large, or a hundredth, relative to its size: 0 if it is
    normalised."""
    largest = int(plain.abs().argmax())
    image, logit = x[largest : largest + 1], plain[largest]
    kept, differences = weight.clone(), []
    for factor in (3, 0.01):
        weight.copy_(kept).mul_(factor)
        differences.append(float((model(image) - logit).abs().max() / logit.abs().max()))
    weight.copy_(kept)
    return max(differences)


# ---------------------------------------------------------------- the code behind an image


def reconstruction_loss(names, generated: Tensor, target: Tensor):
    gan = _instrumented(names, Mirror, Critic)
    value = gan._reconstruction_loss(generated, target)
    return {"value": value} | gradients(gan._reconstruction_loss, generated=generated, target=target)


def reconstruct(names, codes: Tensor, tint: Tensor, greys: Tensor, steps: Tensor, as_array: Tensor):
    """Images whose best codes are known, in a tint out of reach; codes tried, modes, and the generator before and after.

    Where the public search is a short one, others come before it, shorter still where the answer reads their number.
    """
    gan = _instrumented(names, Mirror, Critic)
    mirror = gan._generator
    mirror.greys = greys
    _set([mirror.gain], greys[2:])
    with torch.no_grad():
        target = mirror.eval()(codes) + tint[:, None, None]
    names.patched(VIS_STEPS=_SHORT)
    gan.reconstruct(target.flip(0))
    asks_more = names.is_public and int(steps) < _FEW
    before_it = _searches_before(names, gan, target, greys, int(as_array)) if asks_more else {}
    names.patched(VIS_STEPS=int(steps))
    mirror.tried, mirror.painted, mirror.was_training = [], [], []
    before, optimizers = _state(mirror.train(), gan._discriminator), [id(one) for one in _optimizers(gan)]
    moved_by: list[list[float]] = []
    with noting_settings(moved_by, mirror, gan._discriminator):
        loss, images = _found(gan.reconstruct(target.numpy().copy() if int(as_array) else target.clone()))
    tried = [tried for tried in mirror.tried if tried.shape == mirror.tried[0].shape]
    answer = {
        "first": tried[0],
        "path": torch.stack(tried[: int(steps) + 2]),
        "last": mirror.tried[-1],
        "painted_first": mirror.painted[0],
        "painted_last": mirror.painted[-1],
        "state": torch.stack([mirror.gain.detach(), mirror.passes]),
        "tried": len(tried),
        "moved_by": torch.tensor(moved_by, dtype=torch.float64).reshape(-1, 7).unique(dim=0),
        "n_moves": len(moved_by),
        "was_training": torch.tensor(mirror.was_training),
        "moved": (_state(mirror, gan._discriminator) - before).abs().max(),
        "is_frozen": not all(parameter.requires_grad for parameter in mirror.parameters()),
        "has_other_optimizers": [id(one) for one in _optimizers(gan)] != optimizers,
        "images": torch.as_tensor(images).detach()[..., ::4, ::4],
        "images_shape": torch.tensor(images.shape),
        "keeps_gradient": isinstance(images, Tensor) and images.requires_grad,
    }
    squares = [painted.reshape(-1, 1, 8, 8) for painted in mirror.painted if painted.shape == codes.shape]
    answer["off"] = _off(torch.as_tensor(images).detach(), squares)
    answer["images"] = answer["images"].clone()
    if loss is not None:
        answer["loss"] = torch.as_tensor(loss).clone()
    return answer | before_it


def _searches_before(names, gan, target: Tensor, greys: Tensor, as_array: int) -> dict[str, Any]:
    """Of one image near the start, of more than a batch of 64, and twice of as many as are then looked at, which would come again
    if they were kept; and whether all of it is on the notebook's device."""
    near = greys[0] + greys[2] * 0.04 * torch.ones(1, 3, 32, 32)
    _, single = _found(gan.reconstruct(near))
    many_loss, many = _found(gan.reconstruct(target.repeat(-(-_MANY // len(target)), 1, 1, 1)[:_MANY]))
    again = target.flip(0).numpy().copy() if as_array else target.flip(0)
    is_seeded = seeds(lambda: gan.reconstruct(again))
    found = {
        "one": torch.as_tensor(single).detach()[..., ::4, ::4].clone(),
        "many": torch.as_tensor(many).detach()[..., ::4, ::4].clone(),
        "is_seeded": is_seeded,
        "is_elsewhere": _is_elsewhere(names, Mirror, lambda gan: gan.reconstruct(target)),
    }
    return found if many_loss is None else found | {"many_loss": torch.as_tensor(many_loss).clone()}


def _off(images: Tensor, squares: list[Tensor]) -> float:
    """How far images are from the generator's own of some of the codes, of which each square is one number."""
    if not squares or images.shape != (len(squares[0]), 3, 32, 32):
        return float("inf")
    small = images[..., ::4, ::4]
    uneven = float((images - small.repeat_interleave(4, 2).repeat_interleave(4, 3)).abs().max())
    return uneven + min(float((one - small).abs().max()) for one in squares)


_FEW = 30  # steps
_SHORT, _MANY = 3, 68  # steps of the searches before, and images of one of them


def _found(answer: Any) -> tuple[Any, Any]:
    """Loss and images; an answer may be the images alone."""
    return (answer[0], answer[-1]) if isinstance(answer, tuple | list) else (None, answer)


def _state(*networks: nn.Module) -> Tensor:
    values = [value for network in networks for value in network.state_dict().values()]
    return torch.cat([value.detach().float().flatten() for value in values])


# ---------------------------------------------------------------- a class to go on from


class _OtherDCGAN:
    """Stands in for the class so far, which a later cell extends; `_instrumented` gives it its attributes."""

    tracker = checkpoint = None

    def __init__(self) -> None:
        raise NotImplementedError("a stand-in has no constructor")


STAND_INS = {"DCGAN": _OtherDCGAN}
