"""`TensorLoader` serves what `DataLoader` serves, from memory."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from utils.training.loaders import TensorLoader

PAIRS = [(np.full(3, i, dtype=np.float32), f"n{i}") for i in range(10)]


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 64])
@pytest.mark.parametrize("drop_last", [False, True])
def test_in_order_it_equals_dataloader(batch_size, drop_last):
    ours = list(TensorLoader(PAIRS, batch_size, drop_last=drop_last))
    theirs = list(DataLoader(PAIRS, batch_size, drop_last=drop_last))
    assert len(ours) == len(theirs) == len(TensorLoader(PAIRS, batch_size, drop_last=drop_last))
    for (y, names), (their_y, their_names) in zip(ours, theirs, strict=True):
        assert torch.equal(y, their_y)
        assert names == tuple(their_names)


def test_shuffle_shows_every_example_once_an_epoch_and_keeps_rows_together():
    loader = TensorLoader(PAIRS, 4, shuffle=True)
    orders = []
    for _ in range(3):
        names = [name for y, batch in loader for name in batch]
        values = torch.cat([y[:, 0] for y, _ in TensorLoader(PAIRS, 4)])
        assert sorted(names) == sorted(name for _, name in PAIRS)
        assert len(values) == 10
        orders.append(names)
    assert orders[0] != orders[1] or orders[1] != orders[2]
    for y, names in loader:
        assert [f"n{int(row[0])}" for row in y] == list(names)


def test_one_seed_gives_one_order():
    def read():
        loader = TensorLoader(PAIRS, 4, shuffle=True, generator=torch.Generator().manual_seed(3))
        return [names for _, names in loader]

    assert read() == read()


def test_changing_a_batch_leaves_the_data():
    data = TensorDataset(torch.ones(4, 2), torch.arange(4))
    loader = TensorLoader(data, 2)
    for y, _ in loader:
        y.zero_()
    assert all(y.min() == 1 for y, _ in loader)


def test_items_that_are_tensors_come_alone():
    batches = list(TensorLoader([torch.tensor([1.0, 2.0])] * 3, 2))
    assert [batch.shape for batch in batches] == [(2, 2), (1, 2)]


def test_attribute_tensors_is_read_without_touching_items():
    class Fast:
        tensors = (torch.arange(6),)

        def __len__(self):
            return 6

        def __getitem__(self, index):
            raise AssertionError("read item by item")

    assert [len(batch[0]) for batch in TensorLoader(Fast(), 4)] == [4, 2]


def test_batches_live_on_the_device_asked_for():
    y, names = next(iter(TensorLoader(PAIRS, 2, device="meta")))
    assert y.device.type == "meta"
    assert names == ("n0", "n1")


def test_wrong_arguments_are_sentences():
    with pytest.raises(ValueError, match="batch_size is 0, expected at least 1"):
        TensorLoader(PAIRS, 0)
    with pytest.raises(ValueError, match="dataset is empty"):
        TensorLoader([], 2)
    with pytest.raises(TypeError, match="items are of type dict"):
        TensorLoader([{"y": 1}], 2)
    with pytest.raises(TypeError, match="items are of type object"):
        TensorLoader([object()], 2)
