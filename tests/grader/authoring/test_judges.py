"""Comparison: what looks equal to numpy is not always an answer."""

import numpy as np
import pytest

from grader.authoring.judges import close, close_gradients, differs

EXPECTED = np.linspace(1, 2, 16, dtype=np.float32)


@pytest.mark.parametrize(
    ("got", "symptom"),
    [
        (np.empty(0, np.float32), "shape"),
        (np.ones(1, np.float32), "shape"),
        (EXPECTED[:, None], "shape"),
        (np.full(16, np.nan, np.float32), "NaN"),
        (np.full(16, np.inf, np.float32), "NaN or infinity"),
        (EXPECTED.astype(np.int64), "dtype"),
        (EXPECTED + 0.01, "largest error 0.01"),
        (None, "missing"),
    ],
)
def test_what_is_no_answer_is_said(got: np.ndarray | None, symptom: str) -> None:
    assert symptom in (differs("value", got, EXPECTED, 1e-4, 1e-5) or "")


@pytest.mark.parametrize("got", [EXPECTED, EXPECTED.astype(np.float64), EXPECTED * (1 + 1e-6)])
def test_the_same_values_in_any_float_type_pass(got: np.ndarray) -> None:
    assert differs("value", got, EXPECTED, 1e-4, 1e-5) is None


def test_the_sentence_does_not_tell_the_reference() -> None:
    text = differs("value", EXPECTED + 1000, np.full(16, 3.14159, np.float32), 1e-4, 1e-5)
    assert text is not None
    assert "3.14" not in text


def test_every_key_of_the_reference_is_asked_for() -> None:
    judge = close()
    assert judge({"a": EXPECTED}, {"a": EXPECTED, "b": EXPECTED}, {}) is not None
    assert judge({"a": EXPECTED, "b": EXPECTED, "more": EXPECTED}, {"a": EXPECTED, "b": EXPECTED}, {}) is None


def test_a_lost_gradient_is_named() -> None:
    symptom = close_gradients()({"d_mu": EXPECTED}, {"d_mu": EXPECTED, "d_logvar": EXPECTED}, {})
    assert symptom is not None
    assert "no gradient reaches logvar" in symptom.text
