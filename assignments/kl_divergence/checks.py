"""The checks of notebook 1."""

import numpy as np

from grader.authoring.check import Arrays, Check, Judge, Probe, Symptom
from grader.authoring.contract import Contract, Sizes
from grader.authoring.judges import close, close_gradients, differs
from grader.authoring.lines import beyond, explained, resembles, within
from grader.authoring.noise import not_standard_normal

_NAMED = frozenset({5, 10})  # sizes in the notebook's own examples


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def _batch(*names: str) -> Sizes:
    """Independent normal inputs of one shape (B, D)."""

    def make(rng: np.random.Generator, B: int, D: int) -> Arrays:
        return {name: _normal(rng, B, D) for name in names}

    return Sizes(make, {"B": (3, 14), "D": (3, 14)}, _NAMED)


def _published_seeds() -> list[Arrays]:
    import torch

    cases = []
    for seed in (0, 1, 2):
        torch.manual_seed(seed)
        cases.append({"mu": torch.randn(10, 5).numpy(), "logvar": torch.randn(10, 5).numpy()})
    return cases


def _make_points(rng: np.random.Generator, B: int, N: int, K: int) -> Arrays:
    return {"x": _normal(rng, B, N, K), "mu": _normal(rng, B, N, K), "log_sigma": 0.5 * _normal(rng, B, N)}


def _params(rng: np.random.Generator, b: int, k: int) -> np.ndarray:
    return np.concatenate([_normal(rng, b, k), 0.5 * _normal(rng, b, 1)], axis=1)


def _make_two_gaussians(rng: np.random.Generator, B: int, K: int) -> Arrays:
    return {"params_q": _params(rng, B, K), "params_p": _params(rng, B, K)}


def _make_samples(rng: np.random.Generator, B: int, N: int, K: int) -> Arrays:
    return {"samples_q": _normal(rng, B, N, K), "params_q": _params(rng, B, K), "params_p": _params(rng, B, K)}


_POINTS = Sizes(_make_points, {"B": (3, 14), "N": (3, 14), "K": (2, 9)}, _NAMED)
_TWO_GAUSSIANS = Sizes(_make_two_gaussians, {"B": (3, 14), "K": (2, 9)}, _NAMED)
_SAMPLES = Sizes(_make_samples, {"B": (3, 14), "N": (3, 14), "K": (2, 9)}, _NAMED)
_AXES = {
    "calls": "seed_fixed_inside", "rows": "same_noise_for_every_row", "samples": "same_noise_for_every_sample",
    "dimensions": "same_noise_for_every_dimension",
}  # fmt: skip
_SAME_EPS = 1e-4  # rounding leaves a hundredth


def _widths(rng: np.random.Generator, b: int) -> np.ndarray:
    """log sigma well away from 0, so that sigma, sigma**2, sqrt(sigma) and log sigma are four different numbers."""
    return rng.choice([-1.1, -0.9, 0.7, 0.9], size=(b, 1))


def _make_sampling(n: int):
    """Posteriors, and others of the same shape whose widths are on the other side of 1."""

    def make(rng: np.random.Generator, B: int, K: int) -> Arrays:
        widths = _widths(rng, B)
        first, other = (np.concatenate([rng.uniform(-2, 2, (B, K)), w], axis=1) for w in (widths, -widths))
        return {
            "params_q": first.astype(np.float32), "params_again": other.astype(np.float32),
            "num_samples": np.asarray(n), "seed": np.asarray(int(rng.integers(2**31))),
        }  # fmt: skip

    return make


def _make_sampled_gradient(rng: np.random.Generator, B: int, K: int) -> Arrays:
    inputs = _make_sampling(2000)(rng, B, K)
    del inputs["params_again"]
    return inputs


_SAMPLING = Sizes(_make_sampling(400), {"B": (3, 5), "K": (2, 4)}, has_twin=False)
_SAMPLED_GRADIENT = Sizes(_make_sampled_gradient, {"B": (3, 5), "K": (2, 4)}, alone=())


def _moments(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    draws = values.get("draws", np.empty(0))
    if symptom := _not_samples(draws, inputs):
        return symptom
    mu, log_sigma = inputs["params_q"][:, :-1].astype(float), inputs["params_q"][:, -1:].astype(float)
    sigma = np.exp(log_sigma)
    rows = draws.astype(float).transpose(1, 3, 0, 2).reshape(*mu.shape, -1)  # (B, K, 4 N)
    mean, std = rows.mean(axis=2), rows.std(axis=2)
    allowed = 6 * sigma / np.sqrt(rows.shape[2])  # six standard errors: a right answer fails once in a billion
    if not explained(np.abs(std - sigma), allowed, "standard deviation"):
        text = f"the samples' standard deviation is off by {np.abs(std - sigma).max():.2f}, sampling error explains {allowed.max():.2f}"
        in_one_call = draws.astype(float).std(axis=2)[0]
        is_alike = resembles(in_one_call, 1e-3, "spread in one call")
        slip, hint = _which_std(in_one_call if is_alike else std, log_sigma)
        return Symptom(text + hint, slip)
    if not explained(np.abs(mean - mu), allowed, "mean"):
        return Symptom(
            f"the samples' mean is off by {np.abs(mean - mu).max():.2f}, sampling error explains {allowed.max():.2f}"
        )
    return _not_affine(values, inputs)


def _not_affine(values: Arrays, inputs: Arrays) -> Symptom | None:
    """The same seed under other parameters: the noise is the same, or it is not noise alone that is random."""
    again = values.get("again", np.empty(0))
    if again.shape != values["draws"].shape[1:] or again.dtype.kind != "f":
        return Symptom(f"the samples of a second set of parameters have shape {again.shape}")
    error = np.abs(_noise(values["draws"][0], inputs["params_q"]) - _noise(again, inputs["params_again"])).max()
    if within(error, _SAME_EPS, "the same noise"):
        return None
    return Symptom(
        f"with the same seed and other parameters, (z - mu) / sigma is another by {error:.2g}: z = mu + sigma * eps, "
        "where eps comes from torch's generator and knows nothing of the parameters"
    )


def _noise(samples: np.ndarray, params: np.ndarray) -> np.ndarray:
    """What was drawn: samples (..., B, N, K) without mean and sigma."""
    params = params.astype(float)
    return (samples.astype(float) - params[:, None, :-1]) / np.exp(params[:, None, -1:])


def _which_std(std: np.ndarray, log_sigma: np.ndarray) -> tuple[str, str]:
    usual = {
        "log_sigma_as_logvar": (
            np.exp(0.5 * log_sigma),
            "the last column is log sigma, not log variance: sigma = exp(log_sigma)",
        ),
        "variance_for_sigma": (np.exp(2 * log_sigma), "it is the variance that multiplies your noise; sigma must"),
        "log_sigma_for_sigma": (np.abs(log_sigma), "log sigma itself multiplies your noise; take its exponential"),
        "noise_not_scaled": (np.ones_like(log_sigma), "your noise is not scaled by sigma"),
        "uniform_noise": (np.exp(log_sigma) / np.sqrt(12), "eps is standard normal (randn), not uniform (rand)"),
        "same_noise_for_every_sample": (
            np.zeros_like(log_sigma),
            "all N samples of a row are alike: draw noise of shape (B, N, K)",
        ),
    }
    for slip, (wrong, sentence) in usual.items():
        if resembles(np.abs(std - wrong), 0.06 * wrong + 1e-3, slip):
            return slip, f": {sentence}"
    return "", ""


def _not_samples(draws: np.ndarray, inputs: Arrays) -> Symptom | None:
    """Of four calls."""
    (b, k1), n = inputs["params_q"].shape, int(inputs["num_samples"])
    if draws.shape != (4, b, n, k1 - 1):
        slip = "axes_swapped" if draws.shape == (4, n, b, k1 - 1) else ""
        return Symptom(f"the samples have shape {draws.shape[1:]}, expected (B, N, K) = {(b, n, k1 - 1)}", slip)
    if draws.dtype.kind != "f" or not np.isfinite(draws).all():
        return Symptom("the samples are not finite floats")
    return None


def _independent(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    draws = values.get("draws", np.empty(0))
    if symptom := _not_samples(draws, inputs):
        return symptom
    rows = draws.astype(float)
    spread = rows.std(axis=(0, 2), keepdims=True)  # sigma itself is another check's
    if not np.isfinite(spread).all():
        return Symptom("the samples are larger than floats can be averaged")
    if not beyond(rows.std(axis=2), 1e-3, "spread"):
        return Symptom("all N samples of a row are alike: draw noise of shape (B, N, K)", "same_noise_for_every_sample")
    if _moments(values, reference, inputs) is None:
        return not_standard_normal(_noise(draws, inputs["params_q"]), _AXES)
    return not_standard_normal((rows - rows.mean(axis=(0, 2), keepdims=True)) / spread, _AXES)


def _sampled_gradient(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Of sum_k mean_n z**2: 2 mu_k for the means, 2 K sigma**2 for log sigma, up to sampling error."""
    got = values.get("d_params_q")
    if got is None:
        return Symptom(
            "no gradient reaches params_q: write z = mu + sigma * eps, where only eps is random", "no_gradient"
        )
    if got.shape != inputs["params_q"].shape or not np.isfinite(got).all():
        return Symptom(f"the gradient has shape {got.shape}, expected {inputs['params_q'].shape}, all finite")
    mu, log_sigma = inputs["params_q"][:, :-1].astype(float), inputs["params_q"][:, -1].astype(float)
    sigma = np.exp(log_sigma)
    k, n = mu.shape[1], int(inputs["num_samples"])
    error_mu = np.abs(got[:, :-1] - 2 * mu) / (2 * sigma[:, None])
    error_sigma = np.abs(got[:, -1] - 2 * k * sigma**2) / (2 * sigma * np.sqrt((mu**2).sum(axis=1) + 2 * k * sigma**2))
    if not explained(error_mu, 6 / np.sqrt(n), "mu"):
        return Symptom("the gradient with respect to mu is not that of z = mu + sigma * eps")
    if not explained(error_sigma, 6 / np.sqrt(n), "log sigma"):
        return Symptom(
            "the gradient with respect to log sigma is not that of z = mu + sigma * eps: is sigma detached, or not exp(log_sigma)?"
        )
    return None


def _make_bound(log_sigma_q: float | None, num_samples: int):
    """An ELBO with a linear decoder. With sigma_q = exp(-16) the samples are mu, and the noise drops out."""

    def make(rng: np.random.Generator, B: int, D: int, K: int) -> Arrays:
        params = _params(rng, B, K)
        params[:, -1] = -16.0 if log_sigma_q is None else log_sigma_q
        return {
            "x": _normal(rng, B, D),
            "params_q": params,
            "weight": _normal(rng, K, D),
            "num_samples": np.asarray(num_samples),
            "log_sig_x": np.asarray(rng.uniform(-0.5, 0.3), np.float32),
            "seed": np.asarray(int(rng.integers(2**31))),
        }

    return make


def _make_wide_bound(rng: np.random.Generator, B: int, D: int, K: int) -> Arrays:
    sampling = _make_sampling(200)(rng, B, K)
    return {**_make_bound(0.0, 200)(rng, B, D, K), **sampling}


_BOUND_SIZES = {"B": (3, 9), "D": (3, 9), "K": (2, 5)}
_BOUND = Sizes(_make_bound(None, 3), _BOUND_SIZES, _NAMED)
_BOUND_GRADIENT = Sizes(_make_bound(None, 3), _BOUND_SIZES, _NAMED, alone=("K",))
_WIDE_BOUND = Sizes(_make_wide_bound, {"B": (3, 5), "D": (6, 9), "K": (2, 4)}, _NAMED, has_twin=False)


def _bound_of_samples(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The samples that reached the decoder are draws of the posterior, and the value is the formula's for them."""
    if symptom := _not_samples(values.get("draws", np.empty(0)), inputs):
        return Symptom(f"seen by the decoder, {symptom.text}", symptom.slip)
    if not beyond(values["draws"].std(axis=2), 1e-3, "spread"):
        return Symptom(
            "the decoder is given the same z for all samples of a row: draw them with rsample", "decodes_the_mean"
        )
    if symptom := _moments(values, reference, inputs) or not_standard_normal(
        _noise(values["draws"], inputs["params_q"]), _AXES
    ):
        return Symptom(f"seen by the decoder, {symptom.text}", symptom.slip)
    x, z, params = (array.astype(float) for array in (inputs["x"], values["draws"][0], inputs["params_q"]))
    off, width = x[:, None] - z @ inputs["weight"].astype(float), float(inputs["log_sig_x"])
    log_p = -0.5 * (off**2).sum(-1) * np.exp(-2 * width) - x.shape[1] * (width + 0.5 * np.log(2 * np.pi))
    mu, log_sigma = params[:, :-1], params[:, -1:]
    kl = 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(axis=1)
    expected = (kl - log_p.mean(axis=1)).astype(np.float32)
    text = differs("value", values.get("value"), expected, 2e-5, 1e-4)
    return Symptom(f"for the very samples that the decoder was given, {text}") if text else None


def _check(name: str, title: str, points: float, probe: Probe, judge: Judge, uses_reference: bool = True) -> Check:
    return Check(name, name.rpartition(".")[0], title, points, probe, judge, uses_reference)


CHECKS = (
    _check(
        "kl.D_KL.values", "the mean of the elementwise KL to N(0, 1)", 4, Probe("D_KL", _batch("mu", "logvar"), _published_seeds),
        close(2e-5, 5e-6),
    ),
    _check("kl.D_KL.gradient", "a loss that can be minimised", 1, Probe("D_KL_gradient", _batch("mu", "logvar")), close_gradients()),
    _check(
        "kl.gaussians.values", "KL[N1 || N2], element by element", 4,
        Probe("gaussians", _batch("mu1", "log_sigma1", "mu2", "log_sigma2")), close(),
    ),
    _check(
        "kl.gaussians.gradient", "gradients reach all four arguments", 1,
        Probe("gaussians_gradient", _batch("mu1", "log_sigma1", "mu2", "log_sigma2")), close_gradients(),
    ),
    _check("kl.log_prob.values", "the log density of an isotropic Gaussian", 4, Probe("log_prob", _POINTS), close()),
    _check("kl.log_prob.gradient", "gradients reach x, mu and log sigma", 1, Probe("log_prob_gradient", _POINTS), close_gradients()),
    _check("kl.mc.values", "the mean over samples of log q - log p", 4, Probe("mc", _SAMPLES), close(1e-4, 1e-4)),
    _check("kl.mc.gradient", "gradients reach the samples and both Gaussians", 1, Probe("mc_gradient", _SAMPLES), close_gradients()),
    _check("kl.exact.values", "the closed form for isotropic Gaussians", 4, Probe("exact", _TWO_GAUSSIANS), close()),
    _check("kl.exact.gradient", "gradients reach both Gaussians", 1, Probe("exact_gradient", _TWO_GAUSSIANS), close_gradients()),
    _check("kl.rsample.moments", "samples with mean mu and standard deviation sigma", 2, Probe("rsample", _SAMPLING), _moments, False),
    _check(
        "kl.rsample.independent", "independent standard normal noise for every call, b, n and k", 1, Probe("rsample", _SAMPLING),
        _independent, False,
    ),
    _check("kl.rsample.gradient", "gradients pass through the samples", 2, Probe("rsample_gradient", _SAMPLED_GRADIENT), _sampled_gradient, False),
    _check("kl.elbo.formula", "reconstruction term plus KL, with vanishing noise", 2, Probe("elbo", _BOUND), close(1e-3, 1e-3)),
    _check("kl.elbo.sampled", "the reconstruction term averages over samples of z", 2, Probe("elbo_sampled", _WIDE_BOUND), _bound_of_samples, False),
    _check("kl.elbo.gradient", "gradients reach encoder, decoder and noise", 1, Probe("elbo_gradient", _BOUND_GRADIENT), close_gradients(1e-2, 1e-2)),
)  # fmt: skip

CONTRACTS = (
    Contract("kl.D_KL", pays="kl.D_KL.gradient", watches=("D_KL",), arguments=("mu", "logvar")),
    Contract(
        "kl.gaussians", pays="kl.gaussians.gradient", watches=("kl_divergence",),
        arguments=("mu1", "log_sigma1", "mu2", "log_sigma2"),
    ),
    Contract("kl.log_prob", pays="kl.log_prob.gradient", watches=("log_prob",), arguments=("x", "mu", "log_sigma")),
    Contract("kl.mc", pays="kl.mc.gradient", watches=("kl_q_p_mc",), arguments=("samples_q", "params_q", "params_p")),
    Contract("kl.exact", pays="kl.exact.gradient", watches=("kl_q_p_exact",), arguments=("params_q", "params_p")),
    Contract("kl.rsample", pays="kl.rsample.independent", watches=("rsample",), arguments=("params_q",), is_random=True),
    Contract("kl.elbo", pays="kl.elbo.gradient", watches=("elbo",), arguments=("x", "params_q"), is_random=True),
)  # fmt: skip
