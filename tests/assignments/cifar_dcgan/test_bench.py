"""The measurement of the DCGAN's training: two runs that know nothing of each other, and plain numbers."""

import math

import torch

from assignments.cifar_dcgan import bench as dcgan
from assignments.mnist_vae.make_weights import solution_names
from utils.training.acceleration import PLAIN


def test_taking_turns_does_not_matter():
    names = solution_names(dcgan.NOTEBOOK)
    names["BATCH_SIZE"] = 8
    images = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    alone, one, other = (dcgan._Run(names, images, PLAIN) for _ in range(3))
    alone.advance(4)
    for _ in range(2):
        one.advance(2)
        other.advance(1)
    weights = [run.gan._generator.fc.weight.detach() for run in (alone, one, other)]
    fewer_steps = (weights[1] - weights[2]).norm()
    assert (weights[0] - weights[1]).norm() < 0.1 * fewer_steps


def test_measures_plain_numbers(monkeypatch):
    monkeypatch.setattr(dcgan, "_SEARCH_STEPS", 2)
    threads = torch.get_num_threads()
    figures = dcgan.measure(rounds=2, steps=1)
    assert torch.get_num_threads() == threads
    assert all(math.isfinite(value) for figure in figures for value in figure.rounds)
    step, gain, *losses = figures
    assert len(step.rounds) == len(gain.rounds) == 2
    assert all(0 < loss.median < 0.5 for loss in losses)
    assert len(losses) == 2
