"""Fixed seeds, so that a notebook prints the same numbers twice."""

import random

import numpy as np
import torch


def set_seed(seed: int) -> None:
    """Seed Python, numpy and torch on every device, and make cuDNN deterministic.

    Args:
        seed: Any integer from 0 to 2**32 - 1 (numpy's range).

    Raises:
        ValueError: If the seed lies outside numpy's range.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # CUDA and MPS too
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


reset_seed = set_seed  # the name one of the source courses uses
