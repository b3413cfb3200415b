"""Where tensors live: one device for the whole notebook, the best this machine has."""

import torch


def set_device() -> torch.device:
    """Choose the best device: CUDA, then Apple's MPS, then the CPU.

    Returns:
        The device. `utils.Device` holds the same choice, made once when it is first used.
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


Device = set_device()
