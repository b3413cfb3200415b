import math
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.training.loops import train_vae


class _TinyVAE(nn.Module):
    """x_hat is one trainable grey for all pixels; the posterior is the prior."""

    def __init__(self):
        super().__init__()
        self.logit = nn.Parameter(torch.zeros(()))
        self.seen = []

    def forward(self, x, c=None):
        self.seen.append(c)
        x_hat = torch.sigmoid(self.logit).expand_as(x)
        return x_hat, torch.zeros(len(x), 2), torch.zeros(len(x), 2)


def _summed_bce(x_hat, x, mu, logvar):
    return F.binary_cross_entropy(x_hat, x, reduction="sum") / len(x)


def _batches(count=3):
    return [(torch.ones(4, 1, 2, 2), torch.tensor([0, 9, 3, 3])) for _ in range(count)]


def test_one_epoch_moves_the_model_and_prints_its_loss(capsys):
    model = _TinyVAE()
    loss = train_vae(1, model, _batches(1), loss_function=_summed_bce)
    assert loss == pytest.approx(4 * math.log(2))
    assert model.logit.item() == pytest.approx(1e-3, rel=1e-3)  # one Adam step of 1e-3
    written = capsys.readouterr()
    assert written.out.split("\r")[-1] == "Epoch  1: loss 2.77 nats per image\n"  # the bar before it has made place
    assert written.err == ""


def test_the_loss_falls_over_epochs_with_one_optimizer():
    model = _TinyVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = [train_vae(epoch, model, _batches(), loss_function=_summed_bce, optimizer=optimizer) for epoch in range(5)]
    assert losses == sorted(losses, reverse=True)


def test_with_cond_the_model_gets_one_hot_labels():
    model = _TinyVAE()
    train_vae(1, model, _batches(1), cond=True, loss_function=_summed_bce)
    (c,) = model.seen
    assert c.shape == (4, 10)
    assert c.argmax(dim=1).tolist() == [0, 9, 3, 3]
    assert c.sum() == 4
    train_vae(1, model, _batches(1), loss_function=_summed_bce)
    assert model.seen[-1] is None


def test_the_students_loss_is_the_one_that_is_minimised():
    asked = []

    def loss_function(x_hat, x, mu, logvar):
        asked.append(len(x))
        return x_hat.mean()

    model = _TinyVAE()
    assert train_vae(1, model, _batches(2), loss_function=loss_function) == pytest.approx(0.5, abs=1e-3)
    assert asked == [4, 4]
    assert model.logit < 0


def test_an_empty_loader_and_a_lost_loss_are_named():
    with pytest.raises(ValueError, match="gave no batch; is the batch size larger"):
        train_vae(1, _TinyVAE(), [], loss_function=_summed_bce)
    with pytest.raises(ValueError, match="loss of epoch 2 is nan"):
        train_vae(2, _TinyVAE(), _batches(1), loss_function=lambda x_hat, *_: x_hat.sum() * float("nan"))


def test_without_a_loss_the_notebooks_own_is_taken(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "loss_function", lambda x_hat, *_: x_hat.mean(), raising=False)
    assert train_vae(1, _TinyVAE(), _batches(1)) == pytest.approx(0.5)
    monkeypatch.delattr(sys.modules["__main__"], "loss_function")
    with pytest.raises(ValueError, match="no loss_function is given and the notebook defines none"):
        train_vae(1, _TinyVAE(), _batches(1))
