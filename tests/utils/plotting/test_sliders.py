"""Sliders by value, without a browser: what is drawn is what the decoder says of where the sliders stand."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from utils.plotting import sliders
from utils.plotting.airfoils import draw_airfoils
from utils.plotting.described import Picture
from utils.plotting.sliders import Movable

X = np.linspace(1, 0, 200)


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 200), nn.Tanh()).requires_grad_(False)


def wing(decoder) -> Movable:
    def draw(**z):
        return draw_airfoils(X, decoder(torch.tensor([list(z.values())])), "a wing")

    return Movable(draw, {f"z{k}": (-3.0, 3.0, 0.0) for k in range(1, 11)}, "a wing")


def drawn(movable: Movable) -> np.ndarray:
    return movable.figure.axes[0].lines[0].get_ydata()


@pytest.mark.parametrize("seed", range(5))
def test_moved_sliders_draw_what_the_decoder_says(decoder, seed):
    movable, random = wing(decoder), np.random.default_rng(seed)
    z = torch.zeros(1, 10)
    for _ in range(4):
        k, value = random.integers(10), float(random.uniform(-3, 3))
        movable.move(f"z{k + 1}", value)
        z[0, k] = value
        assert np.allclose(drawn(movable), decoder(z)[0].numpy(), atol=1e-6)


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show, in order; the picture's handle counts its changes."""
    seen: list = []

    class Handle:
        def update(self, picture):
            seen.append(picture)

    def display(thing, display_id=False):
        seen.append(thing)
        return Handle() if display_id else None

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(sliders, "in_notebook", lambda: True)
    return seen


def test_the_widgets_move_the_picture_in_place(decoder, shown):
    movable = wing(decoder)
    movable.show()
    picture, box = shown
    assert isinstance(picture, Picture)
    assert picture._png.startswith(b"\x89PNG")
    assert [slider.description for slider in box.children] == [f"z{k}" for k in range(1, 11)]
    for k, slider in enumerate(box.children):
        slider.value = 1.5 - 0.3 * k
        assert movable.values[f"z{k + 1}"] == pytest.approx(slider.value)
    z = torch.tensor([[slider.value for slider in box.children]])
    assert np.allclose(drawn(movable), decoder(z)[0].numpy(), atol=1e-6)
    changes = shown[2:]
    assert len({change._png for change in changes}) == len(changes) >= 9  # z6 stays at 0
    assert "z1 = 1.5" in changes[-1]._alt


def test_a_choice_begins_in_its_middle_and_draws_each(shown):
    def draw(beta):
        figure = Figure()
        figure.subplots().plot([beta, beta])
        return figure

    movable = Movable(draw, {"beta": [0.0, 1e-5, 4e-4, 3e-3, 2e-2]}, "wings")
    assert movable.values == {"beta": 4e-4}
    movable.show()
    slider = shown[1].children[0]
    assert slider.value == 4e-4
    for index, (label, value) in enumerate(slider.options):
        slider.index = index
        assert float(label) == value == drawn(movable)[0]


def test_where_no_widgets_live_the_picture_is_shown_alone(decoder, shown, monkeypatch):
    monkeypatch.setattr(sliders, "in_notebook", lambda: False)
    wing(decoder).show()
    assert [type(thing) for thing in shown] == [Picture]


def test_without_the_package_one_sentence(decoder, shown, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    wing(decoder).show()
    assert [type(thing) for thing in shown] == [Picture]
    assert "ipywidgets" in capsys.readouterr().out


@pytest.mark.parametrize("given", [(3.0, -3.0, 0.0), (-1.0, 1.0, 2.0), [], (1.0, 2.0), "z"])
def test_a_span_that_is_none_is_refused(given):
    with pytest.raises(ValueError, match="a slider"):
        Movable(lambda z: Figure(), {"z": given})


def test_a_slider_that_is_not_there(decoder):
    with pytest.raises(ValueError, match="there is no slider 'z11'; there are: z1, z2"):
        wing(decoder).move("z11", 1.0)
