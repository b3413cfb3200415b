"""Batches for data that fits in memory.

A `DataLoader` fetches one item at a time and stacks them again for every batch. For a few thousand small examples that
costs more than the training step, so `TensorLoader` stacks once, on the training device, and then only picks rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

_Column = Tensor | tuple[str, ...]


class TensorLoader:
    """Serves batches like `torch.utils.data.DataLoader`, from tensors kept on one device.

    Args:
        dataset: Anything with a length and items that are a tensor, an array, or a tuple of tensors, arrays, numbers
            and strings. A dataset with an attribute `tensors`, as `TensorDataset` has, is not read item by item.
        batch_size: Examples a batch, at least 1.
        shuffle: Draw a new order in every epoch.
        drop_last: Leave out the last batch when it is not full.
        device: Where the batches live; where the data is when None.
        generator: Source of the order, on the CPU; torch's global one when None. The order is drawn on the CPU, so one
            seed gives the same batches on every device.

    Attributes:
        dataset: As given.
        batch_size: As given.
        drop_last: As given.

    Raises:
        ValueError: If the dataset is empty or `batch_size` is below 1.
        TypeError: If the items are of another kind.
    """

    def __init__(
        self,
        dataset: Dataset | Sequence[Any],
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        *,
        device: torch.device | str | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"TensorLoader: batch_size is {batch_size}, expected at least 1.")
        if len(dataset) == 0:  # type: ignore[arg-type]
            raise ValueError("TensorLoader: the dataset is empty; give it at least one example.")
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self._shuffle = shuffle
        self._generator = generator
        columns = _read(dataset)
        self._is_single = isinstance(columns, Tensor)
        self._columns = [_place(column, device) for column in ([columns] if isinstance(columns, Tensor) else columns)]

    def __len__(self) -> int:
        """Batches an epoch."""
        full, rest = divmod(len(self._columns[0]), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        """One epoch of batches.

        Yields:
            A list with one entry a column: a tensor of shape (batch_size, ...) or a tuple of str. When the items are
            tensors, the tensor alone. Batches are copies: changing one in place leaves the data as it is.
        """
        n = len(self._columns[0])
        order = torch.randperm(n, generator=self._generator) if self._shuffle else torch.arange(n)
        for rows in order.split(self.batch_size)[: len(self)]:
            batch = [_pick(column, rows) for column in self._columns]
            yield batch[0] if self._is_single else batch


def _read(dataset: Any) -> Tensor | list[_Column]:
    if hasattr(dataset, "tensors"):
        return list(dataset.tensors)
    try:
        columns = default_collate([dataset[i] for i in range(len(dataset))])
    except TypeError:
        columns = None
    if isinstance(columns, Tensor):
        return columns
    if isinstance(columns, list | tuple) and all(isinstance(column, Tensor | tuple) for column in columns):
        return list(columns)
    raise TypeError(
        f"TensorLoader: the items are of type {type(dataset[0]).__name__}, expected a tensor or a tuple of tensors, "
        "arrays, numbers and strings; use torch.utils.data.DataLoader for anything else."
    )


def _place(column: _Column, device: torch.device | str | None) -> _Column:
    return column.to(device) if isinstance(column, Tensor) and device is not None else column


def _pick(column: _Column, rows: Tensor) -> _Column:
    if isinstance(column, Tensor):
        return column[rows.to(column.device)]
    return tuple(column[row] for row in rows.tolist())
