"""The inputs of notebook 3's checks: drawn ones, and those the notebook publishes."""

from collections.abc import Callable

import numpy as np

from grader.authoring.check import Arrays, Draw
from grader.authoring.contract import Sizes

_IMAGES = 300  # noise is judged by its moments over four times as many
_NAMED = frozenset({9, 10, 15, 28, 32, 64})  # sizes that the notebook names


def _int(value: int | np.integer) -> np.ndarray:
    return np.asarray(int(value))


def _seed(rng: np.random.Generator) -> np.ndarray:
    return _int(rng.integers(2**31))


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def batches(has_twin: bool = False, **ranges: tuple[int, int]) -> Sizes:
    """Whole numbers from ranges, all different, a batch size, and a seed; the batch also of one."""

    def make(rng: np.random.Generator, **sizes: int) -> Arrays:
        return {name: _int(size) for name, size in sizes.items()} | {"seed": _seed(rng)}

    return Sizes(make, {**ranges, "batch": (3, 5)}, _NAMED, alone=("batch",), has_twin=has_twin)


def settings(**ranges: tuple[int, int]) -> Draw:
    """Whole numbers from ranges (the end excluded), and a seed."""

    def draw(rng: np.random.Generator) -> Arrays:
        return {name: _int(rng.integers(*limits)) for name, limits in ranges.items()} | {"seed": _seed(rng)}

    return draw


def marked(draw: Draw) -> Draw:
    """And two tones of grey by which a decoder's modes are told apart."""

    def draw_marks(rng: np.random.Generator) -> Arrays:
        return draw(rng) | {"marks": rng.uniform([0.1, 0.6], [0.4, 0.9]).astype(np.float32)}

    return draw_marks


def pushed(draw: Draw) -> Draw:
    """And a gradient for log_sig_x."""
    return lambda rng: draw(rng) | {"push": np.asarray(rng.uniform(0.2, 2), np.float32)}


def loading(rng: np.random.Generator) -> Arrays:
    """Examples that bear drawn labels, rising."""
    size = int(rng.integers(5, 10))
    labels = np.sort(rng.choice(1000, 5 * size + int(rng.integers(1, size)), replace=False))
    return {"labels": labels, "batch_size": _int(size), "seed": _seed(rng)}


def full_batches() -> list[Arrays]:
    """As many examples as fill the batches."""
    labels = np.sort(np.random.default_rng(1).choice(1000, 42, replace=False))
    return [{"labels": labels, "batch_size": _int(7), "seed": _int(5)}]


def training(rng: np.random.Generator) -> Arrays:
    return {"seed": _seed(rng), "learning_rate": np.asarray(rng.uniform(0.01, 0.03), np.float32)}


def posterior(scale: str, images: int = _IMAGES, alone: tuple[str, ...] = ()) -> Sizes:
    """Log widths well away from 0, of both signs: sigma, its square, its root and its logarithm are four different numbers.

    And another posterior, whose widths are on the other side of 1.
    """

    def make(rng: np.random.Generator, D: int) -> Arrays:
        widths = np.resize(rng.permutation([-0.7, 0.5, 0.8]), D) * (1 if scale == "log_sigma" else 2)
        mu = rng.choice([-1.2, 1.0, 1.3], size=(2, D))
        arrays = {"mu": mu[0], scale: widths, "mu_again": mu[1], f"{scale}_again": -widths}
        return {
            **{name: array.astype(np.float32) for name, array in arrays.items()}, "images": _int(images), "seed": _seed(rng),
        }  # fmt: skip

    return Sizes(make, {"D": (3, 4)}, alone=alone, has_twin=False)


def one_posterior(scale: str) -> Draw:
    """A posterior alone."""
    draw = posterior(scale, 1000)

    def draw_one(rng: np.random.Generator) -> Arrays:
        return {name: array for name, array in draw(rng).items() if not name.endswith("_again")}

    return draw_one


def _make_outputs(rng: np.random.Generator, B: int, D: int) -> Arrays:
    return {
        "q": 0.7 * _normal(rng, B, 2 * D),
        "beta": np.asarray(rng.uniform(2, 4), np.float32),
        "seed": _seed(rng),
    }


outputs = Sizes(_make_outputs, {"B": (3, 5), "D": (3, 7)}, has_twin=False)


def gaussians(*names: str) -> Sizes:
    def make(rng: np.random.Generator, B: int, D: int) -> Arrays:
        return {name: _normal(rng, B, D) for name in names}

    return Sizes(make, {"B": (3, 8), "D": (9, 15)})


def ramp(rng: np.random.Generator) -> Arrays:
    warm_up, annealing = int(rng.integers(2, 5)), int(rng.integers(3, 7))
    return {"warm_up": _int(warm_up), "annealing": _int(annealing), "epochs": _int(warm_up + annealing + 3)}


def jump(rng: np.random.Generator) -> Arrays:
    warm_up = int(rng.integers(1, 4))
    return {"warm_up": _int(warm_up), "annealing": _int(0), "epochs": _int(warm_up + 3)}


def at_once() -> list[Arrays]:
    return [{"warm_up": _int(0), "annealing": _int(0), "epochs": _int(2)}]


def line(steps: tuple[int, int]) -> Sizes:
    def make(rng: np.random.Generator, D: int, steps: int) -> Arrays:
        return {"x": 3 * _normal(rng, D), "y": 3 * _normal(rng, D), "steps": _int(steps)}

    return Sizes(make, {"D": (4, 12), "steps": steps}, _NAMED, alone=("D",))


def published_draw() -> list[Arrays]:
    """The notebook's: mean -0.4363, standard deviation 1.6860."""
    return [{"mu": np.zeros((1, 15), np.float32), "logvar": np.ones((1, 15), np.float32), "seed": _int(0)}]


def single(rng: np.random.Generator) -> Arrays:
    """As the published draw, with other numbers."""
    return {"mu": _normal(rng, 1, 15), "logvar": _normal(rng, 1, 15), "seed": _seed(rng)}


def published_loss() -> list[Arrays]:
    """The notebook's: 8.5079."""
    logits = np.array([[2, 5, 6, 7], [1, 10, 9, 3]], np.float32)
    x_hat, x = (1 / (1 + np.exp(-logits))).reshape(2, 1, 1, 2, 2)
    return [{"x_hat": x_hat, "x": x, "mu": np.ones((1, 15), np.float32), "logvar": np.zeros((1, 15), np.float32)}]


def _make_images_and_codes(rng: np.random.Generator, N: int, H: int, W: int, D: int) -> Arrays:
    x_hat, x = rng.uniform(0.05, 0.95, (2, N, 1, H, W)).astype(np.float32)
    return {"x_hat": x_hat, "x": x, "mu": _normal(rng, N, D), "logvar": _normal(rng, N, D)}


images_and_codes = Sizes(
    _make_images_and_codes, {"N": (2, 6), "H": (3, 6), "W": (3, 8), "D": (7, 12)}, alone=("N", "D")
)


def indices(*shape: int) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        n = int(rng.integers(11, 14))  # as no other size
        return {"idx": rng.integers(0, n - 2, shape), "n": _int(n)}  # the last classes do not occur

    return draw


def single_index(*shape: int) -> Callable[[], list[Arrays]]:
    return lambda: [{"idx": np.full(shape, 2), "n": _int(4)}]


def conditions(rng: np.random.Generator) -> Arrays:
    classes = int(rng.integers(4, 8))
    return {
        "latent_size": _int(rng.integers(4, 7)),
        "num_classes": _int(classes),
        "c": rng.permutation(classes)[:3],
        "seed": _seed(rng),
    }


def _make_codes(rng: np.random.Generator, B: int, N: int, K: int, F: int) -> Arrays:
    z = _normal(rng, B, N, K)
    return {"z": z, "num_filters": _int(F), "log_sig_x": np.asarray(0, np.float32), "seed": _seed(rng)}


codes = Sizes(_make_codes, {"B": (4, 7), "N": (2, 4), "K": (2, 4), "F": (3, 7)}, alone=("N",), has_twin=False)


def bound(rng: np.random.Generator) -> Arrays:
    K, n = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    return {
        "K": _int(K), "num_filters": _int(5), "n": _int(n), "images": _int(5),  # no multiple of n
        "tones": rng.choice([0.1, 0.35, 0.6, 0.85], n, replace=False).astype(np.float32),
        "log_sig_x": np.asarray(rng.choice([-1.2, -0.8, 0.5]), np.float32), "seed": _seed(rng),
        "posterior": np.append(rng.choice([-0.9, 0.8, 1.1], K), rng.choice([-0.7, 0.8])).astype(np.float32),
    }  # fmt: skip


def wide(rng: np.random.Generator) -> Arrays:
    """A posterior wide enough that its variance, and the root of it, are told apart by the draws; and another one."""
    first, again = (
        np.append(rng.uniform(-0.3, 0.7, 2), side * rng.uniform(0.85, 0.95)).astype(np.float32) for side in (1, -1)
    )
    return {
        "posterior": first,
        "posterior_again": again,
        "n": _int(41),
        "images": _int(5),
        "grey": np.asarray(rng.uniform(0.3, 0.6), np.float32),
        "log_sig_x": np.asarray(rng.uniform(-0.3, 0.3), np.float32),
        "seed": _seed(rng),
    }


def bound_of_one() -> list[Arrays]:
    """One image, and one draw of two images."""
    rng = np.random.default_rng(3)
    one = bound(rng) | {"images": _int(1)}
    single = bound(rng) | {"images": _int(2), "n": _int(1)}
    return [one, single | {"tones": single["tones"][:1]}]
