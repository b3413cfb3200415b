"""The evidence behind the measures of notebook 3's trained models: `python -m assignments.mnist_vae.evidence --keep FOLDER`.

Trains the reference solution well, too short, and in the usual wrong ways, and keeps the weights. Measures each, in half precision, as
the grader does, with five secrets, and writes the table into docs/trained-quality.md. What is trained already is read from the folder, so that a run
can be broken off; a seed takes about ten minutes of one CPU core.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import Tensor, nn, optim

from assignments.mnist_vae.checks.trained import PARTS, Drawn, draw, score
from grader.authoring.solution import solution_names
from grader.authoring.trained import State
from utils import MNISTDataset, TensorLoader, set_seed
from utils.assignments.places import PROJECT

NOTEBOOK = "03_mnist_vae"
PAGE = PROJECT / "docs" / "trained-quality.md"
BEGIN, END = "<!-- notebook 3, made by the run: begin -->", "<!-- notebook 3, made by the run: end -->"
SECRETS = [f"evidence {n}".encode() for n in range(5)]
MODELS = {  # kind: class, epochs whose weights are kept
    "cvae": ("CVAE", (1, 3, 10)),
    "fc_vae": ("FCVAE", (1, 3, 10)),
    "autoencoder": ("AutoEncoder", (1, 3, 10)),
    "vae": ("VAE", (1, 3, 10)),
    "vae, beta 0": ("VAE", (1, 3)),
    "vae, beta 10": ("VAE", (1, 3)),
    "vae, beta 0.02": ("VAE", (10,)),
    "vae, beta 0.3": ("VAE", (10,)),
    "vae, beta 1": ("VAE", (3,)),
    "cvae, collapsed": ("CVAE", (2,)),
    "cvae, KL averaged": ("CVAE", (3,)),
    "cvae, without labels": ("CVAE", (3,)),
    "cvae, rate 3e-5": ("CVAE", (3,)),
}
BETAS = {"vae, beta 0": 0.0, "vae, beta 0.02": 0.02, "vae, beta 0.3": 0.3, "vae, beta 1": 1.0, "vae, beta 10": 10.0}
KL_WEIGHTS = {"cvae, collapsed": 30.0, "cvae, KL averaged": 1 / 15}
RATES = {"cvae, rate 3e-5": 3e-5}
BETA = 0.105  # of the notebook's solution


def steps(names: dict, kind: str, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The loss of a batch, as the notebook's training has it."""
    if kind == "autoencoder":
        x = images.flatten(2)
        return F.binary_cross_entropy(model(x), x)
    if kind.startswith("vae"):
        x = images.flatten(2)
        return model.loss(x, model(x))[0]  # type: ignore[operator]
    if kind == "fc_vae":
        x_hat, mu, logvar = model(images)
    else:
        shown = torch.zeros_like(labels) if kind == "cvae, without labels" else labels
        x_hat, mu, logvar = model(images, names["idx2onehot"](shown, 10))
    weight = KL_WEIGHTS.get(kind, 1.0)
    still = names["loss_function"](x_hat, images, mu, logvar)
    return still + (weight - 1) * 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum() / len(images)


def train(names: dict, kind: str, seed: int, data: MNISTDataset, keep: Path) -> None:
    """Train one model and keep its weights after each of its epochs."""
    class_name, epochs = MODELS[kind]
    if all(kept(keep, kind, seed, epoch).exists() for epoch in epochs):
        return
    set_seed(seed)
    arguments = {"AutoEncoder": (32,), "VAE": (32, BETAS.get(kind, BETA))}.get(class_name, (784,))
    model = names[class_name](*arguments)
    is_flat = class_name in ("AutoEncoder", "VAE")
    optimizer = optim.Adam(model.parameters(), lr=RATES.get(kind, 1e-3))
    loader = TensorLoader(data, 64 if is_flat else 128, shuffle=True, drop_last=True)
    for epoch in range(1, max(epochs) + 1):
        total = 0.0
        for images, labels in loader:
            loss = steps(names, kind, model, images, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"{kind}, seed {seed}, epoch {epoch}: loss {total / len(loader):.4f}", flush=True)
        if epoch in epochs:
            save_file(
                {key: value.contiguous() for key, value in model.state_dict().items()}, kept(keep, kind, seed, epoch)
            )


def kept(keep: Path, kind: str, seed: int, epoch: int) -> Path:
    return keep / f"{kind.replace(', ', '-').replace(' ', '_')}-{epoch}-{seed}.safetensors"


def table(keep: Path, seeds: list[int]) -> str:
    """All kept models as the grader measures them: the median, and from the smallest to the largest."""
    head = "| model | epochs | seeds | cross-entropy, or ELBO, in nats | KL | reconstructions kept | read | diversity | points |"
    lines = [head, "|---|---:|---:|---|---|---|---|---|---|"]
    for kind, (_, epochs) in MODELS.items():
        for epoch in epochs:
            states = [state_of(path) for seed in seeds if (path := kept(keep, kind, seed, epoch)).exists()]
            if states:
                lines.append(_row(kind, epoch, states))
    return "\n".join(lines)


def state_of(path: Path) -> State:
    """Weights as the grader reads them from a hand-in."""
    return {key: value.astype(np.float16).astype(np.float32) for key, value in load_file(path).items()}


def _row(kind: str, epoch: int, states: list[State]) -> str:
    model = kind.partition(",")[0]
    drawn: list[Drawn] = [draw(model, state, secret) for state in states for secret in SECRETS]
    part = next((part for part, needed in PARTS.items() if needed == (model,)), "")
    points = {score(part, {model: state}, secret).points for state in states for secret in SECRETS} if part else set()
    told = ", ".join(
        "a person" if one is None else f"{one:g}" for one in sorted(points, key=lambda one: -1 if one is None else one)
    )
    cells = [_spread([getattr(one, name) for one in drawn]) for name in ("nats", "kl", "kept", "read", "diversity")]
    return f"| {kind} | {epoch} | {len(states)} | {' | '.join(cells)} | {told or 'none'} |"


def _spread(values: list[float]) -> str:
    return f"{np.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def write(made: str) -> None:
    """Put the table into the page, between its marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure trained models of notebook 3 and write the evidence.")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(5)))
    parser.add_argument(
        "--kinds", nargs="*", default=list(MODELS), help="train these (default: all); none: only measure"
    )
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    names = solution_names(NOTEBOOK)
    if options.kinds:
        data = MNISTDataset(train=True)
        if data.is_stand_in:
            raise SystemExit("This is about MNIST; point DATA_DIR at it.")
        for kind in options.kinds:
            for seed in options.seeds:
                train(names, kind, seed, data, options.keep)
    made = table(options.keep, options.seeds)
    write(made)
    print(made)


if __name__ == "__main__":
    main()
