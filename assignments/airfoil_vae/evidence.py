"""The evidence behind the quality score of notebook 2: `python -m assignments.airfoil_vae.evidence --keep FOLDER`.

Trains the reference solution well and in the usual wrong ways on what the quality stage gives: 150 profiles kept back, the others bent, another
draw for each seed. Takes two times 24 profiles five times from each model, as the stage does: what `generate` draws, and what its weights make of
codes that the grader draws. Prints how they measure and what they would earn. What is trained already is read from the folder, so that a run can
be broken off; all of it takes about 20 minutes of one CPU core.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from assignments.airfoil_vae.checks.given import N_SAMPLES, given
from assignments.airfoil_vae.checks.quality import Score, missed, nearest, score, score_made
from assignments.airfoil_vae.checks.rebuilt import LATENT, decoder_of, run, trial_codes
from assignments.airfoil_vae.numbers import MODEL, TRAIN
from assignments.airfoil_vae.probes import decoder_values
from grader.authoring.solution import solution_names
from utils.datasets.airfoils import AirfoilDataset
from utils.training.seeding import set_seed

NOTEBOOK = "02_airfoil_vae"
DRAWS = 5
KINDS = {
    "published": TRAIN,
    "1000 iterations": TRAIN | {"n_iters": 1000},
    "300 iterations": TRAIN | {"n_iters": 300},
    "constant rate": TRAIN | {"lr_scheduler_name": None, "lr_scheduler_config": {}, "n_iters": 1500},
    "beta 0": TRAIN | {"beta": 0.0, "n_iters": 2000},
    "beta 0.02 (collapse)": TRAIN | {"beta": 0.02, "n_iters": 1500},
    "untrained": None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibrate the quality score of notebook 2.")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the samples")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--save", type=Path, help="a file for the first 24 profiles of each model, as the tests use it")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    names = solution_names(NOTEBOOK)
    for seed in range(options.seeds):
        for kind in KINDS:
            samples_of(names, kind, seed, options.keep)
    print(table(options.keep))
    if options.save:
        first = {
            path.stem: np.load(path)["samples"][0].astype(np.float16) for path in sorted(options.keep.glob("*.npz"))
        }
        np.savez_compressed(options.save, **first)


def samples_of(names: dict, kind: str, seed: int, keep: Path) -> None:
    """Train one model and keep what it makes, the bend taken out: shapes (DRAWS, 24, 200)."""
    path = keep / f"{kind.replace(' ', '_')}-{seed}.npz"
    if path.exists():
        return
    torch.set_num_threads(1)
    drawn, dataset = given({}, f"evidence {seed}".encode()), AirfoilDataset()
    dataset.profiles, dataset.names = drawn.profiles, [f"given {n}" for n in range(len(drawn.profiles))]
    set_seed(seed)
    model: nn.Module = names["VAE"](**MODEL)
    losses = (np.nan, np.nan)
    settings = KINDS[kind]
    if settings is not None:
        tracker = names["train_VAE"](model, dataset, torch.device("cpu"), plot_freq=0, **settings)
        losses = (np.mean(tracker.rec_losses[-200:]), np.mean(tracker.prior_losses[-200:]))
    generate, decoder = model.generate, model.decoder
    samples = np.stack([generate(N_SAMPLES, seed=n, device="cpu").numpy() for n in range(DRAWS)])  # type: ignore[operator]
    values = {name: value.numpy() for name, value in decoder_values(decoder, torch.from_numpy(trial_codes())).items()}  # type: ignore[arg-type]
    decode = decoder_of(values)
    assert decode is not None, "the reference decoder is one that the grader can rebuild"
    codes = np.random.default_rng(seed).normal(size=(DRAWS, N_SAMPLES, LATENT))
    made = [score_made(decode, replace(drawn, codes=each)).points for each in codes]
    decoded = np.stack([run(decode, each) for each in codes])
    np.savez(
        path, samples=samples - drawn.bend, made=decoded - drawn.bend, made_points=np.array(made),
        missed=np.array(missed(decode, drawn)), losses=np.array(losses),
    )  # fmt: skip
    print(f"{kind}, seed {seed}: rec {losses[0]:.5f}, prior {losses[1]:.2f} nats", flush=True)


def table(keep: Path) -> str:
    """The measures of all kept sets as a markdown table: median, and from the smallest to the largest."""
    head = ["model", "sets", "roughness", "diversity", "crossing", "to the nearest real", "kept back", "points"]
    lines = [f"| {' | '.join(head)} |", "|---|---:|---|---|---|---|---|---|"]
    profiles, closest = AirfoilDataset().profiles, np.inf
    for kind in KINDS:
        sets: list[Score] = []
        away, kept_back, points = [], [], []
        for path in sorted(keep.glob(f"{kind.replace(' ', '_')}-*.npz")):
            with np.load(path) as file:
                for samples, made, made_points in zip(file["samples"], file["made"], file["made_points"], strict=True):
                    both = score(samples), score(made)
                    distances = [nearest(each, profiles) for each in (samples, made)]
                    closest = min([closest, *(each.min() for each in distances)])
                    sets += both
                    away += [each.mean() for each in distances]
                    points.append(min(both[0].points, float(made_points)))
                kept_back.append(float(file["missed"]))
        if sets:
            cells = [
                _spread([getattr(s.quality, name) for s in sets]) for name in ("roughness", "diversity", "crossing")
            ]
            cells += [_spread(away), _spread(kept_back), _spread(points)]
            lines.append(f"| {kind} | {len(sets)} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"The closest of all samples to a real profile: {closest:.2g}."])


def _spread(values: list[float]) -> str:
    return f"{np.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


if __name__ == "__main__":
    main()
