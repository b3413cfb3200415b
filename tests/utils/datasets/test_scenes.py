"""The stand-in for CIFAR-10: always the same, ten classes one can tell apart."""

import hashlib

import pytest
import torch

from utils.datasets.scenes import CLASSES, draw_scenes


def test_same_seed_same_scenes_other_seed_others():
    first, again, other = draw_scenes(30, 0), draw_scenes(30, 0), draw_scenes(30, 1)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_shape_range_and_balance():
    images, labels = draw_scenes(200, 3)
    assert images.shape == (200, 3, 32, 32)
    assert images.dtype == torch.uint8
    assert labels.bincount().tolist() == [20] * len(CLASSES)
    assert images.min() < 30
    assert images.max() > 225
    assert labels[:20].unique().numel() > 3, "the classes are not shuffled"


def test_no_two_scenes_are_alike():
    images, _ = draw_scenes(500, 0)
    assert len({hashlib.sha256(image.numpy().tobytes()).digest() for image in images}) == 500


def test_every_class_has_its_own_shape():
    """Colours are random, so the mean edge of a class shows where its objects are: one half finds the other."""
    images, labels = draw_scenes(2000, 0)
    pixels = images.float().mean(1)
    edges = (pixels[:, 1:, 1:] - pixels[:, :-1, 1:]).abs() + (pixels[:, 1:, 1:] - pixels[:, 1:, :-1]).abs()
    classes = range(len(CLASSES))
    one = torch.stack([edges[labels == label][:100].mean(0).flatten() for label in classes])
    other = torch.stack([edges[labels == label][100:].mean(0).flatten() for label in classes])
    assert torch.cdist(one, other).argmin(1).tolist() == list(classes)


@pytest.mark.parametrize("count", [1, 9, 11])
def test_counts_that_are_no_multiple_of_ten(count):
    images, labels = draw_scenes(count, 0)
    assert len(images) == len(labels) == count


def test_no_scene_at_all_is_refused():
    with pytest.raises(ValueError, match="count is 0, expected at least 1"):
        draw_scenes(0, 0)
