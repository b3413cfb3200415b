"""What `plot_airfoils` draws, and what it says about shapes that do not fit."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from utils.plotting.airfoils import draw_airfoils, plot_airfoils
from utils.plotting.losses import draw_losses

X = np.linspace(0, 1, 200)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_one_panel_a_profile_and_one_scale():
    plot_airfoils(X, torch.rand(6, 200, requires_grad=True), title="six")
    lines = [axis.lines for axis in plt.gcf().axes]
    assert [len(drawn) for drawn in lines] == [1] * 6 + [0] * 2
    assert len({axis.get_ylim() for axis in plt.gcf().axes}) == 1
    assert plt.gcf().get_suptitle() == "six"


def test_draws_the_heights_it_is_given():
    ys = [np.full(200, 0.25), torch.linspace(0, 1, 200)]
    plot_airfoils(torch.from_numpy(X), ys, names=["flat", "ramp"])
    assert np.array_equal(plt.gcf().axes[0].lines[0].get_ydata(), ys[0])
    assert plt.gcf().axes[1].lines[0].get_ydata()[-1] == 1
    assert [axis.get_title() for axis in plt.gcf().axes] == ["flat", "ramp"]


def test_single_profile():
    plot_airfoils(X, np.zeros(200))
    assert len(plt.gcf().axes) == 1


@pytest.mark.parametrize("ys", [np.zeros((3, 199)), np.zeros((2, 3, 200)), np.zeros((0, 200))])
def test_shapes_that_do_not_fit(ys):
    with pytest.raises(ValueError, match=r"expected \(200,\) and \(N, 200\)"):
        plot_airfoils(X, ys)


def test_names_that_do_not_fit():
    with pytest.raises(ValueError, match="1 names for 2 profiles"):
        plot_airfoils(X, np.zeros((2, 200)), names=["one"])


@pytest.mark.parametrize("losses", [[], [1.0], [0.0, 0.0], [float("nan")] * 3, [-1.0, float("inf"), 2.0]])
def test_curves_of_any_losses_become_a_picture_and_no_open_figure(losses):
    assert draw_losses(losses, losses, losses, n_iters=5).startswith(b"\x89PNG")
    assert plt.get_fignums() == []


@pytest.mark.parametrize("wings", [1, 2, 8])
@pytest.mark.parametrize("words", [0, 5, 9, 14, 20])
def test_a_title_of_any_length_is_inside_the_picture_and_off_the_wings(wings, words):
    title = " ".join(["A wing", *["weights roughness"] * (words // 2), *["0.59"] * (words % 2)])
    figure = draw_airfoils(X, np.zeros((wings, 200)), title)
    figure.draw_without_rendering()
    (axis,) = figure.axes
    box, sheet = axis.title.get_window_extent(), figure.bbox
    assert sheet.x0 <= box.x0
    assert box.x1 <= sheet.x1
    assert box.y1 <= sheet.y1
    assert box.y0 >= axis.transData.transform((0, 0.4))[1]
    assert axis.get_title().split() == title.split()
