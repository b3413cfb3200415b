"""A reader of digits that was trained on real ones: how good samples are, measured beside the eye's verdict."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from utils.datasets.mnist import MNISTDataset

SURE = 0.95  # from this probability on the reader counts as sure


def train_judge(data: MNISTDataset, epochs: int = 3, seed: int = 0) -> nn.Module:
    """Train a small classifier of digits.

    Args:
        data: The digits to learn from.
        epochs: Passes over the data.
        seed: Of its weights and batches; torch's own random state is left as it was.

    Returns:
        A network in eval mode, on the data's device, from images, shape (N, 784), to logits, shape (N, 10).
    """
    device = data.images.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        judge = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 10)).to(device)
        optimizer = torch.optim.Adam(judge.parameters(), lr=1e-3)
        for _ in range(epochs):
            for images, labels in DataLoader(data, 128, shuffle=True):
                loss = F.cross_entropy(judge(images.flatten(1)), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return judge.eval()


@torch.no_grad()
def read_digits(judge: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """What the judge reads, and how sure it is.

    Args:
        judge: From `train_judge`.
        images: Values in [0, 1], any shape with N first and 784 pixels each.

    Returns:
        The digits, int64, shape (N,), and their probabilities, float, shape (N,).
    """
    device = next(judge.parameters()).device
    probabilities = judge(images.reshape(len(images), -1).to(device)).softmax(dim=1)
    sure, digits = probabilities.max(dim=1)
    return digits, sure


def sure_share(judge: nn.Module, images: Tensor) -> float:
    """The share of images, from 0 to 1, in which the judge is sure to see some digit."""
    return (read_digits(judge, images)[1] >= SURE).float().mean().item()
