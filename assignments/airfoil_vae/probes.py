"""Probes of notebook 2: encoder, decoder, VAE and training loop.

Right answers may be built in many ways, so hardly any parameter can be compared. What a class does is seen from outside:
through networks of ours put in place of its parts, and through models of ours that its loop trains.
"""

import json
import resource
import time
from contextlib import suppress
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from grader.probe_kit.loaded import load_weights
from grader.probe_kit.tools import draws, seed_torch, told
from grader.probe_kit.watching import unwatched
from grader.probe_kit.written_weights import write

CPU = torch.device("cpu")
_rand = torch.rand  # held fast: an answer that replaces it is not to spoil what is seen of the next


def encoder(names, y: Tensor, hidden_dims: Tensor, latent_size: Tensor, at: Tensor, **weights: Tensor):
    """Shapes, layers and bend of an encoder as the student initialises it, then its slope with weights of ours."""
    model = names["Encoder"](y.shape[1], hidden_dims.tolist(), int(latent_size)).eval()
    mu, logvar = model(y)
    widths = [*hidden_dims.tolist(), 2 * int(latent_size)]
    with unwatched(names):
        seen = {"mu": mu, "logvar": logvar, **_layers(model, mu, logvar), **_bends(model, y)}
        slope = _slope(model, list(weights.values()), at)
        turns, entry = _turns(model, widths, y.shape[1]), _entry(model, widths, y.shape[1])
    model.train()(y)  # its mode is the caller's, and watched
    return {**seen, "slope": slope, "turns": turns, "entry": entry}


def affine_encoder(names, y: Tensor, weight: Tensor, bias: Tensor):
    """Without hidden layers, and with a weight of ours in its one layer, every output is known."""
    model = names["Encoder"](y.shape[1], [], len(weight) // 2).eval()
    heads = write(model, [weight], bias)
    mu, logvar = model(y)
    trained = torch.cat(model.train()(y), dim=-1)
    deep = _end(names["Encoder"](y.shape[1], [_BEHIND], len(weight) // 2), y, len(weight))
    return {"mu": mu, "logvar": logvar, "heads": heads, "in_training": trained, **deep}


_BEHIND = 13  # a width that no other layer of the affine networks has


@torch.no_grad()
def _end(model, x: Tensor, n_out: int) -> dict[str, Tensor]:
    """What a network with a hidden layer makes of a last layer that only adds numbers: in evaluation mode, again with their
    negatives, and in training mode. Whatever stands before it, these numbers come out, if nothing stands behind it."""
    weights = [torch.zeros(_BEHIND, x.shape[1]), torch.zeros(n_out, _BEHIND)]
    numbers = torch.linspace(-40.0, 30.0, n_out)
    found = []
    for sign, is_training in ((1, False), (-1, False), (1, True)):
        heads = write(model.train(is_training), weights, sign * numbers)
        found.append(_outputs(model, x).sort(dim=-1).values)
    return {"end": torch.stack(found), "end_heads": torch.tensor(heads)}


def decoder(names, z: Tensor, hidden_dims: Tensor, output_size: Tensor, at: Tensor, **weights: Tensor):
    """As for the encoder; and what became of the list it was given.

    The widths are used as they come, or in reverse by a decoder that takes the encoder's list: either is right, so the
    first kind is asked with the list reversed, and both build the encoder's mirror image.
    """
    widths = hidden_dims.tolist()
    model = names["Decoder"](z.shape[1], widths, int(output_size)).eval()
    after = torch.tensor(widths, dtype=torch.int64)
    if _begins_with(model, z.shape[1], int(hidden_dims[0]) if len(hidden_dims) > 1 else 0):
        model = names["Decoder"](z.shape[1], hidden_dims.tolist()[::-1], int(output_size)).eval()
    y_hat = model(z)
    mirrored = [*hidden_dims.tolist()[::-1], int(output_size)]
    with unwatched(names):
        seen = {"y_hat": y_hat, "hidden_dims": after, **_layers(model, y_hat), **_bends(model, z)}
        slope = _slope(model, list(weights.values()), at)
        turns, entry = _turns(model, mirrored, z.shape[1]), _entry(model, mirrored, z.shape[1])
    model.train()(z)  # its mode is the caller's, and watched
    return {**seen, "slope": slope, "turns": turns, "entry": entry}


def _begins_with(model, n_in: int, n_out: int) -> bool:
    """Whether a matrix of these sizes is among the parameters."""
    return any(sorted(parameter.shape) == sorted((n_in, n_out)) for parameter in model.parameters())


def affine_decoder(names, z: Tensor, weight: Tensor, bias: Tensor):
    model = names["Decoder"](z.shape[1], [], len(weight)).eval()
    heads = write(model, [weight], bias)
    deep = _end(names["Decoder"](z.shape[1], [_BEHIND], len(weight)), z, len(weight))
    return {"y_hat": model(z), "heads": heads, "in_training": model.train()(z), **deep}


def _slope(model, weights: list[Tensor], at: Tensor) -> Tensor:
    """The derivative of all outputs with respect to the input at one point, (outputs, inputs), with weights of ours."""
    write(model, weights, torch.full((len(weights[-1]),), 0.7))  # where no usual activation is flat
    return torch.autograd.functional.jacobian(lambda x: _outputs(model, x[None])[0], at)


@torch.no_grad()
def _turns(model, widths: list[int], n_in: int) -> Tensor:
    """For each hidden layer by itself: how far the output moves between two inputs that only an activation behind it tells apart.

    Two of its units see a number and its negative, and the next layer adds them: what is affine then cancels. All other
    layers pass one number on, through one unit each. Square weights are symmetric: which way they lie is an answer's own.
    """
    moved = []
    for bent in range(len(widths) - 1):
        weights = _passing(widths, n_in)
        weights[bent][1, 0] = -1.0
        weights[bent + 1][slice(None) if bent + 2 == len(widths) else 0, 1] = 1.0
        low, high = _of_one_number(model, weights, 0.0), _of_one_number(model, weights, 3.0)
        moved.append(float((high - low).abs().max()))
    return torch.tensor(moved)


@torch.no_grad()
def _entry(model, widths: list[int], n_in: int) -> Tensor:
    """How far the output moves when a number and the first layer's weight change their signs: not at all if the layer is given the
    number itself. All layers pass one number on."""
    answers = []
    for sign in (1.0, -1.0):
        weights = _passing(widths, n_in)
        weights[0] *= sign
        answers.append(_of_one_number(model, weights, 3.0 * sign))
    return (answers[1] - answers[0]).abs().max()


def _passing(widths: list[int], n_in: int) -> list[Tensor]:
    """Weights by which the first unit of each layer sees that of the layer before, and every unit of the last one does."""
    weights = [torch.zeros(n_out, first) for first, n_out in pairwise([n_in, *widths])]
    for weight in weights[:-1]:
        weight[0, 0] = 1.0
    weights[-1][:, 0] = 1.0
    return weights


def _of_one_number(model, weights: list[Tensor], number: float) -> Tensor:
    """The outputs for an input whose first entry is the number; alone, since whoever mixes rows is no fault of a layer."""
    both_ways = [w + w.tril(-1).T if len(w) == w.shape[1] else w for w in weights]
    write(model, both_ways, torch.zeros(len(weights[-1])))
    x = torch.zeros(1, weights[0].shape[1])
    x[0, 0] = number
    return _outputs(model, x)


def _outputs(model, x: Tensor) -> Tensor:
    answer = model(x)
    return torch.cat(list(answer), dim=-1) if isinstance(answer, tuple | list) else answer


def _bends(model, x: Tensor) -> dict[str, Tensor]:
    """f(a) + f(b) - f(a + b) - f(0): zero where f is affine, that is, where no activation follows or intervenes.

    `mixed` has a in the first coordinates and b in the others: zero too where all that is bent is each coordinate by itself,
    and where one half of them, alone, moves nothing.
    """

    def bend(a: Tensor, b: Tensor) -> Tensor:
        return _outputs(model, a) + _outputs(model, b) - _outputs(model, a + b) - _outputs(model, 0 * x)

    with torch.no_grad():
        a, b = 3 * x, -5 * x.flip(0)
        is_first = torch.arange(x.shape[1]) < x.shape[1] // 2
        halves = a * is_first, b * ~is_first
        alone = [(_outputs(model, half) - _outputs(model, 0 * x)).abs().max() for half in halves]
        return {"bend": bend(a, b), "mixed": bend(*halves), "alone": torch.stack(alone)}


def _layers(model, *outputs: Tensor) -> dict[str, Tensor]:
    """Sizes of the weight matrices that belong to the module and that a gradient reaches."""
    torch.stack([output.pow(2).sum() for output in outputs]).sum().backward()
    matrices = [p for p in model.parameters() if p.ndim == 2 and min(p.shape) > 1]
    reached = [sorted(p.shape) for p in matrices if p.grad is not None and bool(p.grad.abs().sum() > 0)]
    return {
        "frozen": torch.tensor(sum(not p.requires_grad for p in model.parameters())),
        "matrices": torch.tensor(len(matrices)),
        "biases": torch.tensor(sorted(p.numel() for p in model.parameters() if p.ndim == 1 or min(p.shape) == 1)),
        "layers": torch.tensor(sorted(reached), dtype=torch.int64).reshape(-1, 2),
    }


class _Posterior(nn.Module):
    """An encoder of ours: the first columns are mu, the next logvar."""

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        latent = y.shape[1] // 2
        return y[:, :latent], y[:, latent:]


class _Linear(nn.Module):
    """A decoder of ours."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.z = torch.empty(0)  # the last one given

    def forward(self, z: Tensor) -> Tensor:
        self.z = z
        return z @ self.weight


class _Witness(nn.Module):
    """A decoder that answers z, scaled, and one column more: a mark of its mode. It notes how it was called.

    Args:
        tones: Scale and mark in evaluation mode, then in training mode.
    """

    def __init__(self, tones: Tensor) -> None:
        super().__init__()
        self.tones = tones
        self.was_training: list[bool] = []
        self.devices: list[str] = []
        self.answers: list[Tensor] = []
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        self.was_training.append(self.training)
        self.devices.append(z.device.type)
        if z.device.type != "cpu":
            return z
        scale, mark = self.tones[2:] if self.training else self.tones[:2]
        answer = self.one * torch.cat([scale * z, mark.expand(*z.shape[:-1], 1)], dim=-1)  # one code alone is fine too
        self.answers.append(answer.detach().reshape(-1, answer.shape[-1]).clone())
        return answer


def vae_shapes(names, y: Tensor, hidden_dims: Tensor, latent_size: Tensor, **_: Tensor):
    """The whole model, with the student's own encoder and decoder, and how many of its parameters a gradient reaches."""
    model = names["VAE"](y.shape[1], hidden_dims.tolist(), int(latent_size))
    y_hat, mu, logvar = model(y)
    total = sum(value.square().sum() for value in (y_hat, mu, logvar))
    if total.requires_grad:
        total.backward()
    sizes = sorted(sorted(p.shape) for p in model.decoder.parameters() if p.ndim == 2 and min(p.shape) > 1)
    layers = torch.tensor(sizes, dtype=torch.int64).reshape(-1, 2)
    reached = [p.grad is not None for p in model.parameters()]
    return {
        "y_hat": y_hat, "mu": mu, "logvar": logvar, "decoder": layers, "parameters": torch.tensor([sum(reached), len(reached)]),
        "largest": torch.stack([p.detach().abs().max() for p in model.parameters() if p.ndim > 1] or [torch.zeros(())]),
    }  # fmt: skip


def _vae(names, latent_size: int, encoder_: nn.Module, decoder_: nn.Module):
    model = names["VAE"](2 * latent_size, [4], latent_size)
    model.encoder, model.decoder = encoder_, decoder_
    return model.train()


def vae_outputs(names, mu: Tensor, logvar: Tensor, weight: Tensor):
    """What comes out, and the z that the decoder was given; the noise vanishes."""
    decoder_ = _Linear(weight)
    model, y = _vae(names, mu.shape[1], _Posterior(), decoder_), torch.cat([mu, logvar], dim=1)
    of_one = dict(zip(("y_hat_of_one", "mu_of_one", "logvar_of_one"), model(y[:1]), strict=False))
    _, mu_of_wide, logvar_of_wide = model(torch.cat([mu, 0.1 * mu], dim=1))
    y_hat, mu_out, logvar_out = model(y)
    wide = {"mu_of_wide": mu_of_wide, "logvar_of_wide": logvar_of_wide}
    return {"y_hat": y_hat, "mu": mu_out, "logvar": logvar_out, "z": decoder_.z, **of_one, **wide}


def vae_noise(
    names, mu: Tensor, logvar: Tensor, mu_again: Tensor, logvar_again: Tensor, num_samples: Tensor, seed: Tensor
):
    """z itself, for many copies of each row: (4, B, N, K)."""
    model, n = _vae(names, mu.shape[1], _Posterior(), nn.Identity()), int(num_samples)

    def draw(*posterior: Tensor) -> Tensor:
        y = torch.cat(posterior, dim=1).repeat_interleave(n, dim=0)
        return model(y)[0].reshape(len(mu), n, mu.shape[1])

    found = draws(lambda: draw(mu, logvar), lambda: draw(mu_again, logvar_again), seed)
    with torch.no_grad():
        return {**found, "without_gradients": model(torch.cat([mu, logvar], dim=1))[0]}


def vae_gradient(names, mu: Tensor, logvar: Tensor, num_samples: Tensor, seed: Tensor):
    """Of the mean of z squared: its expectation is known to whoever knows mu and logvar. And of the other two outputs."""
    seed_torch(seed)
    rows = torch.cat([mu, logvar], dim=1).requires_grad_()
    model, latent = _vae(names, mu.shape[1], _Posterior(), nn.Identity()), mu.shape[1]
    z, *outputs = model(rows.repeat_interleave(int(num_samples), dim=0))
    found = {}
    if z.requires_grad:
        (grad,) = torch.autograd.grad(z.pow(2).sum() / int(num_samples), rows, retain_graph=True)
        found = {
            "d_mu": grad[:, :latent],
            "d_logvar": grad[:, latent:],
            **told(z.reshape(len(mu), -1, latent), mu, dim=1),
        }
    for name, output, columns in zip(("mu", "logvar"), outputs, (slice(0, latent), slice(latent, None)), strict=True):
        if output.requires_grad:
            (grad,) = torch.autograd.grad(output.sum() / int(num_samples), rows, retain_graph=True)
            found[f"own_{name}"] = grad[:, columns]
    return found


def generate(names, n_samples: Tensor, latent_size: Tensor, seed: Tensor, tones: Tensor):
    """z from the prior: twice with one seed, from different states of torch, and once with another seed."""
    witness = _Witness(tones)
    model = _vae(names, int(latent_size), _Posterior(), witness)
    n, first = int(n_samples), int(seed)
    once = model.generate(n, seed=first, device=CPU)
    answered = torch.cat(witness.answers)
    torch.rand(7)
    other, again = model.generate(n, seed=first + 2**16, device=CPU), model.generate(n, seed=first, device=CPU)
    one = model.generate(1, seed=first, device=CPU)
    by_seed: list[Tensor] = []
    for number in (0, 1, 2, 0):  # 0 is a seed as any other
        torch.rand(3)
        by_seed.append(model.generate(5, seed=number, device=CPU))
    return {
        "z": once,
        "again": again,
        "other": other,
        "answered": answered,
        "one": one,
        "by_seed": torch.stack(by_seed),
    }


def generate_modes(names, n_samples: Tensor, latent_size: Tensor, tones: Tensor):
    """The modes of the decoder and of the rest, before, while and after: as they say, and as marks in what they answer."""
    latent = int(latent_size)
    encoder_, witness = _Witness(tones), _Witness(tones)
    model = _vae(names, latent, encoder_, nn.Sequential(nn.Sequential(witness)))  # the mode is that of all its parts

    def samples() -> Tensor:
        return model.generate(int(n_samples), seed=0, device=CPU)

    while_training, from_training = samples(), torch.tensor([model.training, encoder_.training, witness.training])
    model.eval()
    samples()
    from_eval = torch.tensor([model.training, encoder_.training, witness.training])
    model.train()
    encoder_.eval()
    samples()
    return {
        "while_decoding": torch.tensor(witness.was_training),
        "after_training": from_training,
        "after_eval": from_eval,
        "after_apart": witness.training,
        "samples": while_training,
        "keeps_gradient": while_training.requires_grad,
        **_gradient(tones),
    }


def _gradient(values: Tensor) -> dict[str, Tensor]:
    """Of the sum of squares; nothing where gradients are switched off."""
    leaf = values.clone().requires_grad_()
    total = leaf.square().sum()
    return {"gradient": torch.autograd.grad(total, leaf)[0]} if total.requires_grad else {}


def generate_device(names, n_samples: Tensor, latent_size: Tensor, tones: Tensor):
    """Whether z reaches the decoder on the device asked for; `meta`, which holds no values, stands for a second one."""
    witness = _Witness(tones)
    model = _vae(names, int(latent_size), _Posterior(), witness)
    samples = model.generate(int(n_samples), seed=0, device=CPU)
    witness.devices.clear()
    with suppress(RuntimeError, NotImplementedError):  # a generator cannot live there; what reached the decoder counts
        model.generate(int(n_samples), seed=0, device=torch.device("meta"))
    return {"samples": samples, "ignored": "cpu" in witness.devices}


class _Toy(nn.Module):
    """Three parameters and losses that need no noise. Scripted: the KL of each iteration is given beforehand."""

    def __init__(self, latent_size: int, mus: Tensor | None = None) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.4))
        self.m = nn.Parameter(torch.full((latent_size,), 0.7))
        self.s = nn.Parameter(torch.linspace(-1.0, 0.8, latent_size))
        self.m.data[1], self.s.data[1] = 0.05, 0.0  # of hardly any prior loss: a floor under it shows
        self.s.data[2] = -12.0  # a limit of log variances shows
        self.mus = mus
        self.seen: list[float] = []
        self.last_heights: list[float] = []
        self.was_training: list[bool] = []
        self.sizes: list[int] = []
        self.eval_factor = 1.0  # of y_hat, and so of the gradient of w, in evaluation mode
        self.noise: list[float] = []
        self.height = 0

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        latent = len(self.m)
        mu = self.m * (1 + y[:, :latent])
        logvar = self.s + 0.5 * y[:, latent : 2 * latent]
        if self.mus is not None:
            mu = self.mus[min(len(self.seen), len(self.mus) - 1)] + 0 * mu  # nothing moves it, and gradients reach it
            logvar = 0 * logvar
        self.seen.append(self.w.item())
        self.noise.append(_rand(()).item())  # as a model draws: whoever seeds it makes it the same
        self.height = y.shape[1]
        self.last_heights += y[:, -1].tolist()
        self.sizes.append(len(y))
        self.was_training.append(self.training)
        return (1.0 if self.training else self.eval_factor) * self.w * y, mu, logvar

    def encoder(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """The parts of a model are its own business: the loop that calls them goes by it."""
        return 0 * y[:, : len(self.m)], 0 * y[:, : len(self.m)]

    def decoder(self, z: Tensor) -> Tensor:
        return 0 * z[:, :1].expand(-1, self.height)


def _items(y: Tensor) -> list:
    return [(row.numpy(), f"profile {n}") for n, row in enumerate(y)]


_OPTIMIZERS = (("SGD", {"lr": 0.05, "momentum": 0.5}), ("Adam", {"lr": 0.02}))


def train(names, y: Tensor, beta: Tensor, optimizer: Tensor, absolute: Tensor, n_iters: Tensor):
    """Full batches: their order does not matter, so losses and weights are the same for every right answer."""
    model, (name, config) = _Toy(y.shape[1] // 2), _OPTIMIZERS[int(optimizer)]
    tracker = names["train_VAE"](
        model, _items(y), CPU, plot_freq=0, beta=float(beta), rec_loss_fn=nn.L1Loss() if bool(absolute) else nn.MSELoss(),
        optimizer_name=name, optimizer_config=dict(config), n_iters=int(n_iters), batch_size=len(y),
    )  # fmt: skip
    return {
        "rec_losses": torch.tensor(tracker.rec_losses),
        "prior_losses": torch.tensor(tracker.prior_losses),
        "total_losses": torch.tensor(tracker.total_losses),
        "weights": torch.cat([model.w.reshape(1), model.m, model.s]),
    }


def train_steps(names, y: Tensor, n_items: Tensor, batch_size: Tensor, n_iters: Tensor, gamma: Tensor, start: Tensor):
    """Profiles that differ only in the last height, their number, which w does not depend on: w at each iteration shows
    each step and its learning rate, the numbers show the order. The model comes in evaluation mode."""
    model, g = _Toy(3).eval(), float(gamma)
    model.w.data, model.eval_factor = start.clone(), 3.0
    config = {"lr": _RATE}
    profiles = y.repeat(int(n_items), 1)
    profiles[:, -1] = torch.arange(1, int(n_items) + 1)
    exponential: dict[str, Any] = {"lr_scheduler_name": "ExponentialLR", "lr_scheduler_config": {"gamma": g}}
    scheduler = exponential if g < 1 else {}
    tracker = names["train_VAE"](
        model, _items(profiles), CPU, plot_freq=0, beta=0.1, rec_loss_fn=_steep, optimizer_name="SGD",
        optimizer_config=config, n_iters=int(n_iters), batch_size=int(batch_size), **scheduler,
    )  # fmt: skip
    return {
        **(_noise_of_two(names, model, _items(profiles), int(batch_size)) if names.is_public else {}),
        "prior": torch.tensor(tracker.prior_losses),
        "w": torch.tensor([*model.seen, model.w.item()]),
        "recorded": torch.tensor(tracker.rec_losses),
        "numbers": torch.tensor(model.last_heights),
        "training": torch.tensor(model.was_training),
        "sizes": torch.tensor(model.sizes),
        "trainable": torch.tensor([p.requires_grad for p in model.parameters()]),
        "config": torch.tensor([float(len(config)), float(config.get("lr", 0.0)) / _RATE]),
    }


def _noise_of_two(names, model: _Toy, profiles: list, batch_size: int) -> dict[str, Tensor]:
    """What a model has drawn in its first four iterations, and another one after another seed."""
    again = _Toy(3)
    seed_torch(len(profiles))
    names["train_VAE"](again, profiles, CPU, plot_freq=0, n_iters=4, batch_size=batch_size)
    return {"noise": torch.tensor([model.noise[:4], again.noise[:4]])}


_SLOPE, _RATE = 100.0, 1e-4


def _steep(y_hat: Tensor, y: Tensor) -> Tensor:
    """A loss whose gradient with respect to w is 100, always: a limit of gradients shows."""
    return _SLOPE * _linear(y_hat, y)


def _linear(y_hat: Tensor, y: Tensor) -> Tensor:
    """A loss whose gradient with respect to w is 1, always."""
    return y_hat.sum() / y.sum()


def train_plateau(names, y: Tensor, rec: Tensor, mus: Tensor, beta: Tensor, window: Tensor):
    """ReduceLROnPlateau under losses laid down beforehand: w shows after which iteration the rate was lowered."""
    model = _Toy(3, mus)
    names["train_VAE"](
        model, _items(y), CPU, plot_freq=0, beta=float(beta), optimizer_name="SGD", optimizer_config={"lr": 0.1},
        rec_loss_fn=lambda y_hat, y: (w := _linear(y_hat, y)) - w.detach() + rec[min(len(model.seen), len(rec)) - 1],
        lr_scheduler_name="ReduceLROnPlateau", lr_scheduler_config={"factor": 0.5, "patience": 0, "threshold": 0.0},
        running_avg_window=int(window), n_iters=len(rec), batch_size=len(y),
    )  # fmt: skip
    return {"w": torch.tensor([*model.seen, model.w.item()])}


_CHUNK, _MOST_WEIGHTS = 2**20, 12 * 2**20  # numbers in one piece, and in all


def quality(
    names, configs: Tensor, n_samples: Tensor, cpu_seconds: Tensor, profiles: Tensor, trial_codes: Tensor
):  # fmt: skip
    """Train the student's model with the student's configurations as the notebook does, and draw from it. What is scored are
    its decoder's weights; what it makes of `trial_codes` says how they belong together."""
    from utils.datasets import AirfoilDataset

    dataset = AirfoilDataset()
    dataset.profiles = profiles.numpy()
    dataset.names = [f"given {n}" for n in range(len(profiles))]
    settings = json.loads(bytes(configs.tolist()))
    began = time.process_time()
    last = int(began + float(cpu_seconds)) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (last, last + 1))  # the kernel ends the process, whatever it is doing
    seed_torch(0)
    model = names["VAE"](**settings["model_config"])
    names["train_VAE"](model, dataset, CPU, plot_freq=0, **settings["train_config"])
    values = {"samples": model.generate(int(n_samples), seed=0, device=CPU), "cpu_seconds": time.process_time() - began}
    return values | decoder_values(model.decoder, trial_codes)


@torch.no_grad()
def decoder_values(decoder: nn.Module, trial_codes: Tensor) -> dict[str, Tensor]:
    decoder.eval()
    parameters = [parameter.detach().float() for parameter in decoder.parameters()]
    if sum(parameter.numel() for parameter in parameters) > _MOST_WEIGHTS or any(
        p.ndim not in (1, 2) for p in parameters
    ):
        return {}
    shapes = [[*parameter.shape, 0][:2] for parameter in parameters]
    values = {"trial": decoder(trial_codes), "shapes": torch.tensor(shapes, dtype=torch.long).reshape(-1, 2)}
    for n, parameter in enumerate(parameters):
        values |= {f"weight_{n}_{k}": piece for k, piece in enumerate(parameter.flatten().split(_CHUNK))}
    return values


@torch.no_grad()
def trained_vae(names, config: Tensor, trial_codes: Tensor, **weights: Tensor):
    """The student's class with the weights that were handed in: which of them its decoder holds, in their order, and what it makes of some codes."""
    model: Any = load_weights(names["VAE"](**json.loads(bytes(config.tolist()))), weights)
    keys = json.loads(bytes(weights["keys"].tolist()))
    held = [f"decoder.{name}" for name, _ in model.decoder.named_parameters()]
    return {"order": torch.tensor([keys.index(key) for key in held]), "trial": model.decoder(trial_codes)}


class _OtherEncoder(nn.Module):
    """Stands in for an encoder: right in its shapes, and in nothing else."""

    def __init__(self, input_size: int, hidden_dims: list[int], latent_size: int) -> None:
        super().__init__()
        self.mean, self.width = nn.Linear(input_size, latent_size), nn.Linear(input_size, latent_size, bias=False)

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(y).sin(), self.width(y).cos()


class _OtherDecoder(nn.Module):
    """Stands in for a decoder: right in its shapes and widths, and in nothing else."""

    def __init__(self, latent_size: int, hidden_dims: list[int], output_size: int) -> None:
        super().__init__()
        widths = [latent_size, *hidden_dims, output_size]
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths))

    def forward(self, z: Tensor) -> Tensor:
        for layer in self.layers:
            z = layer(z).sin()
        return z


STAND_INS = {"Encoder": _OtherEncoder, "Decoder": _OtherDecoder}
