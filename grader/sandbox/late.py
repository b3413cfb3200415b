"""Packages that take long to import and that few answers ask for: a stand-in for each until somebody does.

A zygote that imports `matplotlib` comes up half a second later, for curves that hardly any graded cell draws. So `import` finds an empty
module, which imports the package when it is first asked for a name. Who will ask is told from an answer's text (`named_in`), and
its zygote loads the package ahead; an answer that asks in a roundabout way waits for it itself.
"""

import ast
import importlib
import importlib.machinery
import re
import sys
import types
from collections.abc import Iterable, Sequence
from functools import lru_cache

PACKAGES = ("matplotlib",)
_OWN_NAMES = ("__all__", "__version__")  # others with such underscores are Python's to ask for, of every module


class _Late(types.ModuleType):
    def __getattr__(self, name: str):
        if name.startswith("__") and name not in _OWN_NAMES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        load(self.__name__.partition(".")[0])
        return getattr(importlib.import_module(self.__name__), name)


class _Finder:
    """Finds stand-ins for a package and whatever lies below it, and makes them."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        is_of_it = name.partition(".")[0] == self.package
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_of_it else None  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Late(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def put_off(packages: Iterable[str] = PACKAGES) -> None:
    """From now on give stand-ins for these packages, but for those that are loaded already."""
    waiting = {finder.package for finder in sys.meta_path if isinstance(finder, _Finder)}
    for package in packages:
        if package not in waiting and package not in sys.modules:
            sys.meta_path.insert(0, _Finder(package))


def load(package: str) -> None:
    """Import a package, of which there may have been a stand-in so far."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "package", None) != package]
    for name in [name for name, module in sys.modules.items() if isinstance(module, _Late)]:
        if name.partition(".")[0] == package:
            del sys.modules[name]
    importlib.import_module(package)


def named_in(answers: Iterable[str], given: Sequence[str]) -> tuple[str, ...]:
    """Which of these packages answers name.

    Args:
        answers: Code of students.
        given: The import cell and the given cells, which bind names for packages.
    """
    text = "\n".join(answers)
    found = ((package, _names_of(package, tuple(given))) for package in PACKAGES)
    return tuple(package for package, names in found if re.search(rf"\b({'|'.join(names)})\b", text))


@lru_cache(maxsize=64)
def _names_of(package: str, given: tuple[str, ...]) -> tuple[str, ...]:
    names = {package}
    for node in (node for source in given for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Import):
            names |= {one.asname for one in node.names if one.asname and one.name.partition(".")[0] == package}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package:
            names |= {one.asname or one.name for one in node.names}
    return tuple(sorted(names))
