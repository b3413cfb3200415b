"""What is asked, with which inputs, for how many points, and who judges. `help("grader.authoring")` explains each word."""

import numpy as np

from grader.authoring import Arrays, Check, Probe, close


def _table(rng: np.random.Generator) -> Arrays:
    """A table whose columns differ in mean and scale, so that no mistake about them goes unseen."""
    return {"x": rng.normal([3.0, -40.0, 0.5], [0.2, 15.0, 1.0], size=(7, 3))}


CHECKS = (
    Check(
        "{{folder}}.standardise.values",
        "{{folder}}.standardise",
        "the standard scores of each column",
        4,
        Probe("standardise", _table),
        close(),
    ),
)
