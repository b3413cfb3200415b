"""Weights of ours: what is stored comes back, fits other right classes, is said, and is not taken for a student's own."""

import itertools

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tools.weights import packed, store
from utils.training import ours
from utils.training.gan_tracker import GAN_Tracker
from utils.training.ours import is_ours, load_ours, our_chain, whose
from utils.training.trackers import VAE_Tracker


class Net(nn.Module):
    def __init__(self, names=("encoder", "decoder")):
        super().__init__()
        for name in names:
            setattr(self, name, nn.Sequential(nn.Linear(100, 64), nn.LeakyReLU(), nn.Linear(64, 100)))
        self.norm = nn.BatchNorm1d(100)

    def forward(self, x):
        return self.norm(getattr(self, "decoder", None)(x))


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setattr(ours, "_find", lambda name: tmp_path / f"{name}.safetensors")
    return tmp_path


@pytest.mark.parametrize("seed", range(3))
def test_what_is_stored_comes_back_within_eight_bits(weights, seed, capsys):
    torch.manual_seed(seed)
    trained, mine, x = Net(), Net(), torch.randn(50, 100)
    trained(x)  # statistics that are not those of the start
    store(weights / "net.safetensors", trained, [3.0, 2.0, 1.0], "ten pages")
    assert load_ours("net", mine, [9.0]) == [3.0, 2.0, 1.0]
    for key, value in trained.state_dict().items():
        allowed = value.abs().amax(dim=-1, keepdim=True) / 250 + 1e-3 if value.is_floating_point() else 0
        assert ((mine.state_dict()[key] - value).abs() <= allowed).all(), key
    assert (trained.eval()(x) - mine.eval()(x)).abs().max() < 0.05
    said = capsys.readouterr().out
    assert said == "net: weights of ours from here on, trained on ten pages; hand in your own.\n"
    assert is_ours(mine)
    assert not is_ours(trained, Net())
    assert whose(trained, mine) == "; weights of ours, trained on ten pages"
    assert whose(trained) == ""


def test_it_costs_about_a_byte_a_weight(weights):
    net = Net()
    store(weights / "net.safetensors", net, None, "")
    assert (weights / "net.safetensors").stat().st_size < 1.3 * sum(p.numel() for p in net.parameters())
    assert load_file(weights / "net.safetensors")["weights//encoder.0.weight"].dtype == torch.int8


@pytest.mark.parametrize("shape", [(3, 5), (70, 70), (64, 16, 4, 4), (80, 80)])
def test_rows_of_any_size_keep_their_own_scale(shape):
    torch.manual_seed(0)
    tensor = torch.randn(shape) * torch.logspace(-3, 3, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    numbers, factors = packed(tensor)
    back = numbers.float() * factors if factors is not None else numbers.float()
    row = tensor.flatten(1).abs().amax(dim=1).reshape(-1, *[1] * (len(shape) - 1))
    assert ((back - tensor).abs() <= row / 200).all()
    assert not packed(torch.zeros(80, 80))[0].any()


def test_another_right_class_is_filled_in_order(weights):
    """A student's own attribute names: what counts is the layers and their order."""
    trained, mine = Net(), Net(("encode_with", "decoder"))
    store(weights / "net.safetensors", trained, None, "")
    load_ours("net", mine)
    assert torch.allclose(mine.encode_with[2].weight, trained.encoder[2].weight, atol=1e-2)


@pytest.mark.parametrize("wrong", [nn.Linear(100, 64), nn.Sequential(nn.Linear(64, 100), nn.Linear(100, 64))])
def test_another_network_is_refused_and_stays_what_it_was(weights, wrong):
    store(weights / "net.safetensors", Net(), None, "")
    before = wrong.state_dict()["weight" if isinstance(wrong, nn.Linear) else "0.weight"].clone()
    with pytest.raises(ValueError, match=r"load_ours: .* has tensors of the shapes"):
        load_ours("net", wrong)
    assert torch.equal(before, next(iter(wrong.state_dict().values())))
    assert not is_ours(wrong)


def test_weights_that_are_not_there():
    with pytest.raises(FileNotFoundError, match="no weights are called 'nothing'; there are: "):
        load_ours("nothing", Net())


def test_histories_come_back_in_the_form_they_have(weights):
    net, terms = nn.Linear(2, 2), {"rec_loss": [1.0, 0.5], "kl_loss": [9.4e-8, 2.0]}
    store(weights / "terms.safetensors", net, terms, "")
    back = load_ours("terms", net, {"rec_loss": [], "kl_loss": []})
    assert {key: pytest.approx(values) for key, values in back.items()} == terms
    tracker = VAE_Tracker(2, 0)
    for step in range(2):
        tracker.update(step + 1.0, step + 2.0, step + 3.0)
    store(weights / "vae.safetensors", net, tracker, "")
    mine = load_ours("vae", net, VAE_Tracker(9, 0))
    assert (mine.rec_losses, mine.prior_losses, mine.total_losses) == ([1.0, 2.0], [2.0, 3.0], [3.0, 4.0])


def test_of_a_gan_both_networks_and_a_film_of_pictures(weights):
    tracker = GAN_Tracker(20, show_every=1, is_silent=True)
    for epoch in range(20):
        tracker.update(1.0, epoch)
        tracker.end_epoch(torch.full((64, 3, 32, 32), epoch / 20))
    networks = {"generator": nn.Linear(5, 6), "discriminator": nn.Linear(6, 5)}
    store(weights / "gan.safetensors", networks, tracker, "")
    mine, mine_too = {name: nn.Linear(*net.weight.shape[::-1]) for name, net in networks.items()}, GAN_Tracker(1)
    load_ours("gan", mine, mine_too)
    for name, net in networks.items():
        assert torch.allclose(mine[name].weight, net.weight, atol=1e-2)
    assert mine_too.g_losses == [float(epoch) for epoch in range(20)]
    assert sorted(mine_too.pictures) == [1, 6, 10, 15, 20] or len(mine_too.pictures) == 5
    assert all(len(pictures) == 10 for pictures in mine_too.pictures.values())


@pytest.mark.parametrize("widths", list(itertools.product((80, 90), (70, 100))))
def test_a_decoder_without_its_class(weights, widths):
    torch.manual_seed(0)
    net = nn.Module()
    net.encoder = nn.Linear(3, 3)
    net.decoder = nn.Module()
    net.decoder.layers = nn.Sequential(
        nn.Linear(10, widths[0]), nn.LeakyReLU(), nn.Linear(*widths), nn.LeakyReLU(), nn.Linear(widths[1], 200)
    )
    store(weights / "net.safetensors", net, None, "")
    z = torch.randn(4, 10)
    assert torch.allclose(our_chain("net", "decoder", nn.LeakyReLU())(z), net.decoder.layers(z), atol=0.02)
