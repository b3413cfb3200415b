"""How large a network is."""

from torch import nn


def count_params(module: nn.Module) -> int:
    """Count the trainable numbers of a module.

    Args:
        module: Any torch module.

    Returns:
        The number of elements of all parameters with `requires_grad`, each shared parameter counted once.
    """
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
