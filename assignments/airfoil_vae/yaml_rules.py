"""What may stand in the two YAML files of this notebook: one table, for the hand-in, the grader and the notebook's own text.

The files are written by strangers. YAML can name Python objects to build and repeat a part of itself until it fills the
memory, so only plain values are read, without references, from a file of limited size and depth.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MODEL_FILE, TRAIN_FILE = "model_config.yaml", "train_config.yaml"
MAX_BYTES = 16 * 2**10


class SettingsError(ValueError):
    """A file that cannot be trained with; the message is a sentence for the student."""


@dataclass(frozen=True)
class Rule:
    """What one setting may be."""

    name: str
    file: str
    expected: str  # ends "got …, expected"
    holds: Callable[[Any], bool]
    is_needed: bool = False  # the others have a default in `train_VAE`


def _exactly(name: str, value: int) -> Rule:
    return Rule(name, MODEL_FILE, f"{value}, which does not change", lambda v: _is_int(v) and v == value, True)


def _whole(name: str, high: int) -> Rule:
    return Rule(name, TRAIN_FILE, f"a whole number from 1 to {high:,}", lambda v: _is_int(v) and 1 <= v <= high)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_beta(value: Any) -> bool:
    return (_is_int(value) or isinstance(value, float)) and 0 <= value <= 1e6


def _are_widths(value: Any) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= 16 and all(_is_int(w) and 1 <= w <= 4096 for w in value)


RULES = (
    _exactly("input_size", 200),
    _exactly("latent_size", 10),
    Rule(
        "hidden_dims",
        MODEL_FILE,
        "a list of 1 to 16 whole numbers from 1 to 4,096 (without any the model is linear)",
        _are_widths,
        True,
    ),
    Rule("beta", TRAIN_FILE, "a number from 0 to 1,000,000", _is_beta),
    _whole("n_iters", 1_000_000),
    _whole("batch_size", 4096),
    _whole("running_avg_window", 1_000_000),
    Rule("optimizer_name", TRAIN_FILE, "the name of an optimizer, such as Adam", lambda v: isinstance(v, str)),
    Rule("optimizer_config", TRAIN_FILE, "a dictionary of its settings", lambda v: isinstance(v, dict)),
    Rule(
        "lr_scheduler_name",
        TRAIN_FILE,
        "the name of a scheduler, such as StepLR, or None",
        lambda v: v is None or isinstance(v, str),
    ),
    Rule("lr_scheduler_config", TRAIN_FILE, "a dictionary of its settings", lambda v: isinstance(v, dict)),
)


def rules_table() -> str:
    """The rules as the notebook shows them; a test holds the two together."""
    rows = [f"| `{rule.name}` | `{rule.file}` | {rule.expected} |" for rule in RULES]
    return "\n".join(["| setting | file | may be |", "|---|---|---|", *rows])


def read_settings(name: str, data: bytes) -> dict[str, Any]:
    """Read and check one of the two files.

    Args:
        name: `MODEL_FILE` or `TRAIN_FILE`.
        data: What is in it.

    Returns:
        Numbers, words, lists and dictionaries by name.

    Raises:
        SettingsError: If it is not readable, or asks for what the exercise does not allow.
    """
    config = _as_numbers(_plain(name, data))
    rules = {rule.name: rule for rule in RULES if rule.file == name}
    unknown = [key for key in config if key not in rules]
    if unknown:
        raise SettingsError(f"{name} holds {_shown(unknown[0])}, which is not read; it may hold {', '.join(rules)}")
    for rule in rules.values():
        if rule.name in config and not rule.holds(config[rule.name]):
            raise SettingsError(f"{rule.name} in {name} is {_shown(config[rule.name])}, expected {rule.expected}")
        if rule.name not in config and rule.is_needed:
            raise SettingsError(f"{rule.name} in {name} is missing, expected {rule.expected}")
    return config


def find_problems(folder: Path) -> list[str]:
    """Find why the model could not be trained from the two files; what the hand-in asks.

    Args:
        folder: Where they lie, the notebook's own.

    Returns:
        At most one sentence a file; empty when both are as they should be.
    """
    return [problem for name in (MODEL_FILE, TRAIN_FILE) if (problem := _problem(folder / name))]


def _problem(path: Path) -> str:
    try:
        config = read_settings(path.name, path.read_bytes())
    except FileNotFoundError:
        return f"{path.name} is not beside the notebook: run the cell that writes it"
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror}): run the cell that writes it"
    except SettingsError as error:
        return str(error)
    return _try_optimizer(config) if path.name == TRAIN_FILE else ""


def _try_optimizer(config: dict[str, Any]) -> str:
    """Only on the student's own machine: the grader builds from a stranger's words in the sandbox alone."""
    import torch

    from utils.training.optimisation import build_optimizer, build_scheduler

    parameters = [torch.nn.Parameter(torch.zeros(1))]
    try:
        optimizer = build_optimizer(
            config.get("optimizer_name", "Adam"), parameters, config.get("optimizer_config", {})
        )
        build_scheduler(config.get("lr_scheduler_name"), optimizer, config.get("lr_scheduler_config", {}))
    except ValueError as error:
        return f"{TRAIN_FILE} cannot be trained with: {error}"
    return ""


# ---------------------------------------------------------------- from bytes to plain values

# All that yaml and json were seen to raise: yaml's own types stumble over values that are none of theirs (`!!int ''`).
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class _PlainLoader(yaml.SafeLoader):
    """Values only: no Python objects, and no references, of which a few lines can unfold to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (* and &) are not read")
        return super().compose_node(parent, index)


def _plain(name: str, data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise SettingsError(f"{name} has {len(data)} bytes, at most {MAX_BYTES} are read: write it with save_yaml")
    try:
        config = yaml.load(data.decode("utf-8"), Loader=_PlainLoader)
        json.dumps(config, allow_nan=False)
    except _UNREADABLE:
        raise SettingsError(
            f"{name} is not a list of names and plain values (finite numbers, words, lists, dictionaries): write it with save_yaml"
        ) from None
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        kind = type(config).__name__
        raise SettingsError(f"{name} holds a {kind}, expected names and values, as save_yaml writes them")
    return config


def _as_numbers(value: Any) -> Any:
    """YAML reads 1e-3 as a word, because it has no dot. Settings one level down are meant too."""
    if isinstance(value, dict):
        return {str(key): _as_numbers(inner) for key, inner in value.items()}
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        return number if math.isfinite(number) else value
    return value


def _shown(value: Any) -> str:
    return "".join(c if c.isprintable() else "?" for c in repr(value)[:60])
