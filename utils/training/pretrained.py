"""Weights of our own for networks that take long to train, as safetensors files in `weights/` of the assignments."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

from utils.assignments.places import this_course

_EXTRA = "extra."  # what travels with the weights: images they must generate


def load_pretrained(module: nn.Module, name: str, part: str = "") -> dict[str, Tensor]:
    """Copy trained weights into a module.

    Args:
        module: A module of the architecture that was trained, on any device.
        name: The file's name without its ending, as in its assignment's `weights` folder.
        part: The attribute of the trained module that `module` stands for, such as "decoder"; "" for the whole.

    Returns:
        The tensors stored beside the weights, on the CPU, such as images that the module must generate.

    Raises:
        FileNotFoundError: If there are no such weights.
        ValueError: If the module's parameters have other names or shapes than the trained ones.
    """
    path = next((file for file in weight_files() if file.stem == name), None)
    if path is None:
        there = ", ".join(sorted(file.stem for file in weight_files())) or "none"
        raise FileNotFoundError(f"load_pretrained: no weights are called {name!r}; there are: {there}.")
    tensors = load_file(path)
    weights = {key: value for key, value in tensors.items() if not key.startswith(_EXTRA)}
    if part:
        below = f"{part}."
        weights = {key.removeprefix(below): value for key, value in weights.items() if key.startswith(below)}
    _require_fit(module, weights, name)
    module.load_state_dict(weights)
    return {key.removeprefix(_EXTRA): value for key, value in tensors.items() if key.startswith(_EXTRA)}


def weight_files() -> list[Path]:
    """The weights of all assignments of the course."""
    return [file for place in this_course().places() for file in sorted((place.path / "weights").glob("*.safetensors"))]


def _require_fit(module: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    have = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    want = {key: tuple(value.shape) for key, value in weights.items()}
    for key in sorted(have.keys() | want.keys()):
        if have.get(key) != want.get(key):
            raise ValueError(
                f"load_pretrained: {type(module).__name__}.{key} is {have.get(key, 'missing')}, the weights {name!r} "
                f"have {want.get(key, 'none')}. Use the layers, sizes and attribute names that the exercise gives."
            )
