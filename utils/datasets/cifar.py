"""CIFAR-10 as bytes on the training device, or scenes drawn by code when it cannot be had."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from utils.datasets import scenes
from utils.datasets._cache import Source, announce, data_dir, shorten, try_download
from utils.datasets._torchvision import import_torchvision
from utils.training.device import Device

DOWNLOAD_MB = 170
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FOLDER = "cifar-10-batches-py"
_EXCERPT = "cifar10_head.npz"  # the beginning of each file of CIFAR-10, for machines that cannot download the whole
_STAND_IN_SIZES = {True: 10_000, False: 1_000}


class CIFAR10Dataset(Dataset):
    """Small colour photographs of ten kinds of things; one item is `(image, label)`.

    All images stay on `device` as bytes (154 MB for the training set, a quarter of what float32 takes); what is taken
    out of the data set is converted then, a batch at a time.

    Args:
        train: The 50,000 training images if True, else the 10,000 test images.
        device: Where the tensors live.
        limit: Keep only the first `limit` images (a fast mode's choice); None keeps all.

    Attributes:
        images: uint8, shape (N, 3, 32, 32), RGB, from 0 to 255.
        labels: int64, shape (N,), indices into `classes`.
        classes: The ten names.
        source: Where the images come from; `source.title(text)` names a stand-in in a figure's title.
        is_stand_in: True when these are not CIFAR-10's images.

    Raises:
        ValueError: If `limit` is not a positive number.
        RuntimeError: If CIFAR-10's files are there but damaged, and cannot be fetched again.

    Source:
        Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images, through torchvision.
    """

    def __init__(self, train: bool = True, device: torch.device = Device, limit: int | None = None):
        if limit is not None and limit < 1:
            raise ValueError(f"CIFAR10Dataset: limit is {limit}, expected a positive number; None keeps all images.")
        images, labels, self.source = _load(train)
        self.classes = scenes.CLASSES if self.is_stand_in else CLASSES
        self.images = images[:limit].to(device)
        self.labels = labels[:limit].to(device)
        part = "training" if train else "test"
        announce(f"{self.source}: {len(self):,} {part} images of 3x32x32 bytes on {torch.device(device)}.")

    @property
    def is_stand_in(self) -> bool:
        return self.source.is_stand_in

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images as float32 in [0, 1], and their labels."""
        return images_0_1(self.images[index]), self.labels[index]


def images_0_1(images: Tensor | np.ndarray) -> Tensor:
    """Images as the networks take them.

    Args:
        images: Bytes from 0 to 255 (uint8), or floats from 0 to 1, of any shape.

    Returns:
        float32, values in [0, 1], same shape, on the device the images are on.

    Raises:
        ValueError: If the images are neither bytes nor floats, or floats outside [0, 1].
    """
    images = torch.as_tensor(images)
    if images.dtype == torch.uint8:
        return images.float() / 255
    if not images.is_floating_point():
        raise ValueError(f"images_0_1: images are {images.dtype}, expected uint8 (0 to 255) or floats (0 to 1).")
    if images.numel() and not (images.min() >= 0 and images.max() <= 1):
        low, high = images.min().item(), images.max().item()
        raise ValueError(f"images_0_1: values run from {low:.3g} to {high:.3g}, expected 0 to 1; divide bytes by 255.")
    return images.float()


def _load(train: bool) -> tuple[Tensor, Tensor, Source]:
    """Bytes, labels and source: CIFAR-10's files, an excerpt of them, a download, else the stand-in."""
    folder = data_dir()
    if (folder / _FOLDER).is_dir():
        return *_read_or_mend(folder, train), Source("CIFAR-10")
    if (folder / _EXCERPT).is_file():
        return *_read_excerpt(folder / _EXCERPT, train), Source("CIFAR-10, first 1,017 images of each file")
    announce(f"CIFAR-10 is not in {shorten(folder)}: downloading {DOWNLOAD_MB} MB ...")
    reason = try_download(lambda: _files(folder, train, download=True))
    if reason is None:
        return *_read(folder, train), Source("CIFAR-10")
    announce(
        "CIFAR-10 not found and not downloadable: using coloured 32x32 scenes drawn by code (ten classes).\n"
        f"  Reason: {reason}.\n  Try again online, or unpack cifar-10-python.tar.gz into {shorten(folder)}."
    )
    return *scenes.draw_scenes(_STAND_IN_SIZES[train], seed=int(train)), Source("drawn scenes", is_stand_in=True)


def _read_or_mend(folder: Path, train: bool) -> tuple[Tensor, Tensor]:
    """The files of a folder that exists; a damaged one (an interrupted unpacking) is fetched once more."""
    try:
        return _read(folder, train)
    except (RuntimeError, OSError):
        announce(
            f"CIFAR-10 in {shorten(folder / _FOLDER)} is incomplete or damaged: fetching {DOWNLOAD_MB} MB again ..."
        )
    reason = try_download(lambda: _files(folder, train, download=True))
    if reason is not None:
        raise RuntimeError(
            f"CIFAR10Dataset: the files in {shorten(folder / _FOLDER)} are damaged and could not be fetched again ({reason}); "
            "delete that folder and run the cell again."
        )
    return _read(folder, train)


def _read(folder: Path, train: bool) -> tuple[Tensor, Tensor]:
    data = _files(folder, train)
    return torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(data.targets)


def _files(folder: Path, train: bool, download: bool = False):
    """torchvision's CIFAR-10, which compares every file with its MD5 sum before it is read."""
    return import_torchvision().datasets.CIFAR10(folder, train=train, download=download)


def _read_excerpt(file: Path, train: bool) -> tuple[Tensor, Tensor]:
    part = "train" if train else "test"
    with np.load(file) as arrays:
        return torch.from_numpy(arrays[f"x_{part}"]), torch.from_numpy(arrays[f"y_{part}"]).long()
