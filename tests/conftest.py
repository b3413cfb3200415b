"""One grader for all tests that grade: starting a sandbox takes seconds, using it milliseconds."""

import random
import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from grader.sandbox.zygotes import Nursery
from grader.stages.pipeline import Grader, graded_assignments
from tests.places import PROJECT

# The files that take longest, a minute and more beside three others: begun last, they would run on by themselves.
LONGEST = (
    "grader/sandbox/test_attacks.py", "grader/test_behaviour.py", "grader/stages/test_answers.py", "grader/test_machines.py",
    "grader/marking/test_browser.py", "assignments/mnist_vae/test_notebook.py", "assignments/cifar_dcgan/test_notebook.py",
    "grader/sandbox/test_warm_up.py", "docs/test_commands.py", "docs/test_instructors_guide.py",
)  # fmt: skip
OF_THE_PROJECT = {"ACCELERATE", "DATA_DIR", "FAST", "GRADER_MAX_TIER", "GRADER_SALT", "GRADER_SECRET"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; xdist, told not to sort them by how many tests they have, hands them out in this order."""
    place = {PROJECT / "tests" / name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def plain_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that the Makefile or the project reads comes from whoever runs the tests: with OUT set, a test's class lands there.

    Kernels leave the home of whoever runs them alone, which may not be written to.
    """
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_THE_PROJECT | set(re.findall(r"\$\((?:if \$\()?([A-Z_]+)", makefile)):
            patch.delenv(name, raising=False)
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield


@pytest.fixture(autouse=True)
def same_draws() -> None:
    """A test that draws without a word of its own draws the same today as tomorrow, alone as after others."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Torch is loaded once for all sandboxes of the tests that ask for it."""
    with Nursery() as running:
        running.load(graded_assignments())
        yield running


@pytest.fixture(scope="session")
def grader(nursery: Nursery) -> Iterator[Grader]:
    """A grader at this machine's strongest tier, in a sandbox as a class gets it, which trains no model again: that takes a minute."""
    with Grader(salt="tests", quality_seconds=0, nursery=nursery.requests) as running:
        yield running
