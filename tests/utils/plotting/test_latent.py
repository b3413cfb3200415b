import matplotlib.pyplot as plt
import pytest
import torch

from utils.plotting.latent import plot_interpolation_grid, plot_latent_scatter, plot_latent_walk, plot_manifold


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
    assert texts["3"] == pytest.approx((0.1, 0.0))
    assert texts["8"] == (5.0, 5.0)
