"""How good generated airfoils are, as numbers: the notebook shows them, and the grader scores with the same ones.

No number tells everything. Roughness alone calls a collapsed model excellent, because it repeats one smooth profile;
diversity alone likes noise. Read them together.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from utils.datasets.airfoils import AirfoilDataset

_TOLERANCE = 0.01  # of the scaled height: surfaces that overlap by less have met, not crossed
_ENDS = 3  # points at nose and tail where the surfaces meet anyway


@dataclass(frozen=True)
class AirfoilQuality:
    """Measures of a set of profiles, relative to the data set's own.

    Attributes:
        roughness: Mean absolute second difference of neighbouring heights; 1 is as smooth as the data, 0 a straight line.
        diversity: Mean distance between two profiles; 1 is as different as in the data, 0 all alike.
        crossing: Share of the profiles whose surfaces cross, 0 to 1.
    """

    roughness: float
    diversity: float
    crossing: float

    def __str__(self) -> str:
        return (
            f"roughness {self.roughness:.1f} and diversity {self.diversity:.2f} times the data's, "
            f"{self.crossing:.0%} with crossing surfaces"
        )


def measure_airfoils(samples: Any, dataset: AirfoilDataset) -> AirfoilQuality:
    """Compare profiles with the data.

    Args:
        samples: Heights in the data set's unit, tensor or array, float, shape (N, 200), N at least 2.
        dataset: What to compare with.

    Returns:
        The measures; NaN where a sample is not finite.

    Raises:
        ValueError: If the shape is not (N, 200) with N at least 2.
    """
    heights = torch.as_tensor(samples).detach().cpu().double()
    if heights.ndim != 2 or heights.shape[1] != 200 or len(heights) < 2:
        raise ValueError(
            f"measure_airfoils: samples have shape {tuple(heights.shape)}, expected (N, 200), N at least 2."
        )
    data = torch.from_numpy(np.asarray(dataset.profiles)).double()
    return AirfoilQuality(
        roughness=(_roughness(heights) / _roughness(data)).item(),
        diversity=(_spread(heights) / _spread(data)).item(),
        crossing=_is_crossing(heights).double().mean().item(),
    )


def _roughness(heights: Tensor) -> Tensor:
    return heights.diff(n=2, dim=1).abs().mean()


def _spread(heights: Tensor) -> Tensor:
    return torch.pdist(heights).mean()


def _is_crossing(heights: Tensor) -> Tensor:
    upper, lower = heights[:, :100].flip(1), heights[:, 100:]
    return ((upper - lower)[:, _ENDS:-_ENDS] < -_TOLERANCE).any(dim=1)
