"""Probes of notebook 3: autoencoder, VAE, conditional VAE and convolutional VAE."""

import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from grader.probe_kit.loaded import load_weights
from grader.probe_kit.stand_ins import (
    PIXELS,
    Added,
    Batches,
    Emit,
    Marked,
    PriorVAE,
    Show,
    Tones,
    ToyAutoEncoder,
    ToyVAE,
    blank,
    fill,
    flat_decoder,
    flat_encoder,
    flat_images,
    no_workers,
    parameters,
    picture,
    plain_layers,
    sample,
    shown,
    silence,
    uniform,
)
from grader.probe_kit.tools import gradients, noting_settings, seed_torch, seeds, told, unreached

_rand = torch.rand  # held fast: an answer that replaces it is not to spoil what is seen of the next


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# ---------------------------------------------------------------- 1 compress


def _described(part: str, module: nn.Module, seed: int) -> dict[str, object]:
    """How many parameters there are, and numbers drawn for the shape of each, in the order of the shapes."""
    shapes = sorted(tuple(parameter.shape) for parameter in module.parameters())
    drawn = torch.cat([torch.empty(0), *(uniform(zlib.crc32(repr((seed, shape)).encode()), 9) for shape in shapes)])
    return {part: _count(module), f"{part}_drawn": drawn}


def _constant(module: nn.Module) -> dict[str, object]:
    """How many weight matrices hold one number alone, as they are made: their units then all learn the same, or nothing."""
    return {"constant": sum(bool((p == p.flatten()[0]).all()) for p in module.parameters() if p.ndim > 1)}


def encoder_layers(names, nz: Tensor, size: Tensor, seed: Tensor):
    net = names["Encoder"](nz=int(nz), input_size=int(size))
    return _constant(net) | _described("Encoder", net, int(seed))


def encoder(names, nz: Tensor, size: Tensor, seed: Tensor):
    with plain_layers():
        net = names["Encoder"](nz=int(nz), input_size=int(size))
    fill(net, int(seed))
    x = 2 * uniform(int(seed), 4, 1, int(size)) - 1
    net(x.flip(0))  # an answer that is kept shows in the next
    whole, alone = net(x), net(x[:1])  # an axis more is fine where it always is there
    code, wide = _flat(whole), _of_wide_codes(names["Encoder"], int(seed))
    wide_code = _flat(wide(uniform(int(seed) + 1, 3, 1, 12)))
    found = {
        "code": code, "code_of_one": _flat(alone) if whole.ndim == 3 else alone, "code_of_flat_rows": net(x.flatten(1)),
        "wide_code": wide_code, **unreached((code, [net]), (wide_code, [wide])),
    }  # fmt: skip
    _scale(net, 4)
    return found | {"code_far": _flat(net(x))}


_WIDE = 90  # numbers in a code: more than the hidden layer beside it has units


def _of_wide_codes(network: Callable[[int, int], nn.Module], seed: int) -> nn.Module:
    """An encoder or a decoder of images of 12 pixels."""
    with plain_layers():
        return fill(network(_WIDE, 12), seed)


def _scale(module: nn.Module, factor: float) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(factor)


def _flat(code):
    """A code of shape (N, 1, nz), as an encoder gives it that leaves the channel of (N, 1, 784) where it is, as (N, nz)."""
    is_wide = isinstance(code, Tensor) and code.ndim == 3 and code.shape[1] == 1
    return code.squeeze(1) if is_wide else code


class _Wide(nn.Module):
    """An encoder whose codes have the shape (N, 1, nz)."""

    def __init__(self, encoder_: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder_

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(x)[:, None]


def _like(own: nn.Module, encoder_: nn.Module) -> nn.Module:
    """An encoder of ours, with codes shaped as those of the model's own."""
    with suppress(Exception), torch.no_grad():
        if own(torch.zeros(2, 1, PIXELS)).ndim == 3:
            return _Wide(encoder_)
    return encoder_


def decoder_layers(names, nz: Tensor, size: Tensor, seed: Tensor):
    net = names["Decoder"](nz=int(nz), output_size=int(size))
    return _constant(net) | _described("Decoder", net, int(seed))


def decoder(names, nz: Tensor, size: Tensor, seed: Tensor):
    with plain_layers():
        net = names["Decoder"](nz=int(nz), output_size=int(size))
    fill(net, int(seed))
    z = 4 * uniform(int(seed), 4, int(nz)) - 2
    net(z.flip(0))  # an answer that is kept shows in the next
    image = net(z)
    wide = _of_wide_codes(names["Decoder"], int(seed))
    wide_image = wide(2 * uniform(int(seed) + 1, 3, _WIDE) - 1)
    seen = picture("image", image) | picture("image_of_one", net(z[:1])) | picture("image_far", net(5 * z))
    seen |= picture("image_of_a_wide_code", wide_image) | unreached((image, [net]), (wide_image, [wide]))
    with torch.no_grad():  # so far out that a limit inside shows, and before the sigmoid as near 0 as before
        for parameter in net.parameters():
            parameter.mul_(1 / 50 if parameter.ndim > 1 and len(parameter) == int(size) else 1)
    return seen | picture("image_of_codes_far_out", net(50 * z))


def autoencoder_sizes(names, nz: Tensor, seed: Tensor):
    with plain_layers():
        model = names["AutoEncoder"](int(nz))
        wide = names["AutoEncoder"](_WIDE)
    x = uniform(int(seed), 3, 1, PIXELS)
    code = model.encoder(x)
    return {
        "code_shape": torch.tensor(_flat(code).shape), "image_shape": torch.tensor(model.decoder(code).shape),
        "wide_code_shape": torch.tensor(_flat(wide.encoder(x)).shape),
    }  # fmt: skip


def autoencoder(names, nz: Tensor, seed: Tensor):
    with plain_layers():
        model = names["AutoEncoder"](int(nz))
    reached = {}
    with suppress(Exception):
        for answer in (model.eval(), model.reconstruct):
            answer(uniform(int(seed), 1, 1, PIXELS))  # leaves nothing behind
        reached = unreached((model.train()(uniform(int(seed), 3, 1, PIXELS)), [model.encoder, model.decoder]))
    model.encoder, model.decoder = (
        _like(model.encoder, flat_encoder(int(nz), int(seed))),
        flat_decoder(int(nz), int(seed)),
    )
    x = uniform(int(seed), 3, 1, PIXELS)
    model(1 - x)  # what is kept from call to call is then seen in the next
    model.reconstruct(1 - x)
    found = picture("forward", model(x)) | picture("reconstruct", model.reconstruct(x))
    found |= picture("forward_of_one", model(x[:1])) | picture("reconstruct_of_one", model.reconstruct(x[:1]))
    if names.is_public:
        many = uniform(int(seed) + 1, 300, 1, PIXELS)
        found |= picture("reconstruct_of_28", model.reconstruct(many[:28]))
        found |= picture("reconstruct_of_many", model.reconstruct(many))
    _scale(model.encoder, _FAR)
    found |= picture("forward_sure", model(x))
    _scale(model.decoder, 1 / _FAR)
    return found | picture("forward_far", model(x)) | reached


def loader(names, labels: Tensor, batch_size: Tensor, seed: Tensor):
    """Sixteen epochs: the sizes of the batches, and the labels and images in the order in which they come; one epoch of a loader made
    after another seed; and of fewer examples than a batch has."""
    seed_torch(seed)
    data = [(torch.full((1, 2, 2), float(label)), label) for label in labels.tolist()]
    before = list(data)
    with no_workers():
        served = names["make_loader"](data, int(batch_size))
    epochs = [list(served) for _ in range(16)]
    seed_torch(seed + 1)
    with no_workers():
        other = names["make_loader"](data, int(batch_size))
        few = names["make_loader"](data[: int(batch_size) - 1], int(batch_size))
        many = names["make_loader"](_Many(), 128)
    nothing = torch.empty(0, dtype=torch.long)
    orders = [torch.cat([nothing, *(labels for _, labels in epoch)]) for epoch in epochs]
    return {
        "ever": torch.cat(orders).unique(),
        "sizes": torch.tensor([len(labels) for _, labels in epochs[0]], dtype=torch.long),
        "first": orders[0],
        "second": orders[1],
        "orders": torch.stack(orders) if len({len(order) for order in orders}) == 1 else nothing,
        "other": torch.cat([nothing, *(labels for _, labels in other)]),
        "of_few": len(list(few)),
        "of_many": len(many) if hasattr(many, "__len__") else len(_Many()) // 128,
        "is_in_order": all(one is other for one, other in zip(data, before, strict=True)),
        "images": torch.cat([torch.empty(0, 1, 2, 2), *(images for images, _ in epochs[0])]),
    }


class _Many:
    """As many examples as MNIST has, all alike."""

    def __len__(self) -> int:
        return 60_000

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return torch.zeros(1, 1, 1), 0


def train_autoencoder(names, seed: Tensor, learning_rate: Tensor):
    model = ToyAutoEncoder(int(seed))
    losses = names["train_autoencoder"](model, Batches(int(seed)), epochs=2, learning_rate=float(learning_rate))
    return {
        "losses": _numbers(losses),
        "holds_numbers": _are_numbers(losses),
        "parameters": parameters(model),
        **(_in_the_long_run(names["train_autoencoder"], int(seed)) if names.is_public else {}),
    }


class _OneWeight(nn.Module):
    """A model of one weight, for many steps: what acts now and then only, or on large gradients, shows. It draws, as a VAE does."""

    starts = -0.8, -0.3  # the first so sure of white that a limit on pixels shows

    def __init__(self, run: int) -> None:
        super().__init__()
        self.weight, self.beta, self.noise = nn.Parameter(torch.tensor(self.starts[run])), 2.0, list[float]()

    def forward(self, x: Tensor) -> Any:
        self.noise.append(_rand(()).item())
        return torch.sigmoid((8.0 if self.training else 6.0) * self.weight) * torch.ones_like(x)


class _OneWeightVAE(_OneWeight):
    starts = -0.3, -0.3

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"q": 2 * self.weight * torch.ones(len(x), 4), "rec": super().forward(x)}

    def loss(self, x: Tensor, outputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        terms = {"rec_loss": 9 * (outputs["rec"] - x).square().mean(), "kl_loss": outputs["q"].square().mean()}
        return terms["rec_loss"] + self.beta * terms["kl_loss"], terms


def _in_the_long_run(train: Callable[..., Any], seed: int, kind: type[_OneWeight] = _OneWeight) -> dict[str, Tensor]:
    """The weight after eight epochs of one batch, and after eleven of three, the last one smaller; what both draw, each after a seed of
    its own; and the settings of the optimizer in the steps."""
    greys = 0.1 + 0.3 * uniform(seed, 9, 1, 1, 1)
    batches = [(grey.expand(-1, 1, 28, 28), torch.zeros(len(grey), dtype=torch.long)) for grey in greys.split(4)]
    runs = []
    for number in (0, 1):
        seed_torch(seed + number)
        model, settings = kind(number), list[list[float]]()
        with noting_settings(settings):
            train(model, batches[: 1 + 2 * number], epochs=(8, 11)[number], learning_rate=0.01)
        runs.append(model)
    rows = torch.tensor(settings, dtype=torch.float64).reshape(-1, 7).unique(dim=0)
    return {
        "long_run": torch.stack([run.weight for run in runs]),
        "draws": torch.tensor([_eight(run.noise[::step]) for run, step in zip(runs, (1, 3), strict=True)]),
        "moved_by": rows,
    }


def _eight(drawn: list[float]) -> list[float]:
    """What a model draws at the start of the first eight epochs; nothing repeats where a loop makes fewer."""
    return [*drawn, *(len(drawn) + 1.5 * number for number in range(8))][:8]


def _numbers(values) -> Tensor:
    if any(isinstance(value, str) for value in values):
        raise TypeError("losses are numbers, and text was appended")
    return torch.tensor([float(value) for value in values])


def _are_numbers(values) -> bool:
    """Whether no tensor is among them, on which a whole graph may hang."""
    return not any(isinstance(value, Tensor) for value in values)


class _Generator(nn.Module):
    """What `sample_images` needs of a model."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = Show(1, PIXELS)


def sample_images(names, n_samples: Tensor, nz: Tensor, seed: Tensor):
    seed_torch(seed)
    model = _Generator()
    images = names["sample_images"](model, int(n_samples), int(nz))
    return {
        "images_shape": torch.tensor(images.shape),
        "is_seeded": seeds(lambda: names["sample_images"](model, int(n_samples), int(nz))),
        "z": shown(images, int(nz)),
        "code_size": torch.tensor(model.decoder.code_size),
        "one": names["sample_images"](model, 1, int(nz))[..., ::4, ::4].clone(),
    }


def sample_images_quiet(names, n_samples: Tensor, nz: Tensor, seed: Tensor, marks: Tensor):
    seed_torch(seed)
    return _quiet(lambda model: names["sample_images"](model, int(n_samples), int(nz)), _Generator(), int(nz), marks)


def _quiet(generate, model: Any, codes: int, marks: Tensor) -> dict[str, object]:
    """Whether generating leaves no trace: no gradient, the model in its mode, other images the next time.

    The last pixel of every image is the mark of the decoder's mode, and so is what the decoder answers afterwards.
    """
    model.decoder = Marked(model.decoder, marks)
    generate(model)  # a seed set at the end of a call, and images kept from it, show in the next two
    first, after = generate(model.train()), [model.decoder(torch.zeros(1, codes)).flatten()[-1]]
    in_training = model.training
    second = generate(model.eval())
    after.append(model.decoder(torch.zeros(1, codes)).flatten()[-1])
    return {
        "tracks_gradient": first.requires_grad or second.requires_grad,
        "keeps_mode": in_training and not model.training,
        "first": _some_pixels(first),
        "second": _some_pixels(second),
        "after": torch.stack(after),
    }


def _some_pixels(images: Tensor) -> Tensor:
    """The first four, where `Show` writes, and ten across the image, with the last."""
    flat = images.flatten(1)
    return torch.cat([flat[:, :4], flat[:, ::87]], dim=1)


# ---------------------------------------------------------------- 2 make it variational


def vae_sizes(names, nz: Tensor, seed: Tensor):
    with plain_layers():
        model = names["VAE"](int(nz))
    outputs = model(uniform(int(seed), 3, 1, PIXELS))
    return {
        "q_shape": torch.tensor(_flat(outputs["q"]).shape), "rec_shape": torch.tensor(outputs["rec"].shape),
        "parameters_beside_both_networks": _count(model) - _count(model.encoder) - _count(model.decoder),
    }  # fmt: skip


def _known_posterior(names, mu: Tensor, log_sigma: Tensor):
    with plain_layers():
        model = names["VAE"](len(mu))
    emit = Emit(torch.cat([mu, log_sigma]))
    model.encoder, model.decoder = _like(model.encoder, emit), Show(1, PIXELS)
    return model, emit


def vae_noise(names, mu: Tensor, log_sigma: Tensor, images: Tensor, seed: Tensor):
    model, _ = _known_posterior(names, mu, log_sigma)
    seed_torch(seed)
    return {"z": _in_two_calls(lambda n: shown(model(blank(n, 1, PIXELS))["rec"], len(mu)), int(images))}


def _in_two_calls(draw: Callable[[int], Tensor], n: int) -> Tensor:
    """n draws, of which the second half must not repeat the first; a call before sets no seed for both."""
    draw(2)
    return torch.cat([draw(n // 2), draw(n - n // 2)])


def vae_gradient(names, mu: Tensor, log_sigma: Tensor, images: Tensor, seed: Tensor):
    """Of the mean square of z, summed over the dimensions with weights from 1 to 2, three bits of the seed for each.

    With the public inputs also through the whole model, with the networks of its own, and of the loss, with respect to what it is given.
    """
    model, emit = _known_posterior(names, mu, log_sigma)
    seed_torch(seed)
    z = shown(model(blank(int(images), 1, PIXELS))["rec"], len(mu))
    weights = 1 + (seed >> 3 * torch.arange(len(mu)) & 7) / 8
    found = torch.autograd.grad((weights * z.pow(2).mean(dim=0)).sum(), [emit.numbers], allow_unused=True)[0]
    whole = _own_gradients(names, len(mu), int(seed)) if names.is_public else {}
    if found is None:
        return whole
    return {"d_mu": found[: len(mu)], "d_log_sigma": found[len(mu) :], **told(z, mu, dim=0), **whole}


def _own_gradients(names, nz: int, seed: int) -> dict[str, Tensor]:
    """What cannot be run is left out: other checks ask about it."""
    found: dict[str, Tensor] = {}
    with suppress(Exception):
        with plain_layers():
            model = names["VAE"](nz, beta=3.0)
        x = uniform(seed, 3, 1, PIXELS)
        outputs = model(x)
        found |= unreached((outputs["q"], [model.encoder]), (outputs["rec"], [model.encoder, model.decoder]))
        given = {
            "q": uniform(seed + 1, *_flat(outputs["q"]).shape).reshape(outputs["q"].shape),
            "rec": 0.9 * uniform(seed + 2, 3, 1, PIXELS) + 0.05,
        }
        found["loss"] = torch.as_tensor(model.loss(x, given)[0]).detach()
        slopes = gradients(lambda q, rec: model.loss(x, {"q": q, "rec": rec})[0], **given)
        for name, grad in slopes.items():
            found[f"loss_{name}"] = _flat(grad) if name == "d_q" else 1e3 * sample(grad)
    return found


def vae_loss(names, q: Tensor, beta: Tensor, seed: Tensor):
    n = len(q)
    outputs = {"q": q, "rec": 0.9 * uniform(int(seed), n, 1, PIXELS) + 0.05}
    with plain_layers():
        model = names["VAE"](q.shape[1] // 2, beta=float(beta))
    if isinstance(_like(model.encoder, nn.Identity()), _Wide):
        outputs["q"] = q[:, None]
    x = uniform(int(seed) + 1, n, 1, PIXELS)
    total, terms = model.loss(x, outputs)
    alone, _ = model.loss(x[:1], {name: value[:1] for name, value in outputs.items()})
    far = {"q": 8 * outputs["q"], "rec": _sure(x)}
    _, terms_far = model.loss(x, far)
    with plain_layers():
        unweighted = names["VAE"](q.shape[1] // 2, beta=0.0)
    return {
        "rec_loss": terms["rec_loss"], "kl_loss": terms["kl_loss"], "total": total, "total_of_one": alone,
        "kl_loss_far": terms_far["kl_loss"], "rec_loss_far": terms_far["rec_loss"],
        "kl_loss_near": model.loss(x, {**outputs, "q": outputs["q"] / 20})[1]["kl_loss"],
        "kl_loss_of_the_prior": model.loss(x, {**outputs, "q": 0 * outputs["q"]})[1]["kl_loss"],
        "total_without_beta": unweighted.loss(x, outputs)[0],
    }  # fmt: skip


_FAR = 20.0  # times as far out: a limit then shows


def vae_reconstruct(names, nz: Tensor, seed: Tensor):
    with plain_layers():
        model = names["VAE"](int(nz))
    model.encoder = _like(model.encoder, flat_encoder(2 * int(nz), int(seed)))
    model.decoder = flat_decoder(int(nz), int(seed))
    x, found = uniform(int(seed), 3, 1, PIXELS), {}
    with suppress(Exception):  # `forward` has checks of its own
        model(1 - x)  # what is kept from call to call is then seen in the next
        outputs = model(_FAR * x[:1])
        found = {"q_of_one": _flat(outputs["q"]), "rec_of_one_shape": torch.tensor(outputs["rec"].shape)}
        found["q"] = _flat(model(_FAR * x)["q"])
    model.reconstruct(1 - x)
    weights, is_seeded = parameters(model), seeds(lambda: model.reconstruct(x.clone()))
    found |= picture("picture", model.reconstruct(x.clone()))
    found |= {"again": picture("again", model.reconstruct(x.clone()))["again"]}
    found |= picture("picture_of_one", model.reconstruct(x[:1]))
    found |= {"moved": not torch.equal(weights, parameters(model)), "is_seeded": is_seeded}
    _scale(model.encoder, _FAR)
    _scale(model.decoder, 1 / _FAR)
    return found | picture("picture_far", model.reconstruct(x.clone()))


def train_vae(names, seed: Tensor, learning_rate: Tensor):
    model = ToyVAE(int(seed))
    history = names["train_beta_vae"](model, Batches(int(seed)), epochs=2, learning_rate=float(learning_rate))
    return {
        "rec_loss": _numbers(history["rec_loss"]),
        "kl_loss": _numbers(history["kl_loss"]),
        "holds_numbers": all(_are_numbers(values) for values in history.values()),
        "parameters": parameters(model),
        **(_in_the_long_run(names["train_beta_vae"], int(seed), _OneWeightVAE) if names.is_public else {}),
    }


def divergence(names, mu: Tensor, log_var: Tensor):
    kl = names["KLDivergence"]()
    return {
        "value": kl(mu, log_var), "value_narrow": kl(mu, log_var - 36), "value_wide": kl(mu, log_var + 9),
        "value_far": kl(_FAR * mu, log_var),
        "value_of_one_dimension": kl(mu[:, :1], log_var[:, :1]),
        "value_of_few_dimensions": kl(15 * _FAR * mu.T, log_var.T),
        "value_of_many": kl(mu.repeat(45, 8), log_var.repeat(45, 8)),
        "value_of_100": kl(mu.repeat(50, 1)[:100], log_var.repeat(50, 1)[:100]),
    }  # fmt: skip


def divergence_gradient(names, mu: Tensor, log_var: Tensor):
    kl = names["KLDivergence"]()
    near = gradients(kl, mu=mu / 30, log_var=log_var / 30)
    return gradients(kl, mu=mu, log_var=log_var) | {f"{name}_near_the_prior": grad for name, grad in near.items()}


def kl_weights(names, warm_up: Tensor, annealing: Tensor, epochs: Tensor):
    """The weights by epoch, asked for from the last to the first: they depend on nothing else."""
    manager = names["KLWeightManager"]
    asked = manager(int(warm_up), int(annealing))
    manager(int(warm_up) + 1, int(annealing) + 2)  # another one, which is nothing to the first
    found = {"weights": _weights_by_epoch(asked, int(epochs))}
    if int(annealing):  # what a ramp does is no matter of the jump's
        others = {
            "without_warm_up": (0, int(annealing) + 4),
            "with_a_long_warm_up": (int(annealing) + 2, 3),
            "with_one_round": (int(warm_up), 1),
        }
        found |= {f"weights_{name}": _weights_by_epoch(manager(*two), 12) for name, two in others.items()}
    return found


def _weights_by_epoch(weight: Callable[[int], Any], epochs: int) -> Tensor:
    return torch.tensor([float(weight(epoch)) for epoch in reversed(range(epochs))]).flip(0)


def interpolate(names, x: Tensor, y: Tensor, steps: Tensor):
    line = names["interpolate_linear"]
    line(y, x, int(steps))  # what is kept from call to call is then seen in the next
    found = {"points": line(x, y, int(steps)), "points_far": line(_FAR * x, _FAR * y, int(steps))}
    if int(steps) > 2:  # what happens between the ends is no matter of the ends'
        found |= {
            "points_of_one_number": line(x[:1], y[:1], int(steps)),
            "points_of_equal_ends": line(x, x.clone(), int(steps)),
        }
        found |= {"many_points": line(x, y, 80 + int(steps))}
    return found


# ---------------------------------------------------------------- 3 count nats


def reparametrize_published(names, mu: Tensor, logvar: Tensor, seed: Tensor):
    seed_torch(seed)
    z = names["reparametrize"](mu, logvar)
    # Without noise each row is its mean; as many images as dimensions, so that an exchange of the two shows.
    rows = 40 * uniform(int(seed), 5, 5) - 20
    return {
        "z_shape": torch.tensor(z.shape), "mean": z.mean(), "std": z.std(),
        "without_noise": names["reparametrize"](rows, torch.full_like(rows, -40.0)),
        "one_row": names["reparametrize"](rows[:1], torch.full_like(rows[:1], -40.0)),
        "each_its_own": names["reparametrize"](rows, _wide_at_both_ends(rows))[1:-1],
    }  # fmt: skip


def _wide_at_both_ends(rows: Tensor) -> Tensor:
    """Log variances by which all rows but the first and the last are without noise."""
    logvar = torch.full_like(rows, -40.0)
    logvar[[0, -1]] = 0.0
    return logvar


def reparametrize(names, mu: Tensor, logvar: Tensor, images: Tensor, seed: Tensor):
    seed_torch(seed)
    leaves = [value.clone().requires_grad_() for value in (mu, logvar)]
    z = _in_two_calls(lambda n: names["reparametrize"](*(leaf.expand(n, -1) for leaf in leaves)), int(images))
    found: tuple = (None, None)
    if z.requires_grad:
        found = torch.autograd.grad(z.pow(2).mean(dim=0).sum(), leaves, allow_unused=True)
    reached = {name: grad for name, grad in zip(("d_mu", "d_logvar"), found, strict=True) if grad is not None}
    return {"z": z} | reached | told(z, mu, dim=0) | _draws_of_every_size(names["reparametrize"])


def _draws_of_every_size(draw: Callable[[Tensor, Tensor], Tensor]) -> dict[str, Tensor]:
    """Of N(0, 1): as many images as dimensions, many of both, and one image at a time; without a gradient, as in generating."""
    found = {}
    with torch.no_grad():
        for name, size in (("square", (32, 32)), ("large", (128, 160))):
            found[name] = draw(torch.zeros(size), torch.zeros(size))
        found["singles"] = torch.cat([draw(torch.zeros(1, 40), torch.zeros(1, 40)) for _ in range(25)])
    return found


def loss_function(names, x_hat: Tensor, x: Tensor, mu: Tensor, logvar: Tensor):
    loss = names["loss_function"](x_hat, x, mu, logvar)
    slopes = gradients(
        lambda *three: names["loss_function"](three[0], x, *three[1:]), x_hat=x_hat, mu=mu, logvar=logvar
    )
    far = {
        "narrow": (mu, logvar - 36),
        "wide": (mu, logvar + 9),
        "far": (_FAR * mu, logvar),
        "near": (mu / 30, logvar / 30),
    }
    found = {"loss": loss, **slopes} | {
        f"loss_{name}": names["loss_function"](x_hat, x, *given) for name, given in far.items()
    }
    found["loss_of_sure_pixels"] = names["loss_function"](_sure(x), x, mu, logvar)
    times = 60, *[1] * (x.ndim - 2), 28 // x.shape[-1]  # a large batch of images that are 28 pixels wide
    many = x_hat.repeat(times), x.repeat(times), mu.repeat(60, 1), logvar.repeat(60, 1)
    return found | {"loss_of_many": names["loss_function"](*many)}


def _sure(x: Tensor) -> Tensor:
    """Pixels that are nearly 0 where they should be light, and nearly 1 where dark: a limit before the logarithm shows."""
    return torch.where(x < 0.5, 1 - 1e-4, 1e-4)


_PARTS = ("encoder", "mu_layer", "logvar_layer", "decoder")


def _layers(model: nn.Module, seed: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in _PARTS:
        found |= _described(part, getattr(model, part), seed)
    return found


def _fill_parts(model: nn.Module, seed: int, parts: tuple[str, ...] = _PARTS) -> None:
    for number, part in enumerate(parts):
        fill(getattr(model, part), seed + number)


def _fcvae(names, latent_size: int) -> Any:
    with plain_layers():
        return names["FCVAE"](PIXELS, latent_size)


def fcvae_layers(names, latent_size: Tensor, seed: Tensor):
    if not names.is_public:
        return _layers(_fcvae(names, int(latent_size)), int(seed))
    model = names["FCVAE"](PIXELS, int(latent_size))
    return _constant(model) | _layers(model, int(seed))


def fcvae(names, latent_size: Tensor, seed: Tensor):
    """Mean and log variance with known weights, then the image without noise."""
    model = _fcvae(names, int(latent_size))
    _fill_parts(model, int(seed))
    x = uniform(int(seed), 3, 1, 28, 28)
    _widen(model)
    _, mu, logvar = model(x)
    fill(model.mu_layer, int(seed) + 1)
    silence(model.logvar_layer, int(latent_size), 0, -40.0)
    found = {"mu": mu, "logvar": logvar, **picture("x_hat", model(x)[0])}
    if not names.is_public:
        return found
    image, mu, logvar = model(x[:1])
    found |= {"mu_of_one": mu, "logvar_of_one": logvar, **picture("x_hat_of_one", image)}
    _widen(model)
    return found | picture("x_hat_of_codes_far_out", model(x)[0])


def _widen(model: Any) -> None:
    """Means and log variances as far out as a limit would show."""
    with torch.no_grad():
        for parameter in (*model.mu_layer.parameters(), *model.logvar_layer.parameters()):
            parameter.mul_(12)


def fcvae_noise(names, mu: Tensor, logvar: Tensor, images: Tensor, seed: Tensor):
    model, x = _fcvae(names, len(mu)), uniform(int(seed), 3, 1, 28, 28)
    reached = _reached(model, lambda: model(x)) if names.is_public else {}
    model = _with_known_posterior(model, mu, logvar)
    noise = {"z": _in_two_calls(lambda n: shown(model(blank(n, 1, 28, 28))[0], len(mu)), int(images))}
    if not reached:
        return noise
    return noise | _joined(reached, unreached((model(x)[0], [model.mu_layer, model.logvar_layer])))


def _reached(model: Any, run: Callable[[], Any]) -> dict[str, Tensor]:
    """Through the model's own networks, from each of its three outputs; nothing where they cannot be run."""
    with suppress(Exception):
        x_hat, mu, logvar = run()
        parts = [getattr(model, part) for part in _PARTS]
        return unreached(
            (x_hat, parts), (mu, parts[:1]), (logvar, parts[:1])
        )  # which is which is judged by their values
    return unreached()


def _joined(*counts: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"unreached": torch.cat([one["unreached"] for one in counts])}


def _with_known_posterior(model: Any, mu: Tensor, logvar: Tensor) -> Any:
    model.encoder, model.mu_layer, model.logvar_layer = Emit(torch.ones(1)), Emit(mu), Emit(logvar)
    model.decoder = Show(1, 28, 28)
    return model


# ---------------------------------------------------------------- 4 condition


def onehot(names, idx: Tensor, n: Tensor):
    """And of one image, of as many others, of many, with the last class; of more classes than eight bits count; of two, and of one."""
    rows, size = names["idx2onehot"], int(n)
    many = (idx + 2).repeat(100, *[1] * (idx.ndim - 1))
    of_many = rows(many, size)
    return {
        "rows": rows(idx, size),
        "rows_of_one_image": rows(idx[:1], size),
        "rows_in_another_order": rows(idx.flip(0), size),
        "last_of_many_rows": of_many[-7:],
        "counts_of_many_rows": of_many.sum(dim=0),
        "classes_afterwards": many[-7:],
        "rows_of_400": rows(300 + idx, 400)[:, 40:315],
        "rows_of_two": rows(idx % 2, 2),
        "rows_of_one_class": rows(0 * idx, 1),
    }


def _classes(c: Tensor, n: int) -> Tensor:
    return (c[:, None] == torch.arange(n)).float()


def _cvae(names, latent_size: int, num_classes: int) -> Any:
    with plain_layers():
        return names["CVAE"](PIXELS, num_classes=num_classes, latent_size=latent_size)


def cvae_layers(names, latent_size: Tensor, num_classes: Tensor, c: Tensor, seed: Tensor):
    if not names.is_public:
        return _layers(_cvae(names, int(latent_size), int(num_classes)), int(seed))
    model = names["CVAE"](PIXELS, num_classes=int(num_classes), latent_size=int(latent_size))
    return _constant(model) | _layers(model, int(seed))


def cvae_encode(names, latent_size: Tensor, num_classes: Tensor, c: Tensor, seed: Tensor):
    """The same image under several classes, and as many images under one."""
    model = _cvae(names, int(latent_size), int(num_classes))
    _fill_parts(model, int(seed), ("encoder", "mu_layer", "logvar_layer"))
    _widen(model)
    x = uniform(int(seed), 1, 1, 28, 28).expand(len(c), -1, -1, -1)
    _, mu, logvar = model(x, _classes(c, int(num_classes)))
    found = {"mu": mu, "logvar": logvar, "parameters": len(list(model.encoder.parameters()))}
    if not names.is_public:
        return found
    alone = model(x[:1], _classes(c[:1], int(num_classes)))
    found |= {"mu_of_one": alone[1], "logvar_of_one": alone[2], "x_hat_of_one_shape": torch.tensor(alone[0].shape)}
    others = uniform(int(seed) + 1, int(latent_size), 1, 28, 28)  # mu is square
    return found | {"mu_of_images": model(others, _classes(c[:1].expand(len(others)), int(num_classes)))[1]}


def cvae_decode(names, latent_size: Tensor, num_classes: Tensor, c: Tensor, seed: Tensor):
    """The same code under several classes: the posterior is one point, the same for all."""
    model = _cvae(names, int(latent_size), int(num_classes))
    _fill_parts(model, int(seed), ("decoder",))
    code = 2 * uniform(int(seed), int(latent_size)) - 1
    model.mu_layer, model.logvar_layer = Emit(code), Emit(torch.full((int(latent_size),), -40.0))
    given = uniform(int(seed), len(c), 1, 28, 28), _classes(c, int(num_classes))
    x_hat = model(*given)[0]
    found = {"x_hat_shape": torch.tensor(x_hat.shape), "x_hat": x_hat.flatten(1)[:, ::37]}
    if names.is_public:
        model.mu_layer = Emit(8 * code)
        found["x_hat_far"] = model(*given)[0].flatten(1)[:, ::37]
    return found


def cvae_noise(names, mu: Tensor, logvar: Tensor, images: Tensor, seed: Tensor):
    model, x = _cvae(names, len(mu), 2), uniform(int(seed), 3, 1, 28, 28)
    c = _classes(torch.zeros(int(images), dtype=torch.long), 2)
    reached = _reached(model, lambda: model(x, c[:3])) if names.is_public else {}
    model = _with_known_posterior(model, mu, logvar)
    noise = {"z": _in_two_calls(lambda n: shown(model(blank(n, 1, 28, 28), c[:n])[0], len(mu)), int(images))}
    if not reached:
        return noise
    return noise | _joined(reached, unreached((model(x, c[:3])[0], [model.mu_layer, model.logvar_layer])))


# ---------------------------------------------------------------- 5 learn the noise


def conv_parameters(names, K: Tensor, num_filters: Tensor, seed: Tensor, push: Tensor):
    """Both networks, and log_sig_x before and after a step of an optimizer of the model, where its gradient is `push`."""
    with plain_layers():
        model = names["SimpleVAE"](K=int(K), num_filters=int(num_filters))
    at_start = torch.as_tensor(model.log_sig_x).detach().clone()
    is_trained = any(parameter is model.log_sig_x for parameter in model.parameters())
    if is_trained:
        model.log_sig_x.grad = push.reshape(at_start.shape).clone()
        torch.optim.SGD(model.parameters(), lr=1.0).step()
    return {
        **_described("encoder", model.encoder, int(seed)),
        **_described("decoder", model.decoder, int(seed)),
        **_mapped(model, int(K)),
        "is_trained": is_trained,
        "log_sig_x": at_start,
        "moved": torch.as_tensor(model.log_sig_x),
    }


def _mapped(model, K: int) -> dict[str, Tensor]:
    """The shapes that the networks give, and how many filters their convolutions of 5 x 5 have."""
    found = {}
    for part in ("encoder", "decoder"):
        kernels = [p for p in getattr(model, part).parameters() if p.ndim == 4 and p.shape[2:] == (5, 5)]
        found[f"{part}_filters"] = torch.tensor([n for kernel in kernels for n in kernel.shape[:2]], dtype=torch.long)
    with suppress(Exception), torch.no_grad():
        found["posterior_shape"] = torch.tensor(model.encoder(torch.zeros(3, 1, 28, 28)).shape)
        found["image_shape"] = torch.tensor(model.decoder(torch.zeros(3, K)).shape)
    with suppress(Exception):
        posterior, image = model.encoder(torch.zeros(3, 1, 28, 28)), model.decoder(torch.zeros(3, K))
        found |= unreached((posterior, [model.encoder]), (image, [model.decoder]))
    return found


def _conv(names, K: Tensor, num_filters: Tensor, log_sig_x: Tensor, seed: Tensor) -> Any:
    """With networks of ours: the class's own may be built in many ways."""
    with plain_layers():
        model = names["SimpleVAE"](K=int(K), num_filters=int(num_filters))
    model.encoder, model.decoder = flat_encoder(int(K) + 1, int(seed)), flat_images(int(K), int(seed) + 1)
    with torch.no_grad():
        model.log_sig_x.copy_(log_sig_x)
    return model


def conv_decode(names, z: Tensor, num_filters: Tensor, log_sig_x: Tensor, seed: Tensor):
    model = _conv(names, torch.tensor(z.shape[-1]), num_filters, log_sig_x, seed)
    images = model.decode(z)
    with torch.no_grad():  # one buffer for all answers shows where no graph needs the earlier one
        kept, _ = model.decode(z), model.decode(-z)
    one_shapes = torch.tensor(model.decode(z[:, :1]).shape), torch.tensor(model.decode(z[:1]).shape)
    one_image = model.decode(z[:1])
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(1 / _FAR if parameter.ndim > 1 else 1)
    return {
        "images_of_codes_far_out": model.decode(_FAR * z).flatten(2)[..., ::53],
        "images_shape": torch.tensor(images.shape), "images": images.flatten(2)[..., ::53],
        "one_image": one_image.flatten(2)[..., ::53], "kept": kept.flatten(2)[..., ::53],
        "one_draw_shape": one_shapes[0], "one_image_shape": one_shapes[1],
    }  # fmt: skip


def conv_elbo(
    names, K: Tensor, num_filters: Tensor, n: Tensor, images: Tensor, log_sig_x: Tensor, posterior: Tensor, tones: Tensor,
    seed: Tensor,
):  # fmt: skip
    """Without noise, and with a wide posterior and a decoder to which the code does not matter, but how many there are."""
    model = _conv(names, K, num_filters, log_sig_x, seed)
    silence(model.encoder, int(K) + 1, int(K))
    x = uniform(int(seed), int(images), 1, 28, 28)
    elbo, alone = model.elbo(x, int(n)), model.elbo(x[:1], int(n))
    model.encoder, model.decoder = Emit(posterior), Tones(tones)
    found = {"elbo": elbo, "elbo_of_one": alone, "elbo_of_a_wide_posterior": model.elbo(x[:1].expand_as(x), int(n))}
    if not names.is_public:
        return found
    wide = torch.cat([2 * posterior[:-1], torch.tensor([1.5])])  # sigma is well above e
    model.encoder, model.decoder = Emit(wide), Tones(tones[:1])
    many = uniform(int(seed) + 1, 66, 1, 28, 28)
    many[-3:] = 0  # the last ones count
    found["elbo_of_many"] = model.elbo(many, 9)
    return found | {"codes_of_many": torch.tensor(float(model.decoder.decoded))}


def conv_elbo_gradient(
    names, K: Tensor, num_filters: Tensor, n: Tensor, images: Tensor, log_sig_x: Tensor, posterior: Tensor, tones: Tensor,
    seed: Tensor,
):  # fmt: skip
    """Through smooth networks of ours: a unit of the given ones at the kink of its ReLU has another slope on another machine."""
    model = _conv(names, K, num_filters, log_sig_x, seed)
    silence(model.encoder, int(K) + 1, int(K))
    value = model.elbo(uniform(int(seed), int(images), 1, 28, 28), int(n))
    sources = {"encoder": list(model.encoder.parameters())[-1], "decoder": list(model.decoder.parameters())[-1]}
    sources["log_sig_x"] = model.log_sig_x
    if not isinstance(value, Tensor) or not value.requires_grad:
        return {}
    asked = {name: source for name, source in sources.items() if source.requires_grad}
    found = torch.autograd.grad(value, list(asked.values()), allow_unused=True)
    return {f"d_{name}": grad for name, grad in zip(asked, found, strict=True) if grad is not None}


def conv_elbo_sampled(
    names, posterior: Tensor, n: Tensor, images: Tensor, log_sig_x: Tensor, grey: Tensor, seed: Tensor
):
    """Of grey images: with a decoder that shows the code in one pixel, four times, and with one that shows grey alone."""
    K, draws, x = len(posterior) - 1, int(n), grey.expand(int(images), 1, 28, 28)
    with plain_layers():
        model = names["SimpleVAE"](K=K, num_filters=2)
    model.encoder, model.decoder = Emit(posterior), Added(float(grey))
    with torch.no_grad():
        model.log_sig_x.copy_(log_sig_x)
        seed_torch(seed)
        elbos = [model.elbo(x, draws) for _ in range(4)]
        codes = torch.cat(model.decoder.seen)
        model.decoder = Tones(grey[None])
        return {"elbos": torch.stack(elbos), "of_grey": model.elbo(x, 1), "z": codes}


def generate(names, K: Tensor, n_images: Tensor, seed: Tensor):
    model = PriorVAE(int(K), int(seed))
    seed_torch(seed)
    images = picture("images", names["generate_images"](model, K=int(K), n_images=int(n_images)))
    many = names["generate_images"](model, K=int(K), n_images=1_100)  # some of so many codes lie far out
    one = picture("image", names["generate_images"](model, K=int(K), n_images=1))
    return images | one | {"of_many": many.flatten(1)[:, ::197].clone()}


def generate_quiet(names, K: Tensor, n_images: Tensor, seed: Tensor, marks: Tensor):
    seed_torch(seed)
    model = PriorVAE(int(K), int(seed))
    return _quiet(lambda vae: names["generate_images"](vae, K=int(K), n_images=int(n_images)), model, int(K), marks)


# ---------------------------------------------------------------- stand-ins for answers that others call


class _OtherEncoder(nn.Module):
    """Stands in for an encoder: right in its shapes, and in nothing else."""

    def __init__(self, nz: int, input_size: int) -> None:
        super().__init__()
        self.net = nn.Linear(input_size, nz)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.flatten(1)).sin()


class _OtherDecoder(nn.Module):
    """Stands in for a decoder: right in its shapes, and in nothing else."""

    def __init__(self, nz: int, output_size: int) -> None:
        super().__init__()
        self.net = nn.Linear(nz, output_size)

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z).cos().square()[:, None]


def _other_draw(mu: Tensor, logvar: Tensor) -> Tensor:
    """Stands in for `reparametrize`: other mean, other variance."""
    return torch.exp(0.25 * logvar) * torch.randn_like(mu) - mu


STAND_INS = {"Encoder": _OtherEncoder, "Decoder": _OtherDecoder, "reparametrize": _other_draw}


# ---------------------------------------------------------------- trained: handed-in weights in the student's own classes


def trained_autoencoder(names, x: Tensor, z: Tensor, c: Tensor, **weights: Tensor):
    model: Any = load_weights(names["AutoEncoder"](z.shape[1]), weights)
    return {"codes": model.encoder(x[:, None]), "images": model.decoder(z)}


def trained_vae(names, x: Tensor, z: Tensor, c: Tensor, **weights: Tensor):
    model: Any = load_weights(names["VAE"](z.shape[1]), weights)
    return {"codes": model(x[:, None])["q"], "images": model.decoder(z)}


def trained_fc_vae(names, x: Tensor, z: Tensor, c: Tensor, **weights: Tensor):
    model: Any = load_weights(names["FCVAE"](x.shape[1], z.shape[1]), weights)
    return {"codes": torch.cat(model(x.reshape(-1, 1, 28, 28))[1:], dim=1), "images": model.decoder(z)}


def trained_cvae(names, x: Tensor, z: Tensor, c: Tensor, **weights: Tensor):
    model: Any = load_weights(names["CVAE"](x.shape[1], c.shape[1], z.shape[1]), weights)
    codes = torch.cat(model(x.reshape(-1, 1, 28, 28), c)[1:], dim=1)
    return {"codes": codes, "images": model.decoder(torch.cat([z, c], dim=1))}
