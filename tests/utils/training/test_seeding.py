"""A seed makes Python, numpy and torch repeat themselves."""

import random

import numpy as np
import pytest
import torch

from utils.training.seeding import reset_seed, set_seed


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


@pytest.fixture(autouse=True)
def keep_cudnn_settings():
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    yield
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before


def test_the_same_seed_gives_the_same_draws():
    set_seed(7)
    first = draw()
    assert draw() != first
    set_seed(7)
    assert draw() == first


def test_other_seeds_give_other_draws():
    set_seed(7)
    first = draw()
    set_seed(8)
    assert all(new != old for new, old in zip(draw(), first, strict=True))


def test_the_published_values_start_from_torch_manual_seed():
    set_seed(0)
    ours = torch.randn(10, 5)
    torch.manual_seed(0)
    assert torch.equal(ours, torch.randn(10, 5))


def test_cudnn_becomes_deterministic():
    torch.backends.cudnn.benchmark = True
    set_seed(0)
    assert torch.backends.cudnn.deterministic is True
    assert torch.backends.cudnn.benchmark is False


def test_a_seed_outside_numpys_range_is_refused():
    with pytest.raises(ValueError, match="Seed must be between 0 and 2"):
        set_seed(-1)


def test_both_names_are_one_function():
    assert reset_seed is set_seed
