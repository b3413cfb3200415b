"""A small class, and a desk over it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from grader.marking.desk import Desk
from tests.marking.classroom import PARTS, make_class, result, write_result, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight students; the last wrote the first part only, and nothing else."""
    results = make_class(tmp_path / "results", 7)
    write_result(results, result("zoë <b>", {PARTS[0][0]: "Only $x$ and no more."}))
    write_run(results)
    return results


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    with closing(Desk(folder, "Ada")) as opened:
        yield opened
