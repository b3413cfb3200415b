"""One grader for all tests that grade: starting a sandbox takes seconds, using it milliseconds."""

from collections.abc import Iterator

import pytest

from grader.stages.pipeline import Grader


@pytest.fixture(scope="session")
def grader() -> Iterator[Grader]:
    """A grader at this machine's strongest tier, which trains no model again: that takes a minute."""
    with Grader(salt="tests", quality_seconds=0) as running:
        yield running
