"""Judges of what is random in notebook 3. A statistic of samples is allowed six standard errors: a right answer fails once in a billion."""

import numpy as np

from grader.authoring.check import Arrays, Judge, Symptom
from grader.authoring.draws import draws_in
from grader.authoring.judges import alike
from grader.authoring.lines import explained, resembles
from grader.authoring.noise import not_standard_normal

from .nets import whole_numbers

_SIGMAS = 6.0
_NOTHING = np.empty(0)
_CALLS = 4
_AXES = {"calls": "seed_fixed_inside", "images": "one_noise_for_all_images", "dimensions": "one_noise_per_image"}


def noise(scale: str) -> Judge:
    """z has mean mu and standard deviation sigma, independent for every image and dimension.

    Args:
        scale: What the inputs hold: "log_sigma" or "logvar".
    """

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        mu, given = inputs["mu"].astype(float), inputs[scale].astype(float)
        return _noise(values.get("z", _NOTHING), mu, given, scale, int(inputs["images"]))

    return judge


def _noise(got: np.ndarray, mu: np.ndarray, given: np.ndarray, scale: str, n: int) -> Symptom | None:
    if symptom := _not_samples(got, (n, len(mu))):
        return symptom
    z, sigma = got.astype(float), _sigma(given, scale)
    mean, std, allowed = z.mean(axis=0), z.std(axis=0), _SIGMAS * sigma / np.sqrt(n)
    if not explained(np.abs(std - sigma), allowed, "standard deviation"):
        in_one_call = z[: n // 2].std(axis=0)
        slip, hint = _which_std(
            in_one_call if resembles(in_one_call, 1e-3, "spread in one call") else std, mean, mu, given, scale
        )
        return Symptom(f"the standard deviation of z is off by {np.abs(std - sigma).max():.2g}{hint}", slip)
    if not explained(np.abs(mean - mu), allowed, "mean"):
        return Symptom(f"the mean of z is off by {np.abs(mean - mu).max():.2g}: it is mu")
    eps = ((z - mu) / sigma)[: n // 2 * 2].reshape(2, n // 2, -1)
    return _shared((z - mean) / std) or not_standard_normal(eps, _AXES)


def of_every_size(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Standard normal too where there are as many images as dimensions, many of both, or one image alone."""
    axes = {"images": "one_noise_for_all_images", "dimensions": "one_noise_per_image"}
    shapes = {"square": (32, 32), "large": (128, 160), "singles": (25, 40)}
    for name, shape in shapes.items():
        eps = values.get(name, _NOTHING)
        if symptom := _not_samples(eps, shape) or not_standard_normal(eps.astype(float), axes):
            alone = "single images" if name == "singles" else f"{shape[0]} images"
            return Symptom(f"for {alone} with codes of {shape[1]} numbers, {symptom.text}", symptom.slip)
    return None


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


def _shared(eps: np.ndarray) -> Symptom | None:
    """Noise that dimensions or images have in common. Fourteen standard errors is the most that may be there; a slip's is 1."""
    n = len(eps)
    limit = max(0.2, 14 / np.sqrt(n))
    correlation = np.corrcoef(eps.T) - np.eye(eps.shape[1])
    if eps.shape[1] > 1 and not explained(np.abs(correlation), limit, "correlation of dimensions"):
        return Symptom("the dimensions of z share their noise: draw one number for each of them", "one_noise_per_image")
    if eps.shape[1] > 0 and alike(eps[: n // 2], eps[n - n // 2 :], "second call"):
        return Symptom("two calls draw the same noise: fix no seed inside", "seed_fixed_inside")
    if not explained(np.abs((eps[:-1] * eps[1:]).mean(axis=0)), limit, "correlation of images"):
        return Symptom("images share their noise: draw one number for each image and dimension")
    return None


def _not_samples(z: np.ndarray, shape: tuple[int, ...]) -> Symptom | None:
    if z.shape != shape:
        return Symptom(f"z has shape {z.shape}, expected {shape}")
    if z.dtype.kind != "f" or not np.isfinite(z).all():
        return Symptom("z does not hold finite floats")
    return None


def prior(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Pictures of independent draws from N(0, I)."""
    n, nz = int(inputs["n_samples"]), int(inputs["nz"])
    got = tuple(whole_numbers(values, "images_shape"))
    if got != (n, 28, 28):
        return Symptom(f"the samples have shape {got}, expected {(n, 28, 28)}")
    one = values.get("one", _NOTHING)
    if one.shape != (1, 7, 7) or not one.any():
        return Symptom("a single sample is no picture of shape (1, 28, 28)")
    if np.abs(one[0, 0] - 0.5).max() < 1e-6:  # the decoder writes the code there, 0 as 0.5
        return Symptom("a single sample is decoded from the mean of the prior: draw its code too", "no_noise")
    if values.get("is_seeded", _NOTHING).any():
        return Symptom("sampling sets torch's seed: what is drawn after it comes again", "seed_fixed_inside")
    z = values.get("z", _NOTHING)
    if symptom := _not_samples(z, (n, nz)):
        return symptom
    if len({row.tobytes() for row in z}) < n:
        return Symptom("some codes come again: each sample is drawn anew", "repeated_noise")
    size = values.get("code_size", _NOTHING)
    if size.shape != () or int(size) != nz:
        return Symptom(f"the decoder is given codes of {size} numbers, expected nz = {nz}")
    mean, std, allowed = z.mean(axis=0, dtype=float), z.std(axis=0, dtype=float), _SIGMAS / np.sqrt(n)
    if resembles(np.abs(std - 1 / np.sqrt(12)), 0.05, "uniform_prior"):
        return Symptom("the codes are uniform: N(0, I) is randn, not rand", "uniform_prior")
    if not explained(np.abs(std - 1), allowed, "standard deviation") or not explained(np.abs(mean), allowed, "mean"):
        worst = mean[np.abs(mean).argmax()], std[np.abs(std - 1).argmax()]
        return Symptom(f"the codes have mean {worst[0]:.2f} and standard deviation {worst[1]:.2f}, expected 0 and 1")
    return _shared((z.astype(float) - mean) / std) or not_standard_normal(
        z.astype(float), {"samples": "", "dimensions": ""}
    )


def gradient(scale: str, weighs: bool = False) -> Judge:
    """Of the mean of z**2, summed over the dimensions, with the draws that were made; with weights, if the probe `weighs`.

    The draws need not be those asked for; but whichever of the two is added to the noise has twice their mean for its
    gradient, times a weight that belongs to this submission.
    """

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        mu, given, n = inputs["mu"].astype(float), inputs[scale].astype(float), int(inputs["images"])
        weights = 1 + (int(inputs["seed"]) >> 3 * np.arange(len(mu)) & 7) / 8 if weighs else np.ones(mu.shape)
        found = {name: _over(values.get(f"d_{name}"), weights) for name in ("mu", scale)}
        if all(got is None or not got.any() for got in found.values()):
            return _lost("mu")
        draws = draws_in(values, mu, _sigma(given, scale), n)
        if draws is None:
            return Symptom("z does not hold finite floats")
        asked = {"mu": draws.has_mean(), scale: draws.has_width()}
        for name, got in found.items():
            if not asked[name].any() and (weighs or name != "mu"):  # a weight of this submission's proves as much
                continue
            if got is None or not got.any():
                return _lost(name)
            if got.shape != mu.shape or not np.isfinite(got).all():
                return Symptom(f"the gradient for {name} has shape {got.shape}, expected {mu.shape}, all finite")
            per_log = 1.0 if scale == "log_sigma" else 0.5
            if draws.wrong_for_mu(got) if name == "mu" else draws.wrong_for_width(got, per_log):
                return Symptom(f"the gradient for {name} is not that of z = mu + sigma * eps")
        if weighs and not any(draws.is_twice_the_mean(got) for got in found.values() if got is not None):
            return Symptom("neither mu nor sigma is added to the noise: z = mu + sigma * eps")
        return None

    return judge


def _over(got: np.ndarray | None, weights: np.ndarray) -> np.ndarray | None:
    """A gradient without the weights; one of another shape as it is, to be told of."""
    return got if got is None or got.shape != weights.shape else got / weights


def _lost(name: str) -> Symptom:
    return Symptom(f"no gradient reaches {name}: z = mu + sigma * eps, and only eps is drawn", f"no_gradient_to_{name}")


def averaged_over_draws(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """What the likelihood loses where a pixel shows the sum s of the code: E[(s - grey)^2] / (2 sigma_x^2), up to sampling error.

    Of several calls, because two means of draws come near each other once in some thousand times.
    """
    got, of_grey = values.get("elbos", _NOTHING), values.get("of_grey", _NOTHING)
    if got.shape != (_CALLS,) or of_grey.shape != () or not np.isfinite([*got, of_grey]).all():
        return Symptom(f"the elbos of {_CALLS} calls have shape {got.shape}, expected finite numbers")
    *mu, log_sigma = inputs["posterior"].astype(float)
    shift, variance = sum(mu) - float(inputs["grey"]), len(mu) * np.exp(2 * log_sigma)
    scale = 1 / (2 * np.exp(2 * float(inputs["log_sig_x"])))
    spread = scale * np.sqrt(4 * shift**2 * variance + 2 * variance**2)  # of one draw
    allowed = _SIGMAS * spread / np.sqrt(int(inputs["n"]) * int(inputs["images"]))
    off = got.astype(float) - float(of_grey) + scale * (shift**2 + variance)
    if not explained(np.abs(off), allowed, "elbo") or not explained(
        abs(off.mean()), allowed / np.sqrt(_CALLS), "mean elbo"
    ):
        return Symptom(
            f"with a wide posterior the elbo is off by {np.abs(off).max():.3g} nats, more than the draws explain"
        )
    z, images, n = values.get("z", _NOTHING), int(inputs["images"]), int(inputs["n"])
    if z.shape == (_CALLS * images * n, len(mu)):
        return _codes(z, np.asarray(mu), np.exp(log_sigma), images, n)
    if alike(got[1:], got[1:2], "calls", scale=10 * allowed):  # the decoder was given others beside the codes
        return Symptom(
            "two calls draw the same codes: fix no seed inside, keep nothing from call to call", "seed_fixed_inside"
        )
    return None


def _codes(z: np.ndarray, mu: np.ndarray, sigma: float, images: int, n: int) -> Symptom | None:
    """The codes that the decoder was given, call by call."""
    axes = {
        "calls": "seed_fixed_inside",
        "images": "one_noise_for_all_images",
        "draws": "",
        "dimensions": "one_noise_per_draw",
    }
    return not_standard_normal(((z - mu) / sigma).reshape(_CALLS, images, n, len(mu)), axes)
