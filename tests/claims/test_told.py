"""A changed number in a teaching text fails, and no number is told that rests on nothing."""

import pytest

from tests.claims.told import Source, Told, agrees, faults, mutants, reasons, rests_on, told_in
from tools.notebook_source import SourceCell, source_names

every_notebook = pytest.mark.parametrize("name", source_names())


@every_notebook
def test_each_number_is_as_kept_and_rests_on_something(name: str) -> None:
    """After a change that is meant: `python -m tests.claims.told --keep`."""
    assert list(faults(name)) == []


@every_notebook
def test_a_changed_number_fails(name: str) -> None:
    """Some of them; `python -m tests.claims.told --mutants` changes all."""
    count, failed, of_a_run, otherwise = mutants(name, every=12)
    assert count == failed >= 15
    assert otherwise >= of_a_run / 3  # even if somebody kept it without reading


@every_notebook
def test_each_reason_is_needed(name: str) -> None:
    used = {rests_on(name, told) for told in told_in(name)}
    for says, why in reasons(name):
        assert f"reason: {why}" in used, says
        assert len(why) > 4, says


def told(text: str) -> Told:
    return Told(SourceCell(1, "markdown", text), text.split()[0].rstrip("%,"), 0, "")


@pytest.mark.parametrize(
    ("text", "value", "is_rounded", "agree"),
    [
        ("0.84 nats", 0.8449, True, True), ("0.84 nats", 0.8449, False, False), ("0.84 nats", 0.8451, True, False),
        ("9.4e-8", 9.42e-8, True, True), ("9.4e-8", 9.52e-8, True, False), ("1,547 profiles", 1547, False, True),
        ("72% of them", 0.7204, True, True), ("72 to 74% of them", 0.7204, True, True), ("72 of them", 0.7204, True, False),
        ("1 of them", 0.7, True, False), ("0.0 nats", 0.2, True, False),
    ],
)  # fmt: skip
def test_a_number_is_a_value_or_the_value_rounded_to_its_places(text, value, is_rounded, agree) -> None:
    assert agrees(told(text), Source("claim", value, is_rounded)) is agree
