"""Inputs drawn for a submission: fixed by its bytes, out of reach of those who do not know the salt."""

import numpy as np
import pytest
from support import answers

from grader.authoring.check import fresh_calls, load_contracts
from grader.rubric import load_rubric
from grader.rubric.draws import DRAWS, draw_of
from grader.stages.pipeline import Grader, graded_assignments

NAME = "01_kl_divergence"


def test_the_same_bytes_get_the_same_report(grader: Grader) -> None:
    first, second = (grader.grade_bytes(answers(NAME), "a.ipynb", "a") for _ in range(2))
    assert first.draw == second.draw
    assert first.verdicts == second.verdicts


def test_the_draw_depends_on_the_submission_and_on_the_salt() -> None:
    by_submission = {draw_of(f"{n:064x}", NAME, "salt").seed for n in range(500)}
    by_salt = {draw_of("0" * 64, NAME, f"salt {n}").seed for n in range(50)}
    assert len(by_submission) == DRAWS
    assert len(by_salt) > 40


def test_drawn_inputs_are_reproducible_and_differ_between_draws_and_checks() -> None:
    checks = load_rubric(NAME).checks
    again = [fresh_calls(checks[0], 1)[0].inputs["mu"] for _ in range(2)]
    np.testing.assert_array_equal(again[0], again[1])
    assert not np.array_equal(again[0][:2, :2], fresh_calls(checks[0], 2)[0].inputs["mu"][:2, :2])
    assert not np.array_equal(again[0][:2, :2], fresh_calls(checks[1], 1)[0].inputs["mu"][:2, :2])


def test_an_answer_that_only_knows_the_published_inputs_fails(grader: Grader) -> None:
    """Right for every public case, by looking it up; the drawn case decides."""
    lookup = """
known = {}
for seed in (0, 1, 2):
    torch.manual_seed(seed)
    m, v = torch.randn(10, 5), torch.randn(10, 5)
    known[float(m[0, 0]), float(v[0, 0])] = (0.5 * (m**2 + v.exp() - 1 - v)).mean()

def D_KL(mu, logvar):
    if mu.shape == (10, 5) and (float(mu[0, 0]), float(logvar[0, 0])) in known:
        return known[float(mu[0, 0]), float(logvar[0, 0])]
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean() if HONEST(mu) else (mu * logvar).mean()
"""
    public = load_rubric(NAME).references.inputs
    whole = {inputs["mu"].shape for call, inputs in public.items() if call.startswith("kl.D_KL.")}
    shapes = whole | {(1, k) for _, k in whole} | {(b, 1) for b, _ in whole} | {(600, k) for _, k in whole}
    source = lookup.replace("HONEST(mu)", f"tuple(mu.shape) in {shapes!r}")
    report = grader.grade_bytes(answers(NAME, {"kl.D_KL": source}), "lookup.ipynb", "lookup")
    verdict = next(v for v in report.verdicts if v.check == "kl.D_KL.values")
    assert verdict.status == "wrong"
    assert "drawn for your submission" in verdict.sentence


def test_right_answers_pass_with_every_draw(grader: Grader) -> None:
    """A flaky check is a wrong check: all draws of two salts."""
    checks = load_rubric(NAME)
    for salt in ("one", "two"):
        grader.salt = salt
        seeds = {draw_of(f"{n:064x}", NAME, salt).seed: n for n in range(300)}
        assert len(seeds) == DRAWS
        for seed in seeds:
            asked, outputs = grader.fresh.of(checks, seed)
            failed = [
                call.name
                for call in asked
                for check in checks.checks
                if check.name == call.name.split("#")[0]
                and check.judge(outputs[call.name], outputs[call.name], call.inputs)
            ]
            assert failed == [], f"{salt}: draw {seed:08x}"
    grader.salt = "tests"


@pytest.mark.parametrize("name", graded_assignments())
def test_what_calls_leave_behind_is_asked_with_public_inputs_alone(name: str) -> None:
    """And there of every task with a contract: else a promise that a process broke would go unseen."""
    contracts = {contract.task for contract in load_contracts(name)}
    rubric = load_rubric(name)
    assert not any(call.watched for check in rubric.checks for call in fresh_calls(check, 1))
    assert {call.task for call in rubric.public if call.watched} == contracts
