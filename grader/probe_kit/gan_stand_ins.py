"""Networks that stand in for a GAN's, and write down what they are shown, when, and in which mode.

They are so plain that the right gradients can be worked out from what they saw. Some of their layers do nothing: they
are there for constructors that look for them.
"""

from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from utils.training.optimisation import with_gradients_made


class _Nothing(torch.autograd.Function):
    """0, whatever it is given: gradients of 0 reach each of them."""

    @staticmethod
    def forward(ctx: Any, *parameters: Tensor) -> Tensor:
        ctx.save_for_backward(*parameters)
        return parameters[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.zeros_like(parameter) for parameter in ctx.saved_tensors)


def _nothing_of(*layers: nn.Module) -> Tensor:
    """0, by way of layers that are there to be initialised, as whoever asks for a gradient of each wants; in one step, not two for
    each parameter."""
    return _Nothing.apply(*[parameter for layer in layers for parameter in layer.parameters()])


class Painter(nn.Module):
    """A generator: every pixel of the image of z is 0.5 + scale * z[0] + shift."""

    def __init__(self, starting_shape: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.tensor(0.15)), nn.Parameter(torch.tensor(-0.1))
        self.fc = nn.Linear(starting_shape, 2)
        self.upsample = nn.Sequential(
            nn.BatchNorm2d(2), nn.LeakyReLU(), nn.ConvTranspose2d(2, 3, 4, 2, 1), nn.Sigmoid()
        )
        self.codes: list[Tensor] = []
        self.made: list[Tensor] = []
        self.was_training: list[bool] = []
        self.updates: list = []  # of both networks, as the discriminator keeps them
        self.pulled: list[int] = []  # how many updates came before each gradient that has run back into an image

    def forward(self, codes: Tensor) -> Tensor:
        self.fc(codes)  # refuses codes of another length, or on another device
        if codes.is_meta:  # nothing can be written down, and each operation there takes its time
            return (0.5 + self.scale * codes[:, 0] + self.shift)[:, None, None, None].repeat(1, 3, 32, 32)
        values = 0.5 + self.scale * codes[:, 0] + self.shift + _nothing_of(self.fc, self.upsample)
        if values.requires_grad:
            values.register_hook(lambda _: self.pulled.append(len(self.updates)))
        self.codes.append(codes.detach().clone())
        self.made.append(values.detach().clone())
        self.was_training.append(self.training)
        return values[:, None, None, None].repeat(1, 3, 32, 32)


class Critic(nn.Module):
    """A discriminator: the logit of an image is slope * (its first pixel) + offset."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.offset = nn.Parameter(torch.tensor(1.3)), nn.Parameter(torch.tensor(-0.4))
        self.downsample = nn.Sequential(nn.Conv2d(3, 2, 4, 2, 1), nn.BatchNorm2d(2), nn.LeakyReLU())
        self.fc = nn.Linear(2, 1)
        self.shown: list[Tensor] = []
        self.rests: list[Tensor] = []  # of each image, what `_beside` says
        self.after: list[int] = []  # how many updates came before each call
        self.was_training: list[bool] = []
        self.updates: list = []

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[1:] != (3, 32, 32) or not images.is_floating_point():
            raise ValueError(
                f"the discriminator takes floats of shape (B, 3, 32, 32), got {images.dtype}, {tuple(images.shape)}"
            )
        values = images[:, 0, 0, 0]
        if images.is_meta:  # as the painter
            return (self.slope * values + self.offset)[:, None]
        self.rests.append(_beside(images.detach()))
        self.shown.append(values.detach().clone())
        self.after.append(len(self.updates))
        self.was_training.append(self.training)
        return (self.slope * values + self.offset + _nothing_of(self.downsample, self.fc))[:, None]


def _beside(images: Tensor) -> Tensor:
    """Beside its first pixels, of each image: the mean tone of each colour, the largest distance from it, and how much the
    upper right corner differs from the lower left one. Shape (B, 5)."""
    flat = images.flatten(2)
    corners = (flat[:, :, 31] - flat[:, :, -32]).mean(dim=1, keepdim=True)
    rest = torch.cat([flat[:, :, 1:31], flat[:, :, 32:-32], flat[:, :, -31:]], dim=2)
    tones = rest.mean(dim=2)
    return torch.cat([tones, (rest - tones[..., None]).abs().amax(dim=(1, 2))[:, None], corners], dim=1)


class Mirror(nn.Module):
    """A generator that paints code number k, times a gain, into the k-th of 8 x 8 squares, around a grey.

    `gain` is there to be moved and `passes` to be counted by those who train it; in training mode a batch loses its
    mean, as batch norm would take it, and the grey is another one.
    """

    def __init__(self, starting_shape: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.passes: Tensor
        self.register_buffer("passes", torch.zeros(()))
        self.fc = nn.Linear(starting_shape, 2)
        self.upsample = nn.Sequential(
            nn.BatchNorm2d(2), nn.LeakyReLU(), nn.ConvTranspose2d(2, 3, 4, 2, 1), nn.Sigmoid()
        )
        self.greys = torch.tensor([0.5, 0.5])  # in evaluation mode, in training mode
        self.tried: list[Tensor] = []
        self.painted: list[Tensor] = []
        self.was_training: list[bool] = []

    def forward(self, codes: Tensor) -> Tensor:
        if codes.is_meta:  # nothing can be written down, and each operation there takes its time
            return (self.gain * codes).reshape(-1, 1, 8, 8).repeat(1, 3, 4, 4)
        is_new = not self.tried or not torch.equal(self.tried[-1], codes)
        if is_new:
            self.tried.append(codes.detach().clone())
        self.was_training.append(self.training)
        if self.training:
            self.passes.add_(1)
            codes = codes - codes.mean(dim=0)
        painted = self.greys[int(self.training)] + self.gain * codes
        if is_new:
            self.painted.append(painted.detach().clone())
        squares = painted.reshape(-1, 1, 8, 8).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
        return squares.repeat(1, 3, 1, 1)


def drawn_networks(channels: Tensor, biases: Tensor) -> dict[str, type[nn.Module]]:
    """Classes in the place of the given networks: the same layers in the same order, of other sizes.

    Args:
        channels: Between the generator's layers, then between the discriminator's, three each.
        biases: Values between -1 and 1, more than any of the channels by two. In units of PyTorch's own bound for them, they
            are the biases of each network's convolutions: the first one's begin at number 0, the second's at number 1.
    """
    g, d = channels[:3].tolist(), channels[3:].tolist()

    class Generator(nn.Module):
        def __init__(self, starting_shape: int) -> None:
            super().__init__()
            self.fc = nn.Linear(starting_shape, 16 * g[0])
            layers: list[nn.Module] = []
            for before, behind in ((g[0], g[1]), (g[1], g[2]), (g[2], 3)):
                layers += [nn.BatchNorm2d(before), nn.LeakyReLU(), nn.ConvTranspose2d(before, behind, 4, 2, 1)]
            self.upsample = nn.Sequential(*layers, nn.Sigmoid())
            _set_biases(self, biases)

        def forward(self, codes: Tensor) -> Tensor:
            return self.upsample(self.fc(codes).reshape(-1, g[0], 4, 4))

    class Discriminator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers: list[nn.Module] = [nn.Conv2d(3, d[0], 4, 2, 1), nn.LeakyReLU()]
            for before, behind in ((d[0], d[1]), (d[1], d[2])):
                layers += [nn.Conv2d(before, behind, 4, 2, 1), nn.BatchNorm2d(behind), nn.LeakyReLU()]
            self.downsample = nn.Sequential(*layers)
            self.fc = nn.Linear(16 * d[2], 1)
            _set_biases(self, biases)

        def forward(self, images: Tensor) -> Tensor:
            return self.fc(self.downsample(images).flatten(1))

    return {"Generator": Generator, "Discriminator": Discriminator}


@torch.no_grad()
def _set_biases(network: nn.Module, biases: Tensor) -> None:
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    for n, layer in enumerate(convolutions):
        assert layer.bias is not None
        layer.bias.copy_(layer.weight[0].numel() ** -0.5 * biases[n : n + len(layer.bias)])


class Asked:
    """Knows whether somebody has asked if it is there, as the notebook's `train` does and a loop of one's own need not."""

    def __init__(self, is_there: bool) -> None:
        self.is_there, self.was_asked = is_there, False

    def __bool__(self) -> bool:
        self.was_asked = True
        return self.is_there


class Curves(Asked):
    """Takes the losses that `train` reports, and notes the shapes of its pictures."""

    def __init__(self) -> None:
        super().__init__(is_there=True)
        self.losses: list[list[float]] = []
        self.kinds: list[list[int]] = []  # of the two losses, as `_kind` says
        self.pictures: list[list[int]] = []

    def update(self, d_loss: Tensor, g_loss: Tensor) -> None:
        self.losses.append([_number(d_loss), _number(g_loss)])
        self.kinds.append([_kind(d_loss), _kind(g_loss)])

    def end_epoch(self, images: Tensor) -> None:
        shape = list(images.shape) if isinstance(images, Tensor) else []
        self.pictures.append(shape if len(shape) == 4 else [0] * 4)


class Saves(Asked):
    """A checkpoint of a number of epochs; notes what is saved."""

    def __init__(self, gan: object, done: int, is_there: bool) -> None:
        super().__init__(is_there)
        self.gan, self.done = gan, done
        self.epochs: list[int] = []

    def resume(self, trained: object) -> int:
        if trained is not self.gan:
            raise TypeError("resume() takes the DCGAN")
        return self.done

    def save(self, trained: object, epoch: int) -> None:
        if trained is not self.gan:
            raise TypeError("save() takes the DCGAN, then the number of epochs done")
        self.epochs.append(int(epoch))


def _kind(value: object) -> int:
    """0 for a number or a scalar tensor, 1 for a tensor of another shape than (), 2 for one with a gradient."""
    if not isinstance(value, Tensor | np.ndarray):
        return 0
    return 2 if isinstance(value, Tensor) and value.requires_grad else int(value.shape != ())


def _number(value) -> float:
    value = value.detach() if isinstance(value, Tensor) else value
    return float(value) if isinstance(value, Tensor | np.ndarray | np.generic | int | float) else float("nan")


@contextmanager
def noting_updates(watched: list[nn.Parameter], updates: list):
    """Write down every optimizer step that may move what is watched, wherever the optimizer is kept."""

    def now() -> list[float]:
        return [parameter.item() for parameter in watched]

    def before(optimizer: Optimizer, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        given = with_gradients_made(*args, **kwargs)
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        whose = (id(watched[0]) in held) + 2 * (id(watched[2]) in held)
        if whose:
            updates.append([whose, now(), [0.0 if p.grad is None else p.grad.item() for p in watched]])
        return given

    def after(*_: object) -> None:
        if updates and len(updates[-1]) == 3:
            updates[-1].append(now())

    handles = register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
