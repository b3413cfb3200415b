"""The one run of a solved notebook, for its tests."""

from tests.solved.one_run import executed, run

__all__ = ["executed", "run"]
