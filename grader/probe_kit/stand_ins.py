"""Networks that stand in for a student's, and weights that do not depend on how a student wrote the layers.

An answer that uses a network is asked about with a stand-in in its place: then its own work is judged, not the network's.
"""

import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

PIXELS = 784


def fill(module: nn.Module, seed: int) -> nn.Module:
    """Set every parameter from its shape, and from how many of that shape come before it in the module.

    Two networks of the same layers then hold the same numbers, whatever their attributes are called and in whichever
    order layers of different shapes were made.

    Returns:
        The module itself.
    """
    seen: Counter = Counter()
    with torch.no_grad():
        for parameter in module.parameters():
            shape = tuple(parameter.shape)
            key = zlib.crc32(repr((seed, shape, seen[shape])).encode())
            seen[shape] += 1
            bound = 2.4 / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else 0.3
            parameter.uniform_(-bound, bound, generator=torch.Generator().manual_seed(key))
    return module


def _alike(layer: nn.Module) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(0.01)


@contextmanager
def plain_layers(reset: Callable[[Any], None] = _alike):
    """Make layers with one number for all weights while this lasts: whoever fills or replaces them need not wait for random ones."""
    kinds: tuple[Any, ...] = nn.Linear, nn.Conv2d, nn.ConvTranspose2d
    linear, convolution, transposed = (kind.reset_parameters for kind in kinds)
    nn.Linear.reset_parameters = reset  # type: ignore[method-assign, assignment]
    nn.Conv2d.reset_parameters = nn.ConvTranspose2d.reset_parameters = reset  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        nn.Linear.reset_parameters, nn.Conv2d.reset_parameters = linear, convolution  # type: ignore[method-assign]
        nn.ConvTranspose2d.reset_parameters = transposed  # type: ignore[method-assign]


@contextmanager
def without_draws():
    """Leave tensors as they are where `normal_` would fill them, while this lasts: on `meta`, which holds no values, a draw takes a
    thousand times as long as on the CPU."""
    torch.Tensor.normal_ = lambda self, *_, **__: self  # type: ignore[method-assign]
    try:
        yield
    finally:
        del torch.Tensor.normal_


@contextmanager
def no_workers():
    """Let loaders load in this process while this lasts: a sandbox starts no others, and a student's machine may well."""
    make = DataLoader.__init__

    def make_here(self, *args, **settings) -> None:
        elsewhere = ("num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "pin_memory")
        make(self, *args, **{name: value for name, value in settings.items() if name not in elsewhere})

    DataLoader.__init__ = make_here  # type: ignore[method-assign]
    try:
        yield
    finally:
        DataLoader.__init__ = make  # type: ignore[method-assign]


def uniform(seed: int, *shape: int) -> Tensor:
    """Numbers from 0 to 1 that leave the global generator alone: images, for example."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def blank(n: int, *shape: int) -> Tensor:
    """n white images that share their memory, for networks that do not look at them."""
    return torch.zeros(1, *shape).expand(n, *shape)


def silence(encoder: nn.Module, outputs: int, first: int, log_scale: float = -16.0) -> None:
    """Take the noise away: outputs from number `first` on, which hold a log width, become `log_scale` for every image."""
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.shape[0] == outputs:
                parameter[first:] = 0.0 if parameter.ndim > 1 else log_scale


def sample(values: Tensor, most: int = 97) -> Tensor:
    """Some of many values, spread evenly over all of them."""
    flat = values.detach().flatten()
    return flat[:: max(1, len(flat) // most)]


def picture(name: str, images: Tensor) -> dict[str, Tensor]:
    """The shape of images and some of their pixels: enough to judge by, little to keep.

    Every so many-th pixel, a number that has no divisor in common with 10: what is wrong in every tenth is then seen.
    """
    if not isinstance(images, Tensor):
        return {name: images}
    step = max(1, images.numel() // 150)
    step = next(n for n in range(step, step + 10) if n % 2 and n % 5)
    return {f"{name}_shape": torch.tensor(images.shape), name: images.detach().flatten()[::step]}


def parameters(model: nn.Module) -> Tensor:
    """Some numbers out of all parameters, in the module's order."""
    return torch.cat([sample(parameter) for parameter in model.parameters()])


def flat_encoder(n: int, seed: int) -> nn.Module:
    """From images, shape (N, 1, 784), to n numbers each."""
    with plain_layers():
        return fill(nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, n)), seed)


def flat_decoder(n: int, seed: int) -> nn.Module:
    """From codes, shape (N, n) or (N, 1, n), to images, shape (N, 1, 784)."""
    with plain_layers():
        return fill(nn.Sequential(nn.Flatten(), nn.Linear(n, PIXELS), nn.Sigmoid(), nn.Unflatten(1, (1, PIXELS))), seed)


def flat_images(n: int, seed: int) -> nn.Module:
    """From codes, shape (N, n), to images, shape (N, 1, 28, 28)."""
    return nn.Sequential(flat_decoder(n, seed), nn.Unflatten(2, (28, 28)))


class Emit(nn.Module):
    """An encoder with the same output for every image."""

    def __init__(self, numbers: Tensor) -> None:
        super().__init__()
        self.numbers = nn.Parameter(numbers.clone())

    def forward(self, x: Tensor) -> Tensor:
        return self.numbers.expand(len(x), -1)


class Tones(nn.Module):
    """A decoder that looks at no code: its images have these tones in turn, over all of its calls."""

    def __init__(self, tones: Tensor) -> None:
        super().__init__()
        self.tones = nn.Parameter(tones.clone())
        self.decoded = 0

    def forward(self, z: Tensor) -> Tensor:
        rows = torch.arange(self.decoded, self.decoded + len(z)) % len(self.tones)
        self.decoded += len(z)
        return self.tones[rows].reshape(-1, 1, 1, 1).expand(-1, 1, 28, 28)


class Added(nn.Module):
    """A decoder of grey images whose first pixel is the sum of the code; it keeps the codes, as rows."""

    def __init__(self, grey: float) -> None:
        super().__init__()
        self.grey, self.scale = grey, nn.Parameter(torch.ones(()))
        self.seen: list[Tensor] = []

    def forward(self, z: Tensor) -> Tensor:
        self.seen.append(z.detach().reshape(-1, z.shape[-1]).clone())
        first = self.scale * z.sum(dim=-1, keepdim=True)
        return F.pad(first, (0, PIXELS - 1), value=self.grey).reshape(-1, 1, 28, 28)


_TONES = 4.0  # divides a code before the sigmoid: far-off codes, which a slip may give, are then still told apart


class Show(nn.Module):
    """A decoder that writes a code into the first pixels of an image, through a sigmoid."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape
        self.scale = nn.Parameter(torch.ones(()))
        self.code_size = 0  # of the last code given

    def forward(self, z: Tensor) -> Tensor:
        self.code_size = z.shape[-1]
        shown = (self.scale * z / _TONES).sigmoid()
        return F.pad(shown, (0, PIXELS - z.shape[-1]), value=0.5).reshape(-1, *self.shape)  # one code alone is fine too


class Marked(nn.Module):
    """A decoder whose images end in a pixel that is the mark of its mode: the first in evaluation, the second in training."""

    def __init__(self, decoder: nn.Module, marks: Tensor) -> None:
        super().__init__()
        self.decoder, self.marks = decoder, marks

    def forward(self, z: Tensor) -> Tensor:
        images = self.decoder(z)
        mark = self.marks[int(self.training)].expand(len(images), 1)
        return torch.cat([images.flatten(1)[:, :-1], mark], dim=1).reshape(images.shape)


def shown(images: Tensor, n: int) -> Tensor:
    """The codes that `Show` wrote, shape (N, n)."""
    return images.flatten(1)[:, :n].logit() * _TONES


class Witness(nn.Module):
    """Passes numbers on, in evaluation mode half of them, as a layer with two modes might.

    Its parameter is large and has a gradient of 0: only weight decay moves it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.idle = nn.Parameter(torch.full((1,), 5.0))

    def forward(self, x: Tensor) -> Tensor:
        return (x if self.training else x / 2) + 0 * self.idle


class ToyAutoEncoder(nn.Module):
    """Something to train: from flat images, shape (N, 1, 784), to reconstructions of the same shape.

    No unit saturates: Adam would blow up what rounding leaves of a slope of 0.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(flat_encoder(3, seed), nn.Softsign(), Witness())
        self.decoder = flat_decoder(3, seed)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


class ToyVAE(nn.Module):
    """Something to train, with two terms and no noise; not the notebook's loss."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.beta = 2.0
        self.encoder, self.decoder = nn.Sequential(flat_encoder(4, seed), Witness()), flat_decoder(2, seed)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        q = self.encoder(x)
        return {"q": q, "rec": self.decoder(q[:, :2])}

    def loss(self, x: Tensor, outputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        # Smooth, and no loss that an answer could have by itself: an absolute error has a kink at every pixel.
        terms = {"rec_loss": (outputs["rec"] - x).cosh().log().mean(), "kl_loss": outputs["q"].pow(2).mean()}
        return terms["rec_loss"] + self.beta * terms["kl_loss"], terms


class PriorVAE(nn.Module):
    """What `generate_images` needs of a VAE."""

    def __init__(self, K: int, seed: int) -> None:
        super().__init__()
        self.K = K
        self.decoder = fill(nn.Sequential(nn.Linear(K, PIXELS), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))), seed)

    def decode(self, z: Tensor) -> Tensor:
        return torch.stack([self.decoder(codes) for codes in z])


class Batches:
    """A loader whose batches are the same in every epoch: greys, whose logarithms no answer's slip may take at 0."""

    def __init__(self, seed: int, batches: int = 2, size: int = 4) -> None:
        self._batches = [
            (0.1 + 0.8 * uniform(seed + n, size, 1, 28, 28), torch.zeros(size, dtype=torch.long))
            for n in range(batches)
        ]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self):
        return iter(self._batches)
