"""The two configuration files of notebook 2, read as the grader will read them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MODEL, TRAIN = "model_config.yaml", "train_config.yaml"

_FIXED = {"input_size": 200, "latent_size": 10}
_MODEL_SETTINGS = {*_FIXED, "hidden_dims"}
_TRAIN_SETTINGS = {
    "beta", "optimizer_name", "optimizer_config", "lr_scheduler_name", "lr_scheduler_config", "running_avg_window",
    "n_iters", "batch_size",
}  # fmt: skip


def find_problems(folder: Path) -> list[str]:
    """Find why the model of notebook 2 could not be trained from the two files.

    Args:
        folder: Where they lie, the notebook's own.

    Returns:
        At most one sentence a file; empty when both are as they should be.
    """
    checks: dict[str, Callable[[Mapping[str, Any]], str]] = {MODEL: _check_model, TRAIN: _check_training}
    problems = [(name, _read_and_check(folder / name, check)) for name, check in checks.items()]
    return [f"{name} {problem}" for name, problem in problems if problem]


def _read_and_check(path: Path, check: Callable[[Mapping[str, Any]], str]) -> str:
    import yaml

    if not path.is_file():
        return "is not beside the notebook: run the cell that writes it"
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        return f"cannot be read as YAML ({' '.join(str(error).split())[:100]}): write it with save_yaml"
    if not isinstance(config, dict):
        return f"holds {type(config).__name__}, expected names with values: write it with save_yaml"
    return check(config)


def _check_model(config: Mapping[str, Any]) -> str:
    for name, value in _FIXED.items():
        if config.get(name) != value:
            return f"has {name} {config.get(name)!r}, expected {value}, which is fixed"
    widths = config.get("hidden_dims")
    if not isinstance(widths, list) or not all(_is_count(width) for width in widths):
        return f"has hidden_dims {widths!r}, expected a list of whole numbers above 0, such as [512, 256]"
    return _describe_unknown(config, _MODEL_SETTINGS)


def _check_training(config: Mapping[str, Any]) -> str:
    for name in ("n_iters", "batch_size", "running_avg_window"):
        if name in config and not _is_count(config[name]):
            return f"has {name} {config[name]!r}, expected a whole number above 0"
    beta = config.get("beta", 1.0)
    if isinstance(beta, bool) or not isinstance(beta, int | float) or not 0 <= beta < float("inf"):
        advice = " (YAML 1.1 reads 1e-4 as a word: write 1.0e-4)" if isinstance(beta, str) else ""
        return f"has beta {beta!r}, expected a number, 0 or above{advice}"
    return _describe_unknown(config, _TRAIN_SETTINGS) or _try_optimiser(config)


def _try_optimiser(config: Mapping[str, Any]) -> str:
    import torch

    from utils.training.optimisation import build_optimizer, build_scheduler

    try:
        optimizer = build_optimizer(
            config.get("optimizer_name", "Adam"),
            [torch.nn.Parameter(torch.zeros(1))],
            config.get("optimizer_config") or {},
        )
        build_scheduler(config.get("lr_scheduler_name"), optimizer, config.get("lr_scheduler_config") or {})
    except ValueError as error:
        return f"cannot be trained with: {error}"
    return ""


def _describe_unknown(config: Mapping[str, Any], known: set[str]) -> str:
    unknown = [str(name) for name in config if name not in known]
    return f"has the unknown setting {', '.join(unknown)}; it takes {', '.join(sorted(known))}" if unknown else ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
