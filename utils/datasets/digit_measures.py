"""How different generated digits of a class are from each other, beside how different real ones are."""

import numpy as np


def diversity_within(images, labels, real, real_labels) -> float:
    """Diversity within a class, relative to real digits: 0 where all of a class are one picture, 1 where they differ as real ones do.

    Args:
        images: Generated digits, values in [0, 1], tensor or array, N first and 784 pixels each.
        labels: The classes that they show, shape (N,).
        real: Real digits, as `images`.
        real_labels: Their classes, shape (M,).

    Returns:
        The mean variance of a pixel within a class, averaged over the classes, divided by that of the real digits.

    Raises:
        ValueError: If a class of the generated digits has fewer than two real ones.
    """
    made, made_of = _flat(images), _plain(labels).reshape(-1)
    true, true_of = _flat(real), _plain(real_labels).reshape(-1)
    classes = np.unique(made_of)
    if lacking := [int(c) for c in classes if (true_of == c).sum() < 2]:
        raise ValueError(f"diversity_within: class {lacking[0]} has fewer than two real digits to compare with.")
    spreads = [(made[made_of == c].var(axis=0).mean(), true[true_of == c].var(axis=0).mean()) for c in classes]
    ours, theirs = np.mean(spreads, axis=0)
    return float(ours / theirs)


def _plain(values) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _flat(images) -> np.ndarray:
    array = _plain(images).astype(np.float64)
    return array.reshape(len(array), -1)
