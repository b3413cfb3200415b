"""For every line that a judge draws: just inside passes, just outside fails, and a line ten times as wide is noticed."""

import json

import pytest

from grader.authoring.lines import moved, within
from grader.stages.pipeline import Grader, graded_assignments
from tests.near_misses import TABLE as TABLE_FILE
from tests.near_misses import WIDER, cases, complaint, lines_met, load_table, notices

TABLE = load_table()
TABLE_OF_REST = TABLE_FILE.with_name("near_misses_rest.json")


@pytest.mark.parametrize("name", graded_assignments())
def test_answers_on_either_side_of_each_line(grader: Grader, name: str) -> None:
    tried = {case.call.name: case for case in cases(grader.box, name)}
    own = [miss for miss in TABLE if miss.case in tried]
    assert [text for miss in own if (text := complaint(tried[miss.case], miss))] == []
    assert [miss for miss in own if not notices(tried[miss.case], miss)] == [], (
        f"{WIDER:g} times as wide, and nothing fails"
    )
    without = lines_met(list(tried.values())) - {(miss.check, miss.line) for miss in own}
    assert without <= EXCUSED


# Lines across which no way leads, each with the reason.
EXCUSED = {(check, line) for check, line, _ in json.loads(TABLE_OF_REST.read_text(encoding="utf-8"))}


def test_a_line_is_moved_for_its_check_alone() -> None:
    with moved("", "value", WIDER):
        assert within(5.0, 1.0, "value")
        assert not within(5.0, 1.0, "other")
    assert not within(5.0, 1.0, "value")


def test_what_is_no_number_is_within_no_line() -> None:
    assert not within(float("nan"), 1.0, "value")
    assert not within(0.0, float("nan"), "value")
