"""A table that a run makes goes between its marks, and nowhere else."""

from pathlib import Path

import pytest

from grader.authoring.measurement import margin_row, median_and_ends, put_between


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


def test_a_margin_is_told_from_the_worst_that_is_to_pass_and_the_best_that_is_not() -> None:
    passes, fails = {"good": [0.9, 0.85], "fair": [0.95]}, {"short": [0.7, 0.75], "none": []}
    row = margin_row("kept", 0.8, passes, fails)
    assert row == "| kept | 0.85 (good), 0.05 off | 0.8 | 0.75 (short), 0.05 off |"
    losses = [{name: [1 - one for one in values] for name, values in side.items()} for side in (passes, fails)]
    row = margin_row("lost", 0.2, losses[0], losses[1], is_less_better=True)
    assert row == "| lost | 0.15 (good), 0.05 off | 0.2 | 0.25 (short), 0.05 off |"


def test_a_mark_on_the_wrong_side_of_a_model_is_seen() -> None:
    row = margin_row("kept", 0.9, {"good": [0.85]}, {"short": [0.95], "none": []})
    assert row.count("**0.05 on the other side**") == 2
    assert "nothing measured" in margin_row("kept", 0.9, {}, {"short": [0.1]})
