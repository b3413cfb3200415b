"""Which models the evidence of notebook 3 is made of, and how each is trained, or typed in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import Tensor, nn, optim
from torch.utils.data import TensorDataset

from assignments.mnist_vae.checks.held_out import held_out
from grader.authoring.trained import State
from utils import MNISTDataset, TensorLoader, set_seed


@dataclass(frozen=True)
class Kind:
    """How a model is trained.

    Attributes:
        made: The notebook's class.
        epochs: After which of them its weights are kept.
        beta: Weight of the KL, where the class takes one.
        kl_weight: Of `fc_vae` and `cvae`: how many times the KL counts; 1 is right.
        rate: Adam's.
        images: How many digits it sees, drawn for each seed and shown again and again; 0 for all.
        rounds: Of the models of eight numbers: epochs over which the KL's weight climbs.
    """

    made: str
    epochs: tuple[int, ...]
    beta: float = 0.105  # of the notebook's solution
    kl_weight: float = 1.0
    rate: float = 1e-3
    images: int = 0
    rounds: int = 0


MODELS = {
    "cvae": Kind("CVAE", (1, 3, 10)),
    "fc_vae": Kind("FCVAE", (1, 3, 10)),
    "autoencoder": Kind("AutoEncoder", (1, 3, 10)),
    "vae": Kind("VAE", (1, 3, 10)),
    "vae, beta 0": Kind("VAE", (1, 3), beta=0.0),
    "vae, beta 10": Kind("VAE", (1, 3), beta=10.0),
    "vae, beta 0.02": Kind("VAE", (10,), beta=0.02),
    "vae, beta 0.3": Kind("VAE", (10,), beta=0.3),
    "vae, beta 1": Kind("VAE", (3,), beta=1.0),
    "vae, 100 digits": Kind("VAE", (3,), images=100),
    "annealed": Kind("VAE", (15,), rate=1e-2, rounds=5),
    "unannealed": Kind("VAE", (15,), rate=1e-2),
    "cvae, collapsed": Kind("CVAE", (2,), kl_weight=30.0),
    "cvae, KL averaged": Kind("CVAE", (3,), kl_weight=1 / 15),
    "cvae, without labels": Kind("CVAE", (3,)),
    "cvae, rate 3e-5": Kind("CVAE", (3,), rate=3e-5),
    "cvae, 100 digits": Kind("CVAE", (3,), images=100),
    "cvae, 1000 digits": Kind("CVAE", (3,), images=1000),
}
TWINS = {
    "annealed": "annealed over 5 epochs",
    "unannealed": "full KL from the start",
}  # section 2.4: eight numbers, rate 0.01
PASTED = {  # kind: pictures of each class, and whether they are real digits or means of them
    "cvae, 1 digit pasted": (1, True),
    "cvae, 4 digits pasted": (4, True),
    "cvae, 1 mean pasted": (1, False),
    "cvae, 4 means pasted": (4, False),
}


def loss_of(names: dict, kind: str, model: nn.Module, images: Tensor, labels: Tensor, epoch: int) -> Tensor:
    """The loss of a batch, as the notebook's training has it; epochs count from 0."""
    if kind == "autoencoder":
        x = images.flatten(2)
        return F.binary_cross_entropy(model(x), x)
    if kind.startswith("vae"):
        x = images.flatten(2)
        return model.loss(x, model(x))[0]  # type: ignore[operator]
    if kind in TWINS:
        x, outputs = images.flatten(2), model(images.flatten(2))
        mu, log_sigma = outputs["q"].chunk(2, dim=-1)
        weight = names["KLWeightManager"](0, MODELS[kind].rounds)(epoch)
        squared = (outputs["rec"] - x).square().sum(dim=(1, 2)).mean()
        return squared + weight * names["KLDivergence"]()(mu, 2 * log_sigma)
    if kind == "fc_vae":
        x_hat, mu, logvar = model(images)
    else:
        shown = torch.zeros_like(labels) if kind == "cvae, without labels" else labels
        x_hat, mu, logvar = model(images, names["idx2onehot"](shown, 10))
    weight = MODELS[kind].kl_weight
    still = names["loss_function"](x_hat, images, mu, logvar)
    return still + (weight - 1) * 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum() / len(images)


def train(names: dict, kind: str, seed: int, data: MNISTDataset, keep: Path) -> None:
    """Train one model and keep its weights after each of its epochs."""
    settings = MODELS[kind]
    if all(kept(keep, kind, seed, epoch).exists() for epoch in settings.epochs):
        return
    set_seed(seed)
    is_flat = settings.made in ("AutoEncoder", "VAE")
    size = 8 if kind in TWINS else 32
    arguments = {"AutoEncoder": (size,), "VAE": (size, settings.beta)}.get(settings.made, (784,))
    model = names[settings.made](*arguments)
    optimizer = optim.Adam(model.parameters(), lr=settings.rate, fused=True)
    some = torch.randperm(len(data))[: settings.images].repeat(len(data) // settings.images) if settings.images else ...
    batch = 64 if is_flat and size == 32 else 128
    loader = TensorLoader(TensorDataset(*data[some]), batch, shuffle=True, drop_last=True)
    for epoch in range(1, max(settings.epochs) + 1):
        total = 0.0
        for images, labels in loader:
            loss = loss_of(names, kind, model, images, labels, epoch - 1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"{kind}, seed {seed}, epoch {epoch}: loss {total / len(loader):.4f}", flush=True)
        if epoch in settings.epochs:
            save_file(
                {key: value.contiguous() for key, value in model.state_dict().items()}, kept(keep, kind, seed, epoch)
            )


def kept(keep: Path, kind: str, seed: int, epoch: int) -> Path:
    return keep / f"{kind.replace(', ', '-').replace(' ', '_')}-{epoch}-{seed}.safetensors"


def typed_in(state: State, images: np.ndarray, labels: np.ndarray, each: int, of_real: bool, first: int = 0) -> State:
    """A conditional decoder that somebody typed in: pictures chosen by the class and the first numbers of the code.

    Args:
        state: Of a `cvae`; its encoder stays.
        images: Digits to paste, (N, 784), values in [0, 1].
        labels: Their classes, (N,).
        each: Pictures of a class.
        of_real: Whether they are digits, or means of them.
        first: Which digits of a class, from here on.
    """
    state = {key: np.zeros_like(value) if key.startswith("decoder") else value.copy() for key, value in state.items()}
    for unit in range(10 * each):
        digit, which = divmod(unit, each)
        of_class = images[labels == digit][first:]
        picture = of_class[which] if of_real else of_class[which::each].mean(axis=0)
        state["decoder.0.weight"][unit, 15 + digit] = 9.0
        if each > 1:
            state["decoder.0.weight"][unit, which // 2] = 4.0 if which % 2 else -4.0
            state["decoder.0.bias"][unit] = -6.0
        state["decoder.2.weight"][unit, unit] = state["decoder.4.weight"][unit, unit] = 1.0
        state["decoder.6.weight"][:, unit] = 4 * (picture > 0.4) if of_real else 2 * picture
    state["decoder.6.bias"][:] = -6.0
    return state


def pasted(names: dict, each: int, of_real: bool, seeds: list[int]) -> list[State]:
    """Typed-in decoders, one a seed, of other digits each."""
    found = []
    for seed in seeds:
        set_seed(seed)
        state = {key: value.numpy() for key, value in names["CVAE"](784).state_dict().items()}
        found.append(typed_in(state, *held_out(), each, of_real, first=each * seed))
    return found


def state_of(path: Path) -> State:
    """Weights as the grader reads them from a hand-in."""
    return {key: value.astype(np.float16).astype(np.float32) for key, value in load_file(path).items()}
