"""The mutator changes one thing at a time, and the explanations of its survivors neither go stale nor stay empty."""

import ast

import pytest

from tests import explanations
from tests.explanations import entry, left_open, parse_explanations
from tests.mutator import Mutant, mutants_of

KL = """# AUTOGRADED (5) D_KL
def D_KL(mu, logvar):
    \"\"\"Not a mutant: 1 - 2.\"\"\"
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)
    return kl.mean(dim=1)
"""


def _changes(source: str, kind: str) -> set[str]:
    return {mutant.becomes for mutant in mutants_of("task", source) if mutant.kind == kind}


@pytest.mark.parametrize(
    ("kind", "line", "becomes"),
    [
        ("operator", "y = a + b", "y = a - b"),
        ("operand left out", "y = a + b", "y = a"),
        ("operand left out", "y = a - b", "y = -b"),
        ("operand left out", "y = a ** 2", "y = a"),
        ("constant", "y = 0.5 * a", "y = 1.0 * a"),
        ("constant", "y = a.sum(dim=-1)", "y = a.sum(dim=0)"),
        ("constant", "y = f(a, flag=True)", "y = f(a, flag=False)"),
        ("constant", "y = f(a, reduction='mean')", "y = f(a, reduction='sum')"),
        ("sign", "y = -a", "y = a"),
        ("sign", "return a.mean()", "return -a.mean()"),
        ("reduction", "y = a.sum(1)", "y = a.mean(1)"),
        ("function", "a.decoder.eval()", "a.decoder.train()"),
        ("function", "y = torch.randn(a)", "y = torch.rand(a)"),
        ("comparison", "y = a if b < 1 else 0", "y = a if b <= 1 else 0"),
        ("comparison", "y = a if b else 0", "y = a if not b else 0"),
        ("call left out", "y = a.detach()", "y = a"),
        ("call left out", "y = torch.exp(a)", "y = a"),
        ("keyword left out", "y = a.sum(dim=1)", "y = a.sum()"),
        ("argument left out", "y = f(a, b)", "y = f(a)"),
        ("element left out", "y = nn.Sequential(a, b)", "y = nn.Sequential(a)"),
        ("order", "y = f(a, b)", "y = f(b, a)"),
        ("order", "mu, logvar = f(a)", "logvar, mu = f(a)"),
        ("index", "y = a[:-1]", "y = a[:]"),
        ("index left out", "y = a[0]", "y = a"),
        ("statement left out", "b.backward()", "pass"),
        ("twin", "y = f(mu) + logvar", "y = f(logvar) + logvar"),
        ("twin", "y = self.encoder(self.decoder)", "y = self.decoder(self.decoder)"),
    ],
)
def test_a_line_is_changed_in_each_usual_way(kind: str, line: str, becomes: str) -> None:
    assert becomes in _changes(f"def answer(a, b):\n    {line}\n", kind)


def test_two_calls_that_follow_each_other_change_places() -> None:
    source = "def step(a):\n    a.zero_grad()\n    a.backward()\n    return a\n"
    assert _changes(source, "statements swapped") == {"a.backward(); a.zero_grad()"}


def test_a_with_block_loses_its_context_and_a_function_its_decorator() -> None:
    source = "@torch.no_grad()\ndef f(a):\n    with no_noise():\n        return g(a)\n"
    left_out = {mutant.was: mutant.becomes for mutant in mutants_of("task", source) if "left out" in mutant.kind}
    assert left_out["with no_noise():"] == left_out["@torch.no_grad()"] == ""


def test_every_mutant_parses_and_differs_from_the_cell_and_the_others() -> None:
    sources = [mutant.source for mutant in mutants_of("kl.D_KL", KL)]
    assert len(sources) > 20
    assert len({ast.unparse(ast.parse(source)) for source in [KL, *sources]}) == len(sources) + 1


def test_docstrings_signatures_and_assignments_without_another_stay() -> None:
    found = mutants_of("task", "def f(a, b=1):\n    '''Adds 1.'''\n    c = a\n    return c\n")
    assert found == []


def test_a_mutant_is_named_by_its_line_and_by_its_place_where_that_is_not_enough() -> None:
    first, second = (
        mutant for mutant in mutants_of("task", "def f(a):\n    b.step(a)\n    c = a\n    b.step(a)\n    return c\n")
        if mutant.kind == "statement left out"
    )  # fmt: skip
    assert (first.was, first.becomes, first.nth, second.nth) == ("b.step(a)", "", 1, 2)
    assert first.source != second.source


def test_an_entry_is_read_back_and_wants_a_sentence() -> None:
    mutant = Mutant(task="kl.exact", kind="sign", was="return -a: b", becomes="", nth=2, source="")
    with pytest.raises(ValueError, match="needs a sentence"):
        parse_explanations(entry(mutant))
    text = entry(mutant).replace("because: ''", "because: It is the same number.")
    assert [one.key for one in parse_explanations(text)] == [mutant.key]
    with pytest.raises(ValueError, match="explained twice"):
        parse_explanations(text + text)


def test_survivors_without_an_explanation_and_explanations_without_a_survivor_are_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = parse_explanations("- {task: a, was: x, becomes: y, because: It is the same.}")
    monkeypatch.setattr(explanations, "explanations", lambda name: known)
    same, other = (
        Mutant(task="a", kind="sign", was="x", becomes="y", nth=1, source=""),
        Mutant(task="a", kind="sign", was="x", becomes="z", nth=1, source=""),
    )
    assert left_open("name", [same], ["a"]) == ([], [])
    assert left_open("name", [same, other], ["a"]) == ([other], [])
    assert left_open("name", [], ["a"]) == ([], known)
    assert left_open("name", [], ["b"]) == ([], [])
