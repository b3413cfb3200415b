"""The inputs of notebook 3's checks: drawn ones, and those the notebook publishes."""

import numpy as np

from grader.authoring.check import Arrays, Draw

_IMAGES = 2000  # noise is judged by its moments over so many


def _int(value: int | np.integer) -> np.ndarray:
    return np.asarray(int(value))


def _seed(rng: np.random.Generator) -> np.ndarray:
    return _int(rng.integers(2**31))


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


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


def training(rng: np.random.Generator) -> Arrays:
    return {"seed": _seed(rng), "learning_rate": np.asarray(rng.uniform(0.01, 0.03), np.float32)}


def posterior(scale: str) -> Draw:
    """Log widths well away from 0, of both signs: sigma, its square, its root and its logarithm are four different numbers."""

    def draw(rng: np.random.Generator) -> Arrays:
        widths = rng.permutation([-2.5, 0.5, 0.8, -0.7, 0.5, 2.2]) * (1 if scale == "log_sigma" else 2)
        mu = rng.choice([-1.2, 1.0, 1.3], size=6)
        return {
            "mu": mu.astype(np.float32),
            scale: widths.astype(np.float32),
            "images": _int(_IMAGES),
            "seed": _seed(rng),
        }

    return draw


def outputs(rng: np.random.Generator) -> Arrays:
    return {
        "q": 0.7 * _normal(rng, 3, 2 * int(rng.integers(3, 6))),
        "beta": np.asarray(rng.uniform(2, 4), np.float32),
        "seed": _seed(rng),
    }


def gaussians(*names: str) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        shape = int(rng.integers(3, 8)), int(rng.integers(9, 16))
        return {name: _normal(rng, *shape) for name in names}

    return draw


def ramp(rng: np.random.Generator) -> Arrays:
    warm_up, annealing = int(rng.integers(2, 5)), int(rng.integers(3, 7))
    return {"warm_up": _int(warm_up), "annealing": _int(annealing), "epochs": _int(warm_up + annealing + 3)}


def jump(rng: np.random.Generator) -> Arrays:
    warm_up = int(rng.integers(1, 4))
    return {"warm_up": _int(warm_up), "annealing": _int(0), "epochs": _int(warm_up + 3)}


def at_once() -> list[Arrays]:
    return [{"warm_up": _int(0), "annealing": _int(0), "epochs": _int(2)}]


def line(steps: tuple[int, int]) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        dimensions = int(rng.integers(4, 9))
        return {"x": _normal(rng, dimensions), "y": _normal(rng, dimensions), "steps": _int(rng.integers(*steps))}

    return draw


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


def images_and_codes(rng: np.random.Generator) -> Arrays:
    n, d = int(rng.integers(2, 6)), int(rng.integers(7, 12))
    x_hat, x = rng.uniform(0.05, 0.95, (2, n, 1, 3, 4)).astype(np.float32)
    return {"x_hat": x_hat, "x": x, "mu": _normal(rng, n, d), "logvar": _normal(rng, n, d)}


def indices(*shape: int) -> Draw:
    def draw(rng: np.random.Generator) -> Arrays:
        n = int(rng.integers(6, 12))
        return {"idx": rng.integers(0, n - 2, shape), "n": _int(n)}  # the last classes do not occur

    return draw


def conditions(rng: np.random.Generator) -> Arrays:
    classes = int(rng.integers(4, 8))
    return {
        "latent_size": _int(rng.integers(3, 6)),
        "num_classes": _int(classes),
        "c": rng.permutation(
            [0, *rng.choice(np.arange(1, classes), 2, replace=False)]
        ),  # 0: its column alone is no class
        "seed": _seed(rng),
    }


def codes(rng: np.random.Generator) -> Arrays:
    z = _normal(rng, int(rng.integers(4, 6)), int(rng.integers(2, 4)), 2)
    z[0] *= 5  # as far out as a limit would show
    return {"z": z, "num_filters": _int(rng.integers(3, 6)), "log_sig_x": np.asarray(0, np.float32), "seed": _seed(rng)}


def bound(rng: np.random.Generator) -> Arrays:
    K, n = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    return {
        "K": _int(K), "num_filters": _int(5), "n": _int(n), "images": _int(5),  # no multiple of n
        "tones": rng.choice([0.1, 0.35, 0.6, 0.85], n, replace=False).astype(np.float32),
        "log_sig_x": np.asarray(rng.choice([-1.2, -0.8, 0.5]), np.float32), "seed": _seed(rng),
        "posterior": np.append(rng.choice([-0.9, 0.8, 1.1], K), rng.choice([-0.7, 0.8])).astype(np.float32),
    }  # fmt: skip


def wide(rng: np.random.Generator) -> Arrays:
    """A posterior wide enough that its variance, and the root of it, are told apart by the draws."""
    return {
        "posterior": np.append(rng.uniform(-0.3, 0.7, 2), rng.uniform(0.85, 0.95)).astype(np.float32),
        "n": _int(200),
        "images": _int(3),
        "grey": np.asarray(rng.uniform(0.3, 0.6), np.float32),
        "log_sig_x": np.asarray(rng.uniform(-0.3, 0.3), np.float32),
        "seed": _seed(rng),
    }


def as_other_draw(inputs: Arrays) -> Arrays:
    """The mean and the log variance that the stand-in for `reparametrize` draws with."""
    return inputs | {"mu": -inputs["mu"], "logvar": 0.5 * inputs["logvar"]}
