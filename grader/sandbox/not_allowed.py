"""Modules that a notebook rules out, taken away from its answers: the rule is checked in the text, this is for what the text hides."""

import importlib.machinery
import sys
import types
from collections.abc import Sequence
from itertools import accumulate, takewhile
from typing import Any

_COMPILER = "torch._dynamo"  # imported by the first optimizer where the zygote has made none: see `warm_up`


class _NotAllowed(types.ModuleType):
    def __getattr__(self, name: str):
        raise ImportError(f"{self.__name__} is not allowed in answers")


_within: dict[str, list[str]] = {}  # package: modules of it and below it that the zygote has loaded
_last_loaded = ""


def note_modules() -> None:
    """Note which modules are loaded, before the zygote forks.

    A child that looked through all of them would touch each one's name, and the system would copy a thousand pages for it.
    """
    global _last_loaded
    _within.clear()
    for name in sys.modules:
        for package in accumulate(name.split("."), "{}.{}".format):
            _within.setdefault(package, []).append(name)
    _last_loaded = next(reversed(sys.modules))


def hide(modules: Sequence[str]) -> None:
    """Take modules away. torch's own compiler still gets them, if it is loaded after that: an answer may make an optimizer.

    Args:
        modules: Dotted names; what lies below them goes too.
    """
    places: list[tuple[dict[str, Any], str, str]] = [(sys.modules, name, name) for name in _loaded(modules)]
    for dotted in modules:
        parent, _, leaf = dotted.rpartition(".")
        if parent in sys.modules:
            places.append((vars(sys.modules[parent]), leaf, dotted))
    taken = [(holder, name, holder[name]) for holder, name, _ in places if name in holder]
    for holder, name, dotted in places:
        holder[name] = _NotAllowed(dotted)
    if taken and _COMPILER not in sys.modules:
        sys.meta_path.insert(0, _Late(modules, taken))


def _loaded(modules: Sequence[str]) -> list[str]:
    within = tuple(f"{dotted}." for dotted in modules)
    since = takewhile(lambda name: name != _last_loaded, reversed(sys.modules))
    return [
        *(name for dotted in modules for name in _within.get(dotted, ())),
        *(name for name in since if f"{name}.".startswith(within)),
    ]


class _Late:
    """Finds the compiler, and puts back what is hidden while it loads."""

    def __init__(self, modules: Sequence[str], taken: list[tuple[dict[str, Any], str, Any]]) -> None:
        self._modules, self._taken = modules, taken

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _COMPILER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: self._load(load, module)  # type: ignore[method-assign]
        return spec

    def _load(self, load, module: types.ModuleType) -> None:
        sys.meta_path.remove(self)
        for holder, name, found in self._taken:
            holder[name] = found
        try:
            load(module)
        finally:
            hide(self._modules)
