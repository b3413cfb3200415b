"""Notebook 1: estimators, bounds, and the toy VAE. On the CPU; seconds."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.claims.cells import names_of
from utils import set_seed


def toys(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Section 3: the toy VAE with three weights of its KL, and the noise of its gradient."""
    names = names_of("kl_divergence", "cpu", seed)
    names["set_seed"](0)
    points = names["draw_clusters"](2000)
    found: dict[str, float] = {}
    for beta in (0.001, 1.0, 100.0):
        _, generated, rec, kl = names["train_toy_vae"](points, beta, int(1500 * share))
        on_data, clusters = names["judge_samples"](generated)
        found |= {f"beta {beta:g} -log p(x|z)": rec, f"beta {beta:g} KL": kl}
        found |= {f"beta {beta:g} on the data": on_data, f"beta {beta:g} clusters": clusters}
    return found | _noise_of_gradient(names, points, int(1500 * share))


def estimators(device: str, seed: int, data: Path, share: float) -> dict[str, float]:
    """Sections 2 and 3: Monte Carlo, the exact KL or the sampled one, tighter bounds, two estimators of a gradient."""
    names = names_of("kl_divergence", "cpu", seed)
    set_seed(seed)
    return _errors(names) | _at_posterior(names) | _of_gradient() | _torch_normal()


def _errors(names: dict) -> dict[str, float]:
    params_q, params_p = torch.zeros(1, 5), torch.tensor([[10.0, 10.0, 10.0, 10.0, 1.0]])
    exact = names["kl_q_p_exact"](params_q, params_p)
    found = {}
    for n in (1, 10, 100, 1000):
        draws = torch.randn(400, n, 4)
        errors = names["kl_q_p_mc"](draws, params_q.expand(400, -1), params_p.expand(400, -1)) - exact
        found[f"error of the Monte Carlo KL, {n} draws"] = errors.abs().mean().item()
    alike = names["kl_q_p_mc"](
        torch.randn(1000, 10, 2), torch.zeros(1000, 3), torch.tensor([[0.1, 0.1, 0.0]]).expand(1000, 3)
    )
    found["negative estimates"] = (alike < 0).float().mean().item()
    return found


def _at_posterior(names: dict) -> dict[str, float]:
    """The linear model of section 3: one-draw estimates of the negative ELBO at the true posterior, and bounds of more draws."""
    sigma_x, scale = 0.5, 1.5
    W = scale * torch.linalg.qr(torch.randn(5, 2))[0]
    x = torch.randn(1, 5)
    covariance = W @ W.T + sigma_x**2 * torch.eye(5)
    exact = -torch.distributions.MultivariateNormal(torch.zeros(5), covariance).log_prob(x)[0].item()
    variance = 1 / (1 + scale**2 / sigma_x**2)
    posterior = torch.cat([variance / sigma_x**2 * x @ W, torch.tensor([[0.5 * math.log(variance)]])], 1)
    prior = torch.zeros(1, 3)

    def terms(params: Tensor, repeats: int, n: int) -> tuple[Tensor, Tensor]:
        """log p(x | z) and log q(z) - log p(z) of each draw, both of shape (repeats, n)."""
        z = names["rsample"](params.expand(repeats, -1), n)
        log_p = names["log_prob"](x.expand(repeats, n, 5), z @ W.T, torch.full((repeats, n), math.log(sigma_x)))
        density = [
            names["log_prob"](z, p[:, None, :-1].expand_as(z), p[:, None, -1].expand(repeats, n))
            for p in (params, prior)
        ]
        return log_p, density[0] - density[1]

    log_p, log_ratio = terms(posterior, 4000, 1)
    kl = names["kl_q_p_exact"](posterior, prior)
    found = {
        "-ELBO, exact KL, sd": (kl - log_p[:, 0]).std().item(),
        "-ELBO, sampled KL, sd": (log_ratio - log_p).std().item(),
    }
    moved = posterior + torch.tensor([[0.5, 0.0, 0.0]])
    log_p, log_ratio = terms(moved, 4000, 1)
    kl = names["kl_q_p_exact"](moved, prior)
    found["away: exact KL, sd"] = (kl - log_p[:, 0]).std().item()
    found["away: sampled KL, sd"] = (log_ratio - log_p).std().item()
    for n in (1, 10, 100, 1000):
        log_p, log_ratio = terms(moved, 2000, n)
        bound = -((log_p - log_ratio).logsumexp(dim=1) - math.log(n))
        found[f"importance-weighted bound, {n} draws, above -log p(x)"] = bound.mean().item() - exact
        found[f"-ELBO, {n} draws, above -log p(x)"] = (log_ratio - log_p).mean().item() - exact
    log_p, _ = terms(posterior, 4000, 1)
    kl = names["kl_q_p_exact"](posterior, prior).item()
    for beta in (0.5, 1.0, 2.0):
        found[f"beta {beta:g}: loss minus -log p(x)"] = beta * kl - log_p.mean().item() - exact
    return found


def _of_gradient(draws: int = 20_000) -> dict[str, float]:
    """Two estimators of d/dmu of D_KL(N(mu, 1) || N(2, 1/4)) at mu = 0, one draw each: their means and variances."""
    eps = torch.randn(draws, dtype=torch.float64)
    z = eps  # mu = 0, sigma = 1
    log_ratio = -0.5 * z**2 + 0.5 * ((z - 2) / 0.5) ** 2 + math.log(0.5)
    by_score = log_ratio * z  # d log q / d mu = z - mu
    by_path = (z - 2) / 0.25  # log q does not change when z and mu move together
    return {
        "score function, mean": by_score.mean().item(), "score function, sd": by_score.std().item(),
        "reparameterised, mean": by_path.mean().item(), "reparameterised, sd": by_path.std().item(),
    }  # fmt: skip


def _torch_normal() -> dict[str, float]:
    mu, sigma = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    torch.normal(mu, sigma).sum().backward()
    return {"largest gradient through torch.normal": max(mu.grad.abs().max().item(), sigma.grad.abs().max().item())}


def _noise_of_gradient(names: dict, points: Tensor, steps: int) -> dict[str, float]:
    """Relative noise of the gradient of the toy VAE: batch size B, N draws for each point."""
    kept: list[Any] = []
    original = names["mlp"]
    names["mlp"] = lambda *sizes: kept.append(original(*sizes)) or kept[-1]
    names["train_toy_vae"](points, 1.0, steps)
    encoder, decoder = kept
    parameters = [*encoder.parameters(), *decoder.parameters()]

    def noise(batch: int, draws: int, is_fixed: bool = False) -> float:
        rows = torch.randint(len(points), (batch,))
        slopes = []
        for _ in range(200):
            x = points[rows if is_fixed else torch.randint(len(points), (batch,))]
            params_q = encoder(x)
            x_hat = decoder(names["rsample"](params_q, draws))
            log_sigma = torch.full((batch, draws), math.log(0.1))
            rec = -names["log_prob"](x[:, None].expand_as(x_hat), x_hat, log_sigma).mean()
            loss = rec + names["kl_q_p_exact"](params_q, torch.zeros_like(params_q)).mean()
            slopes.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)]))
        return torch.stack(slopes).var(dim=0).sum().sqrt().item()

    return {
        "noise of the gradient, B = 256, N = 1": noise(256, 1), "noise of the gradient, B = 256, N = 16": noise(256, 16),
        "noise of the gradient, B = 16, N = 1": noise(16, 1), "noise of the gradient, B = 16, N = 16": noise(16, 16),
        "noise of the gradient, one batch of 256, N = 1": noise(256, 1, True),
    }  # fmt: skip
