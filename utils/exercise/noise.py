"""What a docstring promises of noise: normal, and fresh for each call and entry. For the notebooks' `# TEST` cells."""

from collections.abc import Callable

import torch
from torch import Tensor

from utils.exercise.expect import ExpectationError, join
from utils.exercise.promises import seeded

_MANY = 4000  # numbers: a standard deviation 6 % off is seen, a mean 0.08 off
_MOST_CALLS = 400
_ERRORS = 5.0  # so many standard errors are allowed: a right answer fails once in a million times


def expect_fresh_noise(name: str, draw: Callable[[], Tensor], hint: str = "", std: float = 1.0) -> None:
    """Check that each call draws normal numbers of its own, one for each entry, and leaves the random generator further on.

    Args:
        name: What is checked, e.g. "rsample".
        draw: Returns noise of any shape that a right answer fills with independent draws of mean 0; 60 entries are enough.
        hint: Where to look when it does not.
        std: Their standard deviation.

    Raises:
        ExpectationError: If two calls agree, entries repeat, also with another sign, or many of them are not normal.
    """
    one, other, noise = seeded(lambda: [draw().detach().double() for _ in range(3)])
    one, other = one.flatten(), other.flatten()
    if torch.allclose(one, other):
        raise ExpectationError(
            join(f"{name}: two calls in a row draw the same. Set no seed inside, and keep no noise.", hint)
        )
    if not torch.allclose(seeded(draw).detach().double().flatten(), one):
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
    _expect_kept(name, draw)
    _expect_normal(name, draw, hint, std)
    print(f"{name}: fresh noise for each call and entry, passed")


def _expect_kept(name: str, draw: Callable[[], Tensor]) -> None:
    """Without a graph, an answer could be written over by the next."""
    with torch.no_grad():
        first = seeded(draw)
        before = first.clone()
        draw()
    if not torch.equal(first, before):
        raise ExpectationError(
            f"{name}: what a call has returned is another one after the next call. Return new tensors."
        )


def _expect_normal(name: str, draw: Callable[[], Tensor], hint: str, std: float) -> None:
    """Mean, standard deviation, fourth moment and the largest of some thousand numbers, up to what sampling explains."""
    calls = min(_MOST_CALLS, 1 + _MANY // max(1, draw().numel()))
    rows = seeded(lambda: torch.stack([draw().detach().double().flatten() for _ in range(calls)])) / std
    many, root = rows.flatten(), rows.numel() ** 0.5
    for what, got, expected, error in (
        ("mean", many.mean(), 0.0, 1.0),
        ("standard deviation", many.std(), 1.0, 0.5**0.5),
        ("fourth moment", many.pow(4).mean(), 3.0, 96**0.5),  # 1.8 if they are uniform
    ):
        if abs(float(got) - expected) > _ERRORS * error / root:
            unit = f"in units of {std:.3g} " if std != 1 else ""
            raise ExpectationError(
                join(
                    f"{name}: the {what} of the noise {unit}is {float(got):.2f}, expected {expected:g}. "
                    "Draw with torch.randn, and leave it as it is drawn.",
                    hint,
                )
            )
    if bool((rows.mean(0).abs() > 1.2 * _ERRORS / calls**0.5).any()):  # of as many entries
        raise ExpectationError(
            join(
                f"{name}: the noise is larger in some entries than in others. Leave it as it is drawn, in its order.",
                hint,
            )
        )
    largest = many.abs().topk(2).values
    if bool(largest[0] - largest[1] <= 1e-6 * largest[0]):
        raise ExpectationError(
            join(f"{name}: the largest numbers of the noise are cut off. Leave it as it is drawn.", hint)
        )
