"""The five courses' own answers get full marks here, but for the slips that are documented of them."""

from pathlib import Path

import pytest
from support import answers

from grader.authoring.slips import parse_variants
from grader.stages.pipeline import Grader, graded_assignments
from utils.assignments.places import place_of

FOLDER = Path(__file__).parents[1] / "published"
# By notebook and source: the checks that are lost, each with the slip that is named.
DOCUMENTED = {
    # A draw is decoded where the posterior's mean is asked for.
    ("03_mnist_vae", "S"): {"vae.model.reconstruct": "reconstruct_samples"},
    # Adam with its default rate.
    ("04_cifar_dcgan", "S"): {"gan.init.optimizers": "default_rate"},
}


def _answers(name: str) -> dict[str, dict[str, str]]:
    """By source: its answers, by task."""
    found: dict[str, dict[str, str]] = {}
    for variant in parse_variants((FOLDER / f"{place_of(name).folder}.py").read_text(encoding="utf-8")):
        found.setdefault(variant.name, {})[variant.task] = variant.source
    return found


def _sources() -> list[tuple[str, str]]:
    return [(name, source) for name in graded_assignments() for source in _answers(name)]


def _handed_in(name: str, source: str) -> dict[str, str]:
    cells = _answers(name)[source]
    if "gan.init" in cells:  # one class for three cells
        cells |= {"gan.train": cells["gan.init"], "gan.reconstruct": cells["gan.init"]}
    return cells


@pytest.mark.parametrize(("name", "source"), _sources())
def test_a_published_answer_gets_full_marks_but_for_its_documented_slips(
    grader: Grader, name: str, source: str
) -> None:
    report = grader.grade_bytes(answers(name, _handed_in(name, source)), "answers.ipynb", "student")
    assert not report.rejection
    assert not report.fault
    lost = {v.check: v for v in report.verdicts if v.status not in ("passed", "manual")}
    expected = DOCUMENTED.get((name, source), {})
    assert {check: verdict.slip for check, verdict in lost.items()} == expected, [v.sentence for v in lost.values()]


def test_codes_without_a_gradient_are_the_other_documented_slip(grader: Grader) -> None:
    cells = _handed_in("04_cifar_dcgan", "S")
    source = cells["gan.reconstruct"].replace(", device=device, requires_grad=True)", ", device=device)")
    report = grader.grade_bytes(
        answers("04_cifar_dcgan", {**cells, "gan.reconstruct": source}), "answers.ipynb", "student"
    )
    lost = {verdict.task for verdict in report.verdicts if verdict.status not in ("passed", "manual")}
    assert lost == {"gan.init", "gan.reconstruct"}


def test_every_source_has_answers() -> None:
    assert {source for _, source in _sources()} == set("CSLBM")
