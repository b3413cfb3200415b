"""Train the convolutional VAE of notebook 3 and keep its weights, with the images it must generate for seed 0.

    python -m assignments.mnist_vae.make_weights [--epochs 6]

The class is the notebook's own solution, so that weights and exercise cannot drift apart.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from tqdm import tqdm

from grader.authoring.solution import solution_names
from utils import MNISTDataset, TensorLoader, set_seed

NOTEBOOK = "03_mnist_vae"
WEIGHTS = Path(__file__).with_name("weights")
BATCH_SIZE = 128
PEAK_RATE = 6e-3  # of the one-cycle schedule: the width sigma_x has far to go, and a constant 1e-3 takes 20 epochs
IMAGES, SEED = 9, 0


def train(model: torch.nn.Module, epochs: int) -> None:
    """Maximise the ELBO of MNIST's training images with one draw for each, Adam and a one-cycle learning rate."""
    data = MNISTDataset(train=True)
    if data.is_stand_in:
        raise SystemExit("These weights are for MNIST; point DATA_DIR at it.")
    loader = TensorLoader(data, BATCH_SIZE, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=epochs * len(loader))
    for epoch in range(epochs):
        total = 0.0
        for images, _ in tqdm(loader, desc=f"epoch {epoch + 1} of {epochs}", mininterval=10):
            elbo = model.elbo(images, 1)  # type: ignore[operator]
            optimizer.zero_grad()
            (-elbo).backward()
            optimizer.step()
            schedule.step()
            total += elbo.item()
        print(f"epoch {epoch + 1}: ELBO {total / len(loader):.1f} nats, sigma_x {model.log_sig_x.exp().item():.4f}")  # type: ignore[operator]


def main() -> None:
    """Train and save `assignments/mnist_vae/weights/simple_vae.safetensors`."""
    parser = argparse.ArgumentParser(prog="python -m assignments.mnist_vae.make_weights", description=main.__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    epochs = parser.parse_args().epochs
    names = solution_names(NOTEBOOK)
    set_seed(SEED)
    model = names["SimpleVAE"](K=2, num_filters=32)
    train(model, epochs)
    torch.manual_seed(SEED)
    images = names["generate_images"](model, 2, IMAGES)
    WEIGHTS.mkdir(exist_ok=True)
    tensors = {**model.state_dict(), "extra.images": images}
    save_file({key: value.contiguous().cpu() for key, value in tensors.items()}, WEIGHTS / "simple_vae.safetensors")


if __name__ == "__main__":
    main()
