"""The five courses' own answers get full marks here, but for the slips that are documented of them."""

import pytest
from support import answers

from grader.stages.pipeline import Grader, graded_assignments
from tests.published import DOCUMENTED, published


def _sources() -> list[tuple[str, str]]:
    return [(name, source) for name in graded_assignments() for source in published(name)]


@pytest.mark.parametrize(("name", "source"), _sources())
def test_a_published_answer_gets_full_marks_but_for_its_documented_slips(
    grader: Grader, name: str, source: str
) -> None:
    report = grader.grade_bytes(answers(name, published(name)[source]), "answers.ipynb", "student")
    assert not report.rejection
    assert not report.fault
    lost = {v.check: v for v in report.verdicts if v.status not in ("passed", "manual")}
    expected = DOCUMENTED.get((name, source), {})
    assert {check: verdict.slip for check, verdict in lost.items()} == expected, [v.sentence for v in lost.values()]


def test_codes_without_a_gradient_are_the_other_documented_slip(grader: Grader) -> None:
    cells = published("04_cifar_dcgan")["S"]
    source = cells["gan.reconstruct"].replace(", device=device, requires_grad=True)", ", device=device)")
    report = grader.grade_bytes(
        answers("04_cifar_dcgan", {**cells, "gan.reconstruct": source}), "answers.ipynb", "student"
    )
    lost = {verdict.task for verdict in report.verdicts if verdict.status not in ("passed", "manual")}
    assert lost == {"gan.init", "gan.reconstruct"}


def test_every_source_has_answers() -> None:
    assert {source for _, source in _sources()} == set("CSLBM")
