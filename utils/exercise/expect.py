"""What the notebooks' `# TEST` cells say: the size of the error, and the slip it looks like.

A check prints one line when it holds and raises `ExpectationError` when it does not; a notebook shows the error as one
sentence, without a traceback. The order of the questions is fixed: is there a value at all, has it the right shape, the
right kind of numbers, are they finite, are they close.
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KINDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "floating-point numbers", "c": "complex numbers"}
_LONGEST = 100  # characters of a student's value in a sentence
_FACTORS = {2.0: "twice", 0.5: "half", -1.0: "minus"}


class ExpectationError(AssertionError):
    """A visible check that does not hold; its message is one sentence for the student."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows instead of the stack, which would point into this module."""
        return [f"Not yet. {self}"]


def expect_close(
    name: str,
    got: Any,
    expected: Any,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    slips: Mapping[str, Any] | None = None,
    hint: str = "",
) -> None:
    """Check that `got` is close to `expected`: |got - expected| <= atol + rtol * |expected|, everywhere.

    Args:
        name: What is checked, as the student knows it, e.g. "D_KL".
        got: The student's value: tensor, array or number of any shape.
        expected: The right value, same shape.
        rtol: Relative tolerance, >= 0.
        atol: Absolute tolerance, >= 0, in the unit of the value.
        slips: From a sentence that names a usual slip to the wrong value it leads to.
        hint: Where to look when no slip matches.

    Raises:
        ExpectationError: If the value is missing, or its shape, kind, finiteness or size is not as expected.
    """
    require_gradients_on(name)
    want = _to_array(expected)
    have = _require_comparable(name, got, want, hint)
    allowed = atol + rtol * np.where(np.isfinite(want), np.abs(want), 0.0)
    with np.errstate(invalid="ignore"):  # inf - inf
        error = np.where(have == want, 0.0, np.abs(have - want))
    worst = _worst_index(error - allowed)
    if np.all(error <= allowed):
        print(f"{name}: error {_at(error, worst):.1e} (allowed {_at(allowed, worst):.2g}), passed")
        return
    size = f"error {_at(error, worst):.2g} (allowed {_at(allowed, worst):.2g})"
    where = f" at index {list(worst)}" if worst else ""
    miss = f"{name}: {size}, got {_at(have, worst):.6g}, expected {_at(want, worst):.6g}{where}."
    if slip := _name_slip(have, slips or {}, rtol, atol):
        raise ExpectationError(join(miss, slip))  # the cause is known: a hint would name another
    raise ExpectationError(join(miss, _name_factor(have, want, rtol, atol), hint))


def expect_shape(name: str, tensor: Any, shape: tuple[int, ...], hint: str = "") -> None:
    """Check the shape of a tensor or array.

    Args:
        name: What is checked, e.g. "z".
        tensor: Anything with a `shape`.
        shape: The shape it must have.
        hint: Where to look when it does not.

    Raises:
        ExpectationError: If it has no shape or another one.
    """
    require_gradients_on(name)
    if not hasattr(tensor, "shape"):
        raise ExpectationError(join(f"{name} is {_describe(tensor)}, expected a tensor of shape {tuple(shape)}.", hint))
    if tuple(tensor.shape) != tuple(shape):
        raise ExpectationError(join(f"{name} has shape {tuple(tensor.shape)}, expected {tuple(shape)}.", hint))
    print(f"{name}: shape {tuple(shape)}, passed")


def expect_equal(name: str, got: Any, expected: Any, hint: str = "") -> None:
    """Check that two values are the same: counts, names, tuples; for tensors and arrays every element.

    Args:
        name: What is checked, e.g. "parameters of the encoder".
        got: The student's value.
        expected: The right value.
        hint: Where to look when they differ.

    Raises:
        ExpectationError: If they differ.
    """
    require_gradients_on(name)
    if isinstance(expected, np.ndarray) or _is_tensor(expected):
        expect_close(name, got, expected, rtol=0.0, atol=0.0, hint=hint)
        return
    is_array = isinstance(got, np.ndarray) or _is_tensor(got)
    same = got.shape == () and got.item() == expected if is_array else bool(got == expected)
    if not same:
        raise ExpectationError(join(f"{name} is {_describe(got)}, expected {expected!r}.", hint))
    print(f"{name}: {_in_short(expected)}, passed")


def expect_true(name: str, condition: Any, hint: str) -> None:
    """Check a claim about the student's answer.

    Args:
        name: The claim, e.g. "the gradient reaches mu".
        condition: Whether it holds; a bool or a one-element boolean tensor.
        hint: What to look at when it does not; required, since a bare "false" teaches nothing.

    Raises:
        ExpectationError: If the claim does not hold.
    """
    require_gradients_on(name)
    if not bool(condition):
        raise ExpectationError(join(f"{name}: this does not hold.", hint))
    print(f"{name}: passed")


def require_gradients_on(name: str) -> None:
    """What was called before may have switched gradients off for good; every later training would then stand still."""
    torch = sys.modules.get("torch")
    if torch is None or torch.is_grad_enabled() or torch.is_inference_mode_enabled():
        return
    torch.set_grad_enabled(True)
    raise ExpectationError(
        f"{name}: what was called switches gradients off for all that follows. Use `with torch.no_grad():`, which ends by itself."
    )


def rel_error(x: Any, y: Any) -> float:
    """Largest relative difference of two tensors, max |x - y| / max(1e-8, |x| + |y|).

    Args:
        x: Tensor, array or number.
        y: The same shape.

    Returns:
        A number from 0 (equal) to 1 (opposite signs, or one of them zero).

    Raises:
        ValueError: If the shapes differ.

    Source:
        The measure of the CS231n and EECS 498-007 assignments.
    """
    a, b = _to_array(x), _to_array(y)
    if a.shape != b.shape:
        raise ValueError(f"rel_error: x has shape {a.shape} and y has shape {b.shape}; compare tensors of one shape.")
    return float(np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)), initial=0.0))


def _require_comparable(name: str, got: Any, want: NDArray, hint: str) -> NDArray:
    """The student's value as an array of the right shape and kind, all finite; else a sentence says what is not."""
    if not (isinstance(got, np.ndarray | np.generic | int | float) or _is_tensor(got)):
        raise ExpectationError(join(f"{name} is {_describe(got)}, expected {_describe_kind(want)}.", hint))
    have = _to_array(got)
    if have.shape != want.shape:
        raise ExpectationError(join(f"{name} has shape {have.shape}, expected {want.shape}.", hint))
    if want.dtype.kind == "f" and have.dtype.kind != "f":
        kinds = f"{_KINDS.get(have.dtype.kind, have.dtype)}, expected {_KINDS['f']}"
        raise ExpectationError(join(f"{name} holds {kinds}.", hint))
    if not np.all(np.isfinite(have)) and np.all(np.isfinite(want)):
        bad = int(np.sum(~np.isfinite(have)))
        text = f"{name} is not finite: {bad} of {have.size} values are nan or inf."
        raise ExpectationError(join(text, "Look for a log or a division of something that is zero or negative.", hint))
    return have.astype(np.float64)


def _is_tensor(value: Any) -> bool:
    """Whether torch made it; where torch is not loaded, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _to_array(value: Any) -> NDArray:
    if not _is_tensor(value):
        return np.asarray(value)
    value = value.detach().cpu()
    return (value.double() if value.is_floating_point() else value).numpy()  # numpy has no bfloat16


def _describe(value: Any) -> str:
    if value is None:
        return "None (does the function end with `return`?)"
    if isinstance(value, np.ndarray) or _is_tensor(value):
        return f"a tensor of shape {tuple(value.shape)}" if value.shape else f"{value.item()!r}"
    if isinstance(value, int | float | str | list | tuple | dict | set):
        return _in_short(value)
    return f"a {type(value).__name__}"


def _in_short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _describe_kind(want: NDArray) -> str:
    return f"a tensor of shape {want.shape}" if want.shape else "a single number"


def _name_slip(have: NDArray, slips: Mapping[str, Any], rtol: float, atol: float) -> str:
    for sentence, wrong in slips.items():
        value = _to_array(wrong)
        if value.shape == have.shape and np.allclose(have, value, rtol=rtol, atol=atol):
            return f"This looks like a usual slip: {sentence}"
    return ""


def _name_factor(have: NDArray, want: NDArray, rtol: float, atol: float) -> str:
    for factor, word in _FACTORS.items():
        if np.allclose(have, factor * want, rtol=rtol, atol=atol):
            return f"Your value is {word} the expected one{' everywhere' if have.size > 1 else ''}."
    return ""


def _worst_index(excess: NDArray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(np.argmax(excess), excess.shape)) if excess.size else ()


def _at(values: NDArray, index: tuple[int, ...]) -> float:
    return float(values[index]) if values.size else 0.0


def join(*sentences: str) -> str:
    """One text of those that say something."""
    return " ".join(sentence for sentence in sentences if sentence)
