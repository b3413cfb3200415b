"""The watch passes a right step however it is written, and tells each usual slip from the others."""

import contextlib

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.exercise.expect import ExpectationError
from utils.training.gan_watch import GANWatch, optimizer_of

BATCH = 6


class Tiny:
    def __init__(self):
        torch.manual_seed(0)
        self._generator = nn.Sequential(nn.Linear(3, 12), nn.BatchNorm1d(12), nn.Sigmoid(), nn.Unflatten(1, (3, 2, 2)))
        self._discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1)
        )
        self.for_g = torch.optim.Adam(self._generator.parameters(), lr=1e-2)
        self.for_d = torch.optim.Adam(self._discriminator.parameters(), lr=1e-2)

    def fakes(self):
        return self._generator(torch.randn(BATCH, 3))

    def judge(self, images, label):
        logits = self._discriminator(images)
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def right(gan, real):
    loss = gan.judge(real, 1) + gan.judge(gan.fakes().detach(), 0)
    gan.for_d.zero_grad()
    loss.backward()
    gan.for_d.step()
    loss = gan.judge(gan.fakes(), 1)
    gan.for_g.zero_grad()
    loss.backward()
    gan.for_g.step()


def right_in_another_way(gan, real):
    """Fake first, two backward passes, no_grad instead of detach, softplus instead of BCE, networks' own zero_grad."""
    with torch.no_grad():
        fake = gan.fakes()
    gan._discriminator.zero_grad()
    F.softplus(gan._discriminator(fake)).mean().backward()
    F.softplus(-gan._discriminator(real)).mean().backward()
    gan.for_d.step()
    gan._generator.zero_grad()
    F.softplus(-gan._discriminator(gan.fakes())).mean().backward()
    gan.for_g.step()


def watch(step, steps=2):
    gan = Tiny()
    with GANWatch(gan) as seen:
        for number in range(steps):
            torch.manual_seed(number)
            step(gan, torch.rand(BATCH, 3, 2, 2))
    return seen.updates


def is_right(update):
    return update.expected is not None and torch.allclose(update.gradient, update.expected, rtol=1e-3, atol=1e-5)


def named_slips(update):
    return [
        name for name, value in update.slips.items() if torch.allclose(update.gradient, value, rtol=1e-3, atol=1e-5)
    ]


@pytest.mark.parametrize("step", [right, right_in_another_way])
def test_right_steps_are_right(step):
    updates = watch(step)
    assert [update.network for update in updates] == ["discriminator", "generator"] * 2
    assert all(is_right(update) for update in updates)
    assert all(update.leak == 0 for update in updates)
    assert all(update.has_fresh_codes for update in updates)
    assert sorted(updates[0].calls) == ["fake", "real"]
    assert updates[0].batch_sizes == (BATCH, BATCH)
    assert not any(named_slips(update) for update in updates)


def test_watching_changes_nothing():
    alone, watched, random_states = Tiny(), Tiny(), []
    for gan in (alone, watched):
        torch.manual_seed(5)
        real = torch.rand(BATCH, 3, 2, 2)
        with GANWatch(gan) if gan is watched else contextlib.nullcontext():
            right(gan, real)
        random_states.append(torch.get_rng_state())
    assert torch.equal(*random_states)
    for network in ("_generator", "_discriminator"):
        for name, value in getattr(alone, network).state_dict().items():
            assert torch.equal(value, getattr(watched, network).state_dict()[name]), name
        assert not getattr(watched, network)._forward_hooks


def discriminator_slip(loss):
    def step(gan, real):
        gan.for_d.zero_grad()
        loss(gan, real, gan.fakes().detach()).backward()
        gan.for_d.step()

    return step


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda gan, real, fake: gan.judge(real, 0) + gan.judge(fake, 1), "wrong way round"),
        (lambda gan, real, fake: (gan.judge(real, 1) + gan.judge(fake, 0)) / 2, "averaged"),
        (lambda gan, real, fake: gan.judge(real, 1) + 0 * gan.judge(fake, 0), "only the real"),
        (lambda gan, real, fake: 0 * gan.judge(real, 1) + gan.judge(fake, 0), "only the fake"),
    ],
)
def test_discriminator_slips_are_named(loss, words):
    (update,) = watch(discriminator_slip(loss), steps=1)
    assert not is_right(update)
    (slip,) = named_slips(update)
    assert words in slip


def test_joined_batch_is_seen():
    def step(gan, real):
        joined = torch.cat([real, gan.fakes().detach()])
        labels = torch.cat([torch.ones(BATCH, 1), torch.zeros(BATCH, 1)])
        gan.for_d.zero_grad()
        F.binary_cross_entropy_with_logits(gan._discriminator(joined), labels).backward()
        gan.for_d.step()

    (update,) = watch(step, steps=1)
    assert update.calls == ("mixed",)
    assert update.batch_sizes == (2 * BATCH,)
    assert update.expected is None


def test_missing_detach_is_a_leak():
    def step(gan, real):
        gan.for_d.zero_grad()
        (gan.judge(real, 1) + gan.judge(gan.fakes(), 0)).backward()
        gan.for_d.step()
        gan.for_g.zero_grad()
        gan.judge(gan.fakes(), 1).backward()
        gan.for_g.step()

    updates = watch(step)
    assert updates[0].leak > 1e-3
    assert updates[2].leak > 1e-3, "also when gradients from the generator's own step are still there"


def test_old_gradients_are_named():
    def step(gan, real):
        (gan.judge(real, 1) + gan.judge(gan.fakes().detach(), 0)).backward()
        gan.for_d.step()
        gan.for_g.zero_grad()
        gan.judge(gan.fakes(), 1).backward()
        gan.for_g.step()

    updates = watch(step)
    assert is_right(updates[0])
    assert not is_right(updates[2])
    assert any("zero_grad" in slip for slip in named_slips(updates[2]))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda gan: gan.judge(gan.fakes(), 0), "labelled fake"),
        (lambda gan: -gan.judge(gan.fakes(), 0), "ascends"),
    ],
)
def test_generator_slips_are_named(loss, words):
    def step(gan, real):
        gan.for_g.zero_grad()
        loss(gan).backward()
        gan.for_g.step()

    (update,) = watch(step, steps=1)
    assert not is_right(update)
    (slip,) = named_slips(update)
    assert words in slip


def test_reused_codes_are_not_fresh():
    def step(gan, real):
        fake = gan.fakes()
        gan.for_d.zero_grad()
        (gan.judge(real, 1) + gan.judge(fake.detach(), 0)).backward()
        gan.for_d.step()
        gan.for_g.zero_grad()
        gan.judge(fake, 1).backward()
        gan.for_g.step()

    updates = watch(step, steps=1)
    assert updates[0].has_fresh_codes
    assert not updates[1].has_fresh_codes


def test_two_updates_a_step_are_two_updates():
    def step(gan, real):
        right(gan, real)
        gan.for_g.step()

    assert [update.network for update in watch(step, steps=1)] == ["discriminator", "generator", "generator"]


def test_one_optimizer_for_both_networks_is_refused():
    gan = Tiny()
    gan.for_d = torch.optim.Adam([*gan._generator.parameters(), *gan._discriminator.parameters()])
    assert optimizer_of(gan, gan._generator) is gan.for_g
    with pytest.raises(ExpectationError, match="no optimizer holds exactly the parameters of Sequential"):
        GANWatch(gan)
