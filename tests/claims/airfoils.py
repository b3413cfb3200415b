"""Notebook 2: designs, weights of the prior, a linear model. On the CPU, as the grader trains."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.claims.cells import names_of

PUBLISHED = {
    "beta": 0.00043, "optimizer_name": "Adam", "optimizer_config": {"lr": 1e-3}, "lr_scheduler_name": "StepLR",
    "lr_scheduler_config": {"step_size": 200, "gamma": 0.7}, "n_iters": 5000, "batch_size": 64,
}  # fmt: skip
CONSTANT = {"lr_scheduler_name": None, "lr_scheduler_config": {}}
LATE = {"lr_scheduler_config": {"step_size": 4000, "gamma": 0.1}}  # one fall, when most is learned
SHORT = {"plot_freq": 0, "n_iters": 800}
BETAS = (0.0, 1e-5, 1e-4, 2e-4, 4e-4, 1e-3, 3e-3, 2e-2)
WARM_UP = tuple({**SHORT, "beta": beta} for beta in (1e-5, 1e-4, 4e-4))
ACTIVE = 0.05  # nats from which a latent dimension counts as used


def designs(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """The published configuration with and without its schedule, and the same for a model without hidden layers."""
    names = names_of("airfoil_vae", "cpu", seed)
    dataset = names["AirfoilDataset"]()
    found: dict[str, float] = {}
    for width, hidden in (("deep", [512, 256, 128]), ("linear", [])):
        for rate, change in (("schedule", {}), ("constant", CONSTANT)):
            model, _, numbers = _train(names, dataset, hidden, {**PUBLISHED, **change}, share)
            found |= {f"{width} {rate} {key}": value for key, value in numbers.items()}
            found |= {f"{width} {rate} {key}": value for key, value in _map(model, dataset).items()}
    for title, hidden, change in (
        ("deep late", [512, 256, 128], LATE), ("linear, beta 0.0001", [], {"beta": 1e-4}), ("linear, beta 2e-05", [], {"beta": 2e-5}),
        ("deep, beta 0.0001", [512, 256, 128], {**LATE, "beta": 1e-4}),
    ):  # fmt: skip
        _, _, numbers = _train(names, dataset, hidden, {**PUBLISHED, **change}, share)
        found |= {f"{title} {key}": value for key, value in numbers.items()}
    return found


def weights(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 4: what a weight of the prior does to a short training, with and without a warm-up; two units."""
    names = names_of("airfoil_vae", "cpu", seed)
    dataset = names["AirfoilDataset"]()
    found: dict[str, float] = {}
    for beta in BETAS:
        model, _, numbers = _train(names, dataset, [256, 128], {**SHORT, "beta": beta}, share)
        found |= {f"beta {beta:g} {key}": value for key, value in numbers.items()}
        if beta in (0.0, 4e-4):
            found |= {f"beta {beta:g} {key}": value for key, value in _map(model, dataset).items()}
    for title, hidden, steps in (
        ("warm-up", [256, 128], WARM_UP),
        ("no warm-up, as long", [256, 128], [{**SHORT, "beta": 4e-4, "n_iters": 2400}]),
        ("long warm-up", [256, 128], [{**SHORT, "beta": b, "n_iters": n} for b, n in ((1e-5, 1500), (4e-4, 3500))]),
        ("linear warm-up", [], [{**SHORT, "beta": b, "n_iters": n} for b, n in ((1e-5, 500), (4e-4, 1000))]),
    ):
        model, numbers = None, {}
        for step in steps:
            model, _, numbers = _train(names, dataset, hidden, step, share, model)
        found |= {f"{title} {key}": value for key, value in numbers.items()}
    first = {"plot_freq": 0, "beta": 4e-4, "n_iters": 800}
    _, tracker, numbers = _train(names, dataset, [256, 128], first, share)
    found |= {f"first {key}": value for key, value in numbers.items()}
    found["first rec at 300"] = float(np.mean(tracker.rec_losses[250:300]))
    in_chords = [(y / dataset.scale, name) for y, name in dataset]
    for factor in (1, 1 / dataset.scale**2):
        names["set_seed"](0)
        model = names["VAE"](200, [256, 128], 10)
        tracker = names["train_VAE"](
            model, in_chords, torch.device("cpu"), **{**first, "beta": 4e-4 * factor, "n_iters": int(800 * share)}
        )
        found[f"chords, beta {4e-4 * factor:.2g} KL"] = float(np.mean(tracker.prior_losses[-50:]))
    return found


def depth(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 5.2: deep and linear models side by side, by what they use, how they reconstruct, and how near to real profiles they draw."""
    names = names_of("airfoil_vae", "cpu", seed)
    dataset = names["AirfoilDataset"]()
    names["heights"] = torch.from_numpy(dataset.profiles)
    found: dict[str, float] = {}
    for title, hidden, change in (
        ("linear, beta 0.00043", [], CONSTANT), ("linear, beta 0.001", [], {**CONSTANT, "beta": 1e-3}),
        ("linear, beta 0.002", [], {**CONSTANT, "beta": 2e-3}), ("linear, beta 0.003", [], {**CONSTANT, "beta": 3e-3}),
        ("linear, beta 0.004", [], {**CONSTANT, "beta": 4e-3}), ("warmed up", [256, 128], {}), ("published", [512, 256, 128], {}),
    ):  # fmt: skip
        model = None
        for step in WARM_UP if title == "warmed up" else ({**PUBLISHED, **change},):
            model, _, _ = _train(names, dataset, hidden, step, share, model)
        samples = model.generate(240, device="cpu")
        quality = names["measure_airfoils"](samples, dataset)
        numbers = {
            "rec of the means": _error_of_means(model, dataset), "active": _active(model, dataset),
            "distance": names["distance_to_real"](samples), "roughness": quality.roughness,
            "diversity": quality.diversity, "crossing": quality.crossing,
        }  # fmt: skip
        found |= {f"{title} {key}": value for key, value in numbers.items()}
    return found


def facts(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """What needs no training: the variances of the data, and what principal components alone give."""
    dataset = names_of("airfoil_vae")["AirfoilDataset"]()
    profiles = torch.from_numpy(dataset.profiles).double()
    centred = profiles - profiles.mean(dim=0)
    _, scales, directions = torch.linalg.svd(centred, full_matrices=False)
    variances = scales**2 / len(profiles)
    found = {f"variance {i + 1}": value for i, value in enumerate(variances[:6].tolist())}
    found["mean squared error of the mean profile"] = (centred**2).mean().item()
    for beta in BETAS[1:]:
        found[f"directions above 100 x {beta:g}"] = int((variances > 100 * beta).sum())
    for beta in (1e-4, 4e-4, 4.3e-4):
        ratio = variances / (100 * beta)
        used = ratio > 1
        found[f"best linear loss, beta {beta:g}"] = (
            0.5 * beta * ((ratio[used].log() + 1).sum() + ratio[~used].sum()).item()
        )
    rest = centred - centred @ directions[:10].T @ directions[:10]
    found["mean squared error of ten principal components"] = (rest**2).mean().item()
    for count in (2, 3):
        found[f"mean squared error of {count} principal components"] = variances[count:].sum().item() / 200
    found["R2 of thickness"] = _r2(centred @ directions[:2].T, _thickness(dataset))
    symmetric = (profiles[:, :100].flip(1) + profiles[:, 100:]).abs().max(dim=1).values < 0.01
    own = torch.linalg.svdvals(profiles[symmetric] - profiles[symmetric].mean(dim=0)) ** 2
    found["symmetric sections"] = int(symmetric.sum())
    found["share of their variance along one direction"] = (own[0] / own.sum()).item()
    return found


def _train(names: dict, dataset: Any, hidden: list[int], config: dict, share: float, model: nn.Module | None = None):
    if model is None:
        names["set_seed"](0)
        model = names["VAE"](200, hidden, 10)
    iterations = max(60, int(config["n_iters"] * share))
    started = time.perf_counter()
    tracker = names["train_VAE"](
        model, dataset, torch.device("cpu"), **{**config, "plot_freq": 0, "n_iters": iterations}
    )
    seconds = time.perf_counter() - started
    samples = model.generate(24, device="cpu")
    quality = names["measure_airfoils"](samples, dataset)
    return model, tracker, {
        "rec": float(np.mean(tracker.rec_losses[-50:])), "KL": float(np.mean(tracker.prior_losses[-50:])),
        "rec of the means": _error_of_means(model, dataset), "roughness": quality.roughness, "diversity": quality.diversity,
        "crossing": quality.crossing, "active": _active(model, dataset), "ms an iteration": 1e3 * seconds / iterations,
    }  # fmt: skip


def _error_of_means(model: nn.Module, dataset: Any) -> float:
    profiles = torch.from_numpy(dataset.profiles)
    with torch.inference_mode():
        return ((model.eval().decoder(model.encoder(profiles)[0]) - profiles) ** 2).mean().item()


def _active(model: nn.Module, dataset: Any) -> int:
    with torch.inference_mode():
        mu, logvar = model.eval().encoder(torch.from_numpy(dataset.profiles))
        return int((0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(dim=0) > ACTIVE).sum())


def _map(model: nn.Module, dataset: Any) -> dict[str, float]:
    """The picture of 6.2: shares of the two widest directions, and how smoothly thickness lies over them."""
    with torch.inference_mode():
        mu = model.encoder(torch.from_numpy(dataset.profiles))[0].double()
    centred = mu - mu.mean(dim=0)
    _, scales, directions = torch.linalg.svd(centred, full_matrices=False)
    position = centred @ directions[:2].T
    symmetric = np.abs(dataset.profiles[:, 99::-1] + dataset.profiles[:, 100:]).max(axis=1) < 0.01
    of_symmetric = position[torch.from_numpy(symmetric)]
    line = torch.linalg.svdvals(of_symmetric - of_symmetric.mean(dim=0)) ** 2
    return {
        "share of two directions": (scales[:2].square().sum() / scales.square().sum()).item(),
        "R2 of thickness": _r2(position, _thickness(dataset)),
        "R2 of thickness, ten dimensions": _r2(centred, _thickness(dataset)),
        "symmetric along a line": (line[0] / line.sum()).item(),
    }


def _thickness(dataset: Any) -> Tensor:
    upper, lower = dataset.profiles[:, 99::-1], dataset.profiles[:, 100:]
    return torch.from_numpy((upper - lower).max(axis=1)).double()


def _r2(position: Tensor, value: Tensor) -> float:
    """How much of a value the ten nearest others in the map foretell: 1 all, 0 nothing."""
    distance = torch.cdist(position, position).fill_diagonal_(torch.inf)
    foretold = value[distance.topk(10, largest=False).indices].mean(dim=1)
    return 1 - ((value - foretold) ** 2).sum().item() / ((value - value.mean()) ** 2).sum().item()
