"""Optimizers and schedulers by name, as a configuration file gives them."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn, optim
from torch.optim import lr_scheduler

_NEEDS_MORE = {"LBFGS", "SparseAdam"}  # a closure, sparse gradients: no plain `step()` after `backward()`


def build_optimizer(name: str, parameters: Iterable[nn.Parameter], config: Mapping[str, Any]) -> optim.Optimizer:
    """Make an optimizer of `torch.optim`.

    Args:
        name: Its class, such as "Adam".
        parameters: What it changes.
        config: Its keyword arguments, such as {"lr": 0.001}.

    Returns:
        The optimizer.

    Raises:
        ValueError: If there is no such optimizer, or it does not take this configuration.
    """
    return _build(name, _subclasses(optim, optim.Optimizer) - _NEEDS_MORE, optim, "optimizer", (parameters,), config)


def build_scheduler(
    name: str | None, optimizer: optim.Optimizer, config: Mapping[str, Any]
) -> lr_scheduler.LRScheduler | None:
    """Make a learning-rate scheduler of `torch.optim.lr_scheduler`.

    Args:
        name: Its class, such as "StepLR" or "ReduceLROnPlateau"; None for a constant learning rate.
        optimizer: Whose learning rate it sets.
        config: Its keyword arguments, such as {"step_size": 200, "gamma": 0.7}.

    Returns:
        The scheduler, or None.

    Raises:
        ValueError: If there is no such scheduler, or it does not take this configuration.
    """
    if name is None:
        return None
    names = _subclasses(lr_scheduler, lr_scheduler.LRScheduler)
    return _build(name, names, lr_scheduler, "scheduler", (optimizer,), config)


def with_gradients_made(
    optimizer: optim.Optimizer, closure: Callable[[], object] | None = None
) -> tuple[tuple, dict[str, Any]]:
    """For a hook before `step()`: its arguments, where a closure, if there is one, has been called; it is there that such a loop makes its
    gradients. The step then takes the loss as it is."""
    if closure is None:
        return (optimizer,), {}
    with torch.enable_grad():
        loss = closure()
    return (optimizer, lambda: loss), {}


def _subclasses(module: Any, base: type) -> set[str]:
    members = inspect.getmembers(module, inspect.isclass)
    return {name for name, kind in members if issubclass(kind, base) and kind is not base and name[0] != "_"}


def _build(name: str, names: set[str], module: Any, what: str, first: tuple, config: Mapping[str, Any]) -> Any:
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
        usual = "Adam" if what == "optimizer" else "StepLR"
        advice = f"did you mean {near[0]!r}?" if near else f"{usual!r}, for example, is one."
        raise ValueError(f"{what}: {name!r} is none that this course trains with; {advice}")
    if not isinstance(config, Mapping):
        raise ValueError(f"{what} {name}: its configuration is {config!r}, expected a dictionary.")
    kind = getattr(module, name)
    known = list(inspect.signature(kind).parameters)[1:]
    unknown = [str(key) for key in config if key not in known]
    if unknown:
        raise ValueError(f"{what} {name}: unknown setting {', '.join(unknown)}; it takes {', '.join(known)}.")
    try:
        return kind(*first, **config)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} {name} does not take {dict(config)}: {error}") from error
