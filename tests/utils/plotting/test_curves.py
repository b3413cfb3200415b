import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils.plotting.curves import compare_curves, plot_loss_terms, smooth


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_a_constant_stays_where_it_is():
    np.testing.assert_allclose(smooth([3.0] * 50), 3.0)  # without the correction it would begin at 0.15


def test_two_values_by_hand():
    first, second = smooth([1.0, 3.0], weight=0.5)
    assert first == pytest.approx(1.0)
    assert second == pytest.approx((0.25 * 1 + 0.5 * 3) / 0.75)


def test_weight_zero_smooths_nothing_and_no_values_give_none():
    np.testing.assert_allclose(smooth([1, 5, 2], weight=0), [1, 5, 2])
    assert smooth([]).shape == (0,)


@pytest.mark.parametrize("weight", [1.0, -0.1, 2])
def test_a_weight_outside_its_range_is_refused(weight):
    with pytest.raises(ValueError, match=r"expected a number from 0 to below 1"):
        smooth([1.0], weight)


def test_each_term_has_its_panel():
    plot_loss_terms({"rec_loss": [3.0, 2.0], "kl_loss": [0.0, 1.0]}, "Losses", weight=0.5)
    axes = plt.gcf().axes
    assert len(axes) == 2
    assert axes[0].get_title().startswith("rec_loss")
    np.testing.assert_allclose(axes[1].lines[0].get_ydata(), [0.0, 1.0])
    assert plt.gcf().get_suptitle() == "Losses"


def test_runs_share_a_panel_and_a_legend():
    compare_curves({"a": [2.0, 1.0], "b": [3.0, 2.0, 1.0]}, "loss in nats", title="Two runs")
    axis = plt.gca()
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b"]
    assert axis.lines[1].get_xdata().tolist() == [1, 2, 3]
    assert len({line.get_linestyle() for line in axis.lines}) == 2  # told apart in grey, too
