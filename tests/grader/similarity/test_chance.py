"""Rarity decides, and the figure of chance is true of pairs that are independent by construction."""

import numpy as np
import pytest

from grader.similarity.chance import chance, surprise
from grader.similarity.rarity import shared


def _pairs(n: int) -> np.ndarray:
    return np.triu(np.ones((n, n), bool), 1)


def test_what_half_the_class_writes_says_nothing_and_what_two_write_a_lot() -> None:
    students = [{f"own {k}", *({"usual"} if k < 50 else ()), *({"rare"} if k in (3, 70) else ())} for k in range(100)]
    found = shared(students)
    alike = found.alike(100)
    assert alike[3, 70] == pytest.approx(np.log(25) / 3)
    assert alike[0, 1] == 0
    assert found.common(3, 70) == {"rare": 2}
    assert found.common(0, 1) == {}


def test_earlier_years_make_common_what_looked_rare() -> None:
    now = [{"a", f"own {k}"} if k < 2 else {f"own {k}"} for k in range(20)]
    before = [{"a", f"old {k}"} for k in range(40)]
    assert shared(now).alike(20)[0, 1] > 0
    assert shared([*now, *before]).alike(20)[0, 1] == 0


def test_surprise_counts_the_pairs_that_are_as_alike() -> None:
    alike = np.zeros((5, 5), np.float32)
    alike[0, 1], alike[0, 2], alike[1, 2] = 0.9, 0.4, 0.4
    found = surprise(alike, _pairs(5))
    assert found[0, 1] == pytest.approx(np.log(10))
    assert found[0, 2] == found[1, 2] == pytest.approx(np.log(10 / 3))
    assert found[3, 4] == 0


def _class(n: int, seed: int, habit: float, copies: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Surprises of twelve topics; students have a habit that runs through all of them."""
    random = np.random.default_rng(seed)
    topics = []
    habits = random.integers(0, 4, n)
    answers = []
    for _ in range(12):
        own = random.integers(0, 5, n)
        answers.append(np.where(random.random(n) < habit, habits, own))
    for k in range(copies):
        for answer in answers:
            answer[2 * k] = answer[2 * k + 1]
    for answer in answers:
        share = np.bincount(answer, minlength=5) / n
        alike = np.where(answer[:, None] == answer[None, :], 1 - share[answer][:, None], 0).astype(np.float32)
        topics.append(surprise(alike, _pairs(n)))
    return topics, sum(topics)


@pytest.mark.parametrize("habit", [0.0, 0.2, 0.4])
def test_independent_pairs_are_told_the_truth(habit: float) -> None:
    seen = {0.1: 0.0, 0.01: 0.0, 0.001: 0.0}
    for seed in range(4):
        topics, totals = _class(200, seed, habit)
        found = chance(topics).probability(totals[_pairs(200)])
        for level in seen:
            seen[level] += float((found <= level).mean()) / 4
    for level, share in seen.items():
        assert share <= 2.5 * level, "it must not accuse"
    assert seen[0.01] >= 0.001, "it must say something"


def test_copies_among_them_stand_out_and_hardly_move_the_rest() -> None:
    topics, totals = _class(200, 1, 0.0, copies=10)
    found = chance(topics).probability(totals)
    assert max(found[2 * k, 2 * k + 1] for k in range(10)) < 1e-3
    assert float((found[_pairs(200)] <= 0.1).mean()) == pytest.approx(0.1, abs=0.06)


def test_the_same_class_has_the_same_figures_and_a_higher_total_a_smaller_one() -> None:
    topics, _ = _class(60, 3, 0.2)
    totals = np.linspace(0, 60, 200)
    first, again = chance(topics).probability(totals), chance(topics).probability(totals)
    assert np.array_equal(first, again)
    assert np.all(np.diff(first) <= 1e-12)
    assert first.min() > 0


def test_a_class_that_shares_nothing_has_no_surprise() -> None:
    topics = [np.zeros((6, 6), np.float32)] * 3
    assert np.all(chance(topics).probability(np.zeros(5)) == 1)
