"""The evidence behind the measures of notebook 3's trained models: `python -m assignments.mnist_vae.evidence --keep FOLDER`.

Trains the reference solution well, too short, and in the usual wrong ways, and keeps the weights. Measures each, in half precision, as
the grader does, with five secrets, and writes the tables into docs/trained-quality.md. What is trained already is read from the folder, so that a run
can be broken off; a seed takes about ten minutes of one CPU core.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import Tensor, nn, optim
from torch.utils.data import TensorDataset

from assignments.mnist_vae.checks.held_out import held_out
from assignments.mnist_vae.checks.trained import (
    ALIKE,
    CLASS_SEEN,
    KEPT,
    LOST,
    PARTS,
    READABLE,
    SEEN,
    Drawn,
    draw,
    measure_annealed,
    points_of,
)
from grader.authoring.measurement import MARGIN_HEAD, margin_row, median_and_ends, put_between
from grader.authoring.solution import solution_names
from grader.authoring.trained import State, state_of_ours
from utils import MNISTDataset, TensorLoader, set_seed
from utils.assignments.places import PROJECT, place_of

NOTEBOOK = "03_mnist_vae"
PAGE = PROJECT / "docs" / "trained-quality.md"
BEGIN, END = "<!-- notebook 3, made by the run: begin -->", "<!-- notebook 3, made by the run: end -->"
SECRETS = [f"evidence {n}".encode() for n in range(5)]


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
GOOD_VAE = ["vae, weights of ours", "vae, 3", "vae, 10", "vae, beta 0.02, 10", "vae, beta 0.3, 10"]
GOOD_CVAE = ["cvae, weights of ours", "cvae, 3", "cvae, 10", "cvae, 1000 digits, 3"]
COLLAPSED_VAE = ["vae, beta 1, 3", "vae, beta 10, 1", "vae, beta 10, 3"]
ONE_PICTURE = ["cvae, collapsed, 2", "cvae, 1 digit pasted", "cvae, 1 mean pasted"]
MARKS = (  # in words, its attribute, the mark, and which rows of the table lie on its good side and on its bad one
    ("vae: reconstructions kept", "kept", KEPT, GOOD_VAE, ["vae, 1", *COLLAPSED_VAE]),
    ("vae: readable draws", "read", READABLE, GOOD_VAE, ["vae, 1", "vae, beta 0, 1", "vae, beta 0, 3", *COLLAPSED_VAE]),
    ("vae: nats, less is better", "nats", LOST["vae"], GOOD_VAE, ["vae, 100 digits, 3", *COLLAPSED_VAE]),
    (
        "cvae: read as asked",
        "read",
        SEEN,
        GOOD_CVAE,
        ["cvae, KL averaged, 3", "cvae, without labels, 3", "cvae, rate 3e-5, 3"],
    ),
    ("cvae: read as asked, worst class", "worst", CLASS_SEEN, GOOD_CVAE, ["cvae, 1", "cvae, KL averaged, 3"]),
    (
        "cvae: nats, less is better",
        "nats",
        LOST["cvae"],
        [*GOOD_CVAE, "cvae, 1"],
        [*ONE_PICTURE, "cvae, 100 digits, 3", "cvae, 4 digits pasted", "cvae, 4 means pasted"],
    ),
    ("cvae: diversity", "diversity", ALIKE, [*GOOD_CVAE, "cvae, 1"], ONE_PICTURE),
)
OURS = {  # trained by the notebook itself, kept with eight bits a weight: as `tools.weights` made them
    "cvae, weights of ours": "digits_cvae",
    "fc_vae, weights of ours": "digits_fc_vae",
    "autoencoder, weights of ours": "digits_autoencoder",
    "vae, weights of ours": "digits_beta_tuned",
}
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


def tables(names: dict, keep: Path, seeds: list[int]) -> str:
    """All kept models as the grader measures them, and how far the marks lie from them."""
    head = "| model | epochs | seeds | cross-entropy, or ELBO, in nats | KL | reconstructions kept | read | diversity | points |"
    lines = [head, "|---|---:|---:|---|---|---|---|---|---|"]
    annealed = ["| model | seeds | squared error | KL | their sum | dimensions used |", "|---|---:|---|---|---|---|"]
    drawn: dict[str, list[list[Drawn]]] = {}  # by row: of each seed, with each secret
    for kind, settings in MODELS.items():
        for epoch in settings.epochs:
            states = [state_of(path) for seed in seeds if (path := kept(keep, kind, seed, epoch)).exists()]
            if states and kind in TWINS:
                annealed.append(_row_of_annealing(kind, states))
            elif states:
                drawn[f"{kind}, {epoch}"] = _drawn(kind, states)
                lines.append(_row(kind, str(epoch), drawn[f"{kind}, {epoch}"]))
    for kind, file in OURS.items():
        drawn[kind] = _drawn(kind, [state_of_ours(place_of(NOTEBOOK).path / "weights" / f"{file}.safetensors")])
        lines.append(_row(kind, "10", drawn[kind]))
    for kind, how in PASTED.items():
        drawn[kind] = _drawn(kind, pasted(names, *how, seeds))
        lines.append(_row(kind, "", drawn[kind]))
    return "\n".join([*lines, "", *_margins(drawn), "", _stability(drawn), "", *annealed])


def _drawn(kind: str, states: list[State]) -> list[list[Drawn]]:
    """What the models draw with each secret; the figures alone, for pictures take room."""
    model, nothing = _model(kind), np.empty(0)
    return [[replace(draw(model, state, secret), images=nothing) for secret in SECRETS] for state in states]


def _model(kind: str) -> str:
    return kind.partition(",")[0]


def _margins(drawn: dict[str, list[list[Drawn]]]) -> Iterator[str]:
    """Each mark between the worst that is to pass and the best that is not."""
    yield from MARGIN_HEAD
    for words, name, mark, *rows in MARKS:
        passes, fails = (
            {row: [getattr(one, name) for seed in drawn.get(row, []) for one in seed] for row in side} for side in rows
        )
        yield margin_row(words, mark, passes, fails, is_less_better=name == "nats")


def _stability(drawn: dict[str, list[list[Drawn]]]) -> str:
    """Where a seed, or a secret alone, decides about points."""
    unlike_seeds, unlike_secrets, total = [], [], 0
    for row, of_seeds in drawn.items():
        if (_model(row),) not in PARTS.values():
            continue
        points = [[points_of(_model(row), one) for one in of_secrets] for of_secrets in of_seeds]
        total += len(points)
        if len({one for of_secrets in points for one in of_secrets}) > 1:
            unlike_seeds.append(row)
        if moved := sum(len(set(of_secrets)) > 1 for of_secrets in points):
            unlike_secrets.append(f"{row} epochs: {moved} of {len(points)}")
    return (
        f"Rows whose points differ from seed to seed or from secret to secret: {'; '.join(unlike_seeds) or 'none'}. "
        f"Of the {total} models, these get other points with another secret: {'; '.join(unlike_secrets) or 'none'}."
    )


def state_of(path: Path) -> State:
    """Weights as the grader reads them from a hand-in."""
    return {key: value.astype(np.float16).astype(np.float32) for key, value in load_file(path).items()}


def _row_of_annealing(kind: str, states: list[State]) -> str:
    seen = [measure_annealed(kind, state, secret) for state in states for secret in SECRETS]
    cells: list[list[float]] = [
        [one.squared for one in seen],
        [one.kl for one in seen],
        [one.squared + one.kl for one in seen],
        [one.used for one in seen],
    ]
    return f"| {TWINS[kind]} | {len(states)} | {' | '.join(map(median_and_ends, cells))} |"


def _row(kind: str, epoch: str, of_seeds: list[list[Drawn]]) -> str:
    model, drawn = _model(kind), [one for of_secrets in of_seeds for one in of_secrets]
    points = {points_of(model, one) for one in drawn} if (model,) in PARTS.values() else set()
    told = ", ".join(
        "a person" if one is None else f"{one:g}" for one in sorted(points, key=lambda one: -1 if one is None else one)
    )
    cells = [
        median_and_ends([getattr(one, name) for one in drawn]) for name in ("nats", "kl", "kept", "read", "diversity")
    ]
    return f"| {kind} | {epoch} | {len(of_seeds)} | {' | '.join(cells)} | {told or 'none'} |"


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
    torch.set_float32_matmul_precision("medium")  # half the time where a processor has units for it
    names = solution_names(NOTEBOOK)
    if options.kinds:
        data = MNISTDataset(train=True)
        if data.is_stand_in:
            raise SystemExit("This is about MNIST; point DATA_DIR at it.")
        for kind in options.kinds:
            for seed in options.seeds:
                train(names, kind, seed, data, options.keep)
        return
    made = tables(names, options.keep, options.seeds)
    put_between(PAGE, BEGIN, END, made)
    print(made)


if __name__ == "__main__":
    main()
