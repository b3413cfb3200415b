"""Train the DCGAN of notebook 4; keep its weights, for students who cannot wait for theirs, and the target pictures.

    python -m assignments.cifar_dcgan.make_weights [--epochs 25] [--checkpoint FILE]

The class is the notebook's own solution, so that weights, pictures and exercise cannot drift apart. With a checkpoint
file an interrupted run goes on where it stopped.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import save_file

from grader.authoring.solution import solution_names
from utils import Checkpoint, CIFAR10Dataset, GAN_Tracker, accelerated, set_seed
from utils.plotting.images import tile

NOTEBOOK = "04_cifar_dcgan"
WEIGHTS, FIGURES = (Path(__file__).with_name(name) for name in ("weights", "figures"))
SEED = 0
_COLOURS = 128  # of a picture's palette: a third of the bytes, no difference to see


def main() -> None:
    """Train, then write the files of `weights/` and `figures/` beside this one."""
    parser = argparse.ArgumentParser(prog="python -m assignments.cifar_dcgan.make_weights", description=main.__doc__)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--checkpoint", help="written after every epoch, read at the start")
    options = parser.parse_args()
    data = CIFAR10Dataset(train=True)
    if data.is_stand_in:
        raise SystemExit("These weights are for CIFAR-10; point DATA_DIR at it.")
    names = solution_names(NOTEBOOK)
    names["NUM_EPOCHS"] = options.epochs
    set_seed(SEED)
    gan = names["DCGAN"]()
    gan.tracker = GAN_Tracker(options.epochs)
    if options.checkpoint:
        gan.checkpoint = Checkpoint(options.checkpoint, data=str(data.source), images=len(data))
    started = time.perf_counter()
    with accelerated(gan._generator, gan._discriminator) as how:
        gan.train(data.images)
    print(
        f"{gan.tracker.describe()}; {time.perf_counter() - started:.0f} s in {how}, {torch.get_num_threads()} threads"
    )
    WEIGHTS.mkdir(exist_ok=True)
    for network in ("generator", "discriminator"):
        save_file(_halved(getattr(gan, f"_{network}")), WEIGHTS / f"dcgan_{network}.safetensors")
    _draw_targets(gan, CIFAR10Dataset(train=False)[:64][0].cpu())


def _draw_targets(gan: Any, test_images: torch.Tensor) -> None:
    loss, found = gan.reconstruct(test_images)
    print(f"reconstruction loss of {len(test_images)} test images: {loss:.4f}")
    pictures = {epoch: images.float() / 255 for epoch, images in gan.tracker.pictures.items()}
    epochs = sorted(pictures)
    frames = [epochs[round(index * (len(epochs) - 1) / 4)] for index in range(5)]
    print("epochs in the film:", *frames)
    _save("samples", pictures[epochs[-1]], columns=8)
    _save("film", torch.cat([pictures[epoch][:10] for epoch in frames]), columns=10)
    pairs = [part[row : row + 10] for row in (0, 10, 20) for part in (test_images, found)]
    _save("reconstructions", torch.cat(pairs), columns=10)


def _save(name: str, images: torch.Tensor, columns: int) -> None:
    pixels = (tile(images, columns) * 255).round().to(torch.uint8).numpy()
    picture = Image.fromarray(pixels).resize((2 * pixels.shape[1], 2 * pixels.shape[0]), Image.Resampling.NEAREST)
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(FIGURES / f"04_{name}.png", optimize=True)


def _halved(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights in half precision: half the size in the bundle, and no difference to see."""
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }


if __name__ == "__main__":
    main()
