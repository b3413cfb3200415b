"""Visible checks: a right value passes however it is held, a wrong one fails with the sentence that helps."""

import math

import numpy as np
import pytest
import torch

from utils.exercise.expect import ExpectationError, expect_close, expect_equal, expect_shape, expect_true, rel_error


def message(check, *args, **kwargs) -> str:
    with pytest.raises(ExpectationError) as caught:
        check(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    "got",
    [
        torch.tensor([1.0, 2.0]),
        torch.tensor([1.0, 2.0], dtype=torch.float64),
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([1.0, 2.0]).bfloat16(),
        np.array([1.0, 2.0], dtype=np.float32),
    ],
    ids=["float32", "float64", "with gradient", "bfloat16", "numpy"],
)
def test_a_right_value_passes_however_it_is_held(got, capsys):
    expect_close("v", got, torch.tensor([1.0, 2.0]))
    assert capsys.readouterr().out == "v: error 0.0e+00 (allowed 2e-05), passed\n"


def test_the_printed_error_is_measured(capsys):
    expect_close("D_KL", 0.5 + 3e-6, 0.5, rtol=0)
    assert capsys.readouterr().out == "D_KL: error 3.0e-06 (allowed 1e-05), passed\n"


def test_a_number_is_as_good_as_a_scalar_tensor():
    expect_close("v", torch.tensor(2.0), 2.0)
    expect_close("v", 2.0, torch.tensor(2.0))
    expect_close("v", np.float32(2.0), 2.0)


def test_tolerance_is_absolute_plus_relative():
    expect_close("v", 1000.009, 1000.0, rtol=1e-5, atol=0)
    assert "error 0.011 (allowed 0.01)" in message(expect_close, "v", 1000.011, 1000.0, rtol=1e-5, atol=0)


def test_a_wrong_value_says_where_and_how_far():
    got = torch.tensor([[1.0, 2.0], [3.0, 4.5]])
    text = message(expect_close, "z", got, torch.tensor([[1.0, 2.0], [3.0, 4.0]]), hint="See the last line.")
    assert text == "z: error 0.5 (allowed 5e-05), got 4.5, expected 4 at index [1, 1]. See the last line."


def test_a_known_slip_is_named():
    slips = {"you averaged where the formula sums.": torch.tensor(0.1), "unused.": torch.tensor(7.0)}
    text = message(expect_close, "kl", torch.tensor(0.1), torch.tensor(0.4), slips=slips)
    assert "This looks like a usual slip: you averaged where the formula sums." in text
    assert "unused" not in text


@pytest.mark.parametrize(("factor", "word"), [(2.0, "twice"), (0.5, "half"), (-1.0, "minus")])
def test_a_constant_factor_is_named(factor, word):
    want = torch.tensor([1.0, 2.0, 5.0])
    assert f"Your value is {word} the expected one everywhere." in message(expect_close, "v", factor * want, want)


def test_what_is_no_value_comes_first():
    assert "v is None (does the function end with `return`?)" in message(expect_close, "v", None, torch.zeros(3))
    assert "v is (1, 2), expected a tensor of shape (3,)" in message(expect_close, "v", (1, 2), torch.zeros(3))


def test_a_wrong_shape_comes_before_values():
    text = message(expect_close, "v", torch.zeros(3, 1), torch.ones(3), hint="Sum over the last dimension.")
    assert text == "v has shape (3, 1), expected (3,). Sum over the last dimension."


def test_a_wrong_kind_of_number_comes_before_values():
    text = message(expect_close, "v", torch.tensor([1, 2]), torch.tensor([1.0, 2.0]))
    assert text == "v holds integers, expected floating-point numbers."


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite_never_pass(bad):
    text = message(expect_close, "v", torch.tensor([1.0, bad]), torch.tensor([1.0, 2.0]))
    assert text.startswith("v is not finite: 1 of 2 values are nan or inf.")


def test_an_infinity_that_is_expected_does_not_let_others_pass():
    assert "error" in message(expect_close, "v", torch.tensor([math.nan]), torch.tensor([math.inf]))
    assert "error" in message(expect_close, "v", torch.tensor([1.0]), torch.tensor([math.inf]))


def test_a_shape_is_compared_and_explained(capsys):
    expect_shape("z", torch.zeros(128, 20), (128, 20))
    assert capsys.readouterr().out == "z: shape (128, 20), passed\n"
    text = message(expect_shape, "z", torch.zeros(128, 1), (128, 20), "eps must have the shape of mu.")
    assert text == "z has shape (128, 1), expected (128, 20). eps must have the shape of mu."
    assert message(expect_shape, "z", 3, (1,)) == "z is 3, expected a tensor of shape (1,)."


def test_equality_covers_counts_tuples_and_tensors(capsys):
    expect_equal("n", 5, 5)
    expect_equal("n", torch.tensor(5), 5)
    expect_equal("sizes", (1, 2), (1, 2))
    expect_equal("labels", torch.tensor([1, 2]), torch.tensor([1, 2]))
    assert capsys.readouterr().out.count("passed") == 4
    assert message(expect_equal, "n", 4, 5, "Count the biases.") == "n is 4, expected 5. Count the biases."
    assert "got 3, expected 2" in message(expect_equal, "labels", torch.tensor([1, 3]), torch.tensor([1, 2]))
    assert message(expect_equal, "n", torch.zeros(3), 5) == "n is a tensor of shape (3,), expected 5."


def test_a_claim_carries_its_hint(capsys):
    expect_true("noise differs", torch.tensor(True), "Draw eps anew.")
    assert capsys.readouterr().out == "noise differs: passed\n"
    assert message(expect_true, "noise differs", False, "Draw eps anew.") == (
        "noise differs: this does not hold. Draw eps anew."
    )


def test_jupyter_shows_one_sentence_and_no_stack():
    assert ExpectationError("z is wrong.")._render_traceback_() == ["Not yet. z is wrong."]


def test_relative_error():
    assert rel_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0])) == 0.0
    assert rel_error(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0])) == pytest.approx(0.5)
    assert rel_error(1.0, -1.0) == pytest.approx(1.0 * 2 / 2)
    with pytest.raises(ValueError, match=r"x has shape \(2,\) and y has shape \(3,\)"):
        rel_error(torch.zeros(2), torch.zeros(3))


def test_a_hint_stands_only_where_no_slip_is_named():
    with pytest.raises(ExpectationError) as named:
        expect_close("a", torch.tensor(2.0), 1.0, slips={"the half is missing.": 2.0}, hint="Look at the sum.")
    assert "the half is missing." in str(named.value)
    assert "Look at the sum." not in str(named.value)
    with pytest.raises(ExpectationError, match=r"Look at the sum\."):
        expect_close("a", torch.tensor(3.7), 1.0, slips={"the half is missing.": 2.0}, hint="Look at the sum.")


@pytest.mark.parametrize("got", [[32, 64], (1, "a"), {"a": 1}, {3}])
def test_expect_equal_shows_what_it_was_given(got):
    with pytest.raises(ExpectationError) as caught:
        expect_equal("widths", got, [64, 32])
    assert f"widths is {got!r}, expected [64, 32]." in str(caught.value)


def test_expect_equal_shortens_what_is_long():
    with pytest.raises(ExpectationError) as caught:
        expect_equal("widths", list(range(1000)), [64, 32])
    assert len(str(caught.value)) < 200
