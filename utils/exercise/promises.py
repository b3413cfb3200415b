"""What a docstring promises beside values: gradients, arguments and modes left alone. For the notebooks' `# TEST` cells.

A value can be right and the function useless in training, where only its gradient counts. So each check compares autograd
with finite differences: change an argument a little along a random direction, and the result must follow the gradient.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from utils.exercise.expect import ExpectationError, join, require_gradients_on

# Steps of a finite difference and how far it may be off: hardly ever a ReLU bends within the first; the second is for an
# answer whose result is rounded to float32 on the way, as where a number of type float64 multiplies a tensor of float32.
_STEPS = ((1e-8, 1e-4), (1e-3, 1e-2))
_SEED = 0
_CUT = "A .detach(), .item(), .data, NumPy or torch.no_grad on the way cuts it off."


def expect_differentiable(
    name: str, function: Callable[..., Any], hint: str = "", axes: Sequence[int] = (), **arguments: Tensor
) -> None:
    """Check that a function hands gradients to each argument, and leaves alone what is not its own.

    That is: the arguments, the type of their numbers, and, unless it draws, torch's generator; and a dimension of size 1 stays.

    Args:
        name: What is checked, as the student knows it, e.g. "D_KL".
        function: The student's, called with the arguments in the order given here, with a seed set before each call.
        hint: Where to look when a gradient is wrong.
        axes: Dimensions along which one entry is asked for alone too; the arguments that have one share it.
        arguments: Float tensors of any shape, by the names they have in the docstring.

    Raises:
        ExpectationError: If one of these does not hold.
    """
    given = {key: value.clone().requires_grad_() for key, value in arguments.items()}
    result = seeded(lambda: function(*given.values()))
    require_tensor(name, result, next(iter(arguments.values())).dtype)
    for key, value in arguments.items():
        if not torch.equal(given[key].detach(), value):
            raise ExpectationError(
                f"{name} changes its argument {key}. Compute a new tensor: +=, .add_() and the like write into the old one."
            )
    exact = {key: value.double().requires_grad_() for key, value in arguments.items()}
    size = fixed_normal(result.shape, _SEED)
    compare(name, lambda: (size * function(*exact.values())).sum(), exact, hint)
    values = list(arguments.values())
    _expect_new(name, function, values)
    is_random = _draws(name, lambda: function(*values))
    for axis in axes:
        _expect_alone(name, function, values, axis, is_random)
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
    with in_float64(name, model) as parameters:
        with same_modes(name, model.train()):
            value = seeded(lambda: loss(model))
        require_tensor(name, value, torch.float64)
        if value.numel() != 1:
            raise ExpectationError(f"{name} has shape {tuple(value.shape)}, expected a single number.")
        compare(name, lambda: loss(model).sum(), parameters, hint)
    print(f"{name}: gradients to all {len(parameters)} weights and biases, passed")


# ---------------------------------------------------------------- how


@contextmanager
def in_float64(name: str, network: torch.nn.Module) -> Iterator[dict[str, Tensor]]:
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


@contextmanager
def same_modes(name: str, owner: Any) -> Iterator[None]:
    """See that whoever owns what is called, if it is a network, is in its modes afterwards."""
    modules = list(owner.modules()) if isinstance(owner, torch.nn.Module) else []
    modes = [module.training for module in modules]
    yield
    if modes != [module.training for module in modules]:
        raise ExpectationError(
            f"{name} leaves a network in another mode, training or evaluation. Leave the mode to whoever calls it."
        )


def outputs(answer: Any) -> tuple:
    return tuple(answer) if isinstance(answer, tuple | list) else (answer,)


def fixed_normal(shape: torch.Size, seed: int) -> Tensor:
    """Standard normal numbers that leave torch's own generator alone."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def seeded(call: Callable[[], Any]) -> Any:
    """What a call returns with a seed of ours; the notebook's own stream of random numbers goes on as if there had been none."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        return call()


def require_tensor(name: str, result: Any, dtype: torch.dtype) -> None:
    if not isinstance(result, Tensor):
        raise ExpectationError(
            f"{name} is a {type(result).__name__}, expected a tensor: keep to torch, without .item() or .numpy()."
        )
    if result.dtype != dtype:
        raise ExpectationError(
            f"{name} holds {_short(result.dtype)}, expected {_short(dtype)}, the type of its arguments."
        )
    require_gradients_on(name)


def compare(
    name: str, value: Callable[[], Tensor], inputs: Mapping[str, Tensor], hint: str, all_matter: bool = False
) -> None:
    """Autograd against central differences along one random direction of each input."""
    start = seeded(value)
    if not start.requires_grad:
        raise ExpectationError(join(f"{name}: no gradient reaches {' and '.join(inputs)}.", hint or _CUT))
    slopes = torch.autograd.grad(start, list(inputs.values()), allow_unused=True)
    for number, ((key, tensor), slope) in enumerate(zip(inputs.items(), slopes, strict=True)):
        way = fixed_normal(tensor.shape, number)
        felt = 0.0 if slope is None else float((slope * way).sum())
        size = 1 + abs(float(start.detach()))
        for step, allowed in _STEPS if slope is not None else _STEPS[1:]:  # float32 would not feel the first
            seen = _difference(value, tensor, way, step)
            if abs(felt - seen) <= allowed * (abs(felt) + abs(seen)) + 1e-6 * size:
                break
        else:
            raise ExpectationError(join(f"{name}: {_told(key, felt, seen)}.", hint or _CUT))
        if all_matter and abs(seen) <= 1e-9 * size:
            raise ExpectationError(join(f"{name}: {key} has no part in the result.", hint))


def _expect_new(name: str, function: Callable[..., Any], arguments: Sequence[Tensor]) -> None:
    """An answer stays what it is when the function is called again, with other values. Without a graph it could be written over."""
    given = [one.clone() for one in arguments]
    with torch.no_grad():
        answer = seeded(lambda: function(*given))
        kept = answer.clone()
        seeded(lambda: function(*(0.5 * one for one in arguments)))
    if not all(map(torch.equal, given, arguments)):
        raise ExpectationError(
            f"{name} changes an argument where no gradient is asked for. Compute a new tensor, and write into none."
        )
    if not torch.equal(answer, kept):
        raise ExpectationError(f"{name}: an answer is another one after the next call. Return a new tensor each time.")


def _draws(name: str, call: Callable[[], Tensor]) -> bool:
    """Whether a function's result hangs on torch's generator; where it does not, the generator is to stay as it is."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(_SEED)
        first = call().clone()
        torch.manual_seed(_SEED + 1)
        before = torch.get_rng_state()
        if not torch.equal(call(), first):
            return True
        if not torch.equal(torch.get_rng_state(), before):
            raise ExpectationError(
                f"{name} sets a seed, or draws what it does not use: torch's random numbers are others after the call."
            )
    return False


def expect_one_device(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Check that an answer keeps its tensors where its arguments are.

    Args:
        name: What is checked, as the student knows it, e.g. "reconstruct".
        function: The student's, or a network.
        arguments: On `torch.device("meta")`, which holds no values and stands for a device that is not the CPU.

    Returns:
        What the function does; None where it asks for a value, which no tensor there has.

    Raises:
        ExpectationError: If it mixes these tensors with some of the CPU.
    """
    try:
        return function(*arguments)
    except Exception as error:  # whatever else ends it, the test of its values tells
        if "is not on the expected device" in str(error):
            raise ExpectationError(
                f"{name} mixes tensors of two devices when the device is not the CPU. Make new ones with device=..., or like "
                "others: torch.ones_like(logits)."
            ) from error
    return None


def _expect_alone(
    name: str, function: Callable[..., Any], arguments: Sequence[Tensor], axis: int, is_random: bool
) -> None:
    """One entry along a dimension: the result keeps the dimension where it has it, and is what it is among others."""
    narrow = [one.narrow(axis, 0, 1) if one.ndim > axis else one for one in arguments]
    size = next(one.shape[axis] for one in arguments if one.ndim > axis)
    with torch.no_grad():
        whole = seeded(lambda: function(*arguments))
        alone = seeded(lambda: function(*narrow))
    has_axis = whole.ndim > axis and whole.shape[axis] == size
    expected = whole.narrow(axis, 0, 1) if has_axis else whole
    if alone.shape != expected.shape:
        raise ExpectationError(
            f"{name} of one entry along dimension {axis} has shape {tuple(alone.shape)}, expected {tuple(expected.shape)}."
        )
    if has_axis and not is_random and not torch.allclose(alone, expected, rtol=1e-3, atol=1e-5):
        raise ExpectationError(f"{name} of one entry along dimension {axis} is another one than among several.")


def _told(key: str, felt: float, seen: float) -> str:
    if not felt:
        return f"no gradient reaches {key}"
    return f"the gradient that reaches {key} is not the slope: along a random direction {felt:.4g}, expected {seen:.4g}"


def _difference(value: Callable[[], Tensor], tensor: Tensor, way: Tensor, length: float) -> float:
    with torch.no_grad():
        start, ends = tensor.clone(), []
        for step in (length, -length):
            tensor.copy_(start + step * way)
            ends.append(float(seeded(value)))
        tensor.copy_(start)
    return (ends[0] - ends[1]) / (2 * length)


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
