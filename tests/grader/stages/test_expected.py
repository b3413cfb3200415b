"""A sandbox loads the notebooks that are expected, and another when the first of its hand-ins comes."""

import nbformat

from grader.sandbox.zygotes import Nursery
from grader.stages.pipeline import Grader
from tools.examples import with_answers

EXPECTED, OTHER = "01_kl_divergence", "03_mnist_vae"


def test_a_notebook_that_nobody_expected_is_graded_all_the_same(nursery: Nursery) -> None:
    with Grader(salt="tests", quality_seconds=0, expected=[EXPECTED], nursery=nursery.requests) as grader:
        for name, loaded in ((EXPECTED, [EXPECTED]), (OTHER, [EXPECTED, OTHER])):
            data = nbformat.writes(with_answers(name, ())).encode()
            report = grader.grade_bytes(data, "hw.ipynb", "ada")
            assert report.fault == ""
            assert {one.status for one in report.verdicts} <= {"passed", "manual"}
            assert grader.box.assignments == loaded


def test_who_expects_nothing_gets_all() -> None:
    assert {EXPECTED, OTHER} <= set(Grader(salt="tests").box.assignments)
    assert Grader(EXPECTED, salt="tests", expected=[OTHER]).box.assignments == [EXPECTED]
