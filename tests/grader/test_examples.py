"""The example class gets the outcomes that its descriptions state."""

import pytest

from grader.report.results import is_for_a_person
from grader.stages.pipeline import Grader
from tools.examples import Example, build, load_examples


@pytest.mark.parametrize("example", load_examples(), ids=lambda example: example.student)
def test_example(grader: Grader, example: Example) -> None:
    file_name, data = build(example)
    report = grader.grade_bytes(data, file_name, example.student)
    assert not report.fault
    got = {verdict.check: verdict for verdict in report.verdicts}
    for check, (status, slip) in example.expected.items():
        assert (got[check].status, got[check].slip or slip) == (status, slip or got[check].slip), got[check].sentence
        assert not slip or got[check].slip == slip, got[check].sentence
    if example.score is not None:
        assert sum(verdict.points for verdict in report.verdicts if not is_for_a_person(verdict)) == example.score
    assert example.expected or example.score is not None, "an example must state its outcome"


def test_the_class_shows_what_an_instructor_meets() -> None:
    class_ = load_examples()
    assert len(class_) >= 12
    assert {damage for example in class_ for damage in example.damages} >= {
        "truncated",
        "not_a_notebook",
        "tags_dropped",
    }


def test_building_twice_gives_the_same_bytes() -> None:
    example = load_examples()[2]
    assert build(example) == build(example)
