"""A made class: copies are found at one false pair in a thousand, whatever hides them; and everything else that counts."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from grader.similarity.answers import Answers
from grader.similarity.compare import Comparison, compare
from grader.similarity.topics import WRONG_WEIGHT
from tests.similarity.classes import HELD_OUT, STRENGTHS, MadeClass, made_class
from tests.similarity.figures import calibration, found_at, mixed

NAME = "03_mnist_vae"


@cache
def _made() -> tuple[MadeClass, Comparison]:
    made = made_class(NAME, 110, [*mixed(STRENGTHS, 12), *HELD_OUT[:6]], seed=5)
    return made, compare(NAME, made.students)


def test_copies_are_found_at_one_false_pair_in_a_thousand() -> None:
    made, compared = _made()
    assert compared.totals is not None
    found = found_at(compared.totals, made)
    for kind in STRENGTHS[:4]:
        assert found.told(kind.name) == "2/2"
    assert found.found["loops rewritten"] >= 1
    assert sum(found.found[kind.name] for kind in HELD_OUT) >= 4


def test_the_figure_of_chance_does_not_accuse() -> None:
    made, compared = _made()
    told = calibration(compared, made)
    assert told.shares[0.1] <= 0.15
    assert told.shares[0.01] <= 0.02
    assert told.shares[0.001] <= 0.004
    assert told.false_alarms <= 1


def test_pairs_that_stand_out_are_copies_and_clusters_hold_them() -> None:
    made, compared = _made()
    copies = {tuple(sorted(pair)) for pair in made.copies}
    standing = [(pair.first, pair.second) for pair in compared.pairs if pair.expected <= 0.1]
    assert len(standing) >= 6
    assert len([pair for pair in standing if pair not in copies]) <= 1
    assert {student for pair in standing for student in pair} == {
        student for cluster in compared.clusters for student in cluster
    }


def test_no_class_is_too_small_or_too_much_alike() -> None:
    made, _ = _made()
    assert compare(NAME, made.students[:3]).pairs == ()
    assert compare(NAME, made.students[:4]).n_pairs == 6
    same = [replace(made.students[0], student=f"s{k}") for k in range(8)]
    assert compare(NAME, same).pairs == (), "what all write says nothing"
    empty = [
        Answers(student=f"s{k}", notebook=NAME, code={}, words={}, pictures={}, quiet=frozenset()) for k in range(8)
    ]
    assert compare(NAME, empty).pairs == ()


def _surprise(compared: Comparison, topic: str, first: int, second: int) -> float:
    (found,) = [one for one in compared.topics if one.id == topic]
    return float(found.surprise[first, second])


@cache
def _plain() -> tuple[Answers, ...]:
    return made_class(NAME, 40, [], seed=8, is_restyled=False).students


def test_words_pictures_slips_and_traces_count() -> None:
    """Without code, which in a class made of few answers is alike by chance as often as these are."""
    students = list(_plain())
    question = "ae.samples.manual"
    for k, student in enumerate(students):
        text = f"student {k} saw some {k} blots and thought of {k} reasons for it"
        students[k] = replace(student, code={}, words={question: text}, pictures={question: frozenset({f"p{k}"})})
    shared_text = "The codes spread like spilled ink, so a draw from the prior lands between the islands."
    for k in (4, 9):
        students[k] = replace(
            students[k], words={question: f"{shared_text} ({k})"}, pictures={question: frozenset({"same"})},
            slips=frozenset({"a: b"}), quiet=frozenset({"metadata:tag=1"}),
        )  # fmt: skip
    compared = compare(NAME, students)
    most = np.log(compared.n_pairs)
    assert _surprise(compared, question, 4, 9) == pytest.approx(1.5 * most, rel=0.01)
    assert _surprise(compared, "slips", 4, 9) == pytest.approx(most, rel=0.01)
    assert _surprise(compared, "quiet", 4, 9) == pytest.approx(0.5 * most, rel=0.01)
    assert _surprise(compared, question, 5, 9) < 1
    assert (compared.pairs[0].first, compared.pairs[0].second) == (4, 9)


def test_identical_wrong_answers_count_more_than_identical_right_ones() -> None:
    students = list(_plain())
    odd = "def interpolate_linear(x, y, steps):\n    return torch.stack([x.mul(w / 7) + y.cos() for w in range(steps + 3)])"
    for k in (2, 30):
        students[k] = replace(students[k], code={**students[k].code, "vae.interpolate": odd}, wrong=frozenset())
    right = _surprise(compare(NAME, students), "vae.interpolate", 2, 30)
    for k in (2, 30):
        students[k] = replace(students[k], wrong=frozenset({"vae.interpolate"}))
    assert _surprise(compare(NAME, students), "vae.interpolate", 2, 30) == pytest.approx(WRONG_WEIGHT * right)
    assert right > 5


def test_a_copy_of_an_earlier_year_is_found() -> None:
    made, _ = _made()
    in_copies = {student for pair in made.copies for student in pair}
    alone = [student for k, student in enumerate(made.students) if k not in in_copies]
    now = alone[:40]
    before = [replace(student, student=f"old {k}", is_earlier=True) for k, student in enumerate(alone[40:70])]
    now[7] = replace(now[7], code=dict(before[3].code))
    compared = compare(NAME, [*before, *now])
    best = compared.pairs[0]
    assert (compared.students[best.first].student, compared.students[best.second].student) == (now[7].student, "old 3")
    assert compared.n_pairs == 40 * 39 // 2 + 40 * 30
    assert not any(compared.students[pair.first].is_earlier for pair in compared.pairs)
