"""Notebook 4: games on the excerpt of CIFAR-10, in float32."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.claims.cells import names_of
from tests.claims.data import photographs

# Learning rates of the discriminator and the generator, and whether G minimises log(1 - D).
GAMES = {
    "own rates": (2e-4, 2e-4, False),
    "fast D, starved G": (2e-3, 2e-5, False),
    "fast D": (2e-3, 2e-4, False),
    "fast D, saturating": (2e-3, 2e-4, True),
    "own rates, saturating": (2e-4, 2e-4, True),
    "fast G": (5e-5, 4e-3, False),
}


def game(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Sections 1 and 3: the training of the notebook, its samples, the searches, the discriminator in both modes."""
    names, train, test = _prepare(device, seed, data, share)
    gan = _play(names, train, _epochs(25, share))
    found = _losses(gan) | _quality(names, gan, test, "samples")
    found |= _quality(names, names["DCGAN"](), test, "untrained")
    found |= _searches(names, gan, train, test) | _modes(names, gan, train) | _normalised(names, gan, train)
    found |= _memory(names, gan, train, test)
    start = names["draw_codes"](30)
    for title, steps in (("before", 0), ("after", 500)):
        found[f"actmax logit {title}"] = names["maximise_activation"](gan, start, steps)[1].mean().item()
    return _plain(found)


def long_game(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """The same for 100 epochs: 3,900 steps."""
    names, train, test = _prepare(device, seed, data, share)
    gan = _play(names, train, _epochs(100, share))
    found = _losses(gan) | _quality(names, gan, test, "samples") | _searches(names, gan, train, test)
    return _plain(found | _memory(names, gan, train, test) | _modes(names, gan, train))


def steepness(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 2.1: what is left of the bound when the whole convolution is looked at; before training, so without data."""
    names = names_of("cifar_dcgan", "cpu", seed)
    names["device"] = torch.device("cpu")
    names["set_seed"](0)
    steady = names["SpectralDiscriminator"]()
    for _ in range(20):
        steady(torch.rand(8, 3, 32, 32))
    layers = [layer for layer in steady.eval().modules() if isinstance(layer, torch.nn.Conv2d)]
    return {f"whole map, convolution {number}": names["steepness"](layer, side)
            for number, (layer, side) in enumerate(zip(layers, (32, 16, 8), strict=True), 1)}  # fmt: skip


def spectral(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 2.1: the bound on the convolutions, with the batch norm behind them and without it."""
    names, train, test = _prepare(device, seed, data, share)
    plain = names["Discriminator"]
    found: dict[str, Any] = {}
    for title, build in (
        ("SN", names["SpectralDiscriminator"]),
        ("SN, no BN", lambda: _without_batch_norm(names["SpectralDiscriminator"]())),
        ("no BN", lambda: _without_batch_norm(plain())),
    ):
        names["Discriminator"] = build
        names["set_seed"](0)
        fresh = names["DCGAN"]()._discriminator
        for index, layer in enumerate(item for item in fresh.modules() if isinstance(item, nn.Conv2d)):
            original = layer.parametrizations.weight.original if title.startswith("SN") else layer.weight
            found[f"{title} start, std of weights {index + 1}"] = original.std().item()
            top = torch.linalg.matrix_norm(original.flatten(1), 2).item()
            found[f"{title} start, largest singular value {index + 1}"] = top
        gan = _play(names, train, _epochs(25, share))
        found |= {f"{title} {key}": value for key, value in _losses(gan).items()}
        found |= {f"{title} {key}": value for key, value in _quality(names, gan, test, "samples").items()}
        targets = names["images_0_1"](test[:64]).cpu()
        found[f"{title} reconstruction"] = _search(gan, targets)[0]
    names["Discriminator"] = plain
    names["set_seed"](0)
    for index, layer in enumerate(m for m in names["DCGAN"]()._discriminator.modules() if isinstance(m, nn.Conv2d)):
        top = torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        found[f"plain start, largest singular value {index + 1}"] = top
    return _plain(found)


def unbalanced(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 2: short games with other rates, and with the loss that saturates."""
    names, train, test = _prepare(device, seed, data, share)
    found: dict[str, Any] = {}
    for title, (d_rate, g_rate, saturating) in GAMES.items():
        names["set_seed"](0)
        gan = names["DCGAN"]()
        gan._num_epochs = _epochs(6, share)
        gan.tracker = names["GAN_Tracker"](gan._num_epochs, 10, is_silent=True)
        for network, rate in ((gan._discriminator, d_rate), (gan._generator, g_rate)):
            names["optimizer_of"](gan, network).param_groups[0]["lr"] = rate
        if saturating:
            gan._update_generator = lambda count, gan=gan: _saturating_step(names, gan, count)
        before = nn.utils.parameters_to_vector(gan._generator.parameters()).detach().clone()
        gan._num_epochs, rest = 1, gan._num_epochs - 1
        gan.train(train[:2560])
        found |= {f"{title} {key}, early": value for key, value in _pulls(names, gan).items()}
        gan._num_epochs = rest
        if rest:
            gan.train(train[:2560])
        found |= {f"{title} {key}, late": value for key, value in _pulls(names, gan).items()}
        after = nn.utils.parameters_to_vector(gan._generator.parameters()).detach()
        found[f"{title} way of the weights"] = (after - before).norm().item()
        found |= {f"{title} {key}": value for key, value in _losses(gan, 20).items()}
        found |= {f"{title} {key}": value for key, value in _quality(names, gan, test, "samples").items()}
    return _plain(found)


def measure(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """The measures of section 1 on real images alone: what their number of images does."""
    names, train, test = _prepare(device, seed, data, 1.0)
    real = names["images_0_1"](torch.cat([train, test])).cpu()
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    found = {}
    for count in (100, 250, 500, 1000, 3000):
        a, b = real[order[:count]], real[order[count : 2 * count]]
        found[f"colour distance of real halves, n = {count}"] = names["colour_distance"](a, b)
    found["diversity of 500 real"] = names["diversity"](real[order[:500]])
    found["detail of 500 real"] = names["detail"](real[order[:500]])
    found["checkerboard of 500 real"] = _checkerboard(real[order[:500]])
    return _plain(found)


# ---------------------------------------------------------------- one game and what is asked of it


def _prepare(device: str, seed: int, data: Path, share: float) -> tuple[dict[str, Any], Tensor, Tensor]:
    names = names_of("cifar_dcgan", device, seed)
    train, test = photographs(data, device)
    names["VIS_STEPS"] = names["VIS_STEPS"] if share == 1 else 20
    return names, train if share == 1 else train[:300], test


def _epochs(full: int, share: float) -> int:
    return full if share == 1 else 2


def _play(names: dict, train: Tensor, epochs: int) -> Any:
    names["set_seed"](0)
    gan = names["DCGAN"]()
    gan._num_epochs = epochs
    gan.tracker = names["GAN_Tracker"](epochs, 1, is_silent=True)
    gan.train(train)
    return gan


def _losses(gan: Any, last: int = 100) -> dict[str, float]:
    d, g = gan.tracker.d_losses, gan.tracker.g_losses
    return {
        "L_D at the first step": d[0], "L_G at the first step": g[0], "L_D": np.mean(d[-last:]), "L_G": np.mean(g[-last:]),
        "largest smoothed L_G": max(np.convolve(g, np.ones(20) / 20, "valid"), default=g[-1]),
    }  # fmt: skip


def _quality(names: dict, gan: Any, test: Tensor, title: str) -> dict[str, float]:
    images = names["sample"](gan, names["draw_codes"](500)).cpu()
    real = names["images_0_1"](test[:500]).cpu()
    return {
        f"{title} diversity": names["diversity"](images), f"{title} detail": names["detail"](images),
        f"{title} colour distance": names["colour_distance"](images, real), f"{title} checkerboard": _checkerboard(images),
    }  # fmt: skip


def _checkerboard(images: Tensor) -> float:
    """Size of the pattern that changes its sign from pixel to pixel both ways, root mean square."""
    kernel = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).expand(3, 1, 2, 2) / 4
    return F.conv2d(images, kernel, groups=3).square().mean().sqrt().item()


def _search(gan: Any, targets: Tensor, steps: int | None = None, rate: float = 1e-2) -> tuple[float, float]:
    """The notebook's search, or a longer one; its loss, and the mean length of the codes found."""
    if steps is None:
        return gan.reconstruct(targets)[0].item(), float("nan")
    device = next(gan._generator.parameters()).device
    codes = torch.zeros(len(targets), 64, device=device, requires_grad=True)
    optimizer = torch.optim.Adam([codes], lr=rate)
    gan._generator.eval()
    for _ in range(steps):
        loss = F.mse_loss(gan._generator(codes), targets.to(device))
        (codes.grad,) = torch.autograd.grad(loss, [codes])
        optimizer.step()
    return loss.item(), codes.detach().norm(dim=1).mean().item()


def _searches(names: dict, gan: Any, train: Tensor, test: Tensor) -> dict[str, float]:
    targets = names["images_0_1"](test[:64]).cpu()
    own = names["sample"](gan, names["draw_codes"](64)).cpu()
    steps = names["VIS_STEPS"]
    flat = names["images_0_1"](train).cpu().flatten(1)
    centred = flat - flat.mean(dim=0)
    directions = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -64:]
    off = targets.flatten(1) - flat.mean(dim=0)
    return {
        "reconstruction": _search(gan, targets)[0], "reconstruction of own samples": _search(gan, own)[0],
        "length of the codes found": _search(gan, targets, steps)[1],
        "reconstruction, 2,500 steps": _search(gan, targets, 5 * steps)[0],
        "reconstruction, 2,500 steps of 0.05": _search(gan, targets, 5 * steps, 0.05)[0],
        "reconstruction of own samples, 2,500 steps": _search(gan, own, 5 * steps)[0],
        "64 principal components": (off - off @ directions @ directions.T).square().mean().item(),
        "one grey": F.mse_loss(targets.mean().expand_as(targets), targets).item(),
    }  # fmt: skip


def _modes(names: dict, gan: Any, train: Tensor) -> dict[str, float]:
    """Logits of real and made images by the discriminator in training mode and in evaluation mode."""
    real, fake = names["images_0_1"](train[:128]), names["sample"](gan, names["draw_codes"](128))
    found: dict[str, float] = {}
    network = gan._discriminator
    kept = {key: value.clone() for key, value in network.state_dict().items()}
    logits: dict[str, list[Tensor]] = {}
    for mode in (True, False):
        network.train(mode)
        with torch.no_grad():
            logits[str(mode)] = [network(real), network(fake)]
        network.load_state_dict(kept)
    with torch.no_grad():
        joined = network.train()(torch.cat([real, fake])).split(len(real))
    network.load_state_dict(kept)
    logits["joined"] = list(joined)
    for mode, title in (("True", "training"), ("False", "evaluation"), ("joined", "joined batch, training")):
        of_real, of_fake = logits[mode]
        found |= {
            f"{title} mode, real logit": of_real.mean().item(),
            f"{title} mode, fake logit": of_fake.mean().item(),
        }
        loss = F.softplus(-of_real).mean() + F.softplus(of_fake).mean()
        found[f"{title} mode, L_D"] = loss.item()
    return found


def _normalised(names: dict, gan: Any, train: Tensor) -> dict[str, float]:
    """How far the logits move when each convolution that batch norm follows is divided by its largest singular value."""
    network, images = gan._discriminator, names["images_0_1"](train[:128])
    kept = {key: value.clone() for key, value in network.state_dict().items()}
    network.train()
    convolutions = [layer for layer in network.downsample if isinstance(layer, nn.Conv2d)]
    found = {}
    with torch.no_grad():
        plain = network(images)
        for index, layer in enumerate(convolutions):
            top = torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
            found[f"trained, largest singular value {index + 1}"] = top
            if index:
                layer.weight /= top
                layer.bias /= top
        found["both normalised: largest change of a logit"] = (network(images) - plain).abs().max().item()
        found["both normalised: mean size of a logit"] = plain.abs().mean().item()
        network.load_state_dict(kept)
        for layer in convolutions:
            layer.weight /= torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        found["weights of all three normalised: largest change of a logit"] = (
            (network(images) - plain).abs().max().item()
        )
        network.load_state_dict(kept)
        for layer in convolutions[1:]:
            layer.weight /= torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        found["weights of both normalised: largest change of a logit"] = (network(images) - plain).abs().max().item()
    network.load_state_dict(kept)
    return found


def _memory(names: dict, gan: Any, train: Tensor, test: Tensor) -> dict[str, float]:
    """Root mean square distance of samples, and of test images, to the nearest training image."""
    known = names["images_0_1"](train).flatten(1)
    made = names["sample"](gan, names["draw_codes"](500)).flatten(1)
    unseen = names["images_0_1"](test[:500]).flatten(1)
    size = known.shape[1] ** 0.5
    nearest = {
        title: (torch.cdist(images, known) / size).min(dim=1).values
        for title, images in (("sample", made), ("test image", unseen))
    }
    found = {f"nearest training image of a {title}, {what}": value for title, all_ in nearest.items()
             for what, value in (("mean", all_.mean().item()), ("least", all_.min().item()))}  # fmt: skip
    return found


def _saturating_step(names: dict, gan: Any, count: int) -> Tensor:
    """One update of the generator with log(1 - D); what is recorded is the usual L_G."""
    logits = gan._discriminator(gan._generator(names["draw_codes"](count)))
    gan._generator_optimizer.zero_grad()
    F.logsigmoid(-logits).mean().backward()
    gan._generator_optimizer.step()
    return F.softplus(-logits).mean().detach()


def _pulls(names: dict, gan: Any) -> dict[str, float]:
    """Length of the gradient that reaches an image of the generator, for both losses, as a mean over 128 images."""
    images = gan._generator(names["draw_codes"](128)).detach().requires_grad_()
    logits = gan._discriminator(images)
    found = {"fake logit": logits.mean().item()}
    for title, loss in (("non-saturating", F.softplus(-logits)), ("saturating", F.logsigmoid(-logits))):
        (pull,) = torch.autograd.grad(loss.sum(), images, retain_graph=True)
        found[f"image gradient, {title}"] = pull.flatten(1).norm(dim=1).mean().item()
    return found


def _without_batch_norm(network: nn.Module) -> nn.Module:
    for index, layer in enumerate(network.downsample):
        if isinstance(layer, nn.BatchNorm2d):
            network.downsample[index] = nn.Identity()
    return network


def _plain(found: dict[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in found.items()}
