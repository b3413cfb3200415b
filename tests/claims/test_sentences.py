"""No sentence of a notebook gives a reason, or allows no exception, that nothing shows."""

import pytest
from pages import PROJECT

from tests.claims.page import LEAST_SEEDS, NOTEBOOKS, PAGE, figures_of, line, measured, rows
from tests.claims.sentences import TRIGGERS, bases_of, claims_of, split

ONCE = ("airfoils.facts", "digits.width")  # the same for every seed


@pytest.mark.parametrize("folder", NOTEBOOKS)
def test_every_such_sentence_rests_on_a_row_or_is_mathematics(folder: str) -> None:
    bases, known = bases_of(folder), {row.id for row in rows() if row.notebook == folder}
    for sentence in claims_of(folder):
        found = [basis for basis in bases if basis.says in sentence]
        assert len(found) == 1, f"{len(found)} entries of tests/claims/sentences.yaml for: {sentence}"
    for basis in bases:
        assert bool(basis.row) != bool(basis.mathematics), f"a row or the mathematics, not both: {basis}"
        assert not basis.row or basis.row in known, f"there is no such row: {basis}"
        assert not basis.mathematics or len(basis.mathematics) > 15, f"say why it is mathematics: {basis}"


@pytest.mark.parametrize("folder", NOTEBOOKS)
def test_no_entry_is_left_of_a_sentence_that_is_gone(folder: str) -> None:
    sentences = claims_of(folder)
    assert [basis.says for basis in bases_of(folder) if not any(basis.says in sentence for sentence in sentences)] == []


def test_the_page_holds_every_row_and_every_figure_over_three_seeds() -> None:
    page = PAGE.read_text(encoding="utf-8")
    lines = {line.split(" | ")[0].lstrip("| "): line for line in page.splitlines() if line.startswith("| ")}
    for row in rows():
        assert row.claim in lines[row.id], f"docs/claims.md is older than row {row.id}"
        for figure in row.figures:
            told = lines[row.id].partition(figure["what"] + " **")[2].partition("<br>")[0]
            seeds = int(told.rpartition("; ")[2].split(" seeds")[0]) if " seeds" in told else 1
            assert seeds >= LEAST_SEEDS or figure["measure"] in ONCE, f"row {row.id}, {figure['what']}: {told}"
    assert "nothing yet" not in page


def test_the_page_says_what_was_measured() -> None:
    found, _ = figures_of(measured())
    page = PAGE.read_text(encoding="utf-8")
    assert [row.id for row in rows() if line(row, found) not in page] == []


def test_a_row_names_a_test_that_is_there() -> None:
    for row in rows():
        assert row.figures or "test" in row.shown, f"row {row.id} has neither a figure nor a test"
        for word in row.shown.replace("`", " ").split():
            if word.startswith("tests/"):
                assert (PROJECT / word.rstrip(",;.")).exists(), word


@pytest.mark.parametrize(
    "sentence",
    [
        "It stays, because it is heavy.", "They are kept apart so that\nnothing mixes.", "This Always works.", "One can never know.",
        "It cannot fail.", "That is what the KL term\nbought.", "Which is why it falls.", "Therefore it holds.",
    ],
)  # fmt: skip
def test_the_rule_finds_a_claim_however_it_is_wrapped(sentence: str) -> None:
    found = [part for part in split(f"Before it.\n{sentence} And after.\n\n- a list") if TRIGGERS.search(part)]
    assert found == [" ".join(sentence.split())]
