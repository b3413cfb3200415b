"""The one door to data: airfoils, MNIST and CIFAR-10, or a stand-in that says it is one.

A name is imported from its module when it is first used, as in `utils` itself.
"""

import importlib

_HOME: dict[str, str] = {
    "AirfoilDataset": "airfoils",
    "CIFAR10Dataset": "cifar",
    "MNISTDataset": "mnist",
}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"utils.datasets has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
