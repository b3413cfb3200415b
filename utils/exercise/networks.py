"""What holds of a student's network: rows apart, modes and weights left alone, layers in a row, an activation after each. For the
notebooks' `# TEST` cells."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from utils.exercise.expect import ExpectationError, expect_close
from utils.exercise.promises import compare, fixed_normal, in_float64, outputs, require_tensor, same_modes


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
    with same_modes(name, getattr(function, "__self__", function)):
        first = outputs(function(*inputs))
    for one in first:
        require_tensor(name, one, torch.float32)
    kept = [one.detach().clone() for one in first]
    other = outputs(function(*(one.flip(0) for one in inputs)))
    rows = [outputs(function(*(one[row : row + 1] for one in inputs))) for row in range(len(inputs[0]))]
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
    with torch.no_grad():  # without a graph, an answer may be written over by the next
        before_next = outputs(function(*inputs))
        function(*(one.flip(0) for one in inputs))
    if not all(_alike(one, old) for one, old in zip(before_next, kept, strict=True)):
        raise ExpectationError(f"{name}: an answer is another one after the next call. Return new tensors.")
    print(f"{name}: each row by itself, passed")


def expect_network(
    name: str, network: torch.nn.Module, *inputs: Tensor, hint: str = "", has_spare: bool = False
) -> None:
    """Check that a network treats each row by itself, stays as it is, and hands gradients to its inputs and all its weights.

    Args:
        name: What is checked, e.g. "Encoder".
        network: The student's, without randomness in evaluation mode; from the inputs to a tensor or a tuple of tensors.
        inputs: Float tensors with at least two rows, float32.
        hint: Where to look when a gradient is wrong.
        has_spare: Whether weights may have no part in the result, as those of an activation where there is no hidden layer.

    Raises:
        ExpectationError: If one of these does not hold.
    """
    was_training = network.training
    with same_modes(name, network.train()):
        network(*inputs)
    network.eval()
    before = {key: one.detach().clone() for key, one in network.state_dict().items()}
    expect_rows(name, network, *inputs)
    if any(not torch.equal(one, before[key]) for key, one in network.state_dict().items()):
        raise ExpectationError(f"{name}: forward changes the network's weights. Leave them as they are.")
    exact = {f"input {n}" if n else "its input": one.double().requires_grad_() for n, one in enumerate(inputs)}

    def weighted() -> Tensor:
        answers = outputs(network(*exact.values()))
        return torch.stack([(fixed_normal(one.shape, n) * one).sum() for n, one in enumerate(answers)]).sum()

    with in_float64(name, network) as parameters:
        compare(name, weighted, {**parameters, **exact}, hint, all_matter=not has_spare)
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


def expect_activations(name: str, network: torch.nn.Module, hidden_dims: list[int]) -> None:
    """Check that an activation follows each hidden layer of a chain of linear layers; one whose layers are no chain is left alone.

    Two units of the layer asked about see a number and its negative, and the next layer adds them: without an activation between,
    both cancel. All other layers pass one number on.

    Args:
        name: What is checked, e.g. "Decoder".
        network: The student's; its weights are as they were afterwards.
        hidden_dims: The widths of its hidden layers, in either order.

    Raises:
        ExpectationError: If no activation follows one of them.
    """
    matrices = [one for one in network.parameters() if one.ndim == 2]
    hidden, heads = matrices[: len(hidden_dims)], matrices[len(hidden_dims) :]
    widths = [one.shape[0] for one in hidden]
    is_chain = all(after.shape[1] == before for before, after in zip(widths, [*hidden[1:], *heads[:1]], strict=False))
    if widths not in (hidden_dims, hidden_dims[::-1]) or not is_chain or not heads:
        return
    before, was_training = {key: one.detach().clone() for key, one in network.state_dict().items()}, network.training
    network.eval()
    flat = [number + 1 for number in range(len(hidden)) if not _turns(network, hidden, heads, number)]
    network.load_state_dict(before)
    network.train(was_training)
    if flat:
        raise ExpectationError(f"{name}: no activation follows hidden layer {flat[0]} of {len(hidden)}.")
    print(f"{name}: an activation after each of {len(hidden)} hidden layers, passed")


@torch.no_grad()
def _turns(network: torch.nn.Module, hidden: Sequence[Tensor], heads: Sequence[Tensor], number: int) -> bool:
    """Whether the answer moves between two inputs that only an activation behind one layer tells apart."""
    for parameter in network.parameters():
        parameter.fill_(0.5 if parameter.ndim == 1 else 0.0)  # about 0, an odd activation would cancel too
    layers = [*hidden, *heads]
    for place, matrix in enumerate(layers):
        matrix[:, 0] = 1.0
        if place == number:
            matrix[1, 0] = -1.0
        elif min(place, len(hidden)) == number + 1:
            matrix[:, 1] = 1.0
    x = torch.zeros(2, layers[0].shape[1])
    x[1, 0] = 3.0
    low, high = (torch.cat([one.flatten() for one in outputs(network(row[None]))]) for row in x)
    return bool((high - low).abs().max() > 5e-6)  # rounding leaves 3e-7, four sigmoids behind a norm 8e-5


def _alike(got: Tensor, expected: Tensor) -> bool:
    return torch.allclose(got, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
