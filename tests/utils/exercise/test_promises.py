"""What `# TEST` cells say of gradients, rows and noise: right functions pass, each way to break a promise is named."""

import itertools

import pytest
import torch
from torch import nn

from utils.exercise.expect import ExpectationError
from utils.exercise.networks import expect_activations, expect_chain, expect_network, expect_rows
from utils.exercise.promises import expect_differentiable, expect_one_device, expect_trainable

X, Y = torch.linspace(-1, 1, 12).reshape(4, 3), torch.linspace(2, 0.5, 12).reshape(4, 3)


def product(x, y):
    return x * y.exp()


_BUFFER = torch.zeros(4, 3)
BROKEN = {
    "no gradient reaches x": lambda x, y: x.detach() * y.exp(),
    "no gradient reaches x and y": lambda x, y: product(x, y).detach(),
    "is not the slope": lambda x, y: x * y.exp() + x.detach() * y,
    "expected a tensor": lambda x, y: product(x, y).detach().numpy(),
    "holds float64": lambda x, y: product(x, y).double() if x.dtype == torch.float32 else product(x, y),
    "changes its argument y": lambda x, y: product(x, y) + 0 * y.data.add_(1).sum(),
    "sets a seed": lambda x, y: (product(x, y), torch.manual_seed(0))[0],
    "draws what it does not use": lambda x, y: product(x, y) + 0 * torch.randn(3),
    r"dimension 0 has shape \(3,\), expected \(1, 3\)": lambda x, y: product(x, y).squeeze(0),
    r"dimension 1 has shape \(4,\), expected \(4, 1\)": lambda x, y: product(x, y).squeeze(1),
    "dimension 0 is another one": lambda x, y: product(x, y) * (1 if len(x) > 1 else 2),
    "changes an argument where no gradient": lambda x, y: (
        product(x, y) if torch.is_grad_enabled() or x.dtype == torch.float64 else product(x, y) + 0 * x.add_(1)
    ),
    "after the next call": lambda x, y: (
        product(x, y) if torch.is_grad_enabled() else torch.mul(x, y.exp(), out=_BUFFER)
    ),
    "switches gradients off": lambda x, y: (product(x, y), torch.set_grad_enabled(False))[0],
}


def test_a_right_function_passes(capsys):
    expect_differentiable("product", product, axes=(0, 1), x=X, y=Y)
    assert capsys.readouterr().out == "product: gradients to x, y, passed\n"


@pytest.mark.parametrize("words", BROKEN)
def test_a_broken_promise_is_named(words):
    with pytest.raises(ExpectationError, match=words):
        expect_differentiable("product", BROKEN[words], axes=(0, 1), x=X, y=Y)
    assert torch.is_grad_enabled()


def test_randomness_is_the_same_for_both_sides():
    def draw(x):
        return x + torch.randn_like(x) * x.exp()

    expect_differentiable("draw", draw, axes=(0, 1), x=X)
    with pytest.raises(ExpectationError, match="expected"):
        expect_differentiable("draw", lambda x: draw(x).squeeze(0), axes=(0,), x=X)


def test_where_a_dimension_is_summed_its_size_may_be_one():
    expect_differentiable("sum", lambda x, y: product(x, y[:, None]).sum(-1), axes=(0, 1), x=X, y=Y[:, 0])


THERE = torch.zeros(2, 3, device="meta")


def test_tensors_that_stay_on_the_cpu_are_seen_without_another_device():
    assert expect_one_device("sum", lambda x: x + torch.ones_like(x), THERE).is_meta
    for stays in (lambda x: x + torch.ones(2, 3), nn.Linear(3, 2)):
        with pytest.raises(ExpectationError, match="tensors of two devices"):
            expect_one_device("sum", stays, THERE)


@pytest.mark.parametrize("ends", [lambda x: x.sum().item(), lambda x: x.cpu(), lambda x: x.no_such])
def test_what_else_ends_an_answer_on_another_device_is_not_told_as_two_devices(ends):
    assert expect_one_device("sum", ends, THERE) is None


class Net(nn.Module):
    """Two layers; what `forward` does with their answer is given."""

    def __init__(self, change=lambda y: y):
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 2)
        self.change = change

    def forward(self, x):
        return self.change(self.second(self.first(x).relu()))


class Switching(Net):
    """Puts itself into evaluation mode when it is called."""

    def forward(self, x):
        self.eval()
        return super().forward(x)


def test_a_network_in_another_mode_is_named():
    net = Switching()
    for check in (
        lambda: expect_network("net", net, X),
        lambda: expect_rows("net", net.train(), X),
        lambda: expect_rows("forward", net.train().forward, X),
        lambda: expect_trainable("loss", net.train(), lambda model: model(X.double()).square().sum()),
    ):
        with pytest.raises(ExpectationError, match="in another mode"):
            check()


def stack(*kinds):
    """Linear layers 3, 4, 5, 6, 2 with these between them."""
    sizes = (3, 4, 5, 6, 2)
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    return nn.Sequential(*(one for pair in zip(layers, [*kinds, nn.Identity()], strict=True) for one in pair))


@pytest.mark.parametrize("kind", [nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus])
def test_activations_are_asked_for_layer_by_layer(kind):
    net = stack(kind(), kind(), kind())
    before = net(X)
    expect_activations("net", net, [4, 5, 6])
    expect_activations("net", net, [6, 5, 4])
    assert torch.equal(net(X), before)
    for missing in range(3):
        with pytest.raises(ExpectationError, match=f"follows hidden layer {missing + 1} of 3"):
            expect_activations("net", stack(*(nn.Identity() if n == missing else kind() for n in range(3))), [4, 5, 6])


NETWORKS = {
    "depends on the other rows": lambda y: y - y.mean(0),
    "shape": lambda y: y.squeeze(0),
    "no gradient reaches": lambda y: y.detach().requires_grad_(),
}


def test_a_right_network_passes():
    expect_network("net", Net(), X)
    expect_chain("net", Net(), X)


@pytest.mark.parametrize("words", NETWORKS)
def test_a_network_that_mixes_rows_is_named(words):
    with pytest.raises(ExpectationError, match=words):
        expect_network("net", Net(NETWORKS[words]), X)


def test_a_buffer_that_is_filled_again_is_named():
    buffer = torch.zeros(4, 3)

    def answer(x):
        buffer[: len(x)] = 2 * x
        return buffer[: len(x)]

    with pytest.raises(ExpectationError, match="earlier calls"):
        expect_rows("answer", answer, X)


def test_a_frozen_weight_is_named():
    net = Net()
    net.first.bias.requires_grad_(False)
    with pytest.raises(ExpectationError, match=r"first\.bias is frozen"):
        expect_network("net", net, X)


def test_a_weight_without_a_part_is_named():
    net = Net()
    net.idle = nn.Linear(3, 1)
    with pytest.raises(ExpectationError, match=r"idle\.weight has no part"):
        expect_network("net", net, X)


def test_a_network_that_changes_its_mode_is_named():
    net = Net()
    net.change = lambda y: (net.train(), y)[1]
    with pytest.raises(ExpectationError, match="in another mode"):
        expect_network("net", net, X)


@pytest.mark.parametrize("change", [torch.sigmoid, torch.relu, lambda y: y + 0.1])
def test_a_chain_with_something_more_is_named(change):
    for seed in range(20):  # whatever sign the network's answers have
        torch.manual_seed(seed)
        with pytest.raises(ExpectationError, match=r"layer by layer|sign changed"):
            expect_chain("net", Net(change), X)


def test_a_chain_is_left_as_it_was():
    net = Net()
    before = [parameter.clone() for parameter in net.parameters()]
    expect_chain("net", net, X)
    assert all(torch.equal(one, two) for one, two in zip(before, net.parameters(), strict=True))


def test_a_chain_may_end_in_something():
    expect_chain("net", Net(torch.sigmoid), X, torch.sigmoid)


def test_a_loss_with_a_cut_is_named():
    net = Net()
    expect_trainable("loss", net, lambda model: model(X.double()).square().mean())
    with pytest.raises(ExpectationError, match="not the slope"):
        expect_trainable("loss", net, lambda model: (model(X.double()) * model(X.double()).detach()).mean())
    with pytest.raises(ExpectationError, match="expected a single number"):
        expect_trainable("loss", net, lambda model: model(X.double()))


def test_a_cut_is_seen_where_float32_hides_small_steps():
    net = Net()
    net.width = nn.Parameter(torch.zeros(()))

    def loss(model, width):
        return model(X.double()).square().mean() + (width - torch.ones(784)).square().sum()

    expect_trainable("loss", net, lambda model: loss(model, model.width))
    with pytest.raises(ExpectationError, match="width"):
        expect_trainable("loss", net, lambda model: loss(model, torch.tensor(model.width.item())))


def test_a_weight_without_a_part_is_refused_unless_it_may_be_spare():
    network = nn.Sequential(nn.Linear(3, 2))
    network.register_parameter("idle", nn.Parameter(torch.ones(1)))
    with pytest.raises(ExpectationError, match="idle has no part"):
        expect_network("net", network, X)
    expect_network("net", network, X, has_spare=True)
