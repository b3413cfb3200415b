"""Right answers to every notebook, with other inputs drawn. `python -m tests.determinism` does it for 200 draws, and everywhere."""

import pytest
from support import answers

from grader.stages.pipeline import Grader, graded_assignments
from tests.determinism import compare_seeds, right_answers


@pytest.mark.parametrize("name", graded_assignments())
def test_right_answers_keep_their_points_with_other_inputs(grader: Grader, name: str) -> None:
    assert compare_seeds(grader, right_answers([name], is_written_differently=False), count=2) == []


def test_an_answer_that_depends_on_the_draw_is_told(grader: Grader) -> None:
    source = "def D_KL(mu, logvar):\n    right = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()\n    return right if mu.sum() > 0 else -right\n"
    told = compare_seeds(grader, {"flaky": answers("01_kl_divergence", {"kl.D_KL": source})}, count=2)
    assert told
    assert all("kl." in line for line in told)
