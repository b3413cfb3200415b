"""The evidence behind the quality score of notebook 2: `python -m assignments.airfoil_vae.evidence --keep FOLDER`.

Trains the reference solution well and in the usual wrong ways, over several seeds, draws 24 profiles five times from each
model, and prints how they measure and what they would earn. What is trained already is read from the folder, so that a
run can be broken off; all of it takes about 15 minutes of one CPU core.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from assignments.airfoil_vae.checks.quality import N_SAMPLES, score
from assignments.airfoil_vae.numbers import MODEL, TRAIN
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


def samples_of(names: dict, kind: str, seed: int, keep: Path) -> np.ndarray:
    """Profiles of one trained model, shape (DRAWS, 24, 200); kept in a file."""
    path = keep / f"{kind.replace(' ', '_')}-{seed}.npz"
    if not path.exists():
        torch.set_num_threads(1)
        set_seed(seed)
        model: nn.Module = names["VAE"](**MODEL)
        losses = (np.nan, np.nan)
        settings = KINDS[kind]
        if settings is not None:
            tracker = names["train_VAE"](model, AirfoilDataset(), torch.device("cpu"), plot_freq=0, **settings)
            losses = (np.mean(tracker.rec_losses[-200:]), np.mean(tracker.prior_losses[-200:]))
        generate: Callable = model.generate  # type: ignore[assignment]
        drawn = np.stack([generate(N_SAMPLES, seed=n, device="cpu").numpy() for n in range(DRAWS)])
        np.savez(path, samples=drawn, losses=np.array(losses))
        print(f"{kind}, seed {seed}: rec {losses[0]:.5f}, prior {losses[1]:.2f} nats", flush=True)
    with np.load(path) as file:
        return file["samples"]


def table(keep: Path) -> str:
    """The measures of all kept samples as a markdown table: median, and from the smallest to the largest."""
    lines = ["| model | sets | roughness | diversity | crossing | points |", "|---|---:|---|---|---|---|"]
    for kind in KINDS:
        files = sorted(keep.glob(f"{kind.replace(' ', '_')}-*.npz"))
        scores = [score(samples) for path in files for samples in np.load(path)["samples"]]
        if scores:
            cells = [
                _spread([getattr(s.quality, name) for s in scores]) for name in ("roughness", "diversity", "crossing")
            ]
            lines.append(f"| {kind} | {len(scores)} | {' | '.join(cells)} | {_spread([s.points for s in scores])} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return f"{np.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


if __name__ == "__main__":
    main()
