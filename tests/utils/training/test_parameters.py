"""Counting parameters: by formula, with shared and frozen ones."""

from torch import nn

from utils.training.parameters import count_params


def test_a_network_has_the_parameters_of_its_formula():
    assert count_params(nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 15))) == 785 * 400 + 401 * 15


def test_a_shared_layer_counts_once_and_a_frozen_one_not_at_all():
    layer = nn.Linear(3, 2)
    assert count_params(nn.Sequential(layer, layer)) == 8
    layer.bias.requires_grad_(False)
    assert count_params(layer) == 6
