"""What draws of N(0, I) are: standard normal to the fourth moment, and independent along every axis.

A statistic is allowed six standard errors: a right answer fails once in a billion. What repeats itself is found without any
statistics: of some thousand draws hardly two lie within a hundred-thousandth of each other.
"""

from statistics import NormalDist

import numpy as np

from grader.authoring.check import Symptom
from grader.authoring.lines import SAMPLED, beyond, explained, resembles

_SIGMAS = 6.0
_FEW = 500  # draws are enough to tell that two slices are the same
_NORMAL = NormalDist()
# Two draws nearer than this are one; float32 arithmetic leaves a tenth of it. By chance 2 in 100 of so many have such a neighbour.
_GAP, _MOST, _REPEATED = 1e-5, 4000, 0.1
# Of all draws so many are never so near to each other by chance; a limit or a fixed value has many.
_NEAR, _ALL, _RUN = 2e-6, 10_000, 10


def not_standard_normal(eps: np.ndarray, axes: dict[str, str]) -> Symptom | None:
    """What tells an array of draws from independent draws of N(0, 1).

    Args:
        eps: At least a thousand draws.
        axes: What each axis counts, in the plural, and the slip that shares noise along it:
            {"calls": "seed_fixed_inside", "images": "one_noise_for_all_images"}.

    Returns:
        The first difference found, as the middle of a sentence.
    """
    if not eps.size or not np.isfinite(eps).all():
        return Symptom("the noise is not finite")
    if symptom := _repeats(eps, axes):
        return symptom
    eps = eps.astype(np.float64)
    if symptom := next((found for axis, name in enumerate(axes) if (found := _tied(eps, axis, name))), None):
        return symptom  # ahead of the shape: four numbers of one width are uniform, and nobody has called rand
    if symptom := _another_shape(eps):
        return symptom
    return next((found for axis, name in enumerate(axes) if (found := _depends(eps, axis, name))), None)


def _repeats(eps: np.ndarray, axes: dict[str, str]) -> Symptom | None:
    sizes = np.abs(eps.ravel())
    if sizes.max() < _GAP:
        return Symptom("there is no noise: draw it with randn")
    if sizes.max() - sizes.min() < _GAP * 10:
        return Symptom(f"the noise is {sizes[0]:.2f} everywhere, but for its sign: N(0, I) is randn", "signs_only")
    if symptom := _named(eps, axes):
        return symptom
    # Of the sizes: two draws that are near each other are so without their signs too. Some of all, and the first ones: numbers that
    # are rounded come again where they stand beside each other.
    stride = sizes.size // _MOST
    some = [np.sort(sizes[:_MOST]), *([np.sort(sizes[::stride][:_MOST])] if stride > 1 else [])]
    many = np.sort(sizes[:_ALL]) if sizes.size > _MOST else some[0]
    near = max((np.diff(row) < _GAP).mean() for row in some)
    if near > _REPEATED or _longest_run(np.diff(many) < _NEAR) >= _RUN:
        return Symptom(
            "some values of the noise come again and again: draw it with randn and leave it as it is", "repeated_noise"
        )
    return None


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _named(eps: np.ndarray, axes: dict[str, str]) -> Symptom | None:
    """Along which axis noise is shared or comes again."""
    for axis, (name, slip) in enumerate(axes.items()):
        n = eps.shape[axis]
        if n < 2:
            continue
        moved = np.moveaxis(eps, axis, 0)
        for how, one, two in (("share", moved[0], moved[1]), ("repeat", moved[: n // 2], moved[n - n // 2 :])):
            one, two = one.ravel()[:_FEW], two.ravel()[:_FEW]
            if one.size > 1 and (np.abs(np.abs(one) - np.abs(two)) < 1e-4).all():
                sign = "" if (np.abs(one - two) < 1e-4).all() else ", but for its sign"
                if name == "calls":
                    return Symptom(f"two calls draw the same noise{sign}: fix no seed inside and keep no noise", slip)
                return Symptom(f"the {name} {how} their noise{sign}: draw one number for each entry", slip)
    return None


def _another_shape(eps: np.ndarray) -> Symptom | None:
    """Mean, standard deviation, third and fourth moment, and how far out the draws reach."""
    flat, n = eps.ravel().astype(float), eps.size
    mean, std = flat.mean(), flat.std()
    if not explained(abs(std - 1), _SIGMAS / np.sqrt(2 * n), "noise, standard deviation"):
        uniform = resembles(abs(std - 12**-0.5), 0.02, "uniform_noise")
        return Symptom(
            f"the noise has standard deviation {std:.2f}, expected 1"
            + (": N(0, I) is randn, not rand" if uniform else ""),
            "uniform_noise" if uniform else "",
        )
    if not explained(abs(mean), _SIGMAS / np.sqrt(n), "noise, mean"):
        return Symptom(f"the noise has mean {mean:.2f}, expected 0")
    if symptom := ends_early(flat):
        return symptom
    unit = (flat - mean) / std
    square = unit * unit  # a power is some twenty times as slow
    third, fourth = square * unit, square * square
    if not explained(abs(third.mean()), _SIGMAS * np.sqrt(6 / n) + 0.05, "noise, third moment"):
        return Symptom("the noise is not symmetric about 0: N(0, I) is randn")
    spread = np.sqrt(24 / n)
    excess = fourth.mean() - 3
    if not explained(max(excess / 2, -excess), _SIGMAS * spread, "noise, fourth moment"):  # its upper tail is longer
        return Symptom(
            f"the noise is not normal, its fourth moment is {fourth.mean():.2f}, expected 3: N(0, I) is randn",
            "not_normal",
        )
    return None


def _depends(eps: np.ndarray, axis: int, name: str) -> Symptom | None:
    """Correlation of neighbours along an axis, of the first entry with the rest, and of both halves; of squares likewise."""
    moved = np.moveaxis(eps, axis, 0)
    n = len(moved)
    if n < 2:
        return None
    squares = moved * moved - 1
    for one, two in ((slice(n - 1), slice(1, n)), (slice(n // 2), slice(n - n // 2, n))):
        products = moved[one] * moved[two]
        limit = _SIGMAS / np.sqrt(products.size)
        of_squares = (squares[one] * squares[two]).mean() / 2
        sizes = explained(abs(of_squares), 2.5 * limit, f"noise, squares by {name}")
        if not sizes or not explained(abs(products.mean()), limit, f"noise, correlation of {name}"):
            return Symptom(f"the noise of different {name} is correlated: draw one number for each entry")
    return None


def ends_early(eps: np.ndarray) -> Symptom | None:
    """What tells draws whose largest is smaller than so many draws of N(0, 1) have, once in a billion."""
    flat, n = eps.ravel().astype(float), eps.size
    if n < 1000 or beyond(np.abs(flat).max(), _NORMAL.inv_cdf(1 - 10.4 / n), "noise, reach", SAMPLED):
        return None
    fourth = np.square(np.square(flat)).mean()
    if fourth < 2:  # 1.8 for a uniform one of this width, nearly 3 for a normal one that is cut off
        return Symptom("the noise is uniform, between -1.73 and 1.73: N(0, I) is randn, not rand", "uniform_noise")
    return Symptom(
        f"the noise ends at {np.abs(flat).max():.2f}, {n} draws of N(0, 1) go further: clamp nothing, rescale nothing",
        "clamped",
    )


def _tied(eps: np.ndarray, axis: int, name: str) -> Symptom | None:
    """Draws along an axis that add up to 0, or have one width, to the last digit."""
    moved = np.moveaxis(eps, axis, 0)
    n = len(moved)
    if n <= 2 or moved[0].size <= 2:
        return None
    mean = moved.mean(axis=0)
    if n * np.abs(mean).max() ** 2 < 1e-6:
        return Symptom(f"the noise adds up to 0 over the {name}: draw it with randn and leave it as it is")
    off = moved - mean
    if np.ptp(np.sqrt((off * off).mean(axis=0))) < 1e-4:
        return Symptom(
            f"the noise has one width over the {name}, to the last digit: draw it with randn and leave it as it is"
        )
    return None
