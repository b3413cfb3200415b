"""The two YAML files of notebook 2, written by a stranger: read as plain data, checked, and turned into one sentence if not.

YAML can name Python objects to build and repeat a part of itself until it fills the memory. Only plain values are read,
without references, from a file of limited size and depth.
"""

import json
import math
from typing import Any

import yaml

from grader.authoring.quality import CannotTrain

MAX_BYTES = 16 * 2**10
MAX_ITERATIONS = 1_000_000
MAX_WIDTH, MAX_LAYERS, MAX_BATCH = 4096, 16, 4096
FIXED = {"input_size": 200, "latent_size": 10}
MODEL_FILE, TRAIN_FILE = "model_config.yaml", "train_config.yaml"
_NUMBERS = {
    "beta": (float, 0, 1e6),
    "n_iters": (int, 1, MAX_ITERATIONS),
    "batch_size": (int, 1, MAX_BATCH),
    "running_avg_window": (int, 1, MAX_ITERATIONS),
}
_NAMES = ("optimizer_name", "lr_scheduler_name")
_SETTINGS = ("optimizer_config", "lr_scheduler_config")


# All that yaml and json were seen to raise: yaml's own types stumble over values that are none of theirs (`!!int ''`).
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class ConfigError(CannotTrain):
    """A configuration that cannot be used; the message is a sentence for the student."""


class _PlainLoader(yaml.SafeLoader):
    """Values only: no Python objects, and no references, of which a few lines can unfold to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (* and &) are not read")
        return super().compose_node(parent, index)


def read_configs(files: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read and check what the student's model is trained with.

    Args:
        files: The configuration files of a submission, by name.

    Returns:
        `model_config` and `train_config`: dictionaries of numbers, words, lists and dictionaries.

    Raises:
        ConfigError: If one is missing, not readable, or asks for what the exercise does not allow.
    """
    for name in (MODEL_FILE, TRAIN_FILE):
        if name not in files:
            raise ConfigError(
                f"{name} is not in the file you handed in: run the notebook's last cell, it writes and packs it",
                "missing",
            )
    model, train = (_read(name, files[name]) for name in (MODEL_FILE, TRAIN_FILE))
    _check_model(model)
    return model, _checked_train(train)


def _read(name: str, data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name} has {len(data)} bytes, at most {MAX_BYTES} are read: write it with save_yaml")
    try:
        config = yaml.load(data.decode("utf-8"), Loader=_PlainLoader)
        json.dumps(config, allow_nan=False)
    except _UNREADABLE:
        raise ConfigError(
            f"{name} is not a list of names and plain values (numbers, words, lists, dictionaries): write it with save_yaml"
        ) from None
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        raise ConfigError(
            f"{name} holds a {type(config).__name__}, expected names and values, as save_yaml writes them"
        )
    return config


def _check_model(config: dict[str, Any]) -> None:
    for name, value in FIXED.items():
        if config.get(name) != value or isinstance(config.get(name), bool):
            raise ConfigError(
                f"{name} in {MODEL_FILE} is {_shown(config.get(name))}, and has to stay {value}: set it back and hand in again"
            )
    _only(MODEL_FILE, config, (*FIXED, "hidden_dims"))
    widths = config.get("hidden_dims")
    if (
        not isinstance(widths, list)
        or len(widths) > MAX_LAYERS
        or not all(_is_number(w, int, 1, MAX_WIDTH) for w in widths)
    ):
        raise ConfigError(
            f"hidden_dims in {MODEL_FILE} is {_shown(widths)}, expected a list of at most {MAX_LAYERS} whole numbers from 1 to {MAX_WIDTH}"
        )


def _checked_train(config: dict[str, Any]) -> dict[str, Any]:
    _only(TRAIN_FILE, config, (*_NUMBERS, *_NAMES, *_SETTINGS))
    config = {key: _as_number(value) for key, value in config.items()}
    for name, (kind, low, high) in _NUMBERS.items():
        if name in config and not _is_number(config[name], kind, low, high):
            what = "a whole number" if kind is int else "a number"
            raise ConfigError(
                f"{name} in {TRAIN_FILE} is {_shown(config[name])}, expected {what} from {low:,} to {high:,.0f}"
            )
    for name in _NAMES:
        if (
            name in config
            and not isinstance(config[name], str)
            and not (name == "lr_scheduler_name" and config[name] is None)
        ):
            raise ConfigError(
                f"{name} in {TRAIN_FILE} is {_shown(config[name])}, expected a name such as Adam or StepLR"
            )
    for name in _SETTINGS:
        if name in config and not isinstance(config[name], dict):
            raise ConfigError(f"{name} in {TRAIN_FILE} is {_shown(config[name])}, expected a dictionary of settings")
    return config


def _only(file: str, config: dict[str, Any], allowed: tuple[str, ...]) -> None:
    unknown = [key for key in config if key not in allowed]
    if unknown:
        raise ConfigError(f"{file} holds {_shown(unknown[0])}, which is not read; it may hold {', '.join(allowed)}")


def _as_number(value: Any) -> Any:
    """YAML reads 1e-3 as a word, because it has no dot. Settings one level down are meant too."""
    if isinstance(value, dict):
        return {str(key): _as_number(inner) for key, inner in value.items()}
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        return number if math.isfinite(number) else value
    return value


def _is_number(value: Any, kind: type, low: float, high: float) -> bool:
    is_kind = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    return is_kind and low <= value <= high


def _shown(value: Any) -> str:
    text = "missing" if value is None else repr(value)
    return "".join(c if c.isprintable() else "?" for c in text[:60])
