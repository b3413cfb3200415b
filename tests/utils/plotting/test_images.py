import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from utils.datasets._cache import Source
from utils.plotting.images import (
    as_pictures,
    get_image_with_label,
    plot_images,
    plot_reconstruction_grid,
    plot_rows,
    show_images,
    tile,
    vis_reconstruction,
    vis_samples,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _drawn(axis=None):
    return torch.as_tensor(np.asarray((axis or plt.gca()).images[0].get_array()))


@pytest.mark.parametrize("shape", [(4, 784), (4, 1, 784), (4, 28, 28), (4, 1, 28, 28)])
def test_grey_images_of_any_layout_become_the_same_pictures(shape):
    flat = torch.rand(4, 784)
    assert torch.equal(as_pictures(flat.reshape(shape)), flat.reshape(4, 1, 28, 28))


def test_colours_are_kept_and_values_clamped():
    pictures = as_pictures(torch.full((2, 3, 4, 4), 2.0, requires_grad=True))
    assert pictures.shape == (2, 3, 4, 4)
    assert pictures.max() == 1
    assert not pictures.requires_grad


@pytest.mark.parametrize("shape", [(28, 28, 3), (2, 5, 28, 28), (4, 10)])
def test_a_shape_that_is_no_image_is_named(shape):
    images = torch.zeros(shape)
    if len(shape) == 3:
        images = images[0, 0]
    with pytest.raises(ValueError, match="expected"):
        as_pictures(images if images.ndim > 1 else images[None])


def test_tiles_stand_in_reading_order_with_a_gap():
    images = torch.stack([torch.full((2, 2), value) for value in (0.1, 0.2, 0.3)])
    grid = tile(images, columns=2)[..., 0]
    assert grid.shape == (5, 5)
    assert grid[0, 0] == pytest.approx(0.1)
    assert grid[0, 3] == pytest.approx(0.2)
    assert grid[3, 0] == pytest.approx(0.3)
    assert grid[2].sum() == 0
    assert grid[3, 3] == 0  # the place left over


def test_show_images_is_about_square_and_titled():
    show_images(torch.rand(9, 1, 28, 28), "Nine")
    assert _drawn().shape[:2] == (86, 86)
    assert plt.gca().get_title() == "Nine"
    plot_images(torch.rand(4, 3, 32, 32))
    assert _drawn().shape == (65, 65, 3)


def test_reconstructions_stand_below_their_originals():
    originals, reconstructions = torch.zeros(5, 784), torch.ones(5, 784)
    plot_reconstruction_grid(originals, reconstructions, per_row=3)
    drawn = _drawn()
    assert drawn.shape == (4 * 29 - 1, 3 * 29 - 1)
    assert drawn[:28].max() == 0
    assert drawn[29:57, :28].min() == 1
    with pytest.raises(ValueError, match="5 originals and 4 reconstructions"):
        plot_reconstruction_grid(originals, reconstructions[:4])


def test_a_last_row_that_is_not_full_keeps_its_pairs():
    plot_reconstruction_grid(torch.zeros(4, 784), torch.ones(4, 784), per_row=3)
    drawn = _drawn()
    assert drawn[2 * 29 : 2 * 29 + 28].max() == 0
    assert drawn[3 * 29 : 3 * 29 + 28, :28].min() == 1


def test_rows_have_names():
    plot_rows({"original": torch.rand(3, 784), "VAE": torch.rand(3, 784)}, "Compare")
    assert [axis.get_ylabel() for axis in plt.gcf().axes] == ["original", "VAE"]


class _Data:
    """Three images of two classes, from a stand-in."""

    images = torch.stack([torch.full((1, 28, 28), value) for value in (0.0, 0.5, 1.0)])
    labels = torch.tensor([7, 1, 7])
    source = Source("digits", is_stand_in=True)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.images[index], self.labels[index]

    def of_class(self, digit, count):
        return self.images[self.labels == digit][:count]


class _Inverter(torch.nn.Module):
    def reconstruct(self, x):
        assert not self.training
        assert not torch.is_grad_enabled()
        return 1 - x.reshape(-1, 28, 28)


def test_an_image_of_a_class():
    assert get_image_with_label(_Data(), 7, index=1).unique().item() == 1.0


def test_figures_of_a_stand_in_name_it():
    vis_samples(torch.rand(3, 784), _Data(), "Samples")
    assert plt.gca().get_title() == "Samples (stand-in data: digits)"
    model = _Inverter().train()
    vis_reconstruction(model, _Data(), count=3)
    assert "stand-in data: digits" in plt.gca().get_title()
    drawn = _drawn()
    assert drawn[0, 0] == 0
    assert drawn[29, 0] == 1  # the model's answer, below
    assert model.training
