"""The authoring interface's own examples are run, and it offers all that the bundled assignments take from it."""

import doctest

import grader.authoring


def test_the_examples_are_true() -> None:
    ran = doctest.testmod(grader.authoring)
    assert ran.attempted >= 12
    assert ran.failed == 0


def test_every_name_is_there() -> None:
    assert all(hasattr(grader.authoring, name) for name in grader.authoring.__all__)
    assert grader.authoring.__all__ == sorted(grader.authoring.__all__)
