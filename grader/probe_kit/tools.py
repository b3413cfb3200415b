"""What several probes need: a seed, and the gradients of an answer with respect to its inputs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook


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


def unreached(*asked: tuple[Tensor, Iterable[nn.Module]]) -> dict[str, Tensor]:
    """Of each output: how many parameters of some modules no gradient reaches, because it is cut off on the way or they are frozen.

    -1 where the modules have no parameters at all.
    """
    counts = []
    for output, modules in asked:
        parameters = [parameter for module in modules for parameter in module.parameters()]
        open_ = [parameter for parameter in parameters if parameter.requires_grad]
        found: tuple = ()
        if open_ and isinstance(output, Tensor) and output.requires_grad:
            found = torch.autograd.grad(output.sum(), open_, retain_graph=True, allow_unused=True)
        counts.append(len(parameters) - sum(grad is not None for grad in found) if parameters else -1)
    return {"unreached": torch.tensor(counts, dtype=torch.long)}


def seed_torch(seed: int | Tensor) -> None:
    """Seed torch's generator for the CPU.

    `torch.manual_seed` seeds every device there could be, and writes down the stack for each that has not started, which
    takes longer than most probes.
    """
    torch.default_generator.manual_seed(int(seed))


def seeds(call: Callable[[], object]) -> bool:
    """Whether a call leaves the generator in the same state wherever it stood before: it may draw, but it may not seed."""
    left = []
    for seed in (1, 2):
        seed_torch(seed)
        call()
        left.append(torch.default_generator.get_state())
    return torch.equal(*left)


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


def told(z: Tensor, mu: Tensor, dim: int) -> dict[str, Tensor]:
    """What a judge of gradients needs of draws around mu: the means of z and of z (z - mu) along a dimension."""
    exact = z.detach().double()
    return {"mean": exact.mean(dim), "shifted": (exact * (exact - mu.detach().double().unsqueeze(dim))).mean(dim)}


@contextmanager
def noting_settings(rows: list[list[float]], *others: nn.Module) -> Iterator[None]:
    """Write down of every optimizer's steps: learning rate, betas, epsilon, weight decay, AMSGrad, and how many weights of some
    modules it holds. A loop of one's own arithmetic has none."""
    apart = {id(parameter) for module in others for parameter in module.parameters()}

    def note(optimizer: Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            betas, rest = group.get("betas", (0.0, 0.0)), ("eps", "weight_decay", "amsgrad")
            held = sum(id(parameter) in apart for parameter in group["params"])
            rows.append([float(group["lr"]), *map(float, betas), *(float(group.get(name, 0)) for name in rest), held])

    handle = register_optimizer_step_pre_hook(note)
    try:
        yield
    finally:
        handle.remove()
