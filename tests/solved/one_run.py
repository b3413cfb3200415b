"""What the tests of all solved notebooks share: one run a module, compared with what is kept, and its pages."""

import pytest

from tests.marking.browser import WHY_NOT
from tests.solved.accessible import grave
from tests.solved.run import execute


@pytest.fixture(scope="module")
def run(request, tmp_path_factory):
    """The module's solved notebook, run top to bottom by nbval with FAST=1, without data sets and without a network."""
    return execute(request.module.NAME, tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def executed(run):
    assert not run.stopped, run.said[-3000:]
    return run.notebook, run.folder


class OneRun:
    """Inherited by a class in the module of each notebook; `NAME` there says which."""

    def test_every_cell_prints_what_is_kept_of_it(self, run):
        """After a change that is meant, `python -m tests.solved NAME --keep` keeps the new outputs."""
        assert not run.failed, run.complaints()

    @pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
    def test_axe_finds_nothing_grave_on_the_pages_made_of_it(self, executed):
        assert grave(executed[0]) == {"light": [], "dark": [], "printed": []}
