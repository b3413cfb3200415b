"""Judges that serve many checks. A judge believes nothing about the values: shape, dtype and finiteness come first.

`allclose(empty, ones)` and `allclose(zeros(1), zeros(16))` are true in numpy and torch alike: an empty or a
broadcastable answer would pass if only the values were compared.
"""

from dataclasses import dataclass

import numpy as np

from grader.authoring.check import Arrays, Check, Symptom
from grader.authoring.lines import is_watched, judging, within
from utils.notebook.printable import printable

_LONGEST = 500  # characters of what is wrong
_UNKNOWN = 4096  # rows, where no reference solution says how many: judges without one are linear
_ROWS, _NUMBERS, _FACTOR = 256, 2**20, 8  # of an answer: so many, and so many times what the reference solution returns


def judged(
    check: Check, values: Arrays, reference: Arrays, inputs: Arrays, is_public: bool = True
) -> Symptom | None:  # fmt: skip
    """A check's judgement of what a stranger's process sent.

    Args:
        check: Whose judge is asked.
        values: What came back.
        reference: What the reference solution returns, for checks that compare with it.
        inputs: Of the case.
        is_public: Whether they are those of a public case; see `lines.is_public`.

    Returns:
        What is wrong; None if the check holds. Values that stop the judge (an empty array where a length is read, NaN
        where a count is) are wrong, unless the reference itself stops it.
    """
    if symptom := _too_much(values, reference):
        return symptom
    with np.errstate(all="ignore"), judging(check.name, is_public):  # a stranger's numbers overflow wherever they can
        try:
            return _short(check.judge(values, reference, inputs))
        except (ValueError, TypeError, LookupError, ArithmeticError):
            if reference:
                check.judge(reference, reference, inputs)
            return Symptom(
                "what came back cannot be judged: an array is empty, of another shape, or holds NaN or infinity"
            )


def _too_much(values: Arrays, reference: Arrays) -> Symptom | None:
    """A judge may compare every row with every other: it sees no more of them than an answer can have."""
    sizes = [array.shape[0] if array.ndim else 1 for array in reference.values()] or [_UNKNOWN]
    most, numbers = _ROWS + _FACTOR * max(sizes), _NUMBERS + _FACTOR * sum(array.size for array in reference.values())
    for name, array in values.items():
        if array.ndim and array.shape[0] > most:
            return Symptom(f"{printable(name[:40])} has {array.shape[0]} rows, far more than were asked for")
    if sum(array.size for array in values.values()) > numbers or len(values) > _ROWS:
        return Symptom("far more came back than was asked for")
    return None


def _short(symptom: Symptom | None) -> Symptom | None:
    """A sentence may repeat what came back, and that may have megabytes."""
    if symptom is None or len(symptom.text) <= _LONGEST:
        return symptom
    return Symptom(f"{symptom.text[:_LONGEST]} ...", symptom.slip)


@dataclass(frozen=True)
class close:
    """Every value of the reference is there, with its shape, as finite floats, within the tolerance."""

    rtol: float = 1e-4
    atol: float = 1e-5

    def __call__(self, values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        for name, expected in reference.items():
            symptom = differs(name, values.get(name), expected, self.rtol, self.atol)
            if symptom:
                return Symptom(symptom)
        return None


@dataclass(frozen=True)
class close_gradients:
    """As `close`, for the gradients that `grader.probe_kit.tools.gradients` returns."""

    rtol: float = 1e-3
    atol: float = 1e-4

    def __call__(self, values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        lost = [name.removeprefix("d_") for name in reference if name not in values]
        if lost:
            return Symptom(
                f"no gradient reaches {' and '.join(lost)}: either the answer does not use it, or it is cut off on the way "
                "(.item(), .detach(), numpy, torch.no_grad)"
            )
        symptom = close(self.rtol, self.atol)(values, reference, inputs)
        return Symptom(f"the gradient {symptom.text}") if symptom else None


def tolerance(check: Check) -> tuple[float, float]:
    """How near a check's values have to be to the reference's, relative and absolute; the usual, where it has judges of its own."""
    usual = close()
    return getattr(check.judge, "rtol", usual.rtol), getattr(check.judge, "atol", usual.atol)


def excess(one: Arrays, other: Arrays, rtol: float, atol: float) -> float:
    """The largest difference between two sets of values over what the tolerance allows; infinite where they are not comparable."""
    if one.keys() != other.keys() or any(_form(one[name]) != _form(other[name]) for name in one):
        return float("inf")
    largest = 0.0
    for name, value in one.items():
        a, b = (array.astype(np.float64) for array in (value, other[name]))
        with np.errstate(invalid="ignore"):
            error = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b) / (atol + rtol * np.abs(b)))
        largest = max(largest, float(np.nan_to_num(error, nan=np.inf).max(initial=0.0)))
    return largest


def _form(array: np.ndarray) -> tuple:
    return array.shape, array.dtype.kind


def differs(name: str, got: np.ndarray | None, expected: np.ndarray, rtol: float, atol: float) -> str | None:
    """What separates an answer from the reference, without telling the reference."""
    if got is None:
        return f"{name} is missing"
    if got.shape != expected.shape:
        return f"{name} has shape {_shape(got)}, expected {_shape(expected)}"
    if got.dtype.kind != expected.dtype.kind:
        return f"{name} has dtype {got.dtype}, expected {expected.dtype}"
    if not np.isfinite(got).all():
        return f"{name} holds NaN or infinity"
    if not is_watched() and got.dtype == expected.dtype and got.tobytes() == expected.tobytes():
        return None  # the commonest case by far, at a fifth of the time
    error = np.abs(got.astype(np.float64) - expected)
    if within(error, atol + rtol * np.abs(expected), name):
        return None
    return f"{name} differs from the expected one: largest error {error.max():.2g}, allowed {atol:.0e} + {rtol:.0e} of the value"


_ROUNDING = 1e-4  # of the largest value: float32 through a network of three layers leaves 1e-6, a real difference 1e-2


def alike(one: np.ndarray, other: np.ndarray, line: str, scale: float | None = None) -> bool:
    """Whether two arrays are the same numbers but for rounding, which no two processors do alike.

    Args:
        one: Values of any shape.
        other: Values of the same shape, or one row of it.
        line: What is compared; see `lines.within`.
        scale: Of what the values are made of; by default the largest of them. On the scale of each value alone, those
            near 0 would differ.
    """
    one, other = one.astype(np.float64), other.astype(np.float64)
    if other.shape not in (one.shape, (1, *one.shape[1:])) or not one.size:
        return one.shape == other.shape
    size = max(np.abs(one).max(), np.abs(other).max()) if scale is None else scale
    return within(np.abs(one - other), _ROUNDING * size, line)


def _shape(array: np.ndarray) -> str:
    return "() (a scalar)" if array.ndim == 0 else str(tuple(array.shape))
