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


def test_pictures_wait_for_plot_freq_and_for_their_own_cost(monkeypatch):
    clock = iter(range(0, 1_000_000, 10))  # ten seconds between two looks at the clock
    monkeypatch.setattr(trackers, "in_notebook", lambda: True)
    monkeypatch.setattr(trackers.time, "perf_counter", lambda: float(next(clock)))
    drawn = []
    monkeypatch.setattr(trackers._Picture, "_draw", lambda self, tracker: drawn.append(len(tracker.total_losses)))
    _run(95, plot_freq=20)
    assert drawn == [20, 40, 60, 80, 95]


def test_a_dear_picture_is_drawn_rarely(monkeypatch):
    """After a picture that takes a second, training has at least 49 seconds to itself."""
    now = [0.0]
    monkeypatch.setattr(trackers, "in_notebook", lambda: True)
    monkeypatch.setattr(trackers.time, "perf_counter", lambda: now[0])
    handle = type("Handle", (), {"update": lambda *args: None})()
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: handle)
    shown = []

    def draw(rec, *rest):
        now[0] += 1.0
        shown.append(len(rec))
        return b"\x89PNG\r\n\x1a\n" + bytes(16)

    monkeypatch.setattr("utils.plotting.losses.draw_losses", draw)
    tracker = VAE_Tracker(2000, 10)
    for _ in range(2000):
        now[0] += 0.1
        tracker.update(1, 1, 1)
    assert shown[-1] == 2000
    assert all(later - earlier >= 490 for earlier, later in pairwise(shown[:-1]))
    assert len(shown) >= 4


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
    assert any("iteration 400/400" in str(value) for value in picture.metadata.values())
