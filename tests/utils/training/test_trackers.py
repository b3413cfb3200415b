"""The tracker records every iteration, and shows it once in every place a training can run."""

import math
from itertools import pairwise

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from utils.training import trackers
from utils.training.trackers import VAE_Tracker


def _run(n_iters, plot_freq=10):
    tracker = VAE_Tracker(n_iters, plot_freq)
    for i in range(n_iters):
        tracker.update(1 / (i + 1), 2.0, 3.0)
    return tracker


def test_records_numbers_and_tensors_alike():
    tracker = VAE_Tracker(3, 0)
    tracker.update(0.5, 1.5, 2.0)
    tracker.update(torch.tensor(0.5, requires_grad=True), torch.tensor([1.5]), torch.tensor(2.0))
    tracker.update(torch.tensor(0.5), 1.5, 2)
    assert (tracker.rec_losses, tracker.prior_losses, tracker.total_losses) == ([0.5] * 3, [1.5] * 3, [2.0] * 3)
    assert all(type(loss) is float for loss in tracker.total_losses)


def test_says_where_it_ended_once(capsys):
    _run(20)
    out = capsys.readouterr()
    assert out.out.startswith("iteration 20/20: rec 0.18, prior 2, total 3, ")
    assert out.out.count("\n") == 1
    assert out.err == ""  # stderr is no terminal here


def test_plot_freq_0_shows_nothing(capsys):
    _run(20, plot_freq=0)
    assert capsys.readouterr() == ("", "")


def test_warns_once_when_the_loss_is_not_finite(capsys):
    tracker = VAE_Tracker(4, 0)
    for total in (1.0, math.nan, math.inf, math.nan):
        tracker.update(1.0, 1.0, total)
    assert capsys.readouterr().out.count("smaller learning rate") == 1


@pytest.mark.parametrize(("n_iters", "plot_freq"), [(0, 10), (-1, 10), (5, -1)])
def test_wrong_numbers_are_a_sentence(n_iters, plot_freq):
    with pytest.raises(ValueError, match=f"n_iters is {n_iters} and plot_freq {plot_freq}, expected"):
        VAE_Tracker(n_iters, plot_freq)


def test_terminal_shows_a_bar_and_clears_it(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    _run(30)
    err = capsys.readouterr().err
    assert "0/30" in err
    assert "\n" not in err


class _Time:
    """A clock that training and drawing move; where each picture was drawn."""

    def __init__(self, monkeypatch, drawing: float) -> None:
        self.now, self.shown = 0.0, []
        handle = type("Handle", (), {"update": lambda *args: None})()
        monkeypatch.setattr(trackers, "in_notebook", lambda: True)
        monkeypatch.setattr(trackers.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: handle)
        monkeypatch.setattr("utils.plotting.losses.draw_losses", lambda *args: self._draw(drawing))

    def _draw(self, seconds: float) -> bytes:
        self.now += seconds
        self.shown.append(self.now)
        return b"PNG"

    def train(self, n_iters: int, plot_freq: int, iteration: float) -> None:
        tracker = VAE_Tracker(n_iters, plot_freq)
        for _ in range(n_iters):
            self.now += iteration
            tracker.update(1, 1, 1)

    @property
    def pauses(self) -> list[float]:
        return [later - earlier for earlier, later in pairwise([0.0, *self.shown])]


@pytest.mark.parametrize("plot_freq", [1, 10, 100])
@pytest.mark.parametrize("drawing", [0.01, 0.05, 0.15])
@pytest.mark.parametrize("iteration", [0.001, 0.02, 0.09])
def test_a_live_picture_moves_once_a_second_however_long_an_iteration_takes(monkeypatch, plot_freq, drawing, iteration):
    time = _Time(monkeypatch, drawing)
    time.train(int(20 / iteration), plot_freq, iteration)
    assert max(time.pauses) <= 1.3
    assert len(time.shown) * drawing <= 0.25 * time.now


def test_an_iteration_longer_than_a_second_is_shown_at_once(monkeypatch):
    time = _Time(monkeypatch, 0.05)
    time.train(6, 100, 3.0)
    assert len(time.shown) == 7, "each, and the last once more"


def test_a_dear_picture_is_drawn_rarely(monkeypatch):
    """After a picture that takes a second, training has at least four seconds to itself."""
    time = _Time(monkeypatch, 1.0)
    time.train(2000, 10, 0.1)
    assert min(time.pauses[1:-1]) >= 5
    assert len(time.shown) >= 30


def test_a_notebook_keeps_one_picture_and_one_line():
    cell = nbformat.v4.new_code_cell(
        "from utils.training.trackers import VAE_Tracker\n"
        "tracker = VAE_Tracker(400, 1)\n"
        "for i in range(400):\n    tracker.update(1 / (i + 1), 2.0, 3.0)\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    kinds = [output.output_type for output in cell.outputs]
    assert sorted(kinds) == ["display_data", "stream"]
    picture = next(output for output in cell.outputs if output.output_type == "display_data")
    assert "image/png" in picture.data
    assert "iteration 400/400" in picture.metadata["image/png"]["alt"]
    assert 'alt="Loss curves, iteration 400/400' in picture.data["text/html"]
