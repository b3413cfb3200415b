"""Judges of what is random in notebook 3. A statistic of samples is allowed six standard errors: a right answer fails once in a billion."""

import numpy as np

from grader.authoring.check import Arrays, Judge, Symptom
from grader.authoring.lines import explained, resembles, within
from grader.authoring.noise import not_standard_normal

from .nets import is_true, whole_numbers

_SIGMAS = 6.0
_NOTHING = np.empty(0)
_SAME_EPS = 1e-3  # the stand-ins' own rounding leaves 3e-5
AXES = {"calls": "seed_fixed_inside", "images": "one_noise_for_all_images", "dimensions": "one_noise_per_image"}


def noise(scale: str) -> Judge:
    """z has mean mu and standard deviation sigma, independent for every call, image and dimension.

    Args:
        scale: What the inputs hold: "log_sigma" or "logvar".
    """

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        mu, given = inputs["mu"].astype(float), inputs[scale].astype(float)
        got = values.get("draws", _NOTHING)
        if symptom := _noise(got, mu, given, scale, int(inputs["images"])):
            return symptom
        other = {"mu": inputs["mu_again"].astype(float), scale: inputs[f"{scale}_again"].astype(float)}
        again = values.get("again", _NOTHING)
        if symptom := _not_samples(again, got.shape[1:]):
            return symptom
        eps = (got[0] - mu) / _sigma(given, scale)
        if not within(np.abs(eps - (again - other["mu"]) / _sigma(other[scale], scale)), _SAME_EPS, "the same noise"):
            return Symptom(
                "with the same seed and another posterior, (z - mu) / sigma is another: z = mu + sigma * eps, where eps comes "
                "from torch's generator and knows nothing of mu and sigma"
            )
        return None

    return judge


def _noise(got: np.ndarray, mu: np.ndarray, given: np.ndarray, scale: str, n: int) -> Symptom | None:
    """Of four calls."""
    if symptom := _not_samples(got, (4, n, len(mu))):
        return symptom
    z, sigma = got.astype(float), _sigma(given, scale)
    mean, std, allowed = z.mean(axis=(0, 1)), z.std(axis=(0, 1)), _SIGMAS * sigma / np.sqrt(4 * n)
    if not explained(np.abs(std - sigma), allowed, "standard deviation"):
        in_one_call = z[0].std(axis=0)
        slip, hint = _which_std(
            in_one_call if resembles(in_one_call, 1e-3, "spread in one call") else std,
            z[0].mean(axis=0),
            mu,
            given,
            scale,
        )
        return Symptom(f"the standard deviation of z is off by {np.abs(std - sigma).max():.2g}{hint}", slip)
    if not explained(np.abs(mean - mu), allowed, "mean"):
        return Symptom(f"the mean of z is off by {np.abs(mean - mu).max():.2g}: it is mu")
    return not_standard_normal((z - mu) / sigma, AXES)


def _sigma(given: np.ndarray, scale: str) -> np.ndarray:
    return np.exp(given) if scale == "log_sigma" else np.exp(given / 2)


def _which_std(std: np.ndarray, mean: np.ndarray, mu: np.ndarray, given: np.ndarray, scale: str) -> tuple[str, str]:
    sigma = _sigma(given, scale)
    usual = {
        "no_noise": (0 * sigma, ": there is no noise in z, add sigma * eps"),
        "one_noise_for_all_images": (0 * sigma, ": all images share one draw of eps, give it the shape of mu"),
        "noise_not_scaled": (np.ones_like(sigma), ": the noise is not scaled by sigma"),
        "variance_for_sigma": (sigma**2, ": the variance multiplies the noise, it must be sigma"),
        f"{scale}_for_sigma": (np.abs(given), f": {scale} itself multiplies the noise, take its exponential"),
        "log_sigma_as_logvar": (np.sqrt(sigma), ": log sigma is read as log variance; sigma = exp(log_sigma)"),
        "swapped_halves": (np.exp(mu), ": mean and log sigma are swapped, the mean comes first"),
        "uniform_noise": (sigma / np.sqrt(12), ": eps is standard normal (randn), not uniform (rand)"),
    }
    is_shifted = not resembles(np.abs(mean - mu), 1e-3, "mean without noise")
    for slip, (wrong, hint) in usual.items():
        if resembles(np.abs(std - wrong), 0.1 * wrong + 1e-3, slip) and not (slip == "no_noise" and is_shifted):
            return slip, hint
    return "", f", more than sampling explains; sigma = exp({scale}{' / 2' if scale == 'logvar' else ''})"


def _not_samples(z: np.ndarray, shape: tuple[int, ...]) -> Symptom | None:
    if z.shape != shape:
        return Symptom(f"z has shape {z.shape}, expected {shape}")
    if z.dtype.kind != "f" or not np.isfinite(z).all():
        return Symptom("z does not hold finite floats")
    return None


def prior(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Pictures of independent draws from N(0, I), as the model decodes them."""
    n, nz = int(inputs["n_samples"]), int(inputs["nz"])
    got = tuple(whole_numbers(values, "images_shape"))
    if got != (n, 28, 28):
        return Symptom(f"the samples have shape {got}, expected {(n, 28, 28)}")
    sizes = set(whole_numbers(values, "code_sizes"))
    if sizes != {nz}:
        return Symptom(f"the codes that reach the decoder have {sorted(sizes)[:3]} numbers, expected nz = {nz}")
    z = values.get("draws", _NOTHING)
    if symptom := _not_samples(z, (4, n, nz)):
        return symptom
    mean, std, allowed = z.mean(dtype=float), z.std(dtype=float), _SIGMAS / np.sqrt(z.size)
    if resembles(abs(std - 1 / np.sqrt(12)), 0.05, "uniform_prior"):
        return Symptom("the codes are uniform: N(0, I) is randn, not rand", "uniform_prior")
    if not explained(abs(std - 1), allowed, "standard deviation") or not explained(abs(mean), allowed, "mean"):
        return Symptom(f"the codes have mean {mean:.2f} and standard deviation {std:.2f}, expected 0 and 1")
    if symptom := not_standard_normal(z, {**AXES, "images": ""}):
        return symptom
    if not np.array_equal(z[0], values.get("again", _NOTHING)):
        return Symptom("the same seed gives other samples: draw from torch's own generator")
    return (
        None
        if is_true(values, "as_decoded")
        else Symptom("the samples are not the decoder's answers, one after another")
    )


def gradient(scale: str) -> Judge:
    """Of E[z**2] = mu**2 + sigma**2, summed over the dimensions, up to sampling error."""

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        mu, given, n = inputs["mu"].astype(float), inputs[scale].astype(float), int(inputs["images"])
        sigma, per_log = _sigma(given, scale), 1.0 if scale == "log_sigma" else 0.5
        expected = {"mu": 2 * mu, scale: 2 * per_log * sigma**2}
        spread = {"mu": 2 * sigma, scale: 2 * per_log * np.sqrt((mu * sigma) ** 2 + 2 * sigma**4)}  # of one sample
        for name, value in expected.items():
            got = values.get(f"d_{name}")
            if got is None or not got.any():
                return Symptom(
                    f"no gradient reaches {name}: z = mu + sigma * eps, and only eps is drawn", f"no_gradient_to_{name}"
                )
            if got.shape != value.shape or not np.isfinite(got).all():
                return Symptom(f"the gradient for {name} has shape {got.shape}, expected {value.shape}, all finite")
            if not explained(np.abs(got - value), _SIGMAS * spread[name] / np.sqrt(n), f"gradient for {name}"):
                return Symptom(f"the gradient for {name} is not that of z = mu + sigma * eps")
        return None

    return judge


def own_q(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The parameters that come back beside the reconstruction are the encoder's own, history and all."""
    got = values.get("own_q", _NOTHING)
    if got.shape == (2 * len(inputs["mu"]),) and within(np.abs(got - 1), 1e-3, "own q"):
        return None
    return Symptom('no gradient passes through outputs["q"]: return the encoder\'s output as it is', "output_detached")


def averaged_over_draws(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The codes that reached the decoder are draws of the posterior, and the value is the formula's for them.

    A pixel shows the sum s of a code, all others and the images are grey: beside the value without codes, the likelihood
    loses the mean of (s - grey)^2 / (2 sigma_x^2).
    """
    *mu_, log_sigma = inputs["posterior"].astype(float)
    mu, n, images = np.array(mu_), int(inputs["n"]), int(inputs["images"])
    z = values.get("draws", _NOTHING)
    if symptom := _not_samples(z, (4, images * n, len(mu))):
        return Symptom(f"seen by the decoder, {symptom.text}")
    widths = np.full(len(mu), log_sigma)
    if symptom := _noise(z, mu, widths, "log_sigma", images * n):
        slips = {"log_sigma_as_logvar": "width_as_log_variance_in_z", "no_noise": "decodes_the_mean"}
        return Symptom(f"seen by the decoder, {symptom.text}", slips.get(symptom.slip, symptom.slip))
    *mu_again, log_again = inputs["posterior_again"].astype(float)
    again = (values.get("again", _NOTHING) - np.array(mu_again)) / np.exp(log_again)
    if not within(np.abs((z[0] - mu) / np.exp(log_sigma) - again), _SAME_EPS, "the same noise"):
        return Symptom("with the same seed and another posterior, (z - mu) / sigma is another: draw z with rsample")
    got, of_grey = values.get("value", _NOTHING), values.get("of_grey", _NOTHING)
    if got.shape != () or of_grey.shape != () or not np.isfinite([got, of_grey]).all():
        return Symptom(f"the elbo has shape {got.shape}, expected one finite number")
    scale = 1 / (2 * np.exp(2 * float(inputs["log_sig_x"])))
    lost = scale * np.square(z[0].astype(float).sum(axis=1) - float(inputs["grey"])).mean()
    off = abs(float(got) - (float(of_grey) - lost))
    if not within(off, 1e-3 + 1e-4 * abs(float(got)), "elbo of the draws"):
        return Symptom(
            f"for the very codes that the decoder was given, the elbo is off by {off:.3g} nats",
            "not_averaged_over_draws",
        )
    return _sampled_gradient(values, mu, log_sigma, z[0], scale, float(inputs["grey"]))


def _sampled_gradient(
    values: Arrays, mu: np.ndarray, log_sigma: float, z: np.ndarray, scale: float, grey: float
) -> Symptom | None:
    """Through the codes and through the divergence, for these very codes."""
    z, sigma = z.astype(float), np.exp(log_sigma)
    slope = -2 * scale * (z.sum(axis=1, keepdims=True) - grey) * np.ones_like(z)
    of_mu, of_sigma = slope.mean(axis=0) - mu, (slope * (z - mu)).sum(axis=1).mean() - len(mu) * (sigma**2 - 1)
    expected, got = np.append(of_mu, of_sigma), values.get("d_posterior", _NOTHING)
    if got.shape == expected.shape and within(
        np.abs(got - expected), 1e-3 * (np.abs(expected) + np.abs(expected).max()), "gradient of the draws"
    ):
        return None
    return Symptom(
        "the gradient for mean and log sigma of the posterior is not that of the elbo: is a part of it cut off?",
        "gradient_cut",
    )


def all_of(*judges: Judge) -> Judge:
    """What one check asks in several ways; the first symptom is told."""

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        return next((symptom for each in judges if (symptom := each(values, reference, inputs))), None)

    return judge


def noise_and_gradient(scale: str) -> Judge:
    """Both, of one call."""
    return all_of(noise(scale), gradient(scale))
