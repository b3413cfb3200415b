"""What the zygote reports becomes the name of a tier."""

import itertools

import pytest

from grader.sandbox.tiers import TIERS, is_at_least, tier_of

NAMES = ("namespaces", "uid", "landlock", "seccomp")


@pytest.mark.parametrize(
    ("features", "tier"),
    [
        ({"namespaces", "uid", "landlock", "seccomp"}, "A"),
        ({"namespaces", "uid", "seccomp"}, "A"),
        ({"uid", "landlock", "seccomp"}, "B"),
        ({"uid", "seccomp"}, "B-"),
        ({"landlock", "seccomp"}, "C"),
        ({"namespaces", "seccomp"}, "C"),
        ({"seccomp"}, "D"),
        ({"namespaces", "uid", "landlock"}, "E"),
        (set(), "E"),
    ],
)
def test_the_tier_of_features(features, tier):
    assert tier_of({name: name in features for name in NAMES}) == tier


def test_a_feature_more_never_makes_it_weaker():
    for values in itertools.product([False, True], repeat=len(NAMES)):
        features = dict(zip(NAMES, values, strict=True))
        for name in NAMES:
            assert is_at_least(tier_of(features | {name: True}), tier_of(features))


def test_an_order_from_strong_to_weak():
    assert list(TIERS) == ["A", "B", "B-", "C", "D", "E"]
    assert is_at_least("A", "C")
    assert is_at_least("C", "C")
    assert not is_at_least("D", "C")
    assert all(tier.lacks and tier.confined_by and tier.where for tier in TIERS.values())
