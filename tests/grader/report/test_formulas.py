"""Formulas are set, text stays text, and nothing that a student writes becomes markup."""

import re

import pytest

from grader.report import formulas
from grader.report.formulas import set_formulas


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formulas, "_DONE", {})


def test_formulas_are_set_and_the_text_around_them_stays() -> None:
    (shown,) = set_formulas([r"So $\sigma^2 > 0$ & then $$\frac{1}{2} \mu$$ for <b>all</b>."])
    assert shown.startswith("So <math ")
    assert "<msup><mi>σ</mi><mn>2</mn></msup>" in shown
    assert "<mfrac>" in shown
    assert "&amp; then" in shown
    assert "for &lt;b&gt;all&lt;/b&gt;." in shown
    assert "$" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "it costs $5 and $6",
        r"\$a\$",
        "a lone $ here",
        "in code `$x$`",
        "```\n$x$\n```",
        r"$\frac{$",
        r"$\href{javascript:alert(1)}{x}$",
        "$" + "x" * 5000 + "$",
        "",
    ],
)
def test_what_is_no_formula_stands_as_it_was_typed(text: str) -> None:
    assert set_formulas([text]) == [text]


@pytest.mark.parametrize("text", ["$ x $", r"\begin{align}x\end{align}", r"\\(x\\)"])
def test_what_jupyter_sets_is_set(text: str) -> None:
    (shown,) = set_formulas([text])
    assert "<mi>x</mi>" in shown


@pytest.mark.parametrize("tex", ["x^{" * 100 + "1" + "}" * 100, "x" + "^" * 500])
def test_a_formula_that_takes_for_ever_is_not_asked_for(tex: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formulas, "_SECONDS", 3600)
    assert set_formulas([f"${tex}$"]) == [f"${tex}$"]


HOSTILE = (
    "$</div><script>alert(1)</script>$",
    r"$$\text{<img src=x onerror=alert(1)>}$$",
    "$x$<script>alert(1)</script>$y$",
    r"$\style{background:url(x)}{y}$",
    r"$\mathmlToken{script}{alert(1)}$",
    "$\ud800$",
    "$a\0b$",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_mathml_becomes_markup(text: str) -> None:
    (shown,) = set_formulas([text])
    tags = set(re.findall(r"<\s*/?\s*([^\s>/]*)", shown))
    assert all(re.fullmatch(r"math|semantics|m[a-z]+", tag) for tag in tags), tags
    assert not re.search(r"<[^>]* on\w+=", shown)


def test_a_formula_that_cannot_be_read_spoils_no_other() -> None:
    shown = set_formulas(["$x$", *HOSTILE, r"$\frac{$", "$y$"])
    assert "<mi>x</mi>" in shown[0]
    assert "<mi>y</mi>" in shown[-1]


def test_without_pandoc_and_over_the_budget_the_text_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formulas, "_PAGE_BYTES", 10)
    assert set_formulas(["$x$ <"]) == ["$x$ &lt;"]
    monkeypatch.undo()
    monkeypatch.setattr(formulas, "_DONE", {})
    monkeypatch.setattr("utils.export.pandoc.executable", lambda: "/nowhere/pandoc")
    assert set_formulas(["$x$ <"]) == ["$x$ &lt;"]
    monkeypatch.setattr(formulas, "_SECONDS", 0)
    assert set_formulas(["$x$"]) == ["$x$"]


def test_a_formula_is_set_once_for_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is known already, every text comes out as it does alone; what could not be set is asked for again."""
    asked: list[int] = []
    set_some = formulas._set_some

    def counting(blocks: list[dict]) -> list[str]:
        asked.append(len(blocks))
        return set_some(blocks)

    texts = [f"$x_{{{n}}}$ and $$y^{{{n}}}$$ and $x_{{{n}}}$" for n in range(6)]
    monkeypatch.setattr(formulas, "_DONE", {})
    alone = []
    for text in texts:
        monkeypatch.setattr(formulas, "_DONE", {})
        alone += set_formulas([text])
    assert len(set(alone)) == len(texts)
    monkeypatch.setattr(formulas, "_DONE", {})
    monkeypatch.setattr(formulas, "_set_some", counting)
    assert [*set_formulas(texts[:2]), *set_formulas(texts[1:4]), *set_formulas(texts), *set_formulas(texts)][
        -6:
    ] == alone
    assert asked == [4, 4, 4]  # only what is new, all of a call at once
    assert set_formulas(["$x_{0}$", "$$x_{0}$$"])[0] != set_formulas(["$$x_{0}$$"])[0]  # in a line, and on its own
    assert asked == [4, 4, 4, 1]
    monkeypatch.setattr(formulas, "_set_some", lambda blocks: [""] * len(blocks))
    assert set_formulas(["$z$"]) == ["$z$"]
    monkeypatch.setattr(formulas, "_set_some", counting)
    assert "<mi>z</mi>" in set_formulas(["$z$"])[0]


def test_no_more_formulas_are_remembered_than_the_memory_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formulas, "_DONE", {})
    monkeypatch.setattr(formulas, "_MOST_KEPT", 10)
    monkeypatch.setattr(formulas, "_set_some", lambda blocks: ["<math></math>"] * len(blocks))
    for n in range(40):
        set_formulas([f"$x_{n}$"])
        assert len(formulas._DONE) <= 10
    monkeypatch.setattr(formulas, "_set_some", lambda blocks: ["<math>" + "m" * formulas._LONGEST_KEPT] * len(blocks))
    monkeypatch.setattr(formulas, "_DONE", {})
    set_formulas(["$long$"])
    assert formulas._DONE == {}
