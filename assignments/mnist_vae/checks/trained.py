"""What notebook 3's trained models are worth, from their weights. The thresholds and their evidence are in docs/trained-quality.md.

No measure is enough alone: a decoder that draws one picture a class is read best of all, one that looks pictures up is diverse. So a
generated digit counts only where the same weights also reconstruct digits that nobody trained on.
"""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from grader.authoring.check import Arrays
from grader.authoring.trained import Score, State
from utils.datasets.digit_measures import diversity_within

from .held_out import SURE, held_out, read
from .networks import CLASSES, PIXELS, Network, OtherLayers, cross_entropy, divergence, network_of

NZ, NARROW, LATENT, HIDDEN = 32, 8, 15, 400
CODES = {"autoencoder": NZ, "vae": NZ, "annealed": NARROW, "unannealed": NARROW, "fc_vae": LATENT, "cvae": LATENT}
EACH = 400  # generated digits of a class: with 100, which of them are drawn decides about a class on the border
N_PRIOR = 600  # draws from the prior
N_TRIAL = 8
_CLOSE = 2e-3  # between two ways to work the same sum out, in pixels

CALLS = {
    "autoencoder": ("ae.nets.AutoEncoder", "trained_autoencoder"),
    "vae": ("vae.model", "trained_vae"),
    "annealed": ("vae.model", "trained_vae"),
    "unannealed": ("vae.model", "trained_vae"),
    "fc_vae": ("fc.model", "trained_fc_vae"),
    "cvae": ("cvae.model.CVAE", "trained_cvae"),
}
PARTS = {"vae.beta.quality3": ("vae",), "cvae.samples.quality": ("cvae",)}
TOLD = {"vae.anneal.KLWeightManager.ramp": ("annealed",)}

_BACK = (HIDDEN, HIDDEN, HIDDEN, PIXELS)
_READERS: dict[str, Callable[[State], Network]] = {
    "autoencoder": lambda state: _plain(state, NZ, NZ),
    "vae": lambda state: _plain(state, 2 * NZ, NZ),
    "annealed": lambda state: _plain(state, 2 * NARROW, NARROW),
    "unannealed": lambda state: _plain(state, 2 * NARROW, NARROW),
    "fc_vae": lambda state: network_of(
        state, (PIXELS, HIDDEN, HIDDEN, HIDDEN), LATENT, (LATENT, *_BACK), has_heads=True
    ),
    "cvae": lambda state: network_of(
        state, (PIXELS + CLASSES, HIDDEN, HIDDEN, HIDDEN), LATENT, (LATENT + CLASSES, *_BACK), has_heads=True
    ),
}


def _plain(state: State, out: int, code: int) -> Network:
    return network_of(state, (PIXELS, 256, 64, out), 0, (code, 64, 256, PIXELS))


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Classes (N,) as rows (N, 10)."""
    return np.eye(CLASSES, dtype=np.float32)[labels]


# ---------------------------------------------------------------- are these weights the student's class's?


def trial(model: str, files: Mapping[str, bytes] | None = None) -> Arrays:
    """Inputs on which a student's class and the grader's network must agree; public."""
    rng = np.random.default_rng(21)
    codes = rng.normal(size=(N_TRIAL, CODES[model]))
    images = rng.random((N_TRIAL, PIXELS)) * (rng.random((N_TRIAL, PIXELS)) < 0.3)
    return {"x": images.astype(np.float32), "z": codes.astype(np.float32), "c": one_hot(np.arange(N_TRIAL))}


def disagreement(model: str, state: State, said: Arrays) -> str:
    """Where a student's class makes something else of these weights than the exercise's network does; empty where not."""
    try:
        network = _READERS[model](state)
    except OtherLayers as error:
        return f"{model} has other layers than the exercise asks for: {error}"
    given = trial(model)
    x, z = given["x"], given["z"]
    if model == "cvae":
        x, z = np.concatenate([x, given["c"]], axis=1), np.concatenate([z, given["c"]], axis=1)
    for name, made in (("codes", network.encode(x)), ("images", network.decode(z))):
        got = np.asarray(said.get(name, np.empty(0)))
        if got.size != made.size or got.dtype.kind != "f":
            return f"{model}: your class gives {name} of another size than the exercise's network"
        away = np.abs(got.reshape(made.shape).astype(np.float64) - made).max()
        if not away <= _CLOSE * max(1.0, float(np.abs(made).max())):
            return (
                f"{model}: your class makes other {name} of these weights than the exercise's network ({away:.2g} away)"
            )
    return ""


# ---------------------------------------------------------------- what they are worth


@dataclass(frozen=True)
class Drawn:
    """What a model makes of codes that the grader draws, and of digits that were held out.

    Attributes:
        nats: Negative ELBO of held-out digits, cross-entropy and KL summed; for `vae` and `autoencoder` the cross-entropy alone.
        kl: The KL's share of it.
        kept: Share of held-out digits whose reconstruction the judge reads as that digit.
        images: Generated, (N, 784).
        asked: The classes they should show, (N,); empty where none was asked for.
        read: Share of the images read as asked; else share in which the judge is sure to see a digit.
        worst: The share of the class that is read as asked least often; 0 where none was asked for.
        classes: How many of the ten classes are read as asked in `CLASS_SEEN` of their images or more.
        diversity: Within a class, relative to real digits.
    """

    nats: float
    kl: float
    kept: float
    images: np.ndarray
    asked: np.ndarray
    read: float
    worst: float
    classes: int
    diversity: float


def draw(model: str, state: State, secret: bytes) -> Drawn:
    """Let a model draw.

    Raises:
        OtherLayers: If the weights are no such model's.
    """
    network, (x, labels) = _READERS[model](state), held_out()
    rng = _rng(secret)
    given = one_hot(labels) if model == "cvae" else np.empty((len(x), 0), np.float32)
    codes = network.encode(np.concatenate([x, given], axis=1))
    mu, spread = (codes, None) if model == "autoencoder" else np.split(codes, 2, axis=1)
    logvar = None if spread is None else np.clip(2 * spread if model == "vae" else spread, -60, 60)
    noise = 0 if logvar is None else np.exp(logvar / 2) * rng.normal(size=mu.shape)
    rebuilt = network.decode(np.concatenate([mu + noise, given], axis=1))
    kl = 0.0 if logvar is None else float(divergence(mu, logvar).mean())
    seen = read(network.decode(np.concatenate([mu, given], axis=1)))[0]
    asked = np.repeat(np.arange(CLASSES), EACH) if model == "cvae" else np.empty(0, np.int64)
    n = len(asked) or N_PRIOR
    z = rng.normal(size=(n, mu.shape[1]))
    images = network.decode(np.concatenate([z, one_hot(asked)], axis=1) if len(asked) else z)
    digits, sure = read(images)
    hits = digits == asked if len(asked) else sure >= SURE
    of_class = hits.reshape(CLASSES, EACH).mean(axis=1) if len(asked) else np.zeros(CLASSES)
    return Drawn(
        nats=float(cross_entropy(rebuilt, x).mean()) + (kl if model in ("fc_vae", "cvae") else 0.0),
        kl=kl,
        kept=float((seen == labels).mean()),
        images=images,
        asked=asked,
        read=float(hits.mean()),
        worst=float(of_class.min()),
        classes=int((of_class >= CLASS_SEEN).sum()),
        diversity=diversity_within(images, asked if len(asked) else digits, x, labels),
    )


def _rng(secret: bytes) -> np.random.Generator:
    return np.random.default_rng(np.frombuffer(secret or b"0", np.uint8).astype(np.uint32))


@dataclass(frozen=True)
class Annealed:
    """What a model of eight numbers makes of held-out digits, as section 2.4 counts it.

    Attributes:
        squared: Squared error, summed over the pixels, one draw for each digit.
        kl: In nats, summed over the dimensions.
        used: How many dimensions have a KL above 0.05.
    """

    squared: float
    kl: float
    used: int


def measure_annealed(model: str, state: State, secret: bytes) -> Annealed:
    """Measure one of the two models of section 2.4.

    Raises:
        OtherLayers: If the weights are no such model's.
    """
    network, (x, _) = _READERS[model](state), held_out()
    mu, log_sigma = np.split(network.encode(x), 2, axis=1)
    log_sigma = np.clip(log_sigma, -30, 30)
    rebuilt = network.decode(mu + np.exp(log_sigma) * _rng(secret).normal(size=mu.shape))
    each = np.array([divergence(mu[:, [k]], 2 * log_sigma[:, [k]]).mean() for k in range(NARROW)])
    return Annealed(float(np.square(rebuilt - x).sum(axis=1).mean()), float(each.sum()), int((each > USED).sum()))


# ---------------------------------------------------------------- points

KEPT = 0.8  # share of held-out digits that a reconstruction has to keep, for the first point of beta
READABLE = 0.15  # share of draws from the prior in which the judge must be sure to see a digit, for the second
SEEN = 0.8  # share of the conditional digits that are read as asked, for all points
CLASS_SEEN = 0.6  # share of a class's digits that are read as asked, for the class to count
FEWEST = 3  # classes that count, for any point
POINTS_BETA, POINTS_CLASSES = 2.0, 6.0
LOST = {
    "vae": 165.0,
    "cvae": 150.0,
}  # nats of a held-out digit from which it is not reconstructed: a picture for each class comes to more
ALIKE = 0.2  # diversity within a class below which one picture is all there is
DEMANDED = 120.0  # nats, the exercise's own figure
USED = 0.05  # nats from which a dimension counts as used, as in the notebook


def score(part: str, states: dict[str, State], secret: bytes) -> Score:
    """Points for one part, from the weights it needs; what other models came to is told beside it.

    Args:
        part: A key of `PARTS` or `TOLD`.
        states: The weights that were found to be sound, by model.
        secret: Of the course.
    """
    if part in TOLD:
        return Score(None, 0.0, _told_of_annealing(states, secret))
    return _score_beta(states, secret) if part == "vae.beta.quality3" else _score_classes(states, secret)


def _told_of_annealing(states: dict[str, State], secret: bytes) -> str:
    """Of the annealed model, and of its twin where that came along."""
    words, totals = [], []
    for model, name in (("annealed", "annealed"), ("unannealed", "with the full KL from the start")):
        if model in states:
            one = measure_annealed(model, states[model], secret)
            totals.append(one.squared + one.kl)
            words.append(
                f"{name}, squared error {one.squared:.1f} + KL {one.kl:.1f} = {totals[-1]:.1f}, {one.used} of {NARROW} dimensions used"
            )
    text = f"measured from your weights on held-out digits: {'; '.join(words)}"
    if len(totals) == 2:
        text += f". Here annealing {'ended' if totals[0] < totals[1] else 'did not end'} lower"
    return text


def points_of(model: str, drawn: Drawn) -> float | None:
    """What a `vae` or a `cvae` earns; None where what it draws may be readable and yet no model's draw: a person's to settle."""
    if model == "vae":
        points = float(drawn.kept >= KEPT) + float(drawn.read >= READABLE)
    elif drawn.read >= SEEN and drawn.classes == CLASSES:
        points = POINTS_CLASSES
    else:
        points = float(int(POINTS_CLASSES * drawn.classes / CLASSES) if drawn.classes >= FEWEST else 0)
    return None if points and _no_draw(model, drawn) else points


def _no_draw(model: str, drawn: Drawn) -> str:
    """Why readable digits prove nothing; empty where they do. A figure that is no number speaks for nobody."""
    if not drawn.diversity >= ALIKE and (model == "cvae" or drawn.read >= READABLE):
        return "digits of a class are all alike"
    return "" if drawn.nats < LOST[model] else "held-out digits are not reconstructed"


def _score_beta(states: dict[str, State], secret: bytes) -> Score:
    drawn = draw("vae", states["vae"], secret)
    text = (
        f"held-out digits that its reconstructions keep: {drawn.kept:.0%} (1 point from {KEPT:.0%} on); readable among {N_PRIOR} draws "
        f"from the prior: {drawn.read:.0%} (1 point from {READABLE:.0%} on); cross-entropy {drawn.nats / PIXELS:.3f} a pixel, KL "
        f"{drawn.kl / NZ:.3f} a dimension"
    )
    if "autoencoder" in states:
        plain = draw("autoencoder", states["autoencoder"], secret)
        text += f". Your autoencoder: {plain.nats / PIXELS:.3f} a pixel"
    return _proposed("vae", POINTS_BETA, text, drawn)


def _score_classes(states: dict[str, State], secret: bytes) -> Score:
    drawn = draw("cvae", states["cvae"], secret)
    text = (
        f"of {EACH} digits generated for each class a judge reads {drawn.read:.0%} as asked, {CLASS_SEEN:.0%} or more of {drawn.classes} of the "
        f"{CLASSES} classes; within a class they differ {drawn.diversity:.2f} times as much as real digits; {drawn.nats:.1f} nats on held-out digits"
    )
    if "fc_vae" in states:
        text += f". Your fully connected VAE: {draw('fc_vae', states['fc_vae'], secret).nats:.1f} nats (below {DEMANDED:g} is asked for)"
    return _proposed("cvae", POINTS_CLASSES, text, drawn)


def _proposed(model: str, most: float, text: str, drawn: Drawn) -> Score:
    points = points_of(model, drawn)
    return Score(points, most, f"{_no_draw(model, drawn)}: {text}" if points is None else text, picture(drawn))


def picture(drawn: Drawn, rows: int = 4) -> str:
    """Some of what was drawn, ten a row, as a data URI."""
    from matplotlib.image import imsave

    n = len(drawn.images) // CLASSES
    chosen = [row + n * column for row in range(rows) for column in range(CLASSES)]
    tiles = np.pad(
        drawn.images[chosen].reshape(rows, CLASSES, 28, 28), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=0.5
    )
    grid = tiles.transpose(0, 2, 1, 3).reshape(rows * 30, CLASSES * 30).repeat(2, axis=0).repeat(2, axis=1)
    file = io.BytesIO()
    imsave(file, grid, cmap="gray", vmin=0, vmax=1, format="png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
