"""What measuring handed-in weights costs, of one notebook; `python -m tests.weights_cost` measures all."""

from tests.weights_cost import LIMIT, measure


def test_a_submission_with_its_weights_costs_less_than_is_promised():
    (cost,) = measure(["02_airfoil_vae"], rounds=2)
    assert len(cost.with_weights) == len(cost.without) == 2
    assert 0 < min(cost.with_weights) < LIMIT
    assert cost.row.startswith("| 02_airfoil_vae | 1 | ")
