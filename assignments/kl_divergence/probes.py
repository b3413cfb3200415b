"""Probes of notebook 1: the KL divergence and the ELBO."""

import torch
from torch import Tensor

from grader.probe_kit.tools import draws, gradients, seed_torch


def D_KL(names, mu: Tensor, logvar: Tensor):
    return {"value": names["D_KL"](mu, logvar)}


def D_KL_gradient(names, mu: Tensor, logvar: Tensor):
    return gradients(names["D_KL"], mu=mu, logvar=logvar)


def gaussians(names, mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor):
    return {"value": names["kl_divergence"](mu1, log_sigma1, mu2, log_sigma2)}


def gaussians_gradient(names, mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor):
    return gradients(names["kl_divergence"], mu1=mu1, log_sigma1=log_sigma1, mu2=mu2, log_sigma2=log_sigma2)


def log_prob(names, x: Tensor, mu: Tensor, log_sigma: Tensor):
    return {"value": names["log_prob"](x, mu, log_sigma)}


def log_prob_gradient(names, x: Tensor, mu: Tensor, log_sigma: Tensor):
    return gradients(names["log_prob"], x=x, mu=mu, log_sigma=log_sigma)


def mc(names, samples_q: Tensor, params_q: Tensor, params_p: Tensor):
    return {"value": names["kl_q_p_mc"](samples_q, params_q, params_p)}


def mc_gradient(names, samples_q: Tensor, params_q: Tensor, params_p: Tensor):
    return gradients(names["kl_q_p_mc"], samples_q=samples_q, params_q=params_q, params_p=params_p)


def exact(names, params_q: Tensor, params_p: Tensor):
    return {"value": names["kl_q_p_exact"](params_q, params_p)}


def exact_gradient(names, params_q: Tensor, params_p: Tensor):
    return gradients(names["kl_q_p_exact"], params_q=params_q, params_p=params_p)


def rsample(names, params_q: Tensor, params_again: Tensor, num_samples: Tensor, seed: Tensor):
    def draw(params: Tensor) -> Tensor:
        return names["rsample"](params, int(num_samples))

    return draws(lambda: draw(params_q), lambda: draw(params_again), seed)


def rsample_gradient(names, params_q: Tensor, num_samples: Tensor, seed: Tensor):
    """Of the mean square of the samples, summed over the latent: its expectation is known to whoever knows mu and sigma."""
    seed_torch(seed)
    return gradients(lambda params: names["rsample"](params, int(num_samples)).pow(2).mean(dim=1), params_q=params_q)


def elbo(names, x: Tensor, params_q: Tensor, weight: Tensor, num_samples: Tensor, log_sig_x: Tensor, seed: Tensor):
    seed_torch(seed)
    return {"value": names["elbo"](x, params_q, int(num_samples), lambda z: z @ weight, log_sig_x)}


def elbo_sampled(
    names, x: Tensor, params_q: Tensor, params_again: Tensor, weight: Tensor, num_samples: Tensor, log_sig_x: Tensor,
    seed: Tensor,
):  # fmt: skip
    """Beside the value the samples that reached the decoder, of all calls of it."""
    values: list[Tensor] = []

    def draw(params: Tensor) -> Tensor:
        seen: list[Tensor] = []

        def decode(z: Tensor) -> Tensor:
            seen.append(z.detach().clone())
            return z @ weight

        values.append(names["elbo"](x, params, int(num_samples), decode, log_sig_x))
        b, k = len(params), params.shape[1] - 1
        return torch.cat([z if z.ndim == 3 else z.reshape(b, -1, k) for z in seen], dim=1)

    found = draws(lambda: draw(params_q), lambda: draw(params_again), seed)
    return {**found, "value": values[0]}


def elbo_gradient(
    names, x: Tensor, params_q: Tensor, weight: Tensor, num_samples: Tensor, log_sig_x: Tensor, seed: Tensor
):
    def loss(params: Tensor, matrix: Tensor, log_sigma: Tensor) -> object:
        return names["elbo"](x, params, int(num_samples), lambda z: z @ matrix, log_sigma)

    seed_torch(seed)
    return gradients(loss, params_q=params_q, weight=weight, log_sig_x=log_sig_x)
