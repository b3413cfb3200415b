"""Probes of notebook 1: the KL divergence and the ELBO."""

from collections.abc import Callable

import torch
from torch import Tensor

from grader.probe_kit.tools import gradients, seed_torch, told


def _and_of_one(function: Callable[..., object], *arguments: Tensor) -> dict[str, object]:
    """The value, and that of the first row alone: an answer may drop a dimension of size 1."""
    return {"value": function(*arguments), "value_of_one": function(*(one[:1] for one in arguments))}


def D_KL(names, mu: Tensor, logvar: Tensor):
    of_a_column = names["D_KL"](mu[:, :1], logvar[:, :1])
    return {**_and_of_one(names["D_KL"], mu, logvar), "value_of_a_column": of_a_column}


def D_KL_gradient(names, mu: Tensor, logvar: Tensor):
    return gradients(names["D_KL"], mu=mu, logvar=logvar)


def gaussians(names, mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor):
    of_a_column = names["kl_divergence"](*(one[:, :1] for one in (mu1, log_sigma1, mu2, log_sigma2)))
    return {**_and_of_one(names["kl_divergence"], mu1, log_sigma1, mu2, log_sigma2), "value_of_a_column": of_a_column}


def gaussians_gradient(names, mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor):
    return gradients(names["kl_divergence"], mu1=mu1, log_sigma1=log_sigma1, mu2=mu2, log_sigma2=log_sigma2)


def log_prob(names, x: Tensor, mu: Tensor, log_sigma: Tensor):
    of_a_column = names["log_prob"](x[:, :1, :1], mu[:, :1, :1], log_sigma[:, :1])
    return {**_and_of_one(names["log_prob"], x, mu, log_sigma), "value_of_a_column": of_a_column}


def log_prob_gradient(names, x: Tensor, mu: Tensor, log_sigma: Tensor):
    return gradients(names["log_prob"], x=x, mu=mu, log_sigma=log_sigma)


def mc(names, samples_q: Tensor, params_q: Tensor, params_p: Tensor):
    of_a_sample = names["kl_q_p_mc"](samples_q[:, :1], params_q, params_p)
    return {**_and_of_one(names["kl_q_p_mc"], samples_q, params_q, params_p), "value_of_a_sample": of_a_sample}


def exact(names, params_q: Tensor, params_p: Tensor):
    of_a_dimension = names["kl_q_p_exact"](params_q[:, -2:], params_p[:, -2:])
    return {**_and_of_one(names["kl_q_p_exact"], params_q, params_p), "value_of_a_dimension": of_a_dimension}


def exact_gradient(names, params_q: Tensor, params_p: Tensor):
    return gradients(names["kl_q_p_exact"], params_q=params_q, params_p=params_p)


def rsample(names, params_q: Tensor, num_samples: Tensor, seed: Tensor):
    """A quarter of the samples in each of four calls: two in a row after one seed, two after another."""
    found, quarter = [], int(num_samples) // 4
    one = names["rsample"](params_q[:1], 1)
    for offset in (0, 1):
        seed_torch(int(seed) + offset)
        found += [names["rsample"](params_q, quarter), names["rsample"](params_q, quarter)]
    if not all(isinstance(samples, Tensor) and samples.ndim == 3 for samples in found):
        return {"samples": found[0]}
    return {"samples": torch.cat(found, dim=0 if found[0].shape[0] == quarter else 1), "one": one}


def rsample_gradient(names, params_q: Tensor, num_samples: Tensor, seed: Tensor):
    """Of the mean square of the samples, summed over the latent: its expectation is known to whoever knows mu and sigma."""
    drawn: list[Tensor] = []

    def mean_square(params: Tensor) -> Tensor:
        drawn.append(names["rsample"](params, int(num_samples)))
        return drawn[-1].pow(2).mean(dim=1)

    seed_torch(seed)
    return {**gradients(mean_square, params_q=params_q), **told(drawn[-1], params_q[:, :-1], dim=1)}


def elbo(names, x: Tensor, params_q: Tensor, weight: Tensor, num_samples: Tensor, log_sig_x: Tensor, seed: Tensor):
    def bound(x: Tensor, params_q: Tensor) -> object:
        return _bound(names, seed, x, params_q, int(num_samples), lambda z: z @ weight, log_sig_x)

    return _and_of_one(bound, x, params_q)


def elbo_gradient(
    names, x: Tensor, params_q: Tensor, weight: Tensor, num_samples: Tensor, log_sig_x: Tensor, seed: Tensor
):
    def loss(params: Tensor, matrix: Tensor, log_sigma: Tensor) -> object:
        return _bound(names, seed, x, params, int(num_samples), lambda z: z @ matrix, log_sigma)

    found = gradients(loss, params_q=params_q, weight=weight, log_sig_x=log_sig_x)
    return found | _codes(names, x, params_q, weight, log_sig_x, seed)


_DRAWS = 4_500  # numbers a call: enough for the moments


def _codes(names, x: Tensor, params_q: Tensor, weight: Tensor, log_sig_x: Tensor, seed: Tensor) -> dict[str, Tensor]:
    """The noise of the codes that the decoder is given in two calls, shape (2, B, N, K); nothing where they come otherwise than in one piece."""
    (b, k1), seen = params_q.shape, []
    wide, n = torch.cat([params_q[:, :-1], torch.full((b, 1), 0.3)], dim=1), _DRAWS // (b * (k1 - 1))

    def decode(z: Tensor) -> Tensor:
        seen.append(z.detach().clone())
        return z @ weight

    for _ in range(3):  # whoever sets a seed afterwards has set it for the second and the third
        _bound(names, seed if not seen else None, x, wide, n, decode, log_sig_x)
    if len(seen) != 3:
        return {}
    found = {"codes": torch.tensor(seen[0].numel())}
    if [z.numel() for z in seen] == [b * n * (k1 - 1)] * 3:
        z = torch.stack(seen[1:]).reshape(2, b, n, k1 - 1)
        found["eps"] = (z - wide[:, None, :-1]) / wide[:, None, -1:].exp()
    return found


def _bound(names, seed: Tensor | None, *given):
    """With the width as a tensor; for an answer that takes a plain number, with that."""
    *others, log_sig_x = given
    if seed is not None:
        seed_torch(seed)
    try:
        return names["elbo"](*others, log_sig_x)
    except (TypeError, AttributeError):
        if seed is not None:
            seed_torch(seed)
        try:
            return names["elbo"](*others, float(log_sig_x))
        except Exception:  # then the first error is the one to tell
            pass
        raise


# Stand-ins for answers that others call. None is right: each is another function of the same arguments, with the
# properties that right answers may build on (entry by entry, even in x - mu, additive over K, random for each sample).


def _other_divergence(mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor) -> Tensor:
    return 0.3 * (mu1 - mu2) ** 2 * torch.exp(-log_sigma2) + 0.7 * log_sigma2 - 0.4 * log_sigma1 + 0.2


def _other_log_prob(x: Tensor, mu: Tensor, log_sigma: Tensor) -> Tensor:
    distance = (1 + (x - mu) ** 2).sqrt().sum(-1)
    return 0.4 * x.shape[-1] * log_sigma - 0.6 * distance * torch.exp(-log_sigma)


def _other_exact(params_q: Tensor, params_p: Tensor) -> Tensor:
    q, p = ((params[:, :-1], params[:, -1:]) for params in (params_q, params_p))
    return _other_divergence(*q, *p).sum(-1)


def _other_rsample(params_q: Tensor, num_samples: int) -> Tensor:
    mu, sigma = params_q[:, None, :-1], params_q[:, None, -1:].exp()
    noise = torch.rand(len(params_q), num_samples, mu.shape[-1], dtype=params_q.dtype)
    return 0.8 * mu + 0.1 + sigma * (noise - 0.3)


STAND_INS = {
    "kl_divergence": _other_divergence,
    "log_prob": _other_log_prob,
    "kl_q_p_exact": _other_exact,
    "rsample": _other_rsample,
}
