"""Handed-in weights in the student's own class."""

import json

from torch import Tensor, nn


def load_weights(model: nn.Module, arrays: dict[str, Tensor]) -> nn.Module:
    """Put weights into a model, as `grader.authoring.trained.weights_as_inputs` sends them.

    Args:
        model: Of the class that was trained.
        arrays: "keys", names as JSON, and for the n-th of them "w" and n.

    Returns:
        The model, in evaluation mode.

    Raises:
        RuntimeError: If names or shapes are others than the model's.
    """
    keys = json.loads(bytes(arrays["keys"].tolist()))
    state = {key: arrays[f"w{n}"].float() for n, key in enumerate(keys)}
    counters = {key: value for key, value in model.state_dict().items() if not value.is_floating_point()}
    model.load_state_dict({**counters, **state})
    return model.eval()
