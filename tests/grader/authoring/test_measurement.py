"""A table that a run makes goes between its marks, and nowhere else."""

from pathlib import Path

import pytest

from grader.authoring.measurement import median_and_ends, put_between


def test_what_a_run_made_takes_the_place_of_what_an_earlier_one_made(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- a -->\n<!-- z -->\nbelow\n", encoding="utf-8")
    for made in ("first", "second"):
        put_between(page, "<!-- a -->", "<!-- z -->", made)
    assert page.read_text(encoding="utf-8") == "above\n<!-- a -->\n\nsecond\n\n<!-- z -->\nbelow\n"


@pytest.mark.parametrize("text", ["", "<!-- a -->", "<!-- z -->", "<!-- z --> <!-- a -->"])
def test_a_page_without_its_marks_stays_as_it_is(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the lines"):
        put_between(page, "<!-- a -->", "<!-- z -->", "made")
    assert page.read_text(encoding="utf-8") == text


def test_a_spread_is_the_median_and_both_ends() -> None:
    assert median_and_ends([3.0, 1.0, 2.0]) == "2 (1 to 3)"
