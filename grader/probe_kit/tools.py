"""What several probes need: a seed, and the gradients of an answer with respect to its inputs."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def gradients(function: Callable[..., object], **inputs: Tensor) -> dict[str, Tensor]:
    """Differentiate an answer's sum with respect to each input.

    Args:
        function: Called with the inputs in the order given.
        inputs: Float tensors.

    Returns:
        `d_NAME` for every input that a gradient reaches, shaped as the input; nothing for those it does not reach.
    """
    leaves = {name: value.clone().requires_grad_() for name, value in inputs.items()}
    answer = function(*leaves.values())
    if not isinstance(answer, Tensor) or not answer.requires_grad:
        return {}
    found = torch.autograd.grad(answer.sum(), list(leaves.values()), allow_unused=True)
    return {f"d_{name}": grad for name, grad in zip(leaves, found, strict=True) if grad is not None}


def seed_torch(seed: int | Tensor) -> None:
    """Seed torch's generator for the CPU.

    `torch.manual_seed` seeds every device there could be, and writes down the stack for each that has not started, which
    takes longer than most probes.
    """
    torch.default_generator.manual_seed(int(seed))


def draws(draw: Callable[[], Tensor], repeat: Callable[[], Tensor], seed: int | Tensor) -> dict[str, Tensor]:
    """What tells whether an answer draws from torch's generator, anew in each call.

    Args:
        draw: Calls the answer.
        repeat: The same draws with other parameters.
        seed: Of the first calls.

    Returns:
        "draws": two calls in a row after one seed, and two after another; "again": what the first seed gives `repeat`.
    """
    found = []
    for offset in (0, 1):
        seed_torch(int(seed) + offset)
        found += [draw(), draw()]
    seed_torch(seed)
    return {"draws": torch.stack(found), "again": repeat()}


def slopes(answers: dict[str, Tensor], *networks: nn.Module, **inputs: Tensor) -> dict[str, Tensor]:
    """How answers depend on what they are made of: gradients of a weighted sum of all of their numbers.

    Args:
        answers: Tensors, with history.
        networks: Their parameters are asked about together, sorted by their shapes.
        inputs: Leaves.

    Returns:
        `d_NAME` for each input that a gradient reaches; "d_parameters": some of the numbers of each parameter's gradient,
        0 where none reaches it.
    """
    total = sum((_weighted(answer) for answer in answers.values() if _has_history(answer)), torch.zeros(()))
    parameters = [p for network in networks for p in sorted(network.parameters(), key=lambda p: tuple(p.shape))]
    asked = [source for source in (*inputs.values(), *parameters) if source.requires_grad]
    grads = torch.autograd.grad(total, asked, allow_unused=True) if total.requires_grad else [None] * len(asked)
    found = {id(source): grad for source, grad in zip(asked, grads, strict=True) if grad is not None}
    slopes_ = {f"d_{name}": found[id(leaf)] for name, leaf in inputs.items() if id(leaf) in found}
    if parameters:
        each = [found.get(id(p), torch.zeros_like(p)).flatten() for p in parameters]
        slopes_["d_parameters"] = torch.cat([grad[:: max(1, len(grad) // 9)] for grad in each])
    return slopes_


def learning(model: nn.Module, *answers: Tensor) -> dict[str, Tensor]:
    """Of how many of a model's parameters a gradient of its answers reaches, and of how many there are."""
    total = sum((answer.square().sum() for answer in answers if _has_history(answer)), torch.zeros(()))
    parameters = list(model.parameters())
    asked = [p for p in parameters if p.requires_grad]
    grads = torch.autograd.grad(total, asked, allow_unused=True) if total.requires_grad and asked else []
    return {"learning": torch.tensor([sum(grad is not None for grad in grads), len(parameters)])}


def _has_history(answer: object) -> bool:
    return isinstance(answer, Tensor) and answer.is_floating_point() and answer.requires_grad


def _weighted(answer: Tensor) -> Tensor:
    """A sum in which every number has another weight, so that none of its gradients vanishes by symmetry."""
    weights = torch.cos(torch.arange(answer.numel(), dtype=torch.float32)).reshape(answer.shape)
    return (answer * (weights + 0.2)).sum()
