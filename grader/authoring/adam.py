"""Where Adam takes parameters, to be held against where an answer's optimizer took them."""

from collections.abc import Callable

import numpy as np

_EPSILON = 1e-8


def adam_path(
    start: np.ndarray,
    gradient: Callable[[np.ndarray, int], np.ndarray],
    steps: int,
    rate: float,
    betas: tuple[float, float],
) -> np.ndarray:
    """The parameters at the start and after each step (Kingma and Ba 2015, algorithm 1).

    Args:
        start: The parameters.
        gradient: From where they are, and the number of the step, from 0, to the gradient there.
        steps: How many.
        rate: The learning rate.
        betas: Of the averages of the gradient and of its square.

    Returns:
        Shape (steps + 1, *start.shape).
    """
    at = start.astype(float)
    path, first, second = [at], np.zeros_like(at), np.zeros_like(at)
    for step in range(steps):
        slope = gradient(at, step)
        first = betas[0] * first + (1 - betas[0]) * slope
        second = betas[1] * second + (1 - betas[1]) * slope**2
        means = first / (1 - betas[0] ** (step + 1)), second / (1 - betas[1] ** (step + 1))
        at = at - rate * means[0] / (np.sqrt(means[1]) + _EPSILON)
        path.append(at)
    return np.array(path)
