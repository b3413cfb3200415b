"""The settings that optimizers have in their steps: noted where the answers run, judged where they do not."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW

from grader.authoring.adam import odd_setting
from grader.probe_kit.tools import noting_settings

OWN, OTHER = (0.9, 0.999), (0.5, 0.999)


def noted(*optimizers) -> np.ndarray:
    rows: list[list[float]] = []
    with noting_settings(rows, nn.Linear(2, 1)):
        for optimizer in optimizers:
            optimizer.step()
    return np.array(rows).reshape(-1, 7)


def weight() -> list[nn.Parameter]:
    return [nn.Parameter(torch.ones(2))]


def test_adam_has_no_odd_setting_and_neither_has_a_loop_of_ones_own() -> None:
    assert odd_setting(noted(Adam(weight(), lr=0.01), Adam(weight(), lr=0.01)), 0.01, OWN) == ""
    assert odd_setting(noted(Adam(weight(), lr=0.01), Adam(weight(), lr=0.01, betas=OTHER)), 0.01, OWN, OTHER) == ""
    assert odd_setting(noted(), 0.01, OWN) == ""


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lr": 0.011}, "learning rate 0.011, expected 0.01"),
        ({"betas": OTHER}, "first beta 0.5, expected 0.9"),
        ({"betas": (0.9, 0.99)}, "second beta 0.99, expected 0.999"),
        ({"eps": 1e-7}, "eps 1e-07, expected 1e-08"),
        ({"weight_decay": 1e-6}, "weight decay 1e-06, expected 0"),
        ({"amsgrad": True}, "amsgrad 1, expected 0"),
    ],
)
def test_a_single_step_with_another_setting_is_named(settings: dict, words: str) -> None:
    steps = noted(Adam(weight(), lr=0.01), Adam(weight(), **{"lr": 0.01} | settings), Adam(weight(), lr=0.01))
    assert odd_setting(steps, 0.01, OWN) == words


def test_other_optimizers_and_rates_that_are_no_numbers_are_odd() -> None:
    assert odd_setting(noted(AdamW(weight(), lr=0.01)), 0.01, OWN) == "weight decay 0.01, expected 0"
    assert odd_setting(noted(SGD(weight(), lr=0.01)), 0.01, OWN)
    assert odd_setting(np.full((2, 7), np.nan), 0.01, OWN)


def test_weights_of_others_that_an_optimizer_holds_are_counted_while_this_lasts() -> None:
    network, rows = nn.Linear(2, 1), list[list[float]]()
    with noting_settings(rows, network):
        Adam([*weight(), network.bias]).step()
    Adam(weight()).step()
    assert [row[-1] for row in rows] == [1]
