"""Functions for a pool's workers: they must be importable in another process."""

import os
from pathlib import Path


def die_once(marker: str) -> str:
    """End the process the first time it is called for this marker."""
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(1)
    return "alive"


def die_for(student: str, work, settings) -> bytes:
    """Grade, but end the process when it is this student's turn."""
    from grader.batch import grade_hand_in

    if work.student == student:
        os._exit(1)
    return grade_hand_in(work, settings)


def nothing() -> None:
    """A warm-up that does nothing."""
