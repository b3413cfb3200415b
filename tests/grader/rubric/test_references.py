"""The reference values are what `make references` makes, and agree with independent computation."""

import json

import numpy as np
import pytest

from grader.authoring.check import Arrays
from grader.authoring.slips import load_slips
from grader.rubric import load_rubric
from grader.rubric.references import load_references
from grader.stages.pipeline import Grader, graded_assignments
from tools.references import build, solution_cells
from utils.assignments import load_assignment
from utils.assignments.places import place_of

PUBLISHED = {0: 0.9318599700927734, 1: 1.0280910730361938, 2: 0.853870153427124}


@pytest.mark.parametrize("name", graded_assignments())
def test_rebuilding_gives_the_stored_values(grader: Grader, name: str) -> None:
    """Of the slips every tenth: each is run, and must be named, in test_answers."""
    stored, sampled = load_references(name), load_slips(name)[::10]
    rebuilt = build(name, grader.box, sampled)
    assert rebuilt.outputs.keys() == stored.outputs.keys()
    for call in rebuilt.outputs:
        _assert_same(rebuilt.outputs[call], stored.outputs[call], call)
        for key, value in rebuilt.inputs[call].items():
            np.testing.assert_array_equal(
                value, stored.inputs[call][key], err_msg=f"{call} {key}: run `make references`"
            )
    for slip in rebuilt.slips:
        kept = next(s for s in stored.slips_of(slip.task) if s.name == slip.name)
        assert kept.outputs.keys() == slip.outputs.keys(), "run `make references`"
        for call in slip.outputs:
            _assert_same(slip.outputs[call], kept.outputs[call], f"{slip.name} {call}")


def _assert_same(rebuilt: Arrays, stored: Arrays, where: str) -> None:
    for key, value in rebuilt.items():
        np.testing.assert_allclose(value, stored[key], rtol=1e-5, atol=1e-6, err_msg=f"{where} {key}")


@pytest.mark.parametrize("name", graded_assignments())
def test_the_stored_slips_are_those_of_the_file(name: str) -> None:
    stored = [(slip.task, slip.name, slip.sentence) for slip in load_references(name).slips]
    assert stored == [(slip.task, slip.name, slip.sentence) for slip in load_slips(name)], "run `make references`"


@pytest.mark.parametrize("name", graded_assignments())
def test_the_stored_solution_is_the_notebooks(name: str) -> None:
    assert load_references(name).solution == solution_cells(load_assignment(name)), "run `make references`"


@pytest.mark.parametrize("name", graded_assignments())
def test_the_files_say_how_they_were_made(name: str) -> None:
    about = json.loads((place_of(name).references / "about.json").read_text())
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
