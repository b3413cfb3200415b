"""Acceleration changes speed and rounding, nothing else, and leaves no trace."""

import pytest
import torch
from torch import nn

from utils.training import acceleration
from utils.training.acceleration import PLAIN, Acceleration, accelerated, choose_acceleration

FULL = Acceleration(is_bfloat16=True, is_channels_last=True)
CPU = torch.device("cpu")


def make_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.LeakyReLU(), nn.Flatten(), nn.Linear(8 * 36, 1))


def train(network, steps, **how):
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    images = torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    target = images.mean((1, 2, 3)).unsqueeze(1) * 10
    losses = []
    with accelerated(network, **how):
        for _ in range(steps):
            loss = nn.functional.mse_loss(network(images), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def test_training_is_the_same_up_to_rounding():
    plain, fast = train(make_network(), 30, choice=PLAIN), train(make_network(), 30, choice=FULL)
    assert fast != plain, "nothing was changed"
    assert fast[0] == pytest.approx(plain[0], rel=0.02)
    assert fast[-1] < 0.1 * fast[0]
    assert plain[-1] < 0.1 * plain[0]


def test_forward_sees_weights_changed_inside_the_block():
    """autocast's own cache would go on with the weights of the first forward pass."""
    network = make_network().eval()
    images = torch.rand(2, 3, 8, 8)
    with accelerated(network, choice=FULL):
        before = network(images)
        with torch.no_grad():
            network[-1].bias += 10.0
            network[-1].weight *= 0.0
        assert torch.allclose(network(images).float(), network[-1].bias.detach(), atol=0.1)
        assert before.dtype == torch.bfloat16


def test_leaves_no_trace():
    network = make_network()
    weight = network[0].weight
    with accelerated(network, choice=FULL):
        assert weight.is_contiguous(memory_format=torch.channels_last)
        assert network[0].weight is weight, "optimizers made before would hold another tensor"
        assert torch.is_autocast_enabled("cpu")
    assert weight.is_contiguous()
    assert weight.dtype == torch.float32
    assert not torch.is_autocast_enabled("cpu")


def test_format_comes_back_after_an_interruption():
    network = make_network()
    with pytest.raises(KeyboardInterrupt), accelerated(network, choice=FULL):
        raise KeyboardInterrupt
    assert network[0].weight.is_contiguous()
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    ("has_units", "expected"), [(True, FULL), (False, Acceleration(is_bfloat16=False, is_channels_last=True))]
)
def test_cpu_gets_bfloat16_only_with_units_for_it(monkeypatch, has_units, expected):
    monkeypatch.delenv("ACCELERATE", raising=False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": has_units}, raising=False)
    assert choose_acceleration(CPU) == expected


def test_an_older_torch_without_capabilities_computes_in_float32(monkeypatch):
    monkeypatch.delenv("ACCELERATE", raising=False)
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not choose_acceleration(CPU).is_bfloat16


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_devices_that_were_not_measured_are_left_alone(device):
    assert choose_acceleration(torch.device(device)) == PLAIN


def test_one_switch_turns_it_off(monkeypatch):
    monkeypatch.setattr(acceleration, "_has_bfloat16_units", lambda: True)
    monkeypatch.setenv("ACCELERATE", "0")
    with accelerated(make_network()) as how:
        assert how == PLAIN
    monkeypatch.delenv("ACCELERATE")
    with accelerated(make_network(), enabled=False) as how:
        assert str(how) == "float32"
    with accelerated(make_network()) as how:
        assert str(how) == "bfloat16, channels_last"


def test_numbers_of_other_processors_can_be_had(monkeypatch):
    monkeypatch.setattr(acceleration, "_has_bfloat16_units", lambda: True)
    monkeypatch.setenv("ACCELERATE", "float32")
    assert str(choose_acceleration(CPU)) == "float32, channels_last"


@pytest.mark.parametrize("modules", [(), (nn.ReLU(),)])
def test_without_parameters_it_says_what_it_wants(modules):
    with pytest.raises(ValueError, match="give it the networks that are trained"), accelerated(*modules):
        pass
