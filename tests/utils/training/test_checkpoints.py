"""An interrupted and resumed training ends with the same weights as one that was left alone."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from utils.training.checkpoints import Checkpoint, code_digest
from utils.training.gan_tracker import GAN_Tracker

EPOCHS = 4


class Toy:
    """Everything a training can depend on: weights, moments, batch-norm buffers, three random generators, a tracker."""

    def __init__(self, seed, width=5):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        self.codes = torch.randn(3, 4)
        self.network = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(0.3), nn.Linear(width, 1))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.05)
        self.tracker = GAN_Tracker(EPOCHS, is_silent=True)
        self.loss = nn.MSELoss()

    def train(self, checkpoint=None, interrupt_at=None):
        for epoch in range(checkpoint.resume(self) if checkpoint else 0, EPOCHS):
            for step in range(3):
                if (epoch, step) == interrupt_at:
                    raise KeyboardInterrupt
                x = torch.randn(8, 4) + np.random.randn() + random.random()
                loss = self.loss(self.network(x), x.sum(1, keepdim=True))
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.tracker.update(loss, loss)
            self.tracker.end_epoch(torch.rand(2, 3, 4, 4))
            if checkpoint:
                checkpoint.save(self, epoch + 1)
        return self


def assert_same(one, other):
    for name, value in one.network.state_dict().items():
        torch.testing.assert_close(value, other.network.state_dict()[name], msg=name)
    assert torch.equal(one.codes, other.codes)
    assert one.tracker.d_losses == pytest.approx(other.tracker.d_losses, rel=1e-4)
    assert one.tracker.pictures.keys() == other.tracker.pictures.keys()
    for epoch, picture in one.tracker.pictures.items():
        assert torch.equal(picture, other.tracker.pictures[epoch])


@pytest.mark.parametrize("interrupt_at", [(0, 1), (1, 0), (2, 2)])
def test_interrupted_and_resumed_ends_as_undisturbed(tmp_path, interrupt_at, capsys):
    undisturbed = Toy(0).train()
    checkpoint = Checkpoint(tmp_path / "new" / "toy.pt", data="toy")
    with pytest.raises(KeyboardInterrupt):
        Toy(0).train(checkpoint, interrupt_at)
    # After the first epoch everything comes from the file, so another seed must not matter; before it, it must.
    seed = 99 if interrupt_at[0] else 0
    resumed = Toy(seed).train(Checkpoint(tmp_path / "new" / "toy.pt", data="toy"))
    assert_same(resumed, undisturbed)
    said = capsys.readouterr().out
    assert ("going on after epoch" in said) == (interrupt_at[0] > 0)


def test_finished_training_is_not_done_again(tmp_path):
    checkpoint = Checkpoint(tmp_path / "toy.pt")
    first = Toy(0).train(checkpoint)
    again = Toy(1)
    assert checkpoint.resume(again) == EPOCHS
    assert_same(first, again)


def test_other_settings_set_the_file_aside(tmp_path, capsys):
    Checkpoint(tmp_path / "toy.pt", data="CIFAR-10", code="a").save(Toy(0), 3)
    assert Checkpoint(tmp_path / "toy.pt", data="CIFAR-10", code="b").resume(Toy(0)) == 0
    assert "this checkpoint was made with another code; it is kept as toy.pt.old" in capsys.readouterr().out
    assert (tmp_path / "toy.pt.old").is_file()
    assert not (tmp_path / "toy.pt").exists()


def test_other_networks_set_the_file_aside_and_change_nothing(tmp_path, capsys):
    Checkpoint(tmp_path / "toy.pt").save(Toy(0), 3)
    wider = Toy(0, width=6)
    before = {name: value.clone() for name, value in wider.network.state_dict().items()}
    assert Checkpoint(tmp_path / "toy.pt").resume(wider) == 0
    assert "this checkpoint is of other networks" in capsys.readouterr().out
    assert all(torch.equal(before[name], value) for name, value in wider.network.state_dict().items())


@pytest.mark.parametrize("content", [b"", b"half a che", b"PK\x03\x04 not a zip after all"])
def test_damaged_file_is_set_aside(tmp_path, content, capsys):
    (tmp_path / "toy.pt").write_bytes(content)
    assert Checkpoint(tmp_path / "toy.pt").resume(Toy(0)) == 0
    assert "cannot be read; it is kept as toy.pt.old" in capsys.readouterr().out


def test_a_file_that_runs_code_when_unpickled_is_not_run(tmp_path, capsys):
    class Mine:
        def __reduce__(self):
            return (print, ("code has run",))

    torch.save({"schema": 1, "settings": {}, "parts": Mine()}, tmp_path / "toy.pt")
    assert Checkpoint(tmp_path / "toy.pt").resume(Toy(0)) == 0
    assert "code has run" not in capsys.readouterr().out


def test_killed_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "toy.pt")
    checkpoint.save(Toy(0), 1)

    def write_half(content, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", write_half)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(Toy(0), 2)
    assert checkpoint.resume(Toy(0)) == 1


class Original:
    def step(self, x):
        return [value * 2 for value in x if value in {"a", "b"}]


class Commented:
    def step(self, x):
        # the same, in other lines
        return [
            value * 2
            for value in x  # all of them
            if value in {"a", "b"}
        ]


class Mended:
    def step(self, x):
        return [value * 3 for value in x if value in {"a", "b"}]


def test_code_digest_sees_code_not_comments():
    assert code_digest(Original, "step") == code_digest(Commented, "step")
    assert code_digest(Original, "step") != code_digest(Mended, "step")


def test_code_digest_looks_into_base_classes_and_passes_over_what_is_missing():
    child = type("Child", (Original,), {"other": lambda self: 1})
    assert code_digest(child, "step", "missing") == code_digest(Original, "step")
