"""Optimizers and schedulers by name: torch's own classes, and a sentence for everything else."""

import pytest
import torch
from torch import nn, optim
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR

from utils.training.optimisation import build_optimizer, build_scheduler, with_gradients_made


@pytest.fixture
def parameters():
    return [nn.Parameter(torch.ones(2))]


def test_builds_torchs_own_with_their_settings(parameters):
    optimizer = build_optimizer("SGD", parameters, {"lr": 0.25, "momentum": 0.5})
    assert type(optimizer) is torch.optim.SGD
    assert optimizer.param_groups[0]["momentum"] == 0.5
    scheduler = build_scheduler("StepLR", optimizer, {"step_size": 200, "gamma": 0.7})
    assert type(scheduler) is StepLR
    assert (scheduler.step_size, scheduler.gamma) == (200, 0.7)
    assert type(build_scheduler("ReduceLROnPlateau", optimizer, {})) is ReduceLROnPlateau
    assert build_scheduler(None, optimizer, {}) is None


@pytest.mark.parametrize(
    ("name", "config", "sentence"),
    [
        ("adam", {}, "did you mean 'Adam'"),
        ("zzz", {}, "'Adam', for example, is one"),
        ("Optimizer", {}, "is none that this course trains with"),
        ("LBFGS", {}, "is none that this course trains with"),
        ("__builtins__", {}, "is none that this course trains with"),
        (None, {}, "None is none that this course trains with"),
        ("Adam", {"learning_rate": 1}, "unknown setting learning_rate; it takes lr, betas"),
        ("Adam", {"params": []}, "unknown setting params"),
        ("Adam", {"lr": -1.0}, "Invalid learning rate"),
        ("Adam", {"lr": "1e-3"}, "does not take"),
        ("Adam", [1], "expected a dictionary"),
    ],
)
def test_wrong_optimizers_are_a_sentence(parameters, name, config, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_optimizer(name, parameters, config)


@pytest.mark.parametrize(
    ("name", "config", "sentence"),
    [
        ("StepLr", {}, "did you mean 'StepLR'"),
        ("StepLR", {}, "does not take"),
        ("StepLR", {"size": 3}, "unknown setting size"),
        ("Sched", {}, "is none that this course trains with"),
    ],
)
def test_wrong_schedulers_are_a_sentence(parameters, name, config, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_scheduler(name, torch.optim.SGD(parameters, lr=0.1), config)


@pytest.mark.parametrize("has_closure", [True, False])
def test_a_hook_before_a_step_sees_the_gradients_of_its_closure(has_closure: bool) -> None:
    weight, seen, calls = nn.Parameter(torch.tensor(2.0)), [], []
    optimizer = optim.SGD([weight], lr=0.1)

    def closure() -> torch.Tensor:
        calls.append(1)
        optimizer.zero_grad()
        loss = 3 * weight
        loss.backward()
        return loss

    def before(optimizer: optim.Optimizer, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        given = with_gradients_made(*args, **kwargs)
        seen.append(weight.grad.item())
        return given

    optimizer.register_step_pre_hook(before)
    if has_closure:
        assert optimizer.step(closure).item() == 6
    else:
        closure()
        assert optimizer.step() is None
    assert seen == [3]
    assert calls == [1]
    assert weight.item() == pytest.approx(1.7)
