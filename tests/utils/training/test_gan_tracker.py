import logging

import pytest
import torch

from utils.datasets._cache import Source
from utils.plotting.gan import draw_progress, plot_film, plot_gan_losses
from utils.training import gan_tracker
from utils.training.gan_tracker import GAN_Tracker


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def run(tracker, epochs, steps=3):
    for epoch in range(epochs):
        for step in range(steps):
            tracker.update(torch.tensor(1.0 + step), 0.5 * epoch)
        tracker.end_epoch(torch.full((4, 3, 8, 8), epoch / 10))
    return tracker


def test_records_every_loss_and_every_second_picture():
    tracker = run(GAN_Tracker(5, log_every=2, show_every=2, is_silent=True), 5)
    assert tracker.d_losses == [1.0, 2.0, 3.0] * 5
    assert tracker.g_losses == [0.0] * 3 + [0.5] * 3 + [1.0] * 3 + [1.5] * 3 + [2.0] * 3
    assert sorted(tracker.pictures) == [2, 4, 5], "every second epoch, and the last"
    assert tracker.pictures[4].dtype == torch.uint8
    assert tracker.pictures[4].unique().tolist() == [round(0.3 * 255)]
    assert tracker.describe() == "epoch 5/5, step 15: d_loss 2.000, g_loss 1.000"


def test_losses_keep_no_graph():
    tracker = GAN_Tracker(1, is_silent=True)
    weight = torch.ones(1, requires_grad=True)
    tracker.update(weight * 2, weight * 3)
    assert tracker.state_dict()["d_losses"] == [2.0]
    assert not any(pending.requires_grad for pending in tracker._pending)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ends_the_training_with_a_sentence(bad):
    tracker = GAN_Tracker(1, is_silent=True)
    tracker.update(bad, 1.0)
    with pytest.raises(FloatingPointError, match="a loss is not finite within the last 1 steps"):
        tracker.end_epoch(torch.rand(1, 3, 4, 4))


@pytest.mark.parametrize("numbers", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_numbers_below_one_are_refused(numbers):
    with pytest.raises(ValueError, match="each must be at least 1"):
        GAN_Tracker(*numbers)


def test_state_travels():
    first = run(GAN_Tracker(4, is_silent=True), 2)
    second = GAN_Tracker(4, is_silent=True)
    second.load_state_dict(first.state_dict())
    run(second, 2)
    assert second.epoch == 4
    assert len(second.d_losses) == 12
    assert sorted(second.pictures) == [2, 4]


def test_a_notebook_gets_one_output_that_is_replaced(monkeypatch):
    shown, updated = [], []

    class Handle:
        def update(self, picture):
            updated.append(picture)

    def display(picture, display_id):
        shown.append(picture)
        return Handle()

    monkeypatch.setattr(gan_tracker, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    run(GAN_Tracker(6, log_every=1, show_every=2, source=Source("drawn scenes", is_stand_in=True)), 6)
    assert len(shown) == 1
    assert len(updated) >= 2, "a picture for each kept epoch"
    for picture in shown + updated:
        data, metadata = picture._repr_mimebundle_()
        assert data["image/png"].startswith("iVBORw0KGgo")
        assert metadata["image/png"]["alt"].endswith("min (stand-in data: drawn scenes)")


def test_figures_show_what_was_recorded():
    import matplotlib.pyplot as plt

    tracker = run(GAN_Tracker(6, is_silent=True), 6)
    assert draw_progress(tracker, "title").startswith(b"\x89PNG")
    assert draw_progress(GAN_Tracker(2, is_silent=True)).startswith(b"\x89PNG"), "nothing recorded yet"
    plot_gan_losses({"one": tracker, "two": tracker}, "Two runs")
    axes = plt.gcf().axes
    assert [axis.get_title() for axis in axes] == ["one", "two"]
    assert list(axes[0].lines[0].get_ydata()) == tracker.d_losses
    assert axes[0].get_ylabel() == "loss (nats)"
    plot_film(tracker, codes=2, frames=2, title="Film")
    labels = [label.get_text() for label in plt.gcf().axes[0].get_yticklabels()]
    assert labels == ["epoch 2", "epoch 6"]
    picture = plt.gcf().axes[0].images[0].get_array()
    assert picture.shape == (2 * 9 - 1, 2 * 9 - 1, 3)


def test_film_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no picture yet"):
        plot_film(GAN_Tracker(2, is_silent=True))
