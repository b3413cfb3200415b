"""Probes of notebook 1: the KL divergence and the ELBO."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from grader.probe_kit.tools import gradients, seed_torch, told


def _and_of_one(function: Callable[..., object], *arguments: Tensor) -> dict[str, object]:
    """The value, and that of the first row alone: an answer may drop a dimension of size 1."""
    return {"value": function(*arguments), "value_of_one": function(*(one[:1] for one in arguments))}


def _many(given: Tensor, count: int, dim: int = 0) -> Tensor:
    """As many rows, no two alike: those given, again and again, each a little longer than the one before."""
    times, size = [1] * given.ndim, [1] * given.ndim
    times[dim], size[dim] = -(-count // given.shape[dim]), count
    return given.repeat(times).narrow(dim, 0, count) * torch.linspace(0.5, 1.5, count).reshape(size)


def _at_equal_values(function: Callable[..., object], **inputs: Tensor) -> dict[str, Tensor]:
    """Gradients where a root has no slope, and where whoever looks for equal arguments takes another way."""
    return {f"{name}_at_equal_values": grad for name, grad in gradients(function, **inputs).items()}


_MANY, _MORE = 600, 1_100  # examples, and samples or dimensions: more than a block, a buffer or a shortcut goes up to

# Far out a limit, an eps or a series shows that changes nothing near 0. Each stands alone: beside it, nothing else would show.
_FAR = 9.0


def D_KL(names, mu: Tensor, logvar: Tensor):
    kl = names["D_KL"]
    return {
        **_and_of_one(kl, mu, logvar), "value_of_a_column": kl(mu[:, :1], logvar[:, :1]),
        "value_narrow": kl(mu, logvar - 2 * _FAR), "value_wide": kl(mu, logvar + 2 * _FAR), "value_far": kl(20 * mu, logvar),
        "value_of_many": kl(_many(mu, _MANY), _many(logvar, _MANY)),
        "value_with_the_prior": kl(*(torch.cat([0 * one[:1], one[1:]]) for one in (mu, logvar))),
    }  # fmt: skip


def D_KL_gradient(names, mu: Tensor, logvar: Tensor):
    return gradients(names["D_KL"], mu=mu, logvar=logvar)


def gaussians(names, mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor):
    kl, given = names["kl_divergence"], (mu1, log_sigma1, mu2, log_sigma2)
    return {
        **_and_of_one(kl, *given), "value_of_a_column": kl(*(one[:, :1] for one in given)),
        "value_narrow": kl(mu1, log_sigma1 - _FAR, mu2, log_sigma2 - _FAR), "value_wide": kl(mu1, log_sigma1 + _FAR, mu2, log_sigma2),
        "value_far": kl(_FAR * mu1, log_sigma1, -_FAR * mu2, log_sigma2),
        "value_of_three_dimensions": kl(*(one[None] for one in given)), "value_of_equal_widths": kl(mu1, log_sigma2, mu2, log_sigma2),
        "value_of_unit_widths": kl(mu1, log_sigma1, mu2, 0 * log_sigma2), "value_of_centred": kl(mu1, log_sigma1, 0 * mu2, log_sigma2),
        "value_of_equal_means": kl(mu2, log_sigma1, mu2, log_sigma2), "value_of_the_prior": kl(mu1, log_sigma1, 0 * mu2, 0 * log_sigma2),
        "value_of_a_vector": kl(*(one[1] for one in given)),
    }  # fmt: skip


def gaussians_gradient(names, mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor):
    kl = names["kl_divergence"]
    found = gradients(kl, mu1=mu1, log_sigma1=log_sigma1, mu2=mu2, log_sigma2=log_sigma2)
    return found | _at_equal_values(kl, mu1=mu1, log_sigma1=log_sigma1, mu2=mu1, log_sigma2=log_sigma1)


def log_prob(names, x: Tensor, mu: Tensor, log_sigma: Tensor):
    density, shrink = names["log_prob"], 2e-6  # a third of exp(-12): the two terms do not cancel each other
    return {
        **_and_of_one(density, x, mu, log_sigma), "value_of_a_column": density(x[:, :1, :1], mu[:, :1, :1], log_sigma[:, :1]),
        "value_narrow": density(shrink * x, 0 * mu, log_sigma - 12), "value_wide": density(x, mu, log_sigma + _FAR),
        "value_far": density(3000 * x, mu, log_sigma),
        "value_of_many_samples": density(*(_many(one[:1], _MORE, dim=1) for one in (x, mu, log_sigma))),
        "value_of_many_dimensions": density(_many(x[:1, :2], _MORE, dim=2), _many(mu[:1, :2], _MORE, dim=2), log_sigma[:1, :2]),
    }  # fmt: skip


def log_prob_gradient(names, x: Tensor, mu: Tensor, log_sigma: Tensor):
    found = gradients(names["log_prob"], x=x, mu=mu, log_sigma=log_sigma)
    alike, near = torch.full_like(log_sigma, 0.3), torch.cat([mu[:1], x[1:]])
    return found | _at_equal_values(names["log_prob"], x=near, mu=mu, log_sigma=alike)


def mc(names, samples_q: Tensor, params_q: Tensor, params_p: Tensor):
    mc_, times = names["kl_q_p_mc"], torch.full_like(params_q, 4.0)
    times[:, -1] = 1.0
    centred = torch.cat([0 * params_p[:, :-1], params_p[:, -1:]], dim=1)
    return {
        **_and_of_one(mc_, samples_q, params_q, params_p), "value_of_a_sample": mc_(samples_q[:, :1], params_q, params_p),
        "value_far": mc_(4 * samples_q, times * params_q, times * params_p),
        "value_of_many_samples": mc_(_many(samples_q[:2], _MANY, dim=1), params_q[:2], params_p[:2]),
        "value_of_centred": mc_(samples_q, params_q, centred),
    }  # fmt: skip


def mc_gradient(names, samples_q: Tensor, params_q: Tensor, params_p: Tensor):
    found = gradients(names["kl_q_p_mc"], samples_q=samples_q, params_q=params_q, params_p=params_p)
    return found | _at_equal_values(names["kl_q_p_mc"], samples_q=samples_q, params_q=params_q, params_p=params_q)


def exact(names, params_q: Tensor, params_p: Tensor):
    kl, less, times = names["kl_q_p_exact"], torch.zeros_like(params_q), torch.full_like(params_q, _FAR)
    less[:, -1], times[:, -1] = _FAR, 1.0
    centred, around_q = (torch.cat([means[:, :-1], params_p[:, -1:]], dim=1) for means in (0 * params_p, params_q))
    return {
        **_and_of_one(kl, params_q, params_p), "value_of_a_dimension": kl(params_q[:, -2:], params_p[:, -2:]),
        "value_narrow": kl(params_q - less, params_p - less), "value_wide": kl(params_q + less, params_p),
        "value_far": kl(times * params_q, -times * params_p), "value_of_many": kl(_many(params_q, _MANY), _many(params_p, _MANY)),
        "value_of_centred": kl(params_q, centred), "value_of_equal_means": kl(params_q, around_q),
        "value_of_the_prior": kl(params_q, 0 * params_p),
    }  # fmt: skip


def exact_gradient(names, params_q: Tensor, params_p: Tensor):
    found = gradients(names["kl_q_p_exact"], params_q=params_q, params_p=params_p)
    return found | _at_equal_values(names["kl_q_p_exact"], params_q=params_q, params_p=params_q)


_APART = 1000.0  # as in checks.py, which no student's process may read


def rsample(names, params_q: Tensor, num_samples: Tensor, seed: Tensor):
    """A quarter of the samples in each of four calls: two in a row after one seed, two after another."""
    found, quarter = [], int(num_samples) // 4
    one = names["rsample"](params_q[:1], 1)
    with torch.no_grad():  # a draw there too; of few, what is shared or scaled shows by itself
        around_0 = torch.cat([0 * params_q[:, :-1], params_q[:, -1:]], dim=1)
        single = names["rsample"](around_0, 1)
        apart = around_0[:2].clone()
        apart[1, :-1] = _APART  # as many samples as rows, and no doubt whose each is
        pair = names["rsample"](apart, 2)
    for offset in (0, 1):
        seed_torch(int(seed) + offset)
        found += [names["rsample"](params_q, quarter), names["rsample"](params_q, quarter)]
    seed_torch(int(seed) + 1)
    again = names["rsample"](params_q, quarter)
    if not all(isinstance(samples, Tensor) and samples.ndim == 3 for samples in found):
        return {"samples": found[0]}
    samples = torch.cat(found, dim=0 if found[0].shape[0] == quarter else 1)
    return {"samples": samples, "one": one, "again": again, "then": found[2], "single": single, "pair": pair}


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

    def near(x: Tensor, params_q: Tensor, count: int) -> object:
        """Of a posterior close to the prior, and a decoder that heeds no code: whatever is drawn, the bound is one number."""
        return _bound(names, seed, x, params_q, count, lambda z: z @ (0 * weight), log_sig_x)

    if num_samples > 100:  # what else there is to ask needs no more than a few
        return {"value": bound(x, params_q)}
    around, far = 0.1 * params_q, 20 * params_q
    around[:, -1], far[:, -1] = 0.05 * params_q[:, 0].tanh(), params_q[:, -1]
    widths = {
        f"value_of_{name}_width": _bound(
            names, seed, _FAR * x, params_q, int(num_samples), lambda z: z @ weight, log_sig_x + more
        )
        for name, more in (("small", -6.0), ("large", 6.0))
    }
    near_prior = {"value_near": near(x, around, int(num_samples)), "value_near_of_a_sample": near(x, around, 1)}
    return {**_and_of_one(bound, x, params_q), **near_prior, "value_far": bound(x, far), **widths}


def elbo_gradient(
    names, x: Tensor, params_q: Tensor, weight: Tensor, num_samples: Tensor, log_sig_x: Tensor, seed: Tensor
):
    def loss(params: Tensor, matrix: Tensor, log_sigma: Tensor) -> object:
        return _bound(names, seed, x, params, int(num_samples), lambda z: z @ matrix, log_sigma)

    found = gradients(loss, params_q=params_q, weight=weight, log_sig_x=log_sig_x)
    return found | _codes(names, x, params_q, weight, log_sig_x, seed)


class _Decoder(nn.Module):
    """A linear decoder that notes its codes. A module, as those of a model are: its mode is the caller's, and watched."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight, self.seen = weight, list[Tensor]()

    def forward(self, z: Tensor) -> Tensor:
        self.seen.append(z.detach().clone())
        return z @ self.weight


_DRAWS = 4_500  # numbers a call: enough for the moments


def _codes(names, x: Tensor, params_q: Tensor, weight: Tensor, log_sig_x: Tensor, seed: Tensor) -> dict[str, Tensor]:
    """The noise of the codes that the decoder is given in two calls, shape (2, B, N, K); nothing where they come otherwise than in one piece."""
    (b, k1), decode = params_q.shape, _Decoder(weight)
    wide, n = torch.cat([params_q[:, :-1], torch.full((b, 1), 0.3)], dim=1), _DRAWS // (b * (k1 - 1))
    seen = decode.seen
    for _ in range(3):  # whoever sets a seed afterwards has set it for the second and the third
        with torch.set_grad_enabled(len(seen) < 2):  # a draw there too
            _bound(names, seed if not seen else None, x, wide, n, decode, log_sig_x)
    if len(seen) != 3:
        return {}
    found = {"codes": torch.tensor(seen[0].numel())}
    if [z.numel() for z in seen] == [b * n * (k1 - 1)] * 3:
        z = torch.stack(seen[1:]).reshape(2, b, n, k1 - 1)
        found["eps"] = (z - wide[:, None, :-1]) / wide[:, None, -1:].exp()
        seen.clear()
        _bound(names, None, x, wide, 1, decode, log_sig_x)
        found["of_one"] = seen[0].reshape(b, -1) - wide[:, :-1] if [z.numel() for z in seen] == [b * (k1 - 1)] else wide
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
