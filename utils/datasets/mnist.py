"""MNIST as tensors on the training device, or real handwriting of the same shape when it cannot be had."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Dataset

from utils.datasets._cache import Source, announce, data_dir, shorten, try_download
from utils.datasets._torchvision import import_torchvision
from utils.training.device import Device

DOWNLOAD_MB = 11.6  # the four compressed files
_STAND_IN_TRAIN = 1500  # of scikit-learn's 1,797 digits; the rest is the test set
_PAD = 4  # MNIST's digits fill 20x20 pixels of the 28x28


class MNISTDataset(Dataset):
    """Handwritten digits; one item is `(image, label)`.

    All images are kept as one tensor on `device`, because turning 60,000 small files into tensors again in every
    epoch costs more than training on them.

    Args:
        train: The 60,000 training images if True, else the 10,000 test images.
        device: Where the tensors live.
        limit: Keep only the first `limit` images (a fast mode's choice); None keeps all.

    Attributes:
        images: float32, shape (N, 1, 28, 28), from 0 (paper) to 1 (ink).
        labels: int64, shape (N,), from 0 to 9.
        source: Where the images come from; `source.title(text)` names a stand-in in a figure's title.
        is_stand_in: True when these are not MNIST's images.

    Raises:
        ValueError: If `limit` is not a positive number.
        RuntimeError: If MNIST's files are there but damaged.

    Source:
        LeCun, Cortes and Burges, the MNIST database of handwritten digits, through torchvision.
    """

    def __init__(self, train: bool = True, device: torch.device = Device, limit: int | None = None):
        if limit is not None and limit < 1:
            raise ValueError(f"MNISTDataset: limit is {limit}, expected a positive number; None keeps all images.")
        images, labels, self.source = _load(train)
        self.images = images[:limit].to(device)
        self.labels = labels[:limit].to(device)
        part = "training" if train else "test"
        announce(f"{self.source}: {len(self):,} {part} images of 28x28 pixels on {torch.device(device)}.")

    @property
    def is_stand_in(self) -> bool:
        return self.source.is_stand_in

    @property
    def tensors(self) -> tuple[Tensor, Tensor]:
        """Images and labels, as `TensorLoader` and `TensorDataset` know them."""
        return self.images, self.labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | Tensor | slice) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]

    def of_class(self, digit: int, count: int) -> Tensor:
        """The first images of one class.

        Args:
            digit: The class, 0 to 9.
            count: How many.

        Returns:
            Images, float32, shape (count, 1, 28, 28), values in [0, 1].

        Raises:
            ValueError: If the data set holds fewer than `count` images of this class.
        """
        found = self.images[self.labels == digit]
        if len(found) < count:
            raise ValueError(
                f"MNISTDataset.of_class: {count} images of class {digit} asked for, {len(found)} are there."
            )
        return found[:count]


def _load(train: bool) -> tuple[Tensor, Tensor, Source]:
    """Images in [0, 1], labels and source: MNIST's files if they are there or can be fetched, else the stand-in."""
    folder = data_dir()
    raw = shorten(folder / "MNIST" / "raw")
    mnist = import_torchvision().datasets.MNIST
    reason = None
    if not _is_present(folder):
        announce(f"MNIST is not in {shorten(folder)}: downloading {DOWNLOAD_MB} MB ...")
        reason = try_download(lambda: mnist(folder, download=True))
    if reason is not None:
        announce(
            "MNIST not found and not downloadable: using scikit-learn's handwritten digits\n  (1,797 real ones, "
            f"8x8 enlarged to 28x28). Reason: {reason}.\n  Try again online, or put MNIST's four unpacked files into "
            f"{raw}."
        )
        return *_stand_in(train), Source("scikit-learn digits", is_stand_in=True)
    try:
        data = mnist(folder, train=train)
    except (AssertionError, RuntimeError, ValueError, IndexError) as error:
        raise RuntimeError(
            f"MNISTDataset: the files in {raw} are damaged; delete that folder and run again."
        ) from error
    return data.data.unsqueeze(1) / 255.0, data.targets.long(), Source("MNIST")


def _is_present(folder: Path) -> bool:
    raw = folder / "MNIST" / "raw"
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    return all((raw / f"{part}-{kind}").is_file() for part in ("train", "t10k") for kind in kinds)


def _stand_in(train: bool) -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits  # only here: a second that MNIST's users need not wait

    digits = load_digits()
    small = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0  # (1797, 1, 8, 8)
    inner = 28 - 2 * _PAD
    large = F.interpolate(small, size=(inner, inner), mode="bicubic").clamp(0, 1)
    images = F.pad(large, (_PAD, _PAD, _PAD, _PAD))
    labels = torch.tensor(digits.target, dtype=torch.int64)
    part = slice(None, _STAND_IN_TRAIN) if train else slice(_STAND_IN_TRAIN, None)
    return images[part], labels[part]
