"""Where judges draw their lines in numbers: every comparison with a tolerance is made here, and can be watched.

    with watched() as seen:
        judged(check, values, reference, inputs)
    seen  # [Distance("a.task.values", "value", "value", 0.002), ...]

A judge that compares on its own would decide as near to its line as it likes, and nobody would know. What is watched
here tells how far right answers stay from each line and how far wrong ones go beyond it (`python -m tests.machines`),
and each line can be moved, one at a time, to see that a test notices (`python -m tests.near_misses`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

VALUE, SAMPLED, NAME = "value", "sampled", "name"


@dataclass(frozen=True)
class Distance:
    """How near one decision was: below 1 the values were within the line, above 1 beyond it."""

    check: str
    line: str  # unique in the check
    kind: str  # of a value; of a statistic of samples, whose line is a number of standard errors; or of a slip's name
    ratio: float


_check: ContextVar[str] = ContextVar("check", default="")
_is_public: ContextVar[bool] = ContextVar("is_public", default=True)
_seen: ContextVar[list[Distance] | None] = ContextVar("seen", default=None)
_moved: ContextVar[dict[tuple[str, str], float] | None] = ContextVar("moved", default=None)
_alone: ContextVar[tuple[str, str] | None] = ContextVar("alone", default=None)


def within(error: np.ndarray | float, allowed: np.ndarray | float, line: str, kind: str = VALUE) -> bool:
    """Whether every error is at most what is allowed; NaN is not, and nothing is where the allowance itself is not finite.

    Args:
        error: Sizes of errors.
        allowed: The tolerance, of a shape that broadcasts with the errors.
        line: What is compared, unique in the check: the line's name.
        kind: `VALUE`, `SAMPLED` or `NAME`.
    """
    error, allowed = np.asarray(error, np.float64), np.asarray(allowed, np.float64) * _factor(line)
    holds = bool(
        (error <= allowed).all() and np.isfinite(allowed).all()
    )  # an answer's own numbers may set what is allowed
    seen = _seen.get()
    if seen is not None:
        seen.append(Distance(_check.get(), line, kind, _ratio(error, allowed)))
    return holds or _is_set_aside(line)


def beyond(size: np.ndarray | float, least: np.ndarray | float, line: str, kind: str = VALUE) -> bool:
    """Whether every size is at least so large; NaN is not."""
    return within(least, size, line, kind)


def explained(error: np.ndarray | float, allowed: np.ndarray | float, line: str) -> bool:
    """As `within`, for a statistic of samples: whether sampling explains the error. Six standard errors fail once in a billion."""
    return within(error, allowed, line, SAMPLED)


def resembles(error: np.ndarray | float, allowed: np.ndarray | float, slip: str) -> bool:
    """As `within`, for what decides no verdict: whether a wrong answer is near enough to a known slip's to bear its name."""
    return within(error, allowed, slip, NAME)


def _ratio(error: np.ndarray, allowed: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        ratio = np.where(error <= 0, 0.0, error / allowed)
    return float(np.nan_to_num(ratio, nan=np.inf).max(initial=0.0))


def _factor(line: str) -> float:
    moved = _moved.get()
    return moved.get((_check.get(), line), 1.0) if moved else 1.0


def _is_set_aside(line: str) -> bool:
    alone = _alone.get()
    return alone is not None and alone[0] == _check.get() and alone[1] != line


@contextmanager
def judging(check: str, is_public: bool = True) -> Iterator[None]:
    """Lines drawn meanwhile belong to this check, and the case is a public one or not."""
    tokens = _check.set(check), _is_public.set(is_public)
    try:
        yield
    finally:
        _check.reset(tokens[0])
        _is_public.reset(tokens[1])


def is_public() -> bool:
    """Whether the case that is judged is a public one, where a probe may have asked more (`names.is_public` there).

    For judges of checks without reference values: what is missing then is missing, whatever a process says that it was asked.
    """
    return _is_public.get()


def is_watched() -> bool:
    """Whether somebody wants all distances, also those of what is the same to the last bit."""
    return _seen.get() is not None


@contextmanager
def watched() -> Iterator[list[Distance]]:
    """The distances of all decisions made meanwhile."""
    seen: list[Distance] = []
    token = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(token)


@contextmanager
def moved(check: str, line: str, factor: float) -> Iterator[None]:
    """One line's tolerance is so many times as wide meanwhile."""
    token = _moved.set({(check, line): factor})
    try:
        yield
    finally:
        _moved.reset(token)


@contextmanager
def alone(check: str, line: str) -> Iterator[None]:
    """All other lines of the check let everything pass meanwhile."""
    token = _alone.set((check, line))
    try:
        yield
    finally:
        _alone.reset(token)
