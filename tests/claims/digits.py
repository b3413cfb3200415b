"""Notebook 3: autoencoders and VAEs of digits."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.claims.cells import names_of
from tests.claims.data import Digits, digits

NZ = 32


def autoencoders(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Sections 1 to 2.3 and 2.6: the autoencoder, and VAEs with beta 0, 0.105 and 10."""
    names, train, test = _prepare(device, seed, data, share)
    judge = _judge(names, train)
    loader = names["TensorLoader"](train, 64, shuffle=True, drop_last=True)
    epochs = _epochs(10, share)
    names["set_seed"](0)
    net = names["AutoEncoder"](NZ).to(device)
    losses = names["train_autoencoder"](net, loader, epochs)
    found = {"AE BCE": np.mean(losses[-100:]), "AE BCE, first epoch": np.mean(losses[len(loader) - 100 : len(loader)])}
    found |= _readable(names, judge, "AE", net.decoder, net.encoder(test.images.flatten(2)), NZ)
    found |= _midpoints(names, judge, "AE", net.decoder, net.encoder(test.images[:2000].flatten(2)), test.labels[:2000])
    read = names["read_digits"](judge, test.images)[0]
    found["judge right"] = (read == test.labels).float().mean().item()
    found["judge sure of test digits"] = names["sure_share"](judge, test.images)
    for beta in (0.0, NZ / 784, 0.105, 10.0):
        names["set_seed"](0)
        vae = names["VAE"](NZ, beta=beta).to(device)
        history = names["train_beta_vae"](vae, loader, epochs)
        mu, log_sigma = vae.encoder(test.images.flatten(2)).chunk(2, dim=-1)
        title = f"beta {beta:.3g}"
        found |= {f"{title} {key}": np.mean(values[-100:]) for key, values in history.items()}
        found |= _readable(names, judge, title, vae.decoder, mu, NZ, log_sigma)
        found |= _midpoints(names, judge, title, vae.decoder, mu[:2000], test.labels[:2000])
        pictures = vae.reconstruct(test.images[:12].flatten(2))
        found[f"{title} largest difference of reconstructions"] = (pictures - pictures[0]).abs().max().item()
        found[f"{title} nats"] = 784 * found[f"{title} rec_loss"] + NZ * found[f"{title} kl_loss"]
        found[f"{title} mean sigma"] = log_sigma.exp().mean().item()
    return _plain(found)


def annealing(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 2.4: the full KL from the start, or annealed, with two learning rates."""
    names, train, test = _prepare(device, seed, data, share)
    loader = names["TensorLoader"](train, 128, shuffle=True, drop_last=True)
    names["test_data"] = test
    found: dict[str, Any] = {}
    for rate in (1e-2, 1e-3):
        for title, rounds in (("full", 0), ("annealed", 5)):
            names["set_seed"](0)
            model = names["VAE"](nz=8).to(device)
            weight = names["KLWeightManager"](0, rounds)
            run = names["train_annealed"](model, loader, _epochs(15, share), weight, rate)
            key = f"rate {rate:g} {title}"
            kl = names["kl_of_dimensions"](model)
            used = kl > 0.05
            found |= {f"{key} rec": run["rec_loss"][-1], f"{key} KL": run["kl_loss"][-1]}
            found[f"{key} total"] = run["rec_loss"][-1] + run["kl_loss"][-1]
            found[f"{key} used"] = int(used.sum())
            found |= _pulls(model, test, used.to(device), key)
    return _plain(found)


def _pulls(model: nn.Module, test: Digits, used: Tensor, key: str) -> dict[str, float]:
    """Mean size of the gradients that reach the encoder's means, of dimensions in use and of others."""
    x = test.images[:1000].flatten(2)
    mu, log_sigma = model.encoder(x).detach().chunk(2, dim=-1)
    mu = mu.requires_grad_()
    images = model.decoder(mu + log_sigma.exp() * torch.randn_like(mu))
    (pull,) = torch.autograd.grad(((images - x) ** 2).sum(), mu)
    weight = model.decoder.net[0].weight
    found = {}
    for title, rows in (("used", used), ("other", ~used)):
        if rows.any():
            found[f"{key} gradient of rec, {title}"] = pull[:, rows].abs().mean().item()
            found[f"{key} decoder weight, {title}"] = weight[:, rows].norm(dim=0).mean().item()
    return found


def nats(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Sections 3 and 4: the fully connected VAE and the conditional one."""
    names, train, test = _prepare(device, seed, data, share)
    judge = _judge(names, train)
    loader = names["TensorLoader"](train, 128, shuffle=True, drop_last=True)
    found: dict[str, Any] = {}
    models = {}
    for title, build in (("VAE", names["FCVAE"]), ("CVAE", names["CVAE"])):
        names["set_seed"](0)
        model = models[title] = build(784).to(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for epoch in range(1, _epochs(10, share) + 1):
            loss = names["train_vae"](
                epoch, model, loader, cond=title == "CVAE", loss_function=names["loss_function"], optimizer=optimizer
            )
            found[f"{title} epoch {epoch}"] = loss
        found[f"{title} last"] = loss
    vae, cvae = models["VAE"].eval(), models["CVAE"].eval()
    found["VAE minus CVAE"] = found["VAE last"] - found["CVAE last"]
    with torch.no_grad():
        hidden = vae.encoder(test.images)
        mu, logvar = vae.mu_layer(hidden), vae.logvar_layer(hidden)
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)
        found["VAE used"] = int((kl.mean(dim=0) > 0.05).sum())
        found |= _readable(names, judge, "VAE", vae.decoder, mu, 15, 0.5 * logvar)
        even = vae.decoder(6 * torch.rand(2000, 15, device=device) - 3)
        drawn = vae.decoder(torch.randn(2000, 15, device=device))
        for title, images in (("uniform", even), ("prior", drawn), ("test", test.images[:2000])):
            read = torch.bincount(names["read_digits"](judge, images)[0].cpu(), minlength=10) / 2000
            found |= {f"{title} ink": images.mean().item(), f"{title} rarest": read.min().item()}
            found |= {
                f"{title} most frequent": read.max().item(),
                f"{title} readable": names["sure_share"](judge, images),
            }
        found |= _bounds(names, vae, test, "VAE")
        found |= _bounds(names, cvae, test, "CVAE")
        asked = torch.arange(10, device=device).repeat(100)
        codes = torch.cat([torch.randn(1000, 15, device=device), names["idx2onehot"](asked, 10)], dim=1)
        read = names["read_digits"](judge, cvae.decoder(codes))[0]
        found["CVAE read as asked"] = (read == asked).float().mean().item()
    return _plain(found)


def _bounds(names: dict, model: nn.Module, test: Digits, title: str, draws: int = 500) -> dict[str, float]:
    """On 500 test images: the negative ELBO, the importance-weighted bound, and single draws that lie below it."""
    x, wanted = test.images[:500], F.one_hot(test.labels[:500], 10).float()
    hidden = model.encoder(torch.cat([x.flatten(1), wanted], dim=1)) if title == "CVAE" else model.encoder(x)
    mu, logvar = model.mu_layer(hidden), model.logvar_layer(hidden)
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)
    rec, weights = [], []
    for _ in range(draws):
        eps = torch.randn_like(mu)
        z = mu + (0.5 * logvar).exp() * eps
        images = model.decoder(torch.cat([z, wanted], dim=1) if title == "CVAE" else z)
        rec.append(F.binary_cross_entropy(images, x, reduction="none").flatten(1).sum(dim=1))
        weights.append(-rec[-1] - 0.5 * (z**2).sum(dim=1) + 0.5 * (eps**2 + logvar).sum(dim=1))
    rec, weights = torch.stack(rec), torch.stack(weights)
    tight = -(weights.logsumexp(dim=0) - math.log(draws))  # type: ignore[attr-defined]
    single = (weights[0].neg() < tight).float().mean().item()
    with_exact_kl = (rec + kl < tight).float().mean().item()
    return {
        f"{title} test -ELBO": (rec.mean(dim=0) + kl).mean().item(), f"{title} test importance-weighted": tight.mean().item(),  # type: ignore[attr-defined]
        f"{title} one draw below": with_exact_kl, f"{title} one draw of -log w below": single,
    }  # fmt: skip


def blur(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 6: two-number autoencoders with the squared error and with the cross-entropy."""
    names, train, test = _prepare(device, seed, data, share)
    judge = _judge(names, train)
    loader = names["TensorLoader"](train, 64, shuffle=True, drop_last=True)
    found: dict[str, Any] = {}
    for title, loss_of in (("squared error", F.mse_loss), ("BCE", F.binary_cross_entropy)):
        names["set_seed"](0)
        net = names["AutoEncoder"](2).to(device)
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(_epochs(3, share)):
            for images, _ in loader:
                loss = loss_of(net(images.flatten(2)), images.flatten(2))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            pictures = net.reconstruct(test.images.flatten(2))
            codes = net.encoder(test.images.flatten(2))
        grey = [((p > 0.2) & (p < 0.8)).float().mean().item() for p in (test.images, pictures)]
        found |= {"originals grey": grey[0], f"{title} grey": grey[1]}
        spread = codes.std(dim=0)
        found |= {f"{title} spread, less": spread.min().item(), f"{title} spread, more": spread.max().item()}
        found |= _readable(names, judge, f"{title} AE(2)", net.decoder, codes, 2)
    return _plain(found)


def width(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 5 with the weights of the bundle: the learned width beside the error of a pixel."""
    names, _, test = _prepare(device, seed, data, share)
    vae = names["SimpleVAE"](K=2, num_filters=32)
    names["load_pretrained"](vae, "simple_vae")
    vae = vae.to(device)
    names["set_seed"](0)
    with torch.no_grad():
        x = test.images[:2000]
        params = vae.encode(x)
        drawn = vae.decode(names["rsample"](params, 1))[:, 0]
        means = vae.decode(params[:, None, :2])[:, 0]
        return _plain({
            "sigma_x": vae.log_sig_x.exp().item(), "root mean squared error, draws": (x - drawn).pow(2).mean().sqrt().item(),
            "root mean squared error, means": (x - means).pow(2).mean().sqrt().item(), "ELBO": vae.elbo(x, 10).item(),
        })  # fmt: skip


# ---------------------------------------------------------------- shared


def _prepare(device: str, seed: int, data: Path, share: float) -> tuple[dict[str, Any], Digits, Digits]:
    names = names_of("mnist_vae", device, seed)
    train, test = (digits(data, part, device) for part in ("train", "t10k"))
    return names, Digits(train.images[: int(60_000 * share)], train.labels[: int(60_000 * share)]), test


def _epochs(full: int, share: float) -> int:
    return full if share == 1 else 1


def _judge(names: dict, train: Digits) -> nn.Module:
    """The notebook's judge, the same for every seed: it is a measure."""
    judge = names["train_judge"](Digits(train.images.cpu(), train.labels.cpu()))
    return judge.to(train.images.device)


def _readable(names: dict, judge: nn.Module, title: str, decoder, mu: Tensor, nz: int, log_sigma: Tensor | None = None):
    """Shares of readable pictures: of draws from the prior, from a Gaussian fitted to the codes, and from the posteriors."""
    names["set_seed"](1)
    mu = mu.detach()
    codes = mu if log_sigma is None else mu + log_sigma.detach().exp() * torch.randn_like(mu)
    centre, chol = codes.mean(dim=0), torch.linalg.cholesky(codes.T.cov() + 1e-6 * torch.eye(nz, device=codes.device))
    noise = torch.randn(2000, nz, device=codes.device)
    drawn = {
        "prior": noise, "Gaussian, diagonal": centre + noise * codes.std(dim=0), "Gaussian, full": centre + noise @ chol.T,
        "codes of test digits": codes[:2000],
    }  # fmt: skip
    found = {}
    with torch.no_grad():
        for way, z in drawn.items():
            found[f"{title} readable, {way}"] = names["sure_share"](judge, decoder(z))
    spread = codes.std(dim=0)
    found |= {
        f"{title} least spread of codes": spread.min().item(),
        f"{title} largest spread of codes": spread.max().item(),
    }
    found[f"{title} median distance of codes"] = codes.norm(dim=1).median().item()
    return found


def _midpoints(names: dict, judge: nn.Module, title: str, decoder, z: Tensor, labels: Tensor) -> dict[str, float]:
    """Section 2.6: readable at the ends, and halfway between pairs of different digits."""
    mates = torch.randperm(len(z), generator=torch.Generator().manual_seed(0)).to(z.device)
    differ = labels != labels[mates]
    with torch.no_grad():
        ends, halfway = decoder(z)[differ], decoder((z + z[mates]) / 2)[differ]
    share = names["sure_share"]
    return {f"{title} readable ends": share(judge, ends), f"{title} readable midpoints": share(judge, halfway)}


def _plain(found: dict[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in found.items()}
