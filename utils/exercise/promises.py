"""What a docstring promises beside values: gradients, arguments left alone, fresh noise. For the notebooks' `# TEST` cells.

A value can be right and the function useless in training, where only its gradient counts. So each check compares autograd
with finite differences: change an argument a little along a random direction, and the result must follow the gradient.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from utils.exercise.expect import ExpectationError, expect_close, join

# Steps of a finite difference and how far it may be off: hardly ever a ReLU bends within the first; the second is for an
# answer whose result is rounded to float32 on the way, as where a number of type float64 multiplies a tensor of float32.
_STEPS = ((1e-8, 1e-4), (1e-3, 1e-2))
_SEED = 0
_CUT = "A .detach(), .item(), .data, NumPy or torch.no_grad on the way cuts it off."


def expect_differentiable(name: str, function: Callable[..., Any], hint: str = "", **arguments: Tensor) -> None:
    """Check that a function hands gradients to each argument, and leaves the arguments and the type of their numbers alone.

    Args:
        name: What is checked, as the student knows it, e.g. "D_KL".
        function: The student's, called with the arguments in the order given here, with a seed set before each call.
        hint: Where to look when a gradient is wrong.
        arguments: Float tensors of any shape, by the names they have in the docstring.

    Raises:
        ExpectationError: If one of these does not hold.
    """
    given = {key: value.clone().requires_grad_() for key, value in arguments.items()}
    result = _seeded(lambda: function(*given.values()))
    _require_tensor(name, result, next(iter(arguments.values())).dtype)
    for key, value in arguments.items():
        if not torch.equal(given[key].detach(), value):
            raise ExpectationError(
                f"{name} changes its argument {key}. Compute a new tensor: +=, .add_() and the like write into the old one."
            )
    exact = {key: value.double().requires_grad_() for key, value in arguments.items()}
    size = _fixed_normal(result.shape, _SEED)
    _compare(name, lambda: (size * function(*exact.values())).sum(), exact, hint)
    print(f"{name}: gradients to {', '.join(arguments)}, passed")


def expect_trainable(name: str, model: torch.nn.Module, loss: Callable[[Any], Tensor], hint: str = "") -> None:
    """Check that the gradient of a loss reaches every parameter of a model.

    Args:
        name: What is checked, e.g. "VAE.loss".
        model: The student's; in float64 meanwhile, and afterwards as it was.
        loss: From the model to a scalar tensor; its inputs in float64.
        hint: Where to look when a gradient is wrong.

    Raises:
        ExpectationError: If the loss is no scalar tensor, or a gradient does not follow it.
    """
    with _in_float64(name, model) as parameters:
        value = _seeded(lambda: loss(model))
        _require_tensor(name, value, torch.float64)
        if value.numel() != 1:
            raise ExpectationError(f"{name} has shape {tuple(value.shape)}, expected a single number.")
        _compare(name, lambda: loss(model).sum(), parameters, hint)
    print(f"{name}: gradients to all {len(parameters)} weights and biases, passed")


def expect_rows(name: str, function: Callable[..., Any], *inputs: Tensor) -> None:
    """Check that each row of a batch is treated by itself, the same at every call, and a batch of one as any other.

    Args:
        name: What is checked, e.g. "Encoder".
        function: The student's network or a method of it, without randomness; from the inputs to a tensor or several.
        inputs: Tensors with at least two rows.

    Raises:
        ExpectationError: If one of these does not hold, or the inputs are changed.
    """
    before = [one.clone() for one in inputs]
    first = _outputs(function(*inputs))
    for one in first:
        _require_tensor(name, one, torch.float32)
    kept = [one.detach().clone() for one in first]
    other = _outputs(function(*(one.flip(0) for one in inputs)))
    rows = [_outputs(function(*(one[row : row + 1] for one in inputs))) for row in range(len(inputs[0]))]
    if any(not torch.equal(one, old) for one, old in zip(inputs, before, strict=True)):
        raise ExpectationError(f"{name} changes its inputs. Leave them as they are.")
    for number, (one, old) in enumerate(zip(first, kept, strict=True)):
        alone = [row[number] for row in rows]
        if any(row.shape != old[:1].shape for row in alone):
            raise ExpectationError(
                f"{name}: of a batch of one, output {number} has shape {tuple(alone[0].shape)}, expected {tuple(old[:1].shape)}."
            )
        if not (_alike(one, old) and _alike(other[number].flip(0), old) and _alike(torch.cat(alone), old)):
            raise ExpectationError(f"{name}: what a row gives depends on the other rows, or on earlier calls.")
    print(f"{name}: each row by itself, passed")


def expect_network(name: str, network: torch.nn.Module, *inputs: Tensor, hint: str = "") -> None:
    """Check that a network treats each row by itself, stays as it is, and hands gradients to its inputs and all its weights.

    Args:
        name: What is checked, e.g. "Encoder".
        network: The student's, without randomness in evaluation mode; from the inputs to a tensor or a tuple of tensors.
        inputs: Float tensors with at least two rows, float32.
        hint: Where to look when a gradient is wrong.

    Raises:
        ExpectationError: If one of these does not hold.
    """
    was_training = network.training
    network.eval()
    before = {key: one.detach().clone() for key, one in network.state_dict().items()}
    expect_rows(name, network, *inputs)
    if network.training or any(not torch.equal(one, before[key]) for key, one in network.state_dict().items()):
        raise ExpectationError(f"{name}: forward changes the network's mode or its weights. Leave both as they are.")
    exact = {f"input {n}" if n else "its input": one.double().requires_grad_() for n, one in enumerate(inputs)}

    def weighted() -> Tensor:
        answers = _outputs(network(*exact.values()))
        return torch.stack([(_fixed_normal(one.shape, n) * one).sum() for n, one in enumerate(answers)]).sum()

    with _in_float64(name, network) as parameters:
        _compare(name, weighted, {**parameters, **exact}, hint, all_matter=True)
    network.train(was_training)
    print(f"{name}: gradients to its input and all {len(parameters)} weights and biases, passed")


def expect_chain(
    name: str, network: torch.nn.Module, x: Tensor, last: Callable[[Tensor], Tensor] | None = None
) -> None:
    """Check that a network is its linear layers, one after another, with a ReLU between each two and nothing else.

    Args:
        name: What is checked, e.g. "Encoder".
        network: The student's; its weights and biases in the order of the layers.
        x: Inputs, one a row.
        last: What follows the last layer, e.g. torch.sigmoid; None for nothing.

    Raises:
        ExpectationError: If its answer is another one.
    """
    for title in (f"{name}, layer by layer", f"{name}, with its last layer's sign changed"):
        last_layer = _expect_chain(title, network, x, last)
        with torch.no_grad():  # a ReLU too many cuts what it left before; the second time changes it back
            for parameter in last_layer:
                parameter.neg_()


def _expect_chain(
    title: str, network: torch.nn.Module, x: Tensor, last: Callable[[Tensor], Tensor] | None
) -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
    """As `expect_chain`, with the weights as they are; returns weight and bias of the last layer."""
    numbers = list(network.parameters())
    left = list(zip(numbers[::2], numbers[1::2], strict=True))
    h = x.flatten(1)
    while left:  # an answer may list its layers in another order than it applies them
        weight, bias = next((pair for pair in left if pair[0].shape[-1] == h.shape[1]), left[0])
        left = [pair for pair in left if pair[0] is not weight]
        if weight.shape[-1] != h.shape[1]:
            raise ExpectationError(f"{title}: no layer takes the {h.shape[1]} numbers that the one before gives.")
        h = torch.nn.functional.linear(h, weight, bias)
        h = h.relu() if left else h
    expected = last(h) if last else h
    expect_close(
        title,
        network(x).flatten(1),
        expected.reshape(len(x), -1),
        rtol=1e-3,
        atol=1e-4,
        hint="One linear layer after another, a ReLU between each two; what follows the last one is in the text.",
    )
    return weight, bias


def expect_fresh_noise(name: str, draw: Callable[[], Tensor], hint: str = "") -> None:
    """Check that each call draws numbers of its own, one for each entry, and leaves the random generator further on.

    Args:
        name: What is checked, e.g. "rsample".
        draw: Returns noise of any shape that a right answer fills with independent draws; 60 entries are enough.
        hint: Where to look when it does not.

    Raises:
        ExpectationError: If two calls agree, or entries repeat, also with another sign.
    """
    one, other, noise = _seeded(lambda: [draw().detach().double() for _ in range(3)])
    one, other = one.flatten(), other.flatten()
    if torch.allclose(one, other):
        raise ExpectationError(
            join(f"{name}: two calls in a row draw the same. Set no seed inside, and keep no noise.", hint)
        )
    if not torch.allclose(_seeded(draw).detach().double().flatten(), one):
        raise ExpectationError(
            join(f"{name}: the same seed draws other numbers. Draw with torch's own generator.", hint)
        )
    if any(bool((noise.mean(axis).abs() < 1e-5).all()) for axis in range(noise.ndim) if noise.shape[axis] > 1):
        raise ExpectationError(join(f"{name}: the noise adds up to 0. Leave it as it was drawn.", hint))
    sizes = torch.cat([one, other]).abs().sort().values
    if bool((sizes.diff() <= 1e-6 * sizes[1:]).any()):
        raise ExpectationError(
            join(f"{name}: entries share their noise, or its size. Draw one number for each entry.", hint)
        )
    print(f"{name}: fresh noise for each call and entry, passed")


# ---------------------------------------------------------------- how


@contextmanager
def _in_float64(name: str, network: torch.nn.Module) -> Iterator[dict[str, Tensor]]:
    """The parameters, in float64 for as long as finite differences are taken; afterwards the network is as it was.

    No copy: an answer may hold a function that knows the network it was made in.
    """
    parameters: dict[str, Tensor] = dict(network.named_parameters())
    if frozen := [key for key, one in parameters.items() if not one.requires_grad]:
        raise ExpectationError(f"{name}: {', '.join(frozen)} is frozen (requires_grad is False), so no step moves it.")
    before = {key: one.detach().clone() for key, one in network.state_dict().items()}
    try:
        network.double()
        yield parameters
    finally:
        network.float()
        network.load_state_dict(before)


def _outputs(answer: Any) -> tuple:
    return tuple(answer) if isinstance(answer, tuple | list) else (answer,)


def _fixed_normal(shape: torch.Size, seed: int) -> Tensor:
    """Standard normal numbers that leave torch's own generator alone."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _alike(got: Tensor, expected: Tensor) -> bool:
    return torch.allclose(got, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def _seeded(call: Callable[[], Any]) -> Any:
    """What a call returns with a seed of ours; the notebook's own stream of random numbers goes on as if there had been none."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        return call()


def _require_tensor(name: str, result: Any, dtype: torch.dtype) -> None:
    if not isinstance(result, Tensor):
        raise ExpectationError(
            f"{name} is a {type(result).__name__}, expected a tensor: keep to torch, without .item() or .numpy()."
        )
    if result.dtype != dtype:
        raise ExpectationError(
            f"{name} holds {_short(result.dtype)}, expected {_short(dtype)}, the type of its arguments."
        )
    if not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        raise ExpectationError(
            f"{name} switches gradients off for all that follows. Use `with torch.no_grad():` where none is needed."
        )


def _compare(
    name: str, value: Callable[[], Tensor], inputs: Mapping[str, Tensor], hint: str, all_matter: bool = False
) -> None:
    """Autograd against central differences along one random direction of each input."""
    start = _seeded(value)
    if not start.requires_grad:
        raise ExpectationError(join(f"{name}: no gradient reaches {' and '.join(inputs)}.", hint or _CUT))
    slopes = torch.autograd.grad(start, list(inputs.values()), allow_unused=True)
    for number, ((key, tensor), slope) in enumerate(zip(inputs.items(), slopes, strict=True)):
        way = _fixed_normal(tensor.shape, number)
        felt = 0.0 if slope is None else float((slope * way).sum())
        size = 1 + abs(float(start.detach()))
        for step, allowed in _STEPS:
            seen = _difference(value, tensor, way, step)
            if abs(felt - seen) <= allowed * (abs(felt) + abs(seen)) + 1e-6 * size:
                break
        else:
            raise ExpectationError(join(f"{name}: {_told(key, felt, seen)}.", hint or _CUT))
        if all_matter and abs(seen) <= 1e-9 * size:
            raise ExpectationError(join(f"{name}: {key} has no part in the result.", hint))


def _told(key: str, felt: float, seen: float) -> str:
    if not felt:
        return f"no gradient reaches {key}"
    return f"the gradient that reaches {key} is not the slope: along a random direction {felt:.4g}, expected {seen:.4g}"


def _difference(value: Callable[[], Tensor], tensor: Tensor, way: Tensor, length: float) -> float:
    with torch.no_grad():
        start, ends = tensor.clone(), []
        for step in (length, -length):
            tensor.copy_(start + step * way)
            ends.append(float(_seeded(value)))
        tensor.copy_(start)
    return (ends[0] - ends[1]) / (2 * length)


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
