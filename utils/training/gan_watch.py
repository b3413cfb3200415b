"""One training step of a GAN, watched from outside.

Whatever the step's code looks like, it calls two networks and two optimizers. `GANWatch` listens to those calls; just
before an optimizer moves its network, it works out from the recorded inputs which gradient the network should have and
which ones the usual slips would give.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import Optimizer

from utils.exercise.expect import ExpectationError
from utils.training.optimisation import with_gradients_made

DISCRIMINATOR, GENERATOR = "discriminator", "generator"


@dataclass(frozen=True)
class Update:
    """What was seen of one optimizer step.

    Attributes:
        network: "discriminator" or "generator", the one about to move.
        calls: What the discriminator was shown since the last update, in order: "real", "fake" or "mixed".
        batch_sizes: How many images each time.
        has_fresh_codes: Whether the codes behind the fakes shown now were not behind those of the last update.
        gradient: The network's gradient, flat; zeros where there is none.
        expected: What it should be, flat; None when `calls` leaves it open.
        slips: From the sentence that names a usual slip to the gradient it leads to.
        loss: The loss that goes with `expected`, in nats.
        leak: Largest change of the other network's gradient since the last update; 0 when the discriminator's update
            leaves the generator alone.
    """

    network: str
    calls: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    has_fresh_codes: bool
    gradient: Tensor
    expected: Tensor | None
    slips: dict[str, Tensor]
    loss: float
    leak: float


@dataclass
class _Seen:
    """What happened since the last update."""

    images: list[Tensor] = field(default_factory=list)
    fakes: list[Tensor] = field(default_factory=list)
    codes: list[Tensor] = field(default_factory=list)


class _Enough(BaseException):
    """Ends a training that has been watched for long enough; no `except Exception` of an answer holds it up."""


class GANWatch:
    """Listens to a GAN while inside a `with` block.

    Args:
        gan: Has networks `_generator` and `_discriminator`, and among its attributes an optimizer for each.
        at_most: End the block before any further update, so that a whole `train` can be watched; None for no limit.

    Attributes:
        updates: One `Update` for each optimizer step, in order.
        strays: For each step that was taken, by how much its network went elsewhere since its last one than Adam's step
            from the gradient seen, at most over all weights.

    Raises:
        ExpectationError: If a network has no optimizer of its own.
    """

    def __init__(self, gan: object, at_most: int | None = None) -> None:
        self.updates: list[Update] = []
        self.strays: list[float] = []
        self._at_most = at_most
        self._networks: dict[str, nn.Module] = {GENERATOR: gan._generator, DISCRIMINATOR: gan._discriminator}  # type: ignore[attr-defined]
        self._optimizers = {name: optimizer_of(gan, network) for name, network in self._networks.items()}
        self._paths = {
            name: _AdamPath(network, self._optimizers[name].param_groups[0]) for name, network in self._networks.items()
        }
        self._seen, self._before = _Seen(), _Seen()
        self._shown: list[Tensor] = []  # the codes behind the fakes of the last update
        self._last_gradients = {name: _flat_gradient(network) for name, network in self._networks.items()}
        self._is_computing = False
        self._handles: list = []

    def __enter__(self) -> "GANWatch":
        generator, discriminator = self._networks[GENERATOR], self._networks[DISCRIMINATOR]
        self._handles = [
            generator.register_forward_hook(self._on_generator),
            discriminator.register_forward_hook(self._on_discriminator),
            *(optimizer.register_step_pre_hook(self._on_step(name)) for name, optimizer in self._optimizers.items()),
            *(
                optimizer.register_step_post_hook(self._after_step(name))
                for name, optimizer in self._optimizers.items()
            ),
        ]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        for handle in self._handles:
            handle.remove()
        return kind is _Enough

    def _on_generator(self, _: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if not self._is_computing:
            self._seen.codes.append(inputs[0].detach().clone())
            self._seen.fakes.append(output.detach().clone())

    def _on_discriminator(self, _: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
        if not self._is_computing:
            self._seen.images.append(inputs[0].detach().clone())

    def _on_step(self, name: str) -> Callable:
        def before_step(_: Optimizer, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
            if len(self.updates) == self._at_most:
                raise _Enough
            given = with_gradients_made(*args, **kwargs)
            self._is_computing = True
            with torch.enable_grad():
                self.updates.append(self._describe(name))
            self._is_computing = False
            self._last_gradients = {key: _flat_gradient(network) for key, network in self._networks.items()}
            self._before, self._seen = self._seen, _Seen()
            return given

        return before_step

    def _after_step(self, name: str) -> Callable:
        return lambda *_: self.strays.append(self._paths[name].stray(self.updates[-1].gradient))

    def _describe(self, name: str) -> Update:
        calls = tuple(self._name_batch(images) for images in self._seen.images)
        other = GENERATOR if name == DISCRIMINATOR else DISCRIMINATOR
        gradients: dict[str, Tensor] = {}
        loss = float("nan")
        if name == DISCRIMINATOR and sorted(calls) == ["fake", "real"]:
            gradients, loss = self._discriminator_gradients(self._seen.images[calls.index("real")])
        elif name == GENERATOR and calls and calls[-1] == "fake":
            gradients, loss = self._generator_gradients()
        shown = self._codes_behind(self._seen.images)
        used = [code for code in self._shown for fresh in shown if torch.equal(code, fresh)]
        self._shown = shown
        return Update(
            network=name,
            calls=calls,
            batch_sizes=tuple(len(images) for images in self._seen.images),
            has_fresh_codes=bool(shown) and not used,
            gradient=_flat_gradient(self._networks[name]),
            expected=gradients.pop("", None),
            slips=gradients,
            loss=loss,
            leak=self._leak(other) if name == DISCRIMINATOR else 0.0,
        )

    def _name_batch(self, images: Tensor) -> str:
        """A batch is fake when the generator has made it, mixed when it has made a part of it."""
        made = [row for fakes in (*self._before.fakes, *self._seen.fakes) for row in fakes]
        count = sum(any(torch.equal(image, row) for row in made) for image in images[[0, -1]])
        return ("real", "mixed", "fake")[count]

    def _codes_behind(self, shown: list[Tensor]) -> list[Tensor]:
        """The codes of those batches that the generator has made, before the last update or since."""
        made = [pair for seen in (self._before, self._seen) for pair in zip(seen.codes, seen.fakes, strict=True)]
        return [
            next(codes for codes, fakes in made if torch.equal(fakes, batch))
            for batch in shown
            if any(torch.equal(fakes, batch) for _, fakes in made)
        ]

    def _discriminator_gradients(self, real: Tensor) -> tuple[dict[str, Tensor], float]:
        """The right gradient under the key "", those of the slips under their sentences, and the loss."""
        network = self._networks[DISCRIMINATOR]
        fake = next(images for images in self._seen.images if images is not real)
        weights = _copy_weights(network)
        on_real, on_fake = (functional_call(network, {**weights, **_copy_buffers(network)}, x) for x in (real, fake))
        loss = _bce(on_real, 1) + _bce(on_fake, 0)
        losses = {
            "": loss,
            "the labels are the wrong way round; real is 1, fake is 0.": _bce(on_real, 0) + _bce(on_fake, 1),
            "the two losses are averaged; the discriminator descends their sum.": loss / 2,
            "only the real batch counts; add the loss on the fake one.": _bce(on_real, 1),
            "only the fake batch counts; add the loss on the real one.": _bce(on_fake, 0),
        }
        return self._gradients(DISCRIMINATOR, losses, weights), loss.item()

    def _generator_gradients(self) -> tuple[dict[str, Tensor], float]:
        generator, discriminator = self._networks[GENERATOR], self._networks[DISCRIMINATOR]
        codes = self._codes_behind(self._seen.images)[-1]
        weights = _copy_weights(generator)
        fake = functional_call(generator, {**weights, **_copy_buffers(generator)}, codes)
        logits = functional_call(discriminator, {**_copy_weights(discriminator), **_copy_buffers(discriminator)}, fake)
        loss = _bce(logits, 1)
        losses = {
            "": loss,
            "the generator's samples are labelled fake (0); label them real (1).": _bce(logits, 0),
            "the generator ascends the loss with the label fake; descend the one with the label real.": -_bce(
                logits, 0
            ),
        }
        return self._gradients(GENERATOR, losses, weights), loss.item()

    def _gradients(self, name: str, losses: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        leaves = list(weights.values())
        gradients = {key: _flat(torch.autograd.grad(loss, leaves, retain_graph=True)) for key, loss in losses.items()}
        stale = self._last_gradients[name]
        if stale.any():
            gradients["old gradients are still there; call zero_grad() before backward()."] = gradients[""] + stale
        return gradients

    def _leak(self, name: str) -> float:
        gradient = _flat_gradient(self._networks[name])
        change = (gradient - self._last_gradients[name]).abs().max().item()
        return min(change, gradient.abs().max().item())  # cleared since then is no leak


class _AdamPath:
    """Where Adam takes a network, from the settings it had when the watch began."""

    def __init__(self, network: nn.Module, settings: dict) -> None:
        self._network = network
        self._rate, self._epsilon = settings["lr"], settings.get("eps", 1e-8)
        self._betas = settings.get("betas", (0.9, 0.999))
        self._at = _flat_weights(network)
        self._mean = self._square = torch.zeros_like(self._at)
        self._steps = 0

    def stray(self, gradient: Tensor) -> float:
        """The largest difference between where the network is and where one step more from its last place ends."""
        self._steps += 1
        (first, second), now = self._betas, _flat_weights(self._network)
        self._mean = first * self._mean + (1 - first) * gradient
        self._square = second * self._square + (1 - second) * gradient**2
        mean, square = self._mean / (1 - first**self._steps), self._square / (1 - second**self._steps)
        expected = self._at - self._rate * mean / (square.sqrt() + self._epsilon)
        self._at = now
        return float((now - expected).abs().max())


def optimizer_of(gan: object, network: nn.Module) -> Optimizer:
    """Find the optimizer of a network among the attributes of a GAN, whatever it is called.

    Args:
        gan: The object to search.
        network: The network whose parameters the optimizer holds.

    Returns:
        The optimizer that holds exactly these parameters.

    Raises:
        ExpectationError: If there is none.
    """
    wanted = {id(parameter) for parameter in network.parameters()}
    for value in vars(gan).values():
        if isinstance(value, Optimizer):
            held = {id(parameter) for group in value.param_groups for parameter in group["params"]}
            if held == wanted:
                return value
    raise ExpectationError(
        f"{type(gan).__name__}: no optimizer holds exactly the parameters of {type(network).__name__}; "
        "each network needs an optimizer of its own, made from network.parameters() after .to(device)."
    )


def _copy_weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone().requires_grad_() for name, value in network.named_parameters()}


def _copy_buffers(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.named_buffers()}


def _bce(logits: Tensor, label: int) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _flat(tensors: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors]).detach()


def _flat_gradient(network: nn.Module) -> Tensor:
    return _flat(tuple(torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters())).clone()


def _flat_weights(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
