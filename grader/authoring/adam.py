"""Where Adam takes parameters, to be held against where an answer's optimizer took them."""

from collections.abc import Callable

import numpy as np

from grader.authoring.lines import within

_EPSILON = 1e-8
_SETTINGS = "learning rate", "first beta", "second beta", "eps", "weight decay", "amsgrad"


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


def odd_setting(rows: np.ndarray, rate: float, *betas: tuple[float, float]) -> str:
    """Of the settings noted at each step (`noting_settings`) the first that is not Adam's.

    Args:
        rows: A row for each step, the settings in its first six columns; none for a loop of one's own arithmetic.
        rate: The learning rate.
        betas: Pairs, of which each step may have any.

    Returns:
        As in "weight decay 0.1, expected 0"; empty where there is none.
    """
    own = rows[:, : len(_SETTINGS)]
    rights = np.array([[rate, *pair, _EPSILON, 0.0, 0.0] for pair in betas])
    errors = np.abs(own[:, None] - rights) / np.maximum(rights, _EPSILON)  # (steps, pairs, settings)
    nearest = errors.max(axis=2, initial=0).argmin(axis=1)
    errors = errors[np.arange(len(own)), nearest]
    if within(errors, 1e-6, "settings"):
        return ""
    step, worst = np.unravel_index(int(np.nan_to_num(errors, nan=np.inf).argmax()), errors.shape)
    return f"{_SETTINGS[worst]} {own[step, worst]:g}, expected {rights[nearest[step], worst]:g}"
