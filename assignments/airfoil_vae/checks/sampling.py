"""Judges of what is random in notebook 2: the reparameterisation and `generate`.

A statistic of samples is allowed six standard errors: a right answer fails once in a billion.
"""

import numpy as np

from grader.authoring.check import Arrays, Symptom
from grader.authoring.draws import draws_in
from grader.authoring.judges import alike, differs
from grader.authoring.lines import beyond, explained, resembles, within
from grader.authoring.noise import not_standard_normal

from .nets import chain_of, not_floats, table

_SIGMAS = 6.0
_SAME_EPS = 1e-4  # rounding leaves a hundredth
_FORWARD_AXES = {
    "calls": "seed_fixed_inside", "posteriors": "one_noise_per_batch", "profiles": "one_noise_per_batch",
    "dimensions": "one_noise_per_row",
}  # fmt: skip


def in_either_order(inputs: Arrays) -> Arrays:
    """Beside a stand-in for the decoder: whether the real one reverses its list, as the model then goes by, nobody knows."""
    return inputs | {"either_order": np.ones(())}


def vae_shapes(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """y_hat, mu, logvar of the whole model, all of which learns."""
    y, latent = inputs["y"], int(inputs["latent_size"])
    shapes = {"y_hat": y.shape, "mu": (len(y), latent), "logvar": (len(y), latent)}
    widths = inputs["hidden_dims"].tolist()
    if symptom := not_floats(values, shapes):
        return Symptom(f"with hidden_dims {widths}, {symptom.text}")
    in_order, mirrored = (chain_of([latent, *chain, y.shape[1]]) for chain in (widths, widths[::-1]))
    is_either = "either_order" in inputs
    if table(values, "decoder") == in_order != mirrored and not is_either:
        return Symptom(
            f"with hidden_dims {widths}, the decoder has the encoder's widths in their order: it is to mirror them",
            "not_mirrored",
        )
    if table(values, "decoder") not in ([in_order, mirrored] if is_either else [mirrored]):
        return Symptom(f"with hidden_dims {widths}, the decoder's layers have other widths: give it all of them")
    reached = values.get("parameters", np.empty(0))
    if reached.shape != (2,) or reached[0] != reached[1] or not reached[1] > 0:
        text = f"{reached[0]} of {reached[1]}" if reached.shape == (2,) else "none"
        return Symptom(
            f"a gradient of y_hat, mu and logvar reaches {text} of the model's parameters, expected all",
            "not_all_learn",
        )
    if not values.get("largest", np.zeros(1)).all():
        return Symptom(
            "a layer of the model has weights of 0, as no layer is made: leave encoder and decoder as they are"
        )
    return None


def vae_outputs(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The encoder's two answers as they are, and the decoder's answer to the z it was given."""
    mu, logvar = inputs["mu"], inputs["logvar"]
    z = values.get("z", np.empty(0))
    y_hat = (z if z.shape == mu.shape else mu) @ inputs["weight"]
    if _is(values, "mu", logvar) and _is(values, "logvar", mu):
        return Symptom("mu and logvar are swapped: return y_hat, mu, logvar in this order", "outputs_swapped")
    if _is(values, "y_hat", mu):
        return Symptom("y_hat is z itself: decode it", "not_decoded")
    if _is(values, "logvar", np.exp(logvar / 2)) or _is(values, "logvar", np.exp(logvar)):
        return Symptom(
            "where logvar is far below 0 the third output is 0, as sigma and the variance are; return logvar as the encoder gave it",
            "sigma_returned",
        )
    for name, expected in (("mu", mu), ("logvar", logvar), ("y_hat", y_hat)):
        if text := differs(name, values.get(name), expected.astype(np.float32), 1e-4, 1e-4):
            return Symptom(f"with an encoder that answers known mu and a vanishing variance, {text}")
    for name, expected in (("mu", mu), ("logvar", 0.1 * mu)):
        if text := differs(name, values.get(f"{name}_of_wide"), expected.astype(np.float32), 1e-4, 1e-4):
            return Symptom(
                f"with an encoder of widths that matter, the output {text}; return it as the encoder gave it"
            )
    for name in ("mu", "logvar", "y_hat"):
        if text := differs(name, values.get(f"{name}_of_one"), values[name][:1], 1e-4, 1e-4):
            return Symptom(f"of a single profile, {text}")
    return None


def _is(values: Arrays, name: str, other: np.ndarray) -> bool:
    got = values.get(name, np.empty(0))
    if got.shape != other.shape:
        return False
    return resembles(np.abs(got.astype(float) - other), 1e-4 + 1e-4 * np.abs(other), f"{name} for another")


def vae_noise(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """z has mean mu and standard deviation exp(logvar / 2), independent for every call, profile and dimension."""
    n, mu, logvar = int(inputs["num_samples"]), inputs["mu"].astype(float), inputs["logvar"].astype(float)
    if symptom := not_floats(values, {"draws": (4, len(mu), n, mu.shape[1]), "again": (len(mu), n, mu.shape[1])}):
        return symptom
    z, sigma = values["draws"].astype(float), np.exp(logvar / 2)
    rows = z.transpose(1, 3, 0, 2).reshape(*mu.shape, -1)
    mean, std, allowed = rows.mean(axis=2), rows.std(axis=2), _SIGMAS * sigma / np.sqrt(rows.shape[2])
    in_one_call = z[0].std(axis=1)
    if in_one_call.min() > 1e-3 and alike(
        z[1], z[0], "second call"
    ):  # what is averaged over the calls says nothing then
        return Symptom("two calls draw the same noise: fix no seed inside and keep no noise", _FORWARD_AXES["calls"])
    if not explained(np.abs(std - sigma), allowed, "standard deviation"):
        slip, hint = _which_std(in_one_call if in_one_call.max() < 1e-3 else std, logvar)
        off = np.abs(z[0].mean(axis=1) - mu)
        if slip == "no_noise" and not resembles(off, 1e-3 + 1e-3 * np.abs(mu), "mean without noise"):
            slip, hint = "one_noise_per_batch", ": the profiles of a batch share their noise, draw one number for each"
        return Symptom(f"the standard deviation of z is off by {np.abs(std - sigma).max():.2g}{hint}", slip)
    if not explained(np.abs(mean - mu), allowed, "mean"):
        return Symptom(f"the mean of z is off by {np.abs(mean - mu).max():.2g}; it is mu")
    lone = values.get("without_gradients", np.empty(0))
    if lone.shape != mu.shape or not beyond(np.abs((lone - mu) / sigma).max(), 1e-3, "noise without gradients"):
        return Symptom("where gradients are off there is no noise in z: draw it in each call", "")
    eps = (z - mu[:, None]) / sigma[:, None]
    again = (values["again"] - inputs["mu_again"][:, None]) / np.exp(inputs["logvar_again"].astype(float) / 2)[:, None]
    if symptom := not_standard_normal(eps, _FORWARD_AXES):
        return symptom
    if not within(np.abs(eps[0] - again), _SAME_EPS, "the same noise"):
        return Symptom(
            "with the same seed and other posteriors, (z - mu) / sigma is another: z = mu + sigma * eps, where eps comes from "
            "torch's generator and knows nothing of mu and sigma"
        )
    return None


def _which_std(std: np.ndarray, logvar: np.ndarray) -> tuple[str, str]:
    usual = {
        "no_noise": (np.zeros_like(logvar), ": there is no noise in z, add sigma * eps"),
        "noise_not_scaled": (np.ones_like(logvar), ": your noise is not scaled by sigma"),
        "variance_for_sigma": (np.exp(logvar), ": the variance multiplies your noise; sigma = exp(logvar / 2) must"),
        "logvar_for_sigma": (np.abs(logvar), ": logvar itself multiplies your noise; sigma = exp(logvar / 2) must"),
        "half_logvar_for_sigma": (np.abs(logvar) / 2, ": logvar / 2 multiplies your noise; take its exponential"),
        "uniform_noise": (np.exp(logvar / 2) / np.sqrt(12), ": eps is standard normal (randn), not uniform (rand)"),
    }
    for slip, (wrong, hint) in usual.items():
        if resembles(np.abs(std - wrong), 0.05 * wrong + 1e-3, slip):
            return slip, hint
    return "", ", more than sampling explains; sigma = exp(logvar / 2)"


def vae_gradient(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Of the mean of z^2 in each dimension, with the draws that were made."""
    mu, logvar, n = inputs["mu"].astype(float), inputs["logvar"].astype(float), int(inputs["num_samples"])
    if "d_mu" not in values:
        return Symptom("no gradient passes from y_hat to the encoder: is z detached?", "no_gradient")
    if symptom := not_floats(values, {"d_mu": mu.shape, "d_logvar": mu.shape}):
        return symptom
    if not values["d_mu"].any() and not values["d_logvar"].any():
        return Symptom("no gradient passes from y_hat to the encoder: is z detached?", "no_gradient")
    draws = draws_in(values, mu, np.exp(logvar / 2), n)
    if draws is None:
        return Symptom("z does not hold finite floats")
    wrong = {"mu": draws.wrong_for_mu(values["d_mu"]), "logvar": draws.wrong_for_width(values["d_logvar"], 0.5)}
    for name in [name for name, is_wrong in wrong.items() if is_wrong]:
        lost, slip = ("the gradient is wrong for", "")
        if not values[f"d_{name}"].any():
            if not values.get(f"own_{name}", np.empty(0)).any():  # nor does one come through the output itself
                return Symptom(f"no gradient passes through {name} at all: use and return it as the encoder gave it")
            lost, slip = "no gradient reaches", f"no_gradient_to_{name}"
        return Symptom(f"{lost} {name}: z = mu + exp(logvar / 2) * eps, and only eps is drawn", slip)
    for name in ("mu", "logvar"):
        own = values.get(f"own_{name}", np.empty(0))
        if own.shape != mu.shape or not within(np.abs(own - 1), 1e-3, f"own {name}"):
            what, slip = ("another", "") if own.any() else ("no", "output_detached")
            return Symptom(f"{what} gradient passes through the output {name}: return it as the encoder gave it", slip)
    return None


def _read_tones(answer: np.ndarray, inputs: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """z and the marks in what the probe's decoder answered: which mode it was in follows from the marks."""
    tones = inputs["tones"].astype(float)
    marks = answer[:, -1].astype(float)
    is_training = np.abs(marks - tones[3]) < np.abs(marks - tones[1])
    return answer[:, :-1] / np.where(is_training, tones[2], tones[0])[:, None], marks


def generate_prior(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The decoder is given n_samples independent draws of N(0, I)."""
    n, latent = int(inputs["n_samples"]), int(inputs["latent_size"])
    if symptom := not_floats(values, {"z": (n, latent + 1)}):
        return Symptom(f"seen through a decoder that adds one column to z, {symptom.text}")
    one = values.get("one", np.empty(0))
    if one.shape != (1, latent + 1) or not one.all():
        return Symptom("a single sample is no draw that was decoded: n_samples rows, also where that is 1")
    z, marks = _read_tones(values["z"], inputs)
    if not np.isin(marks, inputs["tones"][1::2].astype(float)).all():
        return Symptom("the samples are not the decoder's answers: decode z and return what comes out")
    error, mean, std = _SIGMAS / np.sqrt(n), z.mean(axis=0), z.std(axis=0)
    if not explained(np.abs(std - 1), error, "standard deviation"):
        is_uniform = resembles(np.abs(std - 1 / np.sqrt(12)), 0.02, "uniform_prior")
        text = f"the standard deviation of z is {std.mean():.2f}, expected 1"
        return Symptom(
            f"{text}: N(0, I) is randn, not rand" if is_uniform else text, "uniform_prior" if is_uniform else ""
        )
    if not explained(np.abs(mean), error, "mean"):
        return Symptom(f"the mean of z is {mean[np.abs(mean).argmax()]:.2f}, expected 0")
    correlation = np.abs(np.corrcoef(z.T) - np.eye(latent))
    if not explained(correlation, error, "correlation") or len(np.unique(z[:, 0])) < 0.9 * n:
        return Symptom("the coordinates of z are not independent: draw a tensor of shape (n_samples, latent_size)")
    if _repeats_rows(z):
        return Symptom("some samples come twice: each row of z is a draw of its own")
    answered = values.get("answered", np.empty((0, 0)))
    if not _are_among(values["z"], answered):
        return Symptom("the samples are not the decoder's answers: decode z and return what comes out")
    return not_standard_normal(z, {"samples": "", "dimensions": ""})


def _repeats_rows(rows: np.ndarray) -> bool:
    """Whether two rows are alike. Sorted by their columns they are neighbours; sorting whole rows takes several times as long."""
    ordered = rows[np.lexsort(rows.T)]
    return bool((ordered[1:] == ordered[:-1]).all(axis=1).any())


def _are_among(rows: np.ndarray, others: np.ndarray) -> bool:
    """Whether each row is one of the others; hardly any answer does not give them as they came."""
    if np.array_equal(rows, others):
        return True
    return {row.tobytes() for row in rows} <= {row.tobytes() for row in others}


def generate_seeded(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """One seed, one set of samples, whatever was drawn before; another seed, another set."""
    shape = (int(inputs["n_samples"]), int(inputs["latent_size"]) + 1)
    if symptom := not_floats(values, {"z": shape, "again": shape, "other": shape}):
        return symptom
    z, marks = _read_tones(values["z"], inputs)
    if not np.isin(marks, inputs["tones"][1::2].astype(float)).all():
        return Symptom("the samples are not the decoder's answers: decode z and return what comes out")
    if not z.std():
        return Symptom("all samples are alike")
    if not alike(values["z"], values["again"], "again"):
        return Symptom(
            "two calls with one seed give different samples: torch.manual_seed(seed) comes before the draw, and nothing is kept",
            "not_seeded",
        )
    by_seed = values.get("by_seed", np.empty(0))
    if by_seed.shape != (4, 5, shape[1]) or not alike(by_seed[0], by_seed[3], "seed 0 again"):
        return Symptom("two calls with seed=0 give different samples: 0 is a seed as any other", "not_seeded")
    if not beyond(
        min(np.abs(by_seed[a] - by_seed[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))), 0.05, "seeds 0, 1 and 2"
    ):
        return Symptom(
            "two of the seeds 0, 1 and 2 give the same samples: use the argument seed as it is", "seed_ignored"
        )
    other = _read_tones(values["other"], inputs)[0]
    if not beyond(np.abs(z - other).mean(), 0.1, "another seed"):
        return Symptom("another seed gives the same samples: use the argument seed", "seed_ignored")
    return None


def generate_modes(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Evaluation mode while decoding."""
    decoding = values.get("while_decoding", np.ones(0))
    if symptom := _not_decoded(values, inputs):
        return symptom
    if decoding.size < 2 or decoding.any() or not np.allclose(values["samples"][:, -1], inputs["tones"][1]):
        return Symptom(
            "the decoder is not in evaluation mode while it decodes: call self.decoder.eval() first", "no_eval"
        )
    return None


def modes_afterwards(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Afterwards everything is in the mode it was in: a good habit, and not asked for."""
    trained, evaluated = (values.get(name, np.ones(0)) for name in ("after_training", "after_eval"))
    if trained.shape != (3,) or not trained.all():
        return Symptom("a model that was training is in evaluation mode afterwards: set it back to the mode it was in")
    if not values.get("after_apart", np.zeros(())).all():
        return Symptom(
            "a decoder that was training, beside an encoder that was not, is in evaluation mode afterwards: remember "
            "the decoder's own mode"
        )
    if evaluated.shape != (3,) or evaluated.any():
        return Symptom(
            "a model that was in evaluation mode is in training mode afterwards: set it back to the mode it was in"
        )
    return None


def _not_decoded(values: Arrays, inputs: Arrays) -> Symptom | None:
    """The samples are what the probe's decoder answers, and bear its mark."""
    shape = int(inputs["n_samples"]), int(inputs["latent_size"]) + 1
    if symptom := not_floats(values, {"samples": shape}):
        return Symptom(f"seen through a decoder that adds one column to z, {symptom.text}")
    if not np.isin(values["samples"][:, -1], inputs["tones"][1::2]).all():
        return Symptom("the samples are not the decoder's answers: decode z and return what comes out")
    return None


def generate_free(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """No gradient is kept, and gradients work again afterwards."""
    if not _is_false(values, "keeps_gradient"):
        return Symptom("the samples keep a gradient: leave the line @torch.inference_mode() in place", "keeps_gradient")
    gradient = values.get("gradient", np.empty(0))  # of a sum of squares, asked for after the call
    expected = 2 * inputs["tones"]
    if gradient.shape != (4,) or not within(
        np.abs(gradient - expected), 1e-5 * np.abs(expected), "gradient afterwards"
    ):
        return Symptom("gradients stay switched off after the call: training would stop there", "gradients_off")
    return _not_decoded(values, inputs)


def generate_device(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """z is made on the device asked for."""
    if not _is_false(values, "ignored"):
        return Symptom("z is not on the device asked for: use the argument device", "device_ignored")
    return _not_decoded(values, inputs)


def _is_false(values: Arrays, name: str) -> bool:
    """A flag can cost a check and never earn one: nothing, or anything but one plain no, counts as a yes."""
    return values.get(name, np.empty(0)).shape == () and not values[name].any()
