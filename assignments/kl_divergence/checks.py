"""The checks of notebook 1."""

import numpy as np

from grader.authoring.check import Arrays, Check, Draw, Judge, Probe, Symptom
from grader.authoring.contract import Contract
from grader.authoring.draws import draws_in
from grader.authoring.judges import close, close_gradients
from grader.authoring.lines import beyond, explained, resembles, within
from grader.authoring.noise import not_standard_normal


def _sizes(rng: np.random.Generator, *names_and_limits: tuple[int, int]) -> list[int]:
    return [int(rng.integers(low, high)) for low, high in names_and_limits]


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def _batch(*names: str):
    """Independent normal inputs of one shape (B, D)."""

    def draw(rng: np.random.Generator) -> Arrays:
        shape = _sizes(rng, (2, 32), (2, 16))
        return {name: _normal(rng, *shape) for name in names}

    return draw


def _narrow(draw: Draw, *names: str) -> Draw:
    """In the first row the posterior is very narrow, as a trained one may be: a floor under sigma, or an eps, shows there."""

    def draw_narrow(rng: np.random.Generator) -> Arrays:
        inputs = draw(rng)
        for name in names:
            width = inputs[name][0] if name.startswith("log_sigma") else inputs[name][0, -1:]
            width[:] = rng.uniform(-16, -9, width.shape)
        return inputs

    return draw_narrow


def _published_seeds() -> list[Arrays]:
    import torch

    cases = []
    for seed in (0, 1, 2):
        torch.manual_seed(seed)
        cases.append({"mu": torch.randn(10, 5).numpy(), "logvar": torch.randn(10, 5).numpy()})
    return cases


def _points(rng: np.random.Generator) -> Arrays:
    b, n, k = _sizes(rng, (2, 32), (2, 32), (2, 8))
    return {"x": _normal(rng, b, n, k), "mu": _normal(rng, b, n, k), "log_sigma": 0.5 * _normal(rng, b, n)}


def _params(rng: np.random.Generator, b: int, k: int) -> np.ndarray:
    return np.concatenate([_normal(rng, b, k), 0.5 * _normal(rng, b, 1)], axis=1)


def _two_gaussians(rng: np.random.Generator) -> Arrays:
    b, k = _sizes(rng, (2, 32), (2, 8))
    return {"params_q": _params(rng, b, k), "params_p": _params(rng, b, k)}


def _samples_and_gaussians(rng: np.random.Generator) -> Arrays:
    b, n, k = _sizes(rng, (2, 32), (2, 32), (2, 8))
    return {"samples_q": _normal(rng, b, n, k), "params_q": _params(rng, b, k), "params_p": _params(rng, b, k)}


_CALLS = 4
_N_MOMENTS = 4_000  # enough for the moments, few enough for an answer that draws them one by one


def _sampling(rng: np.random.Generator) -> Arrays:
    """log sigma well away from 0, so that sigma, sigma**2, sqrt(sigma) and log sigma are four different numbers."""
    b, k = _sizes(rng, (3, 5), (2, 4))
    log_sigma = rng.choice([-0.9, -0.7, 0.5, 0.7], size=(b, 1))
    log_sigma[-1], log_sigma[-2] = -7.0, 3.0  # a floor under sigma, or an eps, shows there, and a limit
    params = np.concatenate([rng.uniform(-2, 2, (b, k)), log_sigma], axis=1).astype(np.float32)
    return {"params_q": params, "num_samples": np.asarray(_N_MOMENTS), "seed": np.asarray(int(rng.integers(2**31)))}


def _moments(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    samples = values.get("samples", np.empty(0))
    if symptom := _not_samples(samples, inputs):
        return symptom
    one = values.get("one", np.empty(0))
    if one.shape != (1, 1, samples.shape[2]) or not one.all():
        return Symptom(f"one sample for one image is no draw of shape (1, 1, {samples.shape[2]})")
    mu, log_sigma = inputs["params_q"][:, :-1].astype(float), inputs["params_q"][:, -1:].astype(float)
    sigma = np.exp(log_sigma)
    rows = _by_coordinate(samples)
    mean, std = rows.mean(axis=2), rows.std(axis=2)
    allowed = 6 * sigma / np.sqrt(samples.shape[1])  # six standard errors: a right answer fails once in a billion
    if not explained(np.abs(std - sigma), allowed, "standard deviation"):
        text = f"the samples' standard deviation is off by {_off(std - sigma, allowed)}"
        in_one_call = rows[:, :, : rows.shape[2] // _CALLS].std(axis=2)
        slip, hint = _which_std(in_one_call if resembles(in_one_call, 1e-3, "spread in one call") else std, log_sigma)
        return Symptom(text + hint, slip)
    if not explained(np.abs(mean - mu), allowed, "mean"):
        return Symptom(f"the samples' mean is off by {_off(mean - mu, allowed)}")
    return None


def _off(error: np.ndarray, allowed: np.ndarray) -> str:
    """The error that is worst beside what is allowed there."""
    allowed = np.broadcast_to(allowed, error.shape)
    worst = np.unravel_index(np.argmax(np.abs(error) / allowed), error.shape)
    return f"{abs(error[worst]):.2g}, sampling error explains {allowed[worst]:.2g}"


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


def _not_samples(samples: np.ndarray, inputs: Arrays) -> Symptom | None:
    (b, k1), n = inputs["params_q"].shape, int(inputs["num_samples"])
    if samples.shape != (b, n, k1 - 1):
        slip = "axes_swapped" if samples.shape == (n, b, k1 - 1) else ""
        return Symptom(
            f"the samples of four calls have shape {samples.shape}, expected (B, N, K) = {(b, n, k1 - 1)}", slip
        )
    if samples.dtype.kind != "f" or not np.isfinite(samples).all():
        return Symptom("the samples are not finite floats")
    return None


def _independent(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    samples = values.get("samples", np.empty(0))
    if symptom := _not_samples(samples, inputs):
        return symptom
    rows = _by_coordinate(samples)
    spread = rows.std(axis=2, keepdims=True)
    if not np.isfinite(spread).all():
        return Symptom("the samples are larger than floats can be averaged")
    is_wide = inputs["params_q"][:, -1] > -1
    in_one_call = rows[:, :, : rows.shape[2] // _CALLS].std(axis=2)
    if not beyond(in_one_call[is_wide], 1e-3, "spread"):
        if (in_one_call[is_wide] > 1e-3).any():  # it is not the noise that is missing
            return Symptom("samples of a wide row are all alike: sigma is that of the row itself, exp(log_sigma)")
        return Symptom("all N samples of a row are alike: draw noise of shape (B, N, K)", "same_noise_for_every_sample")
    noise = (rows - rows.mean(axis=2, keepdims=True)) / spread
    n = noise.shape[2]
    calls = noise[is_wide].reshape(*noise[is_wide].shape[:2], _CALLS, -1)
    if resembles(np.abs(calls[:, :, 0] - calls[:, :, 1]), 1e-3, "seed_fixed_inside"):
        return Symptom("two calls draw the same noise: fix no seed inside and keep no noise", "seed_fixed_inside")
    correlations = {  # six standard errors are 0.1; a slip's is 1
        "same_noise_for_every_row": ("every row b gets the same noise", noise[0] @ noise[1].T / n),
        "same_noise_for_every_dimension": (
            "the K coordinates share one noise value",
            np.triu(noise[0] @ noise[0].T, 1) / n,
        ),
        "repeated_noise": (
            "some values of the noise come again and again",
            (noise[:, :, : n // 2] * noise[:, :, n // 2 : n // 2 * 2]).mean(axis=2),
        ),
        "correlated_samples": (
            "successive samples n depend on each other",
            (noise[:, :, :-1] * noise[:, :, 1:]).mean(axis=2),
        ),
    }
    for slip, (sentence, correlation) in correlations.items():
        if not explained(np.abs(correlation), 0.1, slip):
            shape = "draw noise of shape (B, N, K)"
            advice = shape if slip.startswith("same") else "each number is drawn once and used once"
            return Symptom(f"{sentence}: {advice}", slip)
    if symptom := not_standard_normal(
        calls, {"rows": "", "dimensions": "", "calls": "seed_fixed_inside", "samples": ""}
    ):
        return symptom
    if symptom := _few(values, inputs):
        return symptom
    again, then = (values.get(name, np.empty(0)) for name in ("again", "then"))
    if again.shape != then.shape or not within(np.abs(again - then), 1e-4 * (1 + np.abs(then)), "after the same seed"):
        return Symptom(
            "after the same seed of torch other samples come: draw with torch's own generator, and keep nothing"
        )
    return None


_APART = 1000.0  # how far the means of two rows are from each other: more than noise reaches


def _few(values: Arrays, inputs: Arrays) -> Symptom | None:
    """One sample a row, around 0, and two of two rows far apart, drawn where gradients are off: a draw of its own each, as any other."""
    (b, k1), sigma = inputs["params_q"].shape, np.exp(inputs["params_q"][:2, None, -1:].astype(float))
    shapes = {"single": (b, 1, k1 - 1), "pair": (2, 2, k1 - 1)}
    if any(values.get(name, np.empty(0)).shape != shape for name, shape in shapes.items()):
        return Symptom("one or two samples a row do not come in the shape (B, N, K)")
    means = _APART * np.arange(2.0).reshape(2, 1, 1)
    single, pair = values["single"][:2] / sigma, (values["pair"] - means) / sigma
    if not np.isfinite(pair).all() or not np.isfinite(single).all():
        return Symptom("the samples are not finite floats")
    for noise, line in ((single, "noise of one sample"), (pair, "noise of two")):
        if not beyond(np.abs(noise).max(), 1e-3, line):
            return Symptom("where gradients are off, or N is 1, the sample is the mean: draw noise in each call")
    if not explained(np.abs(pair), 12, "rows of two"):
        return Symptom(
            "of two samples of two rows, some are not about the mean of their own row: samples[b, n] is of row b"
        )
    sentence = "the two rows of a batch of two get the same noise: draw noise of shape (B, N, K)"
    if not beyond(np.abs(pair[0] - pair[1]).max(), 1e-3, "two rows"):
        return Symptom(sentence, "same_noise_for_every_row")
    if not beyond(np.ptp(np.abs(pair[:, 0] - pair[:, 1])), 1e-3, "distance of two samples"):
        return Symptom("two samples of a row are always equally far apart: leave the noise as randn draws it")
    return None


def _by_coordinate(samples: np.ndarray) -> np.ndarray:
    """(B, N, K) as (B, K, N): sums over N run along memory, several times faster."""
    return np.ascontiguousarray(samples.transpose(0, 2, 1), dtype=float)


def _sampled_gradient(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Of sum_k mean_n z**2, with the samples that were drawn."""
    got = values.get("d_params_q")
    if got is None:
        return Symptom(
            "no gradient reaches params_q: write z = mu + sigma * eps, where only eps is random", "no_gradient"
        )
    if got.shape != inputs["params_q"].shape or not np.isfinite(got).all():
        return Symptom(f"the gradient has shape {got.shape}, expected {inputs['params_q'].shape}, all finite")
    mu, sigma = inputs["params_q"][:, :-1].astype(float), np.exp(inputs["params_q"][:, -1:].astype(float))
    if not np.abs(got).max(initial=0) > 1e-6:  # that of a mean square is as large as the draws
        return Symptom("no gradient reaches params_q: it is 0 everywhere", "no_gradient")
    draws = draws_in(values, mu, sigma, int(inputs["num_samples"]))
    if draws is None:
        return Symptom("the samples are not finite floats of shape (B, N, K)")
    if draws.wrong_for_mu(got[:, :-1]):
        return Symptom("the gradient with respect to mu is not that of z = mu + sigma * eps")
    if draws.wrong_for_width(got[:, -1], shared=True):
        return Symptom(
            "the gradient with respect to log sigma is not that of z = mu + sigma * eps: is sigma detached, or not exp(log_sigma)?"
        )
    return None


def _bound(log_sigma_q: float | None, num_samples: int):
    """An ELBO with a linear decoder. With sigma_q = exp(-16) the samples are mu, and the noise drops out."""

    def draw(rng: np.random.Generator) -> Arrays:
        b, d, k = _sizes(rng, (2, 9), (3, 8), (2, 5))
        params = _params(rng, b, k)
        params[:, -1] = -16.0 if log_sigma_q is None else log_sigma_q
        return {
            "x": _normal(rng, b, d),
            "params_q": params,
            "weight": _normal(rng, k, d),
            "num_samples": np.asarray(num_samples),
            "log_sig_x": np.asarray(rng.uniform(-0.5, 0.3), np.float32),
            "seed": np.asarray(int(rng.integers(2**31))),
        }

    return draw


def _bound_gradients(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Of the posterior and the decoder; of the width where one reaches it, which may have been taken as a plain number."""
    wanted = {name: reference[name] for name in reference if name in values or name != "d_log_sig_x"}
    for name in ("eps", "codes", "of_one"):
        wanted.pop(name, None)
    return close_gradients(1e-2, 1e-2)(values, wanted, inputs) or _noise_of_codes(values, reference)


_CODES = {
    "calls": "seed_fixed_inside",
    "rows": "one_noise_for_all_rows",
    "samples": "",
    "dimensions": "one_noise_per_sample",
}


def _noise_of_codes(values: Arrays, reference: Arrays) -> Symptom | None:
    """The codes that reach the decoder are new draws, unless those of the solution are none either: a stand-in draws them then."""
    eps, known = values.get("eps", np.empty(0)), reference.get("eps", np.empty(0))
    codes = values.get("codes", reference["codes"])
    if codes.shape != () or codes != reference["codes"]:
        return Symptom(
            f"the decoder is given codes of {codes} numbers in all, expected B * N * K = {reference['codes']}"
        )
    if eps.shape != known.shape:
        return None
    if resembles(np.abs(eps), 0.01, "decodes_the_mean"):  # no noise at all is another check's to judge
        return None
    symptom = not_standard_normal(eps, _CODES)
    if not beyond(np.abs(values.get("of_one", np.zeros(1))).max(initial=0), 1e-3, "one code"):
        symptom = Symptom("with num_samples = 1 the decoder is given the mean: draw the one sample as any other")
    return symptom if symptom and not not_standard_normal(known, _CODES) else None


CALLS = {
    "kl.mc": ("log_prob",),
    "kl.exact": ("kl_divergence",),
    "kl.elbo": ("rsample", "log_prob", "kl_q_p_exact", "kl_divergence"),
}


def _check(name: str, title: str, points: float, probe: Probe, judge: Judge, uses_reference: bool = True) -> Check:
    return Check(
        name, name.rpartition(".")[0], title, points, probe, judge=judge, uses_reference=uses_reference,
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

CHECKS = (
    _check("kl.D_KL.values", "the mean of the elementwise KL to N(0, 1)", 4, Probe("D_KL", _batch("mu", "logvar"), _published_seeds), close()),
    _check("kl.D_KL.gradient", "a loss that can be minimised", 1, Probe("D_KL_gradient", _batch("mu", "logvar")), close_gradients()),
    _check(
        "kl.gaussians.values", "D_KL(N1 || N2), element by element", 4,
        Probe("gaussians", _narrow(_batch("mu1", "log_sigma1", "mu2", "log_sigma2"), "log_sigma1")), close(),
    ),
    _check(
        "kl.gaussians.gradient", "gradients reach all four arguments", 1,
        Probe("gaussians_gradient", _batch("mu1", "log_sigma1", "mu2", "log_sigma2")), close_gradients(),
    ),
    _check("kl.log_prob.values", "the log density of an isotropic Gaussian", 4, Probe("log_prob", _points), close()),
    _check("kl.log_prob.gradient", "gradients reach x, mu and log sigma", 1, Probe("log_prob_gradient", _points), close_gradients(atol=1e-3)),
    _check("kl.mc.values", "the mean over samples of log q - log p", 4, Probe("mc", _samples_and_gaussians), close(1e-4, 1e-4)),
    _check(
        "kl.mc.gradient", "gradients reach the samples and both Gaussians", 1,
        Probe("mc_gradient", _samples_and_gaussians), close_gradients(atol=1e-3),
    ),
    _check("kl.exact.values", "the closed form for isotropic Gaussians", 4, Probe("exact", _narrow(_two_gaussians, "params_q")), close()),
    _check("kl.exact.gradient", "gradients reach both Gaussians", 1, Probe("exact_gradient", _two_gaussians), close_gradients()),
    _check("kl.rsample.moments", "samples with mean mu and standard deviation sigma", 2, Probe("rsample", _sampling), _moments, False),
    _check("kl.rsample.independent", "independent noise for every b, n and k", 1, Probe("rsample", _sampling), _independent, False),
    _check("kl.rsample.gradient", "gradients pass through the samples", 2, Probe("rsample_gradient", _sampling), _sampled_gradient, False),
    _check("kl.elbo.formula", "reconstruction term plus KL, with vanishing noise", 2, Probe("elbo", _bound(None, 3)), close(1e-3, 1e-3)),
    _check("kl.elbo.sampled", "the reconstruction term averages over samples of z", 2, Probe("elbo", _bound(-0.3, 8192)), close(0.05, 0.1)),
    _check("kl.elbo.gradient", "gradients reach encoder and decoder", 1, Probe("elbo_gradient", _bound(None, 3)), _bound_gradients),
)  # fmt: skip
