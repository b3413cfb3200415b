"""Make what the grader measures notebook 3's models with: held-out digits, and a judge that students never get.

    python -m assignments.mnist_vae.make_judge

The digits are 30 of each class from MNIST's test images, behind the first 5,000, which the notebook shows. The judge is a small network, trained
on training images that are shifted, scaled and blurred a little, so that it reads what a VAE draws.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils import MNISTDataset, TensorLoader, set_seed

from .checks.held_out import HELD_OUT, JUDGE

EACH, BEHIND, EPOCHS, SEED = 30, 5000, 6, 2107


def main() -> None:
    """Write both files into the assignment's references."""
    train, test = MNISTDataset(train=True), MNISTDataset(train=False)
    if train.is_stand_in:
        raise SystemExit("These references are for MNIST; point DATA_DIR at it.")
    images, labels = test.images[BEHIND:], test.labels[BEHIND:]
    rows = torch.cat([(labels == digit).nonzero().flatten()[:EACH] for digit in range(10)])
    pixels = (images[rows] * 255).round().to(torch.uint8).reshape(-1, 28, 28).numpy()
    np.savez_compressed(HELD_OUT, images=pixels, labels=labels[rows].to(torch.uint8).numpy())
    judge = trained(train)
    with torch.no_grad():
        right = (judge(test.images.flatten(1)).argmax(dim=1) == test.labels).float().mean()
    layers = [layer for layer in judge if isinstance(layer, nn.Linear)]
    arrays = {f"weight{n}": layer.weight for n, layer in enumerate(layers)} | {
        f"bias{n}": layer.bias for n, layer in enumerate(layers)
    }
    np.savez_compressed(JUDGE, **{key: value.detach().half().numpy() for key, value in arrays.items()})  # type: ignore[arg-type]
    print(f"The judge reads {right:.2%} of MNIST's test digits; {HELD_OUT.name} holds {len(rows)} of them.")


def trained(data: MNISTDataset) -> nn.Sequential:
    """A judge, in evaluation mode, from images (N, 784) to logits."""
    set_seed(SEED)
    hidden = [nn.Linear(784, 192), nn.ReLU(), nn.Dropout(0.2), nn.Linear(192, 96), nn.ReLU()]
    judge = nn.Sequential(*hidden, nn.Linear(96, 10))
    optimizer = torch.optim.Adam(judge.parameters(), lr=1e-3)
    for epoch in range(EPOCHS):
        for images, labels in TensorLoader(data, 128, shuffle=True, drop_last=True):
            loss = F.cross_entropy(judge(_disturbed(images).flatten(1)), labels, label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}", flush=True)
    return judge.eval()


def _disturbed(images: Tensor) -> Tensor:
    """The digits moved and sized a little anew, half of them blurred."""
    n = len(images)
    size = 1 + 0.1 * (2 * torch.rand(n) - 1)
    moved = 0.12 * (2 * torch.rand(n, 2) - 1)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = size, size, moved
    images = F.grid_sample(images, F.affine_grid(theta, list(images.shape), align_corners=False), align_corners=False)
    soft = F.avg_pool2d(images, 3, stride=1, padding=1)
    return torch.where(torch.rand(n, 1, 1, 1) < 0.5, images, soft)


if __name__ == "__main__":
    main()
