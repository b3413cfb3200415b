"""The evidence behind the measures of notebook 3's trained models: `python -m assignments.mnist_vae.evidence --keep FOLDER`.

Trains the reference solution well, too short, and in the usual wrong ways, and keeps the weights. Measures each, in half precision, as
the grader does, with five secrets, and writes the tables into docs/trained-quality.md. What is trained already is read from the folder, so that a run
can be broken off; a seed takes about ten minutes of one CPU core.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

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
from assignments.mnist_vae.evidence_models import MODELS, PASTED, TWINS, kept, pasted, state_of, train
from grader.authoring.measurement import MARGIN_HEAD, margin_row, median_and_ends, put_between
from grader.authoring.solution import solution_names
from grader.authoring.trained import State, state_of_ours
from utils import MNISTDataset
from utils.assignments.places import PROJECT, place_of

NOTEBOOK = "03_mnist_vae"
PAGE = PROJECT / "docs" / "trained-quality.md"
BEGIN, END = "<!-- notebook 3, made by the run: begin -->", "<!-- notebook 3, made by the run: end -->"
SECRETS = [f"evidence {n}".encode() for n in range(5)]
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
