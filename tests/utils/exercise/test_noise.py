"""What `# TEST` cells say of noise: normal and fresh noise passes, each way to spoil it is named."""

import numpy as np
import pytest
import torch

from utils.exercise.expect import ExpectationError
from utils.exercise.noise import expect_fresh_noise


def seeded():
    torch.manual_seed(3)
    return torch.randn(6, 4)


NOISE = {
    "two calls in a row": seeded,
    "no generator of torch": lambda: torch.from_numpy(np.random.default_rng().normal(size=(6, 4))),
    "each entry": lambda: torch.randn(6, 1).expand(6, 4),
    "or its size": lambda: torch.cat([half := torch.randn(3, 4), half * torch.tensor([[1.0], [-1.0], [1.0]])]),
    "the mean of the noise is 0.": lambda: torch.randn(60) + 0.3,
    "standard deviation of the noise is 0.": lambda: 0.9 * torch.randn(60),
    "the fourth moment of the noise is 1.": lambda: 12**0.5 * (torch.rand(60) - 0.5),
    "larger in some entries": lambda: torch.randn(60).sort().values,
    "are cut off": lambda: torch.randn(60).clamp(-3, 3),
    "adds up to 0": lambda: (eps := torch.randn(6, 4)) - eps.mean(0),
}


def test_fresh_noise_passes():
    for shape in ((6, 4), (3, 10, 2), (60,)):
        for std in (1.0, 2.5):
            expect_fresh_noise("draw", lambda shape=shape, std=std: std * torch.randn(shape), std=std)


@pytest.mark.parametrize("words", NOISE)
def test_stale_noise_is_named(words):
    said = {"no generator of torch": "torch's own generator"}.get(words, words)
    with pytest.raises(ExpectationError, match=said):
        expect_fresh_noise("draw", NOISE[words])


def test_hardly_any_seed_is_unlucky():
    torch.manual_seed(0)
    for _ in range(40):  # each call begins a stream of its own
        shift = int(torch.randint(2**31, ()))
        expect_fresh_noise("draw", lambda shift=shift: torch.randn(50, generator=_after(shift)))


def _after(shift: int) -> torch.Generator:
    """A stream of its own that torch's generator moves on."""
    return torch.Generator().manual_seed(shift + int(torch.randint(2**31, ())))
