"""Train the DCGAN of notebook 4 and keep its weights, for students who cannot wait for theirs.

    python -m tools.dcgan_weights [--epochs 25] [--checkpoint FILE]

The class is the notebook's own solution, so that weights and exercise cannot drift apart. With a checkpoint file an
interrupted run goes on where it stopped.
"""

import argparse
import time

import torch
from safetensors.torch import save_file

from tools.simple_vae_weights import solution_names
from utils import Checkpoint, CIFAR10Dataset, GAN_Tracker, accelerated, set_seed
from utils.pretrained import WEIGHTS

NOTEBOOK = "04_cifar_dcgan"
SEED = 0


def main() -> None:
    """Train and save `utils/weights/dcgan_generator.safetensors` and `dcgan_discriminator.safetensors`."""
    parser = argparse.ArgumentParser(prog="python -m tools.dcgan_weights", description=main.__doc__)
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


def _halved(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights in half precision: half the size in the bundle, and no difference to see."""
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }


if __name__ == "__main__":
    main()
