"""What 24 generated airfoils are worth. The thresholds and their evidence are in docs/airfoil-quality.md.

Three measures are read together, because each alone is fooled: a collapsed model repeats one smooth profile, noise is
diverse, and copies of the data are perfect. All are relative to the data's own, as `utils.measure_airfoils` shows them.
"""

import base64
import io
import json
from dataclasses import dataclass

import numpy as np

from grader.authoring.check import Arrays
from grader.authoring.trained_again import in_time
from utils.datasets.airfoil_measures import AirfoilQuality, measure_airfoils
from utils.datasets.airfoils import AirfoilDataset

from .configs import read_configs
from .given import N_SAMPLES, Given, given
from .nets import not_floats
from .rebuilt import Decode, decoder_of, nearest_made, run, trial_codes

POINTS, SLIGHTLY_NOISY, NOISY, ALIKE = 15.0, 12.0, 8.0, 5.0
SMOOTH = 15.5  # roughness up to which outlines count as smooth
WRINKLED = 18.5  # from here on as noisy; between the two the points fall from 12 to 8
ROUGH = 28.0  # from here on as no wings
COLLAPSED = 0.3  # diversity below which all samples are alike
DIVERSE = 0.6  # diversity from which they are as different as they should be
CROSSED = 0.3  # share of crossing surfaces from which they are no wings
_HUGE = 100.0  # real heights end at 1
COPIED = 1e-3  # mean distance to the nearest real profile, in heights, below which a sample is a copy
MOVED = ((2, COPIED), (6, 3e-4))  # the same behind a polynomial of a degree: a better fit has to be a closer copy
FAR = 0.03  # and from which, on average, samples are no wings
MISSED = 0.035  # mean distance from which profiles that were not trained on are none that the decoder can make
N_MADE = 24  # of those, looked at
_JUDGE_SECONDS = 20.0  # of CPU time; the published widths take a second


@dataclass(frozen=True)
class Score:
    """Points, and what each measure cost."""

    points: float
    text: str
    quality: AirfoilQuality


def score(samples: np.ndarray) -> Score:
    """Score generated profiles.

    Args:
        samples: Heights, finite floats, shape (24, 200), in the data set's unit.

    Returns:
        0 to 15 points with the reason.
    """
    dataset = AirfoilDataset()
    samples = np.clip(samples, -_HUGE, _HUGE, dtype=np.float64)  # a stranger's numbers: their squares must stay finite
    quality = measure_airfoils(samples, dataset)
    away = nearest(samples, dataset.profiles).mean()
    copies = int(_is_copy(samples, dataset.profiles).sum())
    if copies > N_SAMPLES // 4:
        return Score(
            0.0, f"{copies} of {N_SAMPLES} are copies of profiles of the data; a model has to draw its own", quality
        )
    if quality.crossing >= CROSSED:
        return Score(0.0, f"too many surfaces cross (0 points from {CROSSED:.0%} on)", quality)
    if quality.roughness >= ROUGH:
        return Score(0.0, f"the outlines are rough (0 points from {ROUGH:g} on)", quality)
    if away >= FAR:
        return Score(0.0, f"these are no wing sections: the nearest real ones are {away:.2g} away on average", quality)
    if quality.diversity < COLLAPSED:
        return _alike(quality)
    return _graded(quality)


def _alike(quality: AirfoilQuality) -> Score:
    text = f"all samples are alike (diversity below {COLLAPSED:g})"
    if quality.roughness >= WRINKLED:
        return Score(0.0, f"{text} and rough", quality)
    return Score(ALIKE, f"{text}: the posterior has collapsed, lower beta", quality)


def _graded(quality: AirfoilQuality) -> Score:
    """Wings, at least: the worse of roughness and diversity decides."""
    smooth = _between(quality.roughness, SMOOTH, WRINKLED)
    diverse = _between(-quality.diversity, -DIVERSE, -COLLAPSED)
    reasons = []
    if smooth < POINTS:
        reasons.append(
            f"the outlines tremble (at most {SMOOTH:g} is smooth): train longer, at a constant rate or one that falls late"
        )
    if diverse < POINTS:
        reasons.append(f"the samples differ too little (diversity from {DIVERSE:g} on is enough): lower beta a little")
    return Score(min(smooth, diverse), "; ".join(reasons) or "smooth and diverse", quality)


def _between(value: float, good: float, bad: float) -> float:
    """15 up to `good`, then from 12 down to 8 at `bad`, in half points."""
    if value <= good:
        return POINTS
    share = min(1.0, (value - good) / (bad - good))
    return round(2 * (SLIGHTLY_NOISY - share * (SLIGHTLY_NOISY - NOISY))) / 2


def nearest(samples: np.ndarray, profiles: np.ndarray) -> np.ndarray:
    """Mean distance of each sample to the data's nearest profile."""
    return np.array([np.abs(profiles - sample).mean(axis=1).min() for sample in samples])


def _is_copy(samples: np.ndarray, profiles: np.ndarray) -> np.ndarray:
    """Whether each sample is a real profile, or one that was shifted, turned or bent, each surface for itself."""
    found = np.zeros(len(samples), bool)
    for degree, distance in MOVED:
        bare = _without_smooth_part(samples, degree), _without_smooth_part(profiles.astype(np.float64), degree)
        found |= nearest(*bare) < distance
    return found


def _without_smooth_part(heights: np.ndarray, degree: int) -> np.ndarray:
    basis = np.linalg.qr(np.vander(np.linspace(-1, 1, 100), degree + 1))[0]
    surfaces = heights.reshape(-1, 2, 100)
    return (surfaces - surfaces @ basis @ basis.T).reshape(-1, 200)


# ---------------------------------------------------------------- what the quality stage asks for

PART, TASK = "air.quality.quality", "air.train"


def inputs(files: dict[str, bytes], cpu_seconds: float, secret: bytes) -> Arrays:
    """What the probe is called with: the configurations, and profiles drawn for them and the course.

    Raises:
        ConfigError: If the configurations cannot be used.
    """
    model_config, train_config = read_configs(files)
    text = json.dumps({"model_config": model_config, "train_config": train_config}).encode()
    return {
        "configs": np.frombuffer(text, np.uint8),
        "n_samples": np.asarray(N_SAMPLES),
        "cpu_seconds": np.asarray(cpu_seconds),
        "profiles": given(files, secret).profiles,
        "trial_codes": trial_codes(),
    }


def score_values(values: Arrays, files: dict[str, bytes], secret: bytes) -> tuple[float | None, str]:
    """Points and their reason, for whatever a student's process returned; None where a person has to look.

    Args:
        values: What `generate` returned, the decoder's weights, and what they make of the trial codes.
        files: As for `inputs`.
        secret: Of the course.
    """
    if symptom := not_floats(values, {"samples": (N_SAMPLES, 200)}):
        return 0.0, f"generate(24): {symptom.text}"
    drawn = given(files, secret)
    told = score(values["samples"] - drawn.bend)
    if not told.points:
        return 0.0, f"{told.text}. The {N_SAMPLES} samples of your model, trained again: {told.quality}"
    made = in_time(_JUDGE_SECONDS, lambda: _made(values, drawn), lambda: None)
    if made is None:
        return (
            None,
            "your decoder has other parts than linear layers with one usual activation between them, or very many: "
            "a person looks at its samples",
        )
    result = told if told.points <= made.points else made
    whose = (
        "of codes drawn by the grader, decoded with your trained weights"
        if result is made
        else "of your model, trained again"
    )
    return result.points, f"{result.text}. The {N_SAMPLES} samples {whose}: {result.quality}"


def _made(values: Arrays, drawn: Given) -> Score | None:
    """What a student's decoder is worth, judged by what the grader makes with its weights; None where it cannot be rebuilt."""
    decode = decoder_of(values)
    return None if decode is None else score_made(decode, drawn)


def score_made(decode: Decode, drawn: Given) -> Score:
    """What a decoder is worth, by what it makes of the codes that are drawn, and of profiles that were kept back."""
    samples = run(decode, drawn.codes)
    if not np.isfinite(samples).all():
        samples = np.full_like(samples, _HUGE)
    result = score(samples - drawn.bend)
    if result.points > ALIKE and (distance := missed(decode, drawn)) >= MISSED:
        text = "your decoder cannot make wings that it was not trained on"
        return Score(0.0, f"{text}: those nearest to them are {distance:.2g} away on average", result.quality)
    return result


def missed(decode: Decode, drawn: Given) -> float:
    """Mean distance of profiles that were kept back to what a decoder can make."""
    wanted = drawn.kept_back[:N_MADE] + drawn.bend
    distance = float(np.abs(nearest_made(decode, wanted) - wanted).mean())
    return distance if np.isfinite(distance) else _HUGE


def picture(values: Arrays, files: dict[str, bytes], secret: bytes) -> str:
    """The samples as a picture that a page can hold; empty where there is nothing to draw."""
    if not_floats(values, {"samples": (N_SAMPLES, 200)}):
        return ""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from utils.plotting.airfoils import plot_airfoils

    samples = np.clip(values["samples"] - given(files, secret).bend, -2, 2)
    plot_airfoils(AirfoilDataset().get_x(), samples, title=f"{N_SAMPLES} designs of your model")
    file = io.BytesIO()
    plt.savefig(file, format="png", dpi=60)
    plt.close()
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
