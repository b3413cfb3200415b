import matplotlib.pyplot as plt
import pytest
import torch

from utils.plotting.latent import apart, plot_interpolation_grid, plot_latent_scatter, plot_latent_walk, plot_manifold


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class _Decoder:
    """Keeps the codes; draws nothing."""

    def __call__(self, z):
        self.z = z
        return torch.zeros(len(z), 784)


def test_interpolation_rows_include_both_ends():
    decode, starts, ends = _Decoder(), torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[3.0, 6.0], [1.0, 1.0]])
    plot_interpolation_grid(decode, starts, ends, steps=4, title="Lines")
    expected = torch.tensor([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    torch.testing.assert_close(decode.z, torch.cat([expected, torch.ones(4, 2)]))
    assert plt.gca().get_title() == "Lines"


def test_a_walk_moves_one_dimension_a_row():
    decode = _Decoder()
    plot_latent_walk(decode, torch.tensor([0.0, 7.0]), steps=20, span=2.0)
    first, second = decode.z.reshape(2, 20, 2)
    torch.testing.assert_close(first[:, 0], torch.linspace(-2, 2, 20))
    assert first[:, 1].unique().tolist() == [7.0]
    assert second[:, 0].unique().tolist() == [0.0]
    assert second[-1, 1] == 2.0


def test_the_manifold_has_z1_to_the_right_and_z2_upwards():
    decode = _Decoder()
    plot_manifold(decode, size=3)
    z = decode.z.reshape(3, 3, 2)  # rows from the top
    assert torch.all(z[:, 1:, 0] > z[:, :-1, 0])
    assert torch.all(z[1:, :, 1] < z[:-1, :, 1])
    torch.testing.assert_close(z[1, 1], torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(z[0, 2, 0], torch.tensor(0.9674), atol=1e-3, rtol=0)  # the normal's 5/6 quantile


def test_the_scatter_names_each_class_at_its_centre():
    z = torch.tensor([[0.0, 0.0], [0.2, 0.0], [0.1, 0.0], [5.0, 5.0]])
    plot_latent_scatter(z, torch.tensor([3, 3, 3, 8]), "Codes")
    texts = {text.get_text(): text.get_position() for text in plt.gcf().axes[0].texts}
    assert texts["3"] == pytest.approx((0.1, 0.0), abs=0.01)
    assert texts["8"] == pytest.approx((5.0, 5.0), abs=0.01)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("spread", [0.0, 1e-6, 0.3, 3.0])
def test_the_scatter_s_names_never_cover_each_other(seed, spread):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(400) % 10
    centres = spread * torch.randn(10, 2, generator=generator)
    plot_latent_scatter(centres[labels] + 0.5 * torch.randn(400, 2, generator=generator), labels)
    figure = plt.gcf()
    figure.canvas.draw()
    boxes = [text.get_bbox_patch().get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 10
    assert not [(i, j) for i in range(10) for j in range(i) if boxes[i].overlaps(boxes[j])]


def test_every_class_has_a_mark_of_its_own_shape():
    plot_latent_scatter(torch.randn(50, 2), torch.arange(50) % 10)
    shapes = [dots.get_paths()[0].vertices.tobytes() for dots in plt.gcf().axes[0].collections]
    assert len(set(shapes)) == 10


def test_places_far_apart_stay_where_they_are():
    places = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 9.0]])
    torch.testing.assert_close(apart(places, 1.0), places, atol=2e-3, rtol=0)
