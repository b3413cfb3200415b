"""The reference values are what `make references` makes, and agree with independent computation."""

import json
from dataclasses import replace

import numpy as np
import pytest

from grader.authoring.check import load_checks
from grader.authoring.judges import tolerance
from grader.authoring.slips import load_slips
from grader.rubric import load_rubric
from grader.rubric.references import load_references
from grader.stages.pipeline import Grader, graded_assignments
from tools import references
from tools.references import build, settle, solution_cells
from utils.assignments import load_assignment
from utils.assignments.places import place_of

PUBLISHED = {0: 0.9318599700927734, 1: 1.0280910730361938, 2: 0.853870153427124}


@pytest.mark.parametrize("name", graded_assignments())
def test_rebuilding_gives_the_stored_values(grader: Grader, name: str) -> None:
    """Of the slips every tenth: each is run, and must be named, in test_answers."""
    stored, sampled = load_references(name), load_slips(name)[::10]
    rebuilt = build(name, grader.box, sampled)
    names = {(slip.task, slip.name) for slip in sampled}
    sample = replace(stored, slips=tuple(slip for slip in stored.slips if (slip.task, slip.name) in names))
    allowed = {check.name: tolerance(check) for check in load_checks(name)}
    assert settle(rebuilt, sample, allowed)[1] == [], "run `make references`"


def test_what_differs_by_rounding_is_left_as_it_is_stored() -> None:
    name, call = "01_kl_divergence", "kl.D_KL.values#public0"
    stored, allowed = load_references(name), {check.name: tolerance(check) for check in load_checks(name)}
    for factor, changed in ((1 + 1e-6, []), (1 + 1e-3, [call])):
        values = {key: value * np.float32(factor) for key, value in stored.outputs[call].items()}
        settled, found = settle(replace(stored, outputs=stored.outputs | {call: values}), stored, allowed)
        assert found == changed
        assert (settled.outputs[call] is values) == bool(changed)


def test_a_call_that_is_gone_or_new_is_said() -> None:
    stored, allowed = (
        load_references("01_kl_divergence"),
        {c.name: tolerance(c) for c in load_checks("01_kl_divergence")},
    )
    call = next(iter(stored.outputs))
    fewer = replace(stored, outputs={name: values for name, values in stored.outputs.items() if name != call})
    assert settle(fewer, stored, allowed)[1] == [call]
    assert settle(stored, fewer, allowed)[1] == [call]


def test_rebuilding_what_is_stored_writes_nothing(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "save_references", lambda *_, **__: pytest.fail("the files were written"))
    about = load_references("01_kl_divergence")
    monkeypatch.setattr(references, "build", lambda name, box: about)
    assert "left as they are" in references.rebuild("01_kl_divergence", grader.box)


@pytest.mark.parametrize("name", graded_assignments())
def test_the_stored_slips_are_those_of_the_file(name: str) -> None:
    stored = [(slip.task, slip.name, slip.sentence) for slip in load_references(name).slips]
    assert stored == [(slip.task, slip.name, slip.sentence) for slip in load_slips(name)], "run `make references`"


@pytest.mark.parametrize("name", graded_assignments())
def test_the_stored_solution_is_the_notebooks(name: str) -> None:
    assert load_references(name).solution == solution_cells(load_assignment(name)), "run `make references`"


@pytest.mark.parametrize("name", graded_assignments())
def test_the_files_say_how_they_were_made(name: str) -> None:
    about = json.loads((place_of(name).references / "about.json").read_text(encoding="utf-8"))
    assert about["command"].endswith(name)
    assert set(about["versions"]) >= {"python", "torch", "numpy"}


@pytest.mark.parametrize("name", graded_assignments())
def test_the_checks_of_each_task_add_up_to_its_points(name: str) -> None:
    rubric = load_rubric(name)
    assert {check.task for check in rubric.checks} == {task.id for task in rubric.assignment.tasks}
    assert len({check.name for check in rubric.checks}) == len(rubric.checks)


@pytest.mark.parametrize("seed", PUBLISHED)
def test_D_KL_holds_the_published_values(seed: int) -> None:
    value = load_references("01_kl_divergence").outputs[f"kl.D_KL.values#public{seed}"]["value"]
    np.testing.assert_allclose(value, PUBLISHED[seed], rtol=1e-5, atol=1e-5)


def _cases(check: str):
    references = load_references("01_kl_divergence")
    for call in references.outputs:
        if call.split("#")[0] == check:
            yield references.inputs[call], references.outputs[call]["value"]


def test_notebook_1_agrees_with_torch_distributions() -> None:
    """An independent computation, by the library the answers may not use."""
    import torch
    from torch.distributions import Independent, Normal
    from torch.distributions import kl_divergence as kl

    def gaussian(params: np.ndarray, dims: int = 1) -> Independent:
        tensor = torch.from_numpy(params).double()
        return Independent(Normal(tensor[..., :-1], tensor[..., -1:].exp().expand_as(tensor[..., :-1])), dims)

    for inputs, value in _cases("kl.gaussians.values"):
        mu1, s1, mu2, s2 = (
            torch.from_numpy(inputs[key]).double() for key in ("mu1", "log_sigma1", "mu2", "log_sigma2")
        )
        np.testing.assert_allclose(value, kl(Normal(mu1, s1.exp()), Normal(mu2, s2.exp())), rtol=1e-5, atol=1e-5)
    for inputs, value in _cases("kl.log_prob.values"):
        params = np.concatenate([inputs["mu"], inputs["log_sigma"][..., None]], axis=-1)
        np.testing.assert_allclose(
            value, gaussian(params).log_prob(torch.from_numpy(inputs["x"]).double()), rtol=1e-5, atol=1e-5
        )
    for inputs, value in _cases("kl.exact.values"):
        np.testing.assert_allclose(
            value, kl(gaussian(inputs["params_q"]), gaussian(inputs["params_p"])), rtol=1e-5, atol=1e-5
        )
    for inputs, value in _cases("kl.mc.values"):
        z = torch.from_numpy(inputs["samples_q"]).double()
        q, p = gaussian(inputs["params_q"][:, None]), gaussian(inputs["params_p"][:, None])
        np.testing.assert_allclose(value, (q.log_prob(z) - p.log_prob(z)).mean(1), rtol=1e-4, atol=1e-4)
    for inputs, value in _cases("kl.elbo.formula"):
        x, weight = torch.from_numpy(inputs["x"]).double(), torch.from_numpy(inputs["weight"]).double()
        mean = torch.from_numpy(inputs["params_q"][:, :-1]).double() @ weight  # the noise vanishes
        expected = -Normal(mean, float(np.exp(inputs["log_sig_x"]))).log_prob(x).sum(1)
        expected += kl(gaussian(inputs["params_q"]), gaussian(np.zeros_like(inputs["params_q"])))
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)
