"""Lines: what is compared where, as whoever watches sees it."""

import numpy as np

from grader.authoring.judges import alike
from grader.authoring.lines import NAME, SAMPLED, VALUE, beyond, explained, judging, resembles, watched, within


def test_distances_are_seen_with_their_check_and_kind() -> None:
    with judging("some.check"), watched() as seen:
        assert within([0.1, 0.2], 0.4, "error")
        assert not explained(3.0, 2.0, "mean")
        assert resembles(0.0, 1e-3, "slip")
        assert beyond(5.0, 1.0, "size")
    assert [(one.check, one.line, one.kind) for one in seen] == [
        ("some.check", "error", VALUE), ("some.check", "mean", SAMPLED), ("some.check", "slip", NAME), ("some.check", "size", VALUE),
    ]  # fmt: skip
    np.testing.assert_allclose([one.ratio for one in seen], [0.5, 1.5, 0, 0.2])


def test_nobody_watches_outside() -> None:
    with watched() as seen:
        pass
    within(1.0, 2.0, "error")
    assert seen == []


def test_alike_is_on_the_scale_of_the_largest() -> None:
    rows = np.array([[1000.0, 1e-3], [1000.001, 2e-3]])
    assert alike(rows, rows[:1], "rows")
    assert not alike(rows + np.array([[0.0], [1.0]]), rows[:1], "rows")
    assert not alike(np.zeros((2, 1)), np.ones((1, 1)), "rows")
    assert not alike(np.ones(2), np.ones(3), "rows")


def test_empty_values_are_alike_only_in_one_shape() -> None:
    assert alike(np.empty((0, 2)), np.empty((0, 2)), "rows")
    assert not alike(np.empty((0, 2)), np.empty((0, 3)), "rows")
