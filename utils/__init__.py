"""What the notebooks import: data, loaders, trackers, plots, seeds, the hand-in.

This file is the table of contents. A name is imported from its module when it is first used, so that the parts which
need no torch (`utils.submission`, `utils.assignments`) start in a fraction of a second.
"""

import importlib

_HOME = {
    "Device": "device",
    "set_device": "device",
    "set_seed": "seeding",
    "reset_seed": "seeding",
    "FAST": "setup_cell",
    "diagnose": "setup_cell",
    "count_params": "parameters",
    "expect_close": "expect",
    "expect_equal": "expect",
    "expect_shape": "expect",
    "expect_true": "expect",
    "rel_error": "expect",
    "hand_in": "submission",
}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"utils has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
