"""Error carried forward: a fault is paid for where it is, and nowhere else."""

import ast
import inspect
import math

import pytest
from support import answers

from grader.authoring.check import load_table
from grader.rubric import load_rubric
from grader.stages.pipeline import Grader, graded_assignments
from tests.one_price import FAILURES, Fault, faults_of, price_in
from utils.assignments.places import place_of

NB1 = "01_kl_divergence"
FLOOR = """def rsample(params_q, num_samples):
    mu, sigma = params_q[:, None, :-1], params_q[:, None, -1:].exp().clamp(min=0.01)
    B, _, K = mu.shape
    return mu + sigma * torch.randn(B, num_samples, K)
"""
EPS = """def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    var1, var2 = torch.exp(2 * log_sigma1) + 1e-6, torch.exp(2 * log_sigma2) + 1e-6
    return 0.5 * torch.log(var2 / var1) + (var1 + (mu1 - mu2) ** 2) / (2 * var2) - 0.5
"""
ONE_SHAPE = """def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    var1, var2 = torch.exp(2 * log_sigma1), torch.exp(2 * log_sigma2)
    return (log_sigma2 - log_sigma1 + (var1 + (mu1 - mu2) ** 2) / (2 * var2) - 0.5).reshape(log_sigma1.shape)
"""
BROADCASTS = """def kl_q_p_exact(params_q, params_p):
    return kl_divergence(params_q[:, :-1], params_q[:, -1:], params_p[:, :-1], params_p[:, -1:]).sum(-1)
"""


def _verdicts(grader: Grader, name: str, replaced: dict[str, str | None]):
    report = grader.grade_bytes(answers(name, replaced), "answers.ipynb", "student")
    assert not report.rejection
    assert not report.fault
    return [verdict for verdict in report.verdicts if verdict.status != "manual"]


def _lost(verdicts) -> dict[str, float]:
    lost: dict[str, float] = {}
    for verdict in verdicts:
        if verdict.points < verdict.max_points:
            lost[verdict.task] = lost.get(verdict.task, 0.0) + verdict.max_points - verdict.points
    return lost


def _called() -> list[tuple[str, str]]:
    """The tasks that others may call."""
    found = []
    for name in graded_assignments():
        called = {one for names in load_table(name, "CALLS").values() for one in names}
        found += [(name, task.id) for task in load_rubric(name).assignment.tasks if called.intersection(task.defines)]
    return found


@pytest.mark.parametrize(("name", "task"), _called())
@pytest.mark.parametrize("failure", ["no cell", "does not parse", "raises", "NaN", "zeros"])
def test_a_failure_costs_no_other_task_a_point(grader: Grader, name: str, task: str, failure: str) -> None:
    fault = next(one for one in faults_of(name) if (one.task, one.name) == (task, failure))
    report = grader.grade_bytes(answers(name, {task: fault.source}), "answers.ipynb", "student")
    price = price_in(report, fault)
    assert price.elsewhere == {}, price.sentences
    assert price.own or price.is_no_fault


def test_everything_fails_that_others_call_and_only_that_is_paid(grader: Grader) -> None:
    broken = {
        "kl.gaussians": None,
        "kl.log_prob": "def log_prob(",
        "kl.rsample": "def rsample(q, n):\n    raise ValueError",
    }
    assert _lost(_verdicts(grader, NB1, broken)) == {"kl.gaussians": 5, "kl.log_prob": 5, "kl.rsample": 5}


def test_an_answer_that_is_wrong_itself_stays_so(grader: Grader) -> None:
    swapped = """def kl_q_p_mc(samples_q, params_q, params_p):
    mu, log_sigma = params_q[:, None, :-1].expand_as(samples_q), params_q[:, None, -1]
    mu_p, log_sigma_p = params_p[:, None, :-1].expand_as(samples_q), params_p[:, None, -1]
    return (log_prob(samples_q, mu_p, log_sigma_p) - log_prob(samples_q, mu, log_sigma)).mean(1)
"""
    verdicts = _verdicts(grader, NB1, {"kl.log_prob": None, "kl.mc": swapped})
    assert _lost(verdicts) == {"kl.log_prob": 5, "kl.mc": 5}
    sentence = next(verdict.sentence for verdict in verdicts if verdict.task == "kl.mc")
    assert "`log_prob`, which did not pass, but with a stand-in in its place this does not hold either" in sentence


@pytest.mark.parametrize(("task", "source"), [("kl.rsample", FLOOR), ("kl.gaussians", EPS)])
def test_a_floor_or_an_eps_is_paid_for_where_it_is(grader: Grader, task: str, source: str) -> None:
    assert set(_lost(_verdicts(grader, NB1, {task: source}))) == {task}


def test_an_answer_of_one_shape_and_one_that_broadcasts_are_both_right(grader: Grader) -> None:
    verdicts = _verdicts(grader, NB1, {"kl.gaussians": ONE_SHAPE, "kl.exact": BROADCASTS})
    assert _lost(verdicts) == {}
    said = [verdict.sentence for verdict in verdicts if verdict.check == "kl.gaussians.values"]
    assert "kl.exact calls it with other shapes than these checks, and it stops there" in said[0]


def test_an_answer_in_the_cell_of_the_one_it_calls_is_asked_too(grader: Grader) -> None:
    both = """# AUTOGRADED (5) log_prob
def log_prob(x, mu, log_sigma):
    return (x - mu).sum(-1)

def kl_q_p_mc(samples_q, params_q, params_p):
    mu, log_sigma = params_q[:, None, :-1].expand_as(samples_q), params_q[:, None, -1]
    mu_p, log_sigma_p = params_p[:, None, :-1].expand_as(samples_q), params_p[:, None, -1]
    return (log_prob(samples_q, mu, log_sigma) - log_prob(samples_q, mu_p, log_sigma_p)).mean(1)
"""
    assert _lost(_verdicts(grader, NB1, {"kl.log_prob": both, "kl.mc": None})) == {"kl.log_prob": 5}


def test_what_the_second_process_says_is_told_to_nobody(grader: Grader) -> None:
    """It has met a process that saw the hidden inputs: only whether the values hold may come of it."""
    tells = """def kl_q_p_mc(samples_q, params_q, params_p):
    raise ValueError(f"secret {log_prob.__name__}")
"""
    verdicts = _verdicts(grader, NB1, {"kl.log_prob": "def log_prob(x, mu, log_sigma):\n    return x", "kl.mc": tells})
    said = " ".join(verdict.sentence for verdict in verdicts)
    assert "secret log_prob" in said
    assert "secret _" not in said  # the stand-in's


@pytest.mark.parametrize("name", graded_assignments())
def test_each_name_that_may_be_called_has_a_stand_in_that_is_not_right(name: str) -> None:
    stand_ins = place_of(name).load("probes").STAND_INS
    assert {one for names in load_table(name, "CALLS").values() for one in names} == set(stand_ins)
    tasks = {task.id for task in load_rubric(name).assignment.tasks}
    assert set(load_table(name, "CALLS")) <= tasks


@pytest.mark.parametrize(("name", "task"), _called())
def test_a_stand_in_handed_in_as_an_answer_fails(grader: Grader, name: str, task: str) -> None:
    """It is no solution: whoever found it would gain nothing."""
    module = place_of(name).load("probes")
    (defined,) = next(one.defines for one in load_rubric(name).assignment.tasks if one.id == task)
    text = inspect.getsource(module.STAND_INS[defined])
    if defined == "kl_q_p_exact":
        text = f"{inspect.getsource(module.STAND_INS['kl_divergence'])}\n\n{text}"
    source = text.replace(module.STAND_INS[defined].__name__, defined).replace(": Tensor", "").replace(" -> Tensor", "")
    source = f"from __future__ import annotations\n{source}"
    ast.parse(source)
    own = [verdict for verdict in _verdicts(grader, name, {task: source}) if verdict.task == task]
    assert sum(verdict.points for verdict in own) < sum(verdict.max_points for verdict in own)


def test_the_rules_make_what_they_say() -> None:
    namespace: dict = {"torch": __import__("torch")}
    task = load_rubric(NB1).assignment.tasks[0]
    exec(FAILURES["NaN"](task, "def f(x):\n    return x, {'a': x}"), namespace)
    first, second = namespace["f"](namespace["torch"].ones(2))
    assert all(math.isnan(value) for value in [*first.tolist(), *second["a"].tolist()])
    with pytest.raises(SyntaxError):
        ast.parse(FAILURES["does not parse"](task, "x = 1") or "")
    assert Fault("a", "b", None).source is None
