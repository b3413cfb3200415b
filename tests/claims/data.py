"""The real data, read from the folder that is named to the run; never from the network."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Digits:
    """MNIST, as `utils.MNISTDataset` shows it: float32 images in [0, 1], shape (n, 1, 28, 28), and int64 labels."""

    images: Tensor
    labels: Tensor

    @property
    def tensors(self) -> tuple[Tensor, Tensor]:
        return self.images, self.labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


def digits(folder: Path, part: str, device: str) -> Digits:
    """The training ("train") or test ("t10k") digits of MNIST's four files, packed or not."""
    images = _idx(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    labels = _idx(folder, f"{part}-labels-idx1-ubyte", 8)
    return Digits((images.float() / 255).to(device), labels.long().to(device))


def _idx(folder: Path, name: str, header: int) -> Tensor:
    for raw in (folder / "MNIST" / "raw", folder):
        if (raw / f"{name}.gz").is_file():
            return torch.frombuffer(
                bytearray(gzip.decompress((raw / f"{name}.gz").read_bytes())[header:]), dtype=torch.uint8
            )
        if (raw / name).is_file():
            return torch.frombuffer(bytearray((raw / name).read_bytes()[header:]), dtype=torch.uint8)
    raise FileNotFoundError(f"{name} is not in {folder}/MNIST/raw; name the folder that holds MNIST with --data.")


def photographs(folder: Path, device: str) -> tuple[Tensor, Tensor]:
    """CIFAR-10's excerpt `cifar10_head.npz`: training and test images as bytes, shapes (5085 and 1017, 3, 32, 32)."""
    with np.load(folder / "cifar10_head.npz") as arrays:
        return torch.from_numpy(arrays["x_train"]).to(device), torch.from_numpy(arrays["x_test"]).to(device)
