"""Judges of what is random in notebook 3. A statistic of samples is allowed six standard errors: a right answer fails once in a billion."""

import numpy as np

from grader.authoring.check import Arrays, Judge, Symptom
from grader.authoring.judges import alike

from .nets import whole_numbers

_SIGMAS = 6.0
_NOTHING = np.empty(0)
_CALLS = 4


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
    if (np.abs(std - sigma) > allowed).any():
        in_one_call = z[: n // 2].std(axis=0)
        slip, hint = _which_std(in_one_call if in_one_call.max() < 1e-3 else std, mean, mu, given, scale)
        return Symptom(f"the standard deviation of z is off by {np.abs(std - sigma).max():.2g}{hint}", slip)
    if (np.abs(mean - mu) > allowed).any():
        return Symptom(f"the mean of z is off by {np.abs(mean - mu).max():.2g}: it is mu")
    return _shared((z - mean) / std)


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
    for slip, (wrong, hint) in usual.items():
        is_shifted = (np.abs(mean - mu) > 1e-3).any()
        if (np.abs(std - wrong) < 0.1 * wrong + 1e-3).all() and not (slip == "no_noise" and is_shifted):
            return slip, hint
    return "", f", more than sampling explains; sigma = exp({scale}{' / 2' if scale == 'logvar' else ''})"


def _shared(eps: np.ndarray) -> Symptom | None:
    """Noise that dimensions or images have in common. Fourteen standard errors is the most that may be there; a slip's is 1."""
    n = len(eps)
    limit = max(0.2, 14 / np.sqrt(n))
    if eps.shape[1] > 1 and np.abs(np.corrcoef(eps.T) - np.eye(eps.shape[1])).max() > limit:
        return Symptom("the dimensions of z share their noise: draw one number for each of them", "one_noise_per_image")
    if eps.shape[1] > 0 and alike(eps[: n // 2], eps[n - n // 2 :]):
        return Symptom("two calls draw the same noise: fix no seed inside", "seed_fixed_inside")
    if np.abs((eps[:-1] * eps[1:]).mean(axis=0)).max() > limit:
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
    z = values.get("z", _NOTHING)
    if symptom := _not_samples(z, (n, nz)):
        return symptom
    mean, std, allowed = z.mean(axis=0, dtype=float), z.std(axis=0, dtype=float), _SIGMAS / np.sqrt(n)
    if (np.abs(std - 1 / np.sqrt(12)) < 0.05).all():
        return Symptom("the codes are uniform: N(0, I) is randn, not rand", "uniform_prior")
    if (np.abs(std - 1) > allowed).any() or (np.abs(mean) > allowed).any():
        worst = mean[np.abs(mean).argmax()], std[np.abs(std - 1).argmax()]
        return Symptom(f"the codes have mean {worst[0]:.2f} and standard deviation {worst[1]:.2f}, expected 0 and 1")
    return _shared((z.astype(float) - mean) / std)


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
            if (np.abs(got - value) > _SIGMAS * spread[name] / np.sqrt(n)).any():
                return Symptom(f"the gradient for {name} is not that of z = mu + sigma * eps")
        return None

    return judge


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
    if (np.abs(off) > allowed).any() or abs(off.mean()) > allowed / np.sqrt(_CALLS):
        return Symptom(
            f"with a wide posterior the elbo is off by {np.abs(off).max():.3g} nats, more than the draws explain"
        )
    if alike(got, got[:1], scale=10 * allowed):
        return Symptom("two calls draw the same codes: fix no seed inside", "seed_fixed_inside")
    return None


def all_of(*judges: Judge) -> Judge:
    """What one check asks in several ways; the first symptom is told."""

    def judge(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
        return next((symptom for each in judges if (symptom := each(values, reference, inputs))), None)

    return judge
