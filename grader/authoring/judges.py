"""Judges that serve many checks. A judge believes nothing about the values: shape, dtype and finiteness come first.

`allclose(empty, ones)` and `allclose(zeros(1), zeros(16))` are true in numpy and torch alike: an empty or a
broadcastable answer would pass if only the values were compared.
"""

import numpy as np

from grader.authoring.check import Arrays, Check, Judge, Symptom

_LONGEST = 500  # characters of what is wrong


def judged(check: Check, values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """A check's judgement of what a stranger's process sent.

    Returns:
        What is wrong; None if the check holds. Values that stop the judge (an empty array where a length is read, NaN
        where a count is) are wrong, unless the reference itself stops it.
    """
    with np.errstate(all="ignore"):  # a stranger's numbers overflow wherever they can
        try:
            return _short(check.judge(values, reference, inputs))
        except (ValueError, TypeError, LookupError, ArithmeticError):
            if reference:
                check.judge(reference, reference, inputs)
            return Symptom(
                "what came back cannot be judged: an array is empty, of another shape, or holds NaN or infinity"
            )


def _short(symptom: Symptom | None) -> Symptom | None:
    """A sentence may repeat what came back, and that may have megabytes."""
    if symptom is None or len(symptom.text) <= _LONGEST:
        return symptom
    return Symptom(f"{symptom.text[:_LONGEST]} ...", symptom.slip)


def close(rtol: float = 1e-4, atol: float = 1e-5) -> Judge:
    """Every value of the reference is there, with its shape, as finite floats, within the tolerance."""

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        for name, expected in reference.items():
            symptom = differs(name, values.get(name), expected, rtol, atol)
            if symptom:
                return Symptom(symptom)
        return None

    return judge


def close_gradients(rtol: float = 1e-3, atol: float = 1e-4) -> Judge:
    """As `close`, for the gradients that `grader.probe_kit.tools.gradients` returns."""
    judge_values = close(rtol, atol)

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        lost = [name.removeprefix("d_") for name in reference if name not in values]
        if lost:
            return Symptom(
                f"no gradient reaches {' and '.join(lost)}: compute with torch operations, without .item(), .detach() or numpy"
            )
        symptom = judge_values(values, reference, inputs)
        return Symptom(f"the gradient {symptom.text}") if symptom else None

    return judge


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
    error = np.abs(got.astype(np.float64) - expected)
    if (error <= atol + rtol * np.abs(expected)).all():
        return None
    return f"{name} differs from the expected one: largest error {error.max():.2g}, allowed {atol:.0e} + {rtol:.0e} of the value"


def _shape(array: np.ndarray) -> str:
    return "() (a scalar)" if array.ndim == 0 else str(tuple(array.shape))
