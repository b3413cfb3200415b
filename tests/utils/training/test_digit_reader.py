import pytest
import torch
from torch.utils.data import TensorDataset

from utils.training.digit_reader import read_digits, sure_share, train_judge


@pytest.fixture(scope="module")
def data():
    """Ten classes that differ by which rows are inked."""
    torch.manual_seed(0)
    labels = torch.arange(10).repeat(60)
    images = 0.1 * torch.rand(600, 1, 28, 28)
    for i, label in enumerate(labels.tolist()):
        images[i, 0, 2 * label : 2 * label + 4] += 0.8
    data = TensorDataset(images, labels)
    data.images, data.labels = images, labels  # type: ignore[attr-defined]
    return data


@pytest.fixture(scope="module")
def judge(data):
    return train_judge(data, epochs=8)


def test_it_reads_what_it_was_taught(judge, data):
    digits, sure = read_digits(judge, data.images)
    assert (digits == data.labels).float().mean() > 0.99
    assert sure.shape == (600,)


def test_it_is_less_sure_of_a_mixture(judge, data):
    mixed = data.images.flip(0) / 2 + data.images.roll(1, 0) / 2
    assert sure_share(judge, mixed) < sure_share(judge, data.images)
    assert read_digits(judge, mixed.reshape(600, 784))[0].shape == (600,)


def test_training_it_leaves_the_notebooks_random_numbers_alone(data):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    train_judge(data, epochs=1)
    assert torch.equal(torch.rand(2), expected)
