"""Weights of ours, for who has no time to train: read, put into a student's own networks, and said in one line.

A file holds one training of the solved notebook: its networks with eight bits a weight, its losses, and in its header
what it was trained on. `python -m tools.weights` makes the files.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from utils.assignments.places import this_course
from utils.exercise.said import OF_OURS, folded

SCALE = "|scale"  # behind the name of a tensor of whole numbers: what each of its rows is multiplied by
ORDER = "order"  # in the header: the tensors' names, one a line
_MARK = "_trained_on"  # an attribute of a network that holds weights of ours
_FRAMES, _CODES = 5, 10  # of a GAN's pictures: as many as a film of them shows


def load_ours(name: str, models: nn.Module | Mapping[str, nn.Module], history: Any = None) -> Any:
    """Go on with a training of ours: its weights in your networks, its losses in place of yours; says so in one line.

    Args:
        name: The training's name, as its file in an assignment's `weights` folder.
        models: The network of that training, or several by their names; changed in place.
        history: The losses of your own training: a list, lists by their names, or a tracker, which is changed in place.

    Returns:
        The losses of our training, in the form of `history`.

    Raises:
        FileNotFoundError: If there are no such weights.
        ValueError: If a network has other layers than the one that was trained.
    """
    stored, about = _read(name)
    trained_on = about["trained_on"]
    parts = {"": models} if isinstance(models, nn.Module) else dict(models)
    fitted = {part: _fit(model, _part(stored, f"weights/{part}"), name) for part, model in parts.items()}
    for part, model in parts.items():
        model.load_state_dict(fitted[part])
        setattr(model, _MARK, trained_on)
    print(folded(f"{name}: {OF_OURS}, trained on {trained_on}; hand in your own."))
    return _with_history(history, _part(stored, "history"))


def is_ours(*models: Any) -> bool:
    """Whether any of these networks goes on with weights of ours."""
    return any(hasattr(model, _MARK) for model in models)


def whose(*models: Any) -> str:
    """What a figure's title says at its end of the networks it shows; nothing where all are the student's own."""
    of_ours = next((model for model in models if is_ours(model)), None)
    return f"; weights of ours, trained on {getattr(of_ours, _MARK)}" if of_ours is not None else ""


def our_chain(name: str, part: str, activation: nn.Module) -> nn.Sequential:
    """The linear layers of one part of a network of ours, as a chain of their own: for who has not written the class yet.

    Args:
        name: The training's name.
        part: The attribute of the network that holds them, such as "decoder".
        activation: What stands between two of them.

    Raises:
        FileNotFoundError: If there are no such weights.
    """
    stored, _ = _read(name)
    values = {key: value for key, value in _part(stored, "weights/").items() if key.startswith(f"{part}.")}
    layers: list[nn.Module] = []
    for key, weight in values.items():
        if weight.ndim != 2:
            continue
        bias, layer = values[key.removesuffix("weight") + "bias"], nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": bias})
        layers += [activation, layer] if layers else [layer]
    return nn.Sequential(*layers).requires_grad_(False)


def _read(name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors in the order in which they were given, which the file itself does not keep, and what its header says."""
    with safe_open(_find(name), "pt") as file:
        about = file.metadata()
        return {key: file.get_tensor(key) for key in about[ORDER].split("\n")}, about


def _find(name: str) -> Path:
    places = [place.path / "weights" for place in this_course().places()]
    path = next((file for folder in places if (file := folder / f"{name}.safetensors").is_file()), None)
    if path is None:
        there = ", ".join(sorted(file.stem for folder in places for file in folder.glob("*.safetensors"))) or "none"
        raise FileNotFoundError(f"load_ours: no weights are called {name!r}; there are: {there}.")
    return path


def _part(stored: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors below a prefix, rows of whole numbers multiplied out."""
    begin = f"{prefix}/"
    found = {key.removeprefix(begin): value for key, value in stored.items() if key.startswith(begin)}
    return {
        key: value.float() * found[key + SCALE].float() if key + SCALE in found else value
        for key, value in found.items()
        if not key.endswith(SCALE)
    }


def _fit(model: nn.Module, stored: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Our tensors under the names that this network has: by name, else in order where all shapes agree."""
    have = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    want = {key: tuple(value.shape) for key, value in stored.items()}
    if have == want:
        return stored
    if list(have.values()) == list(want.values()):
        return dict(zip(have, stored.values(), strict=True))
    raise ValueError(
        f"load_ours: {type(model).__name__} has tensors of the shapes {_shapes(have)}, those of {name!r} are "
        f"{_shapes(want)}. Use the layers and sizes that the exercise gives, in their order, or train your own."
    )


def _shapes(named: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) or "1" for shape in named.values())[:200]


def _with_history(history: Any, stored: Mapping[str, Tensor]) -> Any:
    if isinstance(history, list):
        return stored["all"].tolist()
    if isinstance(history, dict):
        return {key: stored[key].tolist() for key in history}
    for key, value in stored.items():  # a tracker
        if key.startswith("pictures/"):
            continue
        setattr(history, key, value.tolist())
    pictures = {int(key.split("/")[1]): value for key, value in stored.items() if key.startswith("pictures/")}
    if pictures:
        history.pictures = pictures
    return history


def history_tensors(history: Any) -> dict[str, Tensor]:
    """What of a training's losses is stored, by name: float32, and pictures as bytes."""
    if isinstance(history, list):
        return {"all": torch.tensor(history)}
    if isinstance(history, dict):
        return {key: torch.tensor(values) for key, values in history.items()}
    if history is None:
        return {}
    losses = {key: torch.tensor(values) for key, values in vars(history).items() if key.endswith("_losses")}
    pictures = getattr(history, "pictures", {})
    epochs = sorted(pictures)
    chosen = {epochs[round(at)] for at in torch.linspace(0, len(epochs) - 1, min(_FRAMES, len(epochs))).tolist()}
    return losses | {f"pictures/{epoch}": pictures[epoch][:_CODES].clone() for epoch in sorted(chosen)}
