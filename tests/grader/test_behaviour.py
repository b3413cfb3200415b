"""Behavioural mutants, a sample of them; the contracts that refuse them; and draws that are none of N(0, I)."""

import hashlib

import numpy as np
import pytest

from grader.authoring.contract import Contract, Sizes, breach
from grader.authoring.noise import not_standard_normal
from grader.probe_kit.facts import FACTS
from grader.rubric import load_rubric
from grader.stages.pipeline import Grader, graded_assignments
from tests.behaviour.__main__ import all_mutants, explanations, graded, sampled, unexplained
from tests.behaviour.bare import Bare
from tests.behaviour.mutants import Mutant, mutants_of
from tests.behaviour.page import table
from tests.behaviour.written import written
from tests.mutants import failed_checks, solution_of
from utils.assignments import load_assignment

_SAMPLED = 24  # mutants a notebook; all of them are `python -m tests.behaviour`
AXES = {"calls": "seed_fixed_inside", "rows": "row_noise", "dimensions": "one_noise"}


def _sampled(name: str) -> list[Mutant]:
    digest = {mutant: hashlib.sha256(repr(mutant.key).encode()).digest() for mutant in all_mutants(name)}
    return sorted(digest, key=digest.__getitem__)[:_SAMPLED]


def test_a_sample_is_of_every_task_and_its_table_counts_what_acts() -> None:
    name = "03_mnist_vae"
    every = all_mutants(name)
    some = sampled(every, 3)
    assert {m.task for m in some} == {m.task for m in every}
    assert some == sampled(every, 3)
    rows = [["kl.mc", "f", change, status, "", slip, ""] for change, status, slip in (
        ("a", "idle", ""), ("b", "wrong", "s"), ("c", "wrong", ""), ("d", "explained", ""), ("e", "passed", ""))]  # fmt: skip
    assert "| `kl.mc` | 4 | 2 | 1 | 1 | 1 |" in table(rows)


@pytest.mark.parametrize("name", graded_assignments())
def test_a_sample_of_behavioural_mutants_is_refused_or_explained(name: str) -> None:
    outcomes = list(graded(name, _sampled(name)))
    assert sum(outcome.status != "idle" for outcome in outcomes) > 4
    assert [outcome.mutant.key for outcome in unexplained(outcomes)] == []


@pytest.mark.filterwarnings("default")  # of answers, which may warn
@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_answers_written_from_the_notebooks_alone_are_told_apart(kind: str) -> None:
    bares = {name: Bare(name) for name in graded_assignments()}
    answers = list(written(kind))
    assert len(answers) > 40
    passed = []
    for notebook, one in answers:
        if not bares[notebook].failed(one.task, one.source):
            passed.append((notebook, one))
    assert passed == (answers if kind == "right" else [])


@pytest.mark.parametrize("name", graded_assignments())
def test_right_answers_break_no_contract(name: str) -> None:
    bare = Bare(name)
    assert [v.sentence for task, cell in bare.solution.items() for v in bare.failed(task, cell.source)] == []


@pytest.mark.parametrize("change", ["result: float64", "params_q: changed in place", "noise: cached by shape"])
def test_grading_without_sandbox_agrees_with_the_pipeline(
    grader: Grader, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    name, task = "01_kl_divergence", "kl.rsample"
    monkeypatch.setattr(grader, "notebook", name)
    mutant = next(m for m in mutants_of(task, solution_of(name)[task], ()) if m.change == change)
    here = Bare(name).failed(task, mutant.source)
    there = failed_checks(grader, name, task, mutant.source)
    assert [(v.check, v.slip, v.points) for v in here] == [(v.check, v.slip, v.points) for v in there] != []


@pytest.mark.parametrize("name", graded_assignments())
def test_every_task_has_a_contract_and_a_check_that_pays(name: str) -> None:
    rubric = load_rubric(name)
    assert sorted(contract.task for contract in rubric.contracts) == sorted(
        task.id for task in load_assignment(name).tasks
    )
    paying = {check.name: check.task for check in rubric.checks}
    assert {contract.pays: contract.task for contract in rubric.contracts}.items() <= paying.items()


def test_every_explanation_has_its_reason() -> None:
    assert len(explanations()) > 20


def _facts(**broken: int) -> tuple[int, ...]:
    return tuple(broken.get(name, 0) for name in FACTS)


def test_a_breach_is_told_by_name() -> None:
    contract = Contract("t", pays="t.values", watches=("f",), arguments=("x", "mu"))
    assert breach(contract, _facts()) is None
    assert breach(contract, ()) is None
    found = breach(contract, _facts(argument=2))
    assert found is not None
    assert "the argument mu has other values" in found.text
    assert breach(contract, (1, 2)) is not None


def test_sizes_are_all_different_and_none_that_the_notebook_names() -> None:
    sizes = Sizes(
        lambda rng, **of: {name: np.zeros(n) for name, n in of.items()}, {"B": (2, 6), "K": (2, 5)}, frozenset({3})
    )
    for seed in range(50):
        found = sizes.sizes(np.random.default_rng(seed))
        assert len(set(found.values())) == 2
        assert 3 not in found.values()
    cases = sizes.cases(np.random.default_rng(0))
    assert [1 in {array.size for array in case.values()} for case in cases] == [False, False, True, True]


def test_independent_normal_draws_pass() -> None:
    rng = np.random.default_rng(0)
    assert [not_standard_normal(rng.standard_normal((4, 500, 3)), AXES) for _ in range(100)] == [None] * 100


@pytest.mark.parametrize(
    "spoil",
    [
        lambda eps, rng: np.repeat(eps[:1], 4, axis=0),
        lambda eps, rng: np.repeat(eps[:, :1], 500, axis=1),
        lambda eps, rng: np.repeat(eps[..., :1], 3, axis=2),
        lambda eps, rng: np.concatenate([eps[:, :250], -eps[:, :250]], axis=1),
        lambda eps, rng: np.sign(eps),
        lambda eps, rng: 0.9 * eps,
        lambda eps, rng: eps.clip(-2, 2),
        lambda eps, rng: rng.uniform(-(3**0.5), 3**0.5, eps.shape),
        lambda eps, rng: rng.laplace(scale=0.5**0.5, size=eps.shape),
        lambda eps, rng: np.abs(eps[:1]).repeat(4, axis=0) * np.sign(eps),
        lambda eps, rng: 0.8 * eps + 0.6 * eps[:, :1],
        lambda eps, rng: np.sort(eps, axis=1),
        lambda eps, rng: (eps - eps.mean(axis=1, keepdims=True)) / eps.std(axis=1, keepdims=True),
        lambda eps, rng: eps + 0.15,
    ],
)  # fmt: skip
def test_draws_that_are_not_independent_and_normal_fail(spoil) -> None:
    rng = np.random.default_rng(1)
    assert not_standard_normal(spoil(rng.standard_normal((4, 500, 3)), rng), AXES) is not None


def test_an_argument_that_is_changed_is_told_instead_of_what_the_answer_looks_like() -> None:
    """Noise taken from parameters that an earlier call has changed looks like noise that repeats itself."""
    key = ("kl.rsample", "rsample", "params_q: changed in place")
    (outcome,) = graded("01_kl_divergence", [one for one in all_mutants("01_kl_divergence") if one.key == key])
    assert outcome.slip == "argument_changed"
    assert "the argument" in outcome.sentence
