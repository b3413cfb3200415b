"""The judges and stand-ins of notebook 3, and its reference values against independent computation."""

from itertools import combinations

import numpy as np
import pytest
import torch
from support import answers
from torch import nn
from torch.distributions import Normal
from torch.distributions import kl_divergence as kl

from assignments.mnist_vae.checks import nets, sampling
from grader.probe_kit.stand_ins import (
    Emit,
    Show,
    Witness,
    fill,
    flat_encoder,
    flat_images,
    no_workers,
    plain_layers,
    shown,
    silence,
    uniform,
)  # fmt: skip
from grader.probe_kit.tools import seeds
from grader.records import Verdict
from grader.rubric.references import load_references
from grader.stages.pipeline import Grader
from utils import rel_error

NAME = "03_mnist_vae"


def _cases(check: str):
    references = load_references(NAME)
    found = [call for call in references.outputs if call.split("#")[0] == check]
    assert found
    return [(references.inputs[call], references.outputs[call]) for call in found]


# ---------------------------------------------------------------- reference values


def test_the_published_values_are_among_the_references() -> None:
    draw = _cases("fc.reparametrize.published")[0][1]
    loss = _cases("fc.loss.values")[0][1]["loss"]
    assert rel_error(draw["mean"], -0.4363) <= 1e-4
    assert rel_error(draw["std"], 1.6860) <= 1e-4
    assert rel_error(loss, 8.5079) <= 1e-5


def test_the_counts_are_the_published_formulas() -> None:
    h, size = 400, 784
    for inputs, counts in _cases("cvae.model.CVAE.layers"):
        c, z = int(inputs["num_classes"]), int(inputs["latent_size"])
        assert int(counts["encoder"]) == (size + c + 1) * h + 2 * (h + 1) * h
        assert int(counts["decoder"]) == (z + c + 1) * h + 2 * (h + 1) * h + (h + 1) * size
        assert int(counts["mu_layer"]) == int(counts["logvar_layer"]) == (h + 1) * z


def test_the_vae_loss_agrees_with_torch_distributions() -> None:
    for inputs, values in _cases("vae.model.loss"):
        seed, q = int(inputs["seed"]), torch.from_numpy(inputs["q"]).double()
        rec, x = 0.9 * uniform(seed, len(q), 1, 784) + 0.05, uniform(seed + 1, len(q), 1, 784)
        mu, log_sigma = q.chunk(2, dim=1)
        bce = -(x * rec.log() + (1 - x) * (1 - rec).log()).double().mean()
        divergence = kl(Normal(mu, log_sigma.exp()), Normal(0.0, 1.0)).mean()
        expected = {"rec_loss": bce, "kl_loss": divergence, "total": bce + float(inputs["beta"]) * divergence}
        for name, value in expected.items():
            np.testing.assert_allclose(values[name], value, rtol=1e-5)


def test_the_elbo_agrees_with_its_definition() -> None:
    for inputs, values in _cases("conv.vae.elbo"):
        K, seed, images = (int(inputs[name]) for name in ("K", "seed", "images"))
        encoder, decoder = flat_encoder(K + 1, seed), flat_images(K, seed + 1)
        silence(encoder, K + 1, K)
        x = uniform(seed, images, 1, 28, 28)
        with torch.no_grad():
            mu = encoder(x)[:, :-1]
            log_p = Normal(decoder(mu), float(np.exp(inputs["log_sig_x"]))).log_prob(x).sum(dim=(1, 2, 3))
            divergence = kl(Normal(mu, torch.full_like(mu, -16.0).exp()), Normal(0.0, 1.0)).sum(dim=1)
        np.testing.assert_allclose(values["elbo"], (log_p - divergence).mean(), rtol=1e-4)


# ---------------------------------------------------------------- stand-ins


def test_filled_layers_do_not_depend_on_names_or_order() -> None:
    first = fill(nn.ModuleDict({"a": nn.Linear(5, 3), "b": nn.Linear(3, 2)}), 7)
    second = fill(nn.ModuleDict({"late": nn.Linear(3, 2), "early": nn.Linear(5, 3)}), 7)
    torch.testing.assert_close(first["a"].weight, second["early"].weight)
    torch.testing.assert_close(first["b"].bias, second["late"].bias)
    assert not torch.equal(first["a"].weight, fill(nn.Linear(5, 3), 8).weight)


def test_filling_leaves_the_global_generator_alone() -> None:
    layer = nn.Linear(5, 3)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    fill(layer, 7)
    uniform(1, 4)
    torch.testing.assert_close(torch.rand(3), expected)


def test_what_show_writes_can_be_read_again() -> None:
    z = torch.linspace(-8, 8, 12).reshape(4, 3)
    torch.testing.assert_close(shown(Show(1, 28, 28)(z), 3), z, rtol=1e-3, atol=1e-3)
    assert shown(Show(1, 784)(Emit(torch.ones(2))(torch.zeros(4, 1, 784))), 2).shape == (4, 2)


def test_layers_are_plain_and_loaders_alone_only_for_a_while() -> None:
    with plain_layers():
        assert len(nn.Linear(3, 2).weight.unique()) == 1
    assert nn.Linear(3, 2).weight.any()
    with no_workers():
        assert torch.utils.data.DataLoader([1, 2], num_workers=2, persistent_workers=True).num_workers == 0
    assert torch.utils.data.DataLoader([1, 2], num_workers=2).num_workers == 2


# ---------------------------------------------------------------- judges

MU, LOG_SIGMA = np.array([1.0, -1.2, 1.3], np.float32), np.array([-0.7, 0.5, 0.8], np.float32)
INPUTS = {"mu": MU, "log_sigma": LOG_SIGMA, "images": np.asarray(1000)}


def _z(rng: np.random.Generator, scale: np.ndarray) -> np.ndarray:
    return (MU + scale * rng.standard_normal((1000, 3))).astype(np.float32)


@pytest.mark.parametrize("seed", range(50))
def test_right_noise_passes_every_time(seed: int) -> None:
    assert sampling.noise("log_sigma")({"z": _z(np.random.default_rng(seed), np.exp(LOG_SIGMA))}, {}, INPUTS) is None


@pytest.mark.parametrize(
    ("scale", "slip"),
    [
        (np.exp(LOG_SIGMA / 2), "log_sigma_as_logvar"),
        (np.exp(2 * LOG_SIGMA), "variance_for_sigma"),
        (LOG_SIGMA, "log_sigma_for_sigma"),
        (np.ones(3), "noise_not_scaled"),
        (np.zeros(3), "no_noise"),
        (np.exp(MU), "swapped_halves"),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_wrong_scale_is_named_for_every_draw(scale: np.ndarray, slip: str, seed: int) -> None:
    symptom = sampling.noise("log_sigma")({"z": _z(np.random.default_rng(seed), scale)}, {}, INPUTS)
    assert symptom is not None
    assert symptom.slip == slip


def test_noise_that_comes_twice_is_named() -> None:
    half = _z(np.random.default_rng(0), np.exp(LOG_SIGMA))[:500]
    symptom = sampling.noise("log_sigma")({"z": np.concatenate([half, half])}, {}, INPUTS)
    assert symptom is not None
    assert symptom.slip == "seed_fixed_inside"


@pytest.mark.parametrize("z", [np.empty(0), np.zeros((1000, 2)), np.full((1000, 3), np.nan), np.zeros((1000, 3), int)])
def test_what_is_no_sample_is_said(z: np.ndarray) -> None:
    assert sampling.noise("log_sigma")({"z": z}, {}, INPUTS) is not None
    assert sampling.noise("log_sigma")({}, {}, INPUTS) is not None


WIDE = {
    "posterior": np.array([0.2, 0.6, 0.9], np.float32), "n": np.asarray(150), "images": np.asarray(2),
    "grey": np.asarray(0.5), "log_sig_x": np.asarray(0.1),
}  # fmt: skip


def _elbos(seed: int, sigma: float, is_shared: bool = False) -> dict[str, np.ndarray]:
    """Of four calls, without the constants, where the code has this width; its numbers may share their noise."""
    eps = np.random.default_rng(seed).standard_normal((4, 300, 1 if is_shared else 2))
    sums = (np.array([0.2, 0.6]) + sigma * eps).sum(axis=-1)
    return {"elbos": -((sums - 0.5) ** 2).mean(axis=1) / (2 * np.exp(0.2)) - 700, "of_grey": np.asarray(-700.0)}


@pytest.mark.parametrize("seed", range(20))
def test_the_elbo_of_a_wide_posterior_is_that_of_its_width(seed: int) -> None:
    sigma, judge = np.exp(0.9), sampling.averaged_over_draws
    assert judge(_elbos(seed, sigma), {}, WIDE) is None
    for width in (0, sigma**0.5, sigma**2):
        assert judge(_elbos(seed, width), {}, WIDE) is not None
    assert judge(_elbos(seed, sigma, is_shared=True), {}, WIDE) is not None


@pytest.mark.parametrize("width", [0.9, 1.1])
def test_codes_of_another_width_are_seen(width: float) -> None:
    z = np.array([0.2, 0.6]) + np.exp(0.9) * np.random.default_rng(0).standard_normal((4 * 300, 2))
    right = _elbos(0, np.exp(0.9))
    assert sampling.averaged_over_draws(right | {"z": z}, {}, WIDE) is None
    assert sampling.averaged_over_draws(right | {"z": width * (z - [0.2, 0.6]) + [0.2, 0.6]}, {}, WIDE) is not None


def test_elbos_of_a_seed_inside_or_of_nothing_are_seen() -> None:
    right = _elbos(0, np.exp(0.9))
    for elbos in (right["elbos"][[0] * 4], right["elbos"][:1], np.array([np.nan, -700, -700, -700])):
        assert sampling.averaged_over_draws(right | {"elbos": elbos}, {}, WIDE) is not None


def test_a_one_hot_row_has_the_type_of_the_weights() -> None:
    rows = {"rows": np.eye(3, dtype=np.float32)}
    assert nets.float32_rows(rows, rows, {}) is None
    assert (symptom := nets.float32_rows({"rows": np.eye(3)}, rows, {})) is not None
    assert symptom.slip == "other_floats"
    assert nets.float32_rows({"rows": 2 * rows["rows"]}, rows, {}) is not None


def test_a_name_within_another_name_is_no_dependency(grader: Grader) -> None:
    cells = {name: cell.source for cell in load_references(NAME).solution for name in cell.tasks}
    wrong = {
        "vae.model": cells["vae.model"].replace("self.beta * kl_loss", "kl_loss"),
        "conv.vae": cells["conv.vae"].replace("- kl.mean()", "+ kl.mean()"),
    }
    verdicts = grader.grade_bytes(answers(NAME, wrong), "a.ipynb", "student").verdicts
    assert {verdict.slip for verdict in verdicts if verdict.check == "conv.vae.elbo"} == {"kl_added"}


KEPT = {"of_few": np.asarray(0), "of_many": np.asarray(468), "is_in_order": np.asarray(True)}
LOADED = {"labels": np.arange(23), "batch_size": np.asarray(5)}
ORDER = np.random.default_rng(0).permutation(23)
IMAGES = np.broadcast_to(ORDER[:20].reshape(-1, 1, 1, 1), (20, 1, 2, 2))


@pytest.mark.parametrize(
    ("values", "slip"),
    [
        ({"sizes": [5, 5, 5, 5, 3], "first": ORDER, "second": ORDER}, "drop_last_missing"),
        ({"sizes": [5, 5, 5, 5], "first": ORDER[[0, 0, 1]], "second": ORDER}, "drawn_with_replacement"),
        ({"sizes": [20], "first": ORDER, "second": ORDER}, ""),
        ({"sizes": [5] * 4, "first": ORDER[:20], "second": ORDER, "images": IMAGES[::-1]}, "labels_apart"),
        ({"sizes": [5] * 4, "first": ORDER[:20], "second": ORDER, "images": IMAGES[:19]}, ""),
        ({}, ""),
    ],
)
def test_batches_that_are_not_full_are_said(values: dict, slip: str) -> None:
    symptom = nets.full_batches(KEPT | {name: np.asarray(value) for name, value in values.items()}, {}, LOADED)
    assert symptom is not None
    assert symptom.slip == slip


@pytest.mark.parametrize(("call", "is_seed"), [(lambda: torch.rand(3), False), (lambda: torch.manual_seed(3), True)])
def test_a_seed_left_behind_is_told_from_a_draw(call, is_seed: bool) -> None:
    assert seeds(call) is is_seed


@pytest.mark.parametrize("same", [(), *combinations(range(6), 2)])
def test_two_equal_images_are_said(same: tuple[int, ...]) -> None:
    rng, marks = np.random.default_rng(0), np.array([0.2, 0.8], np.float32)
    made = {name: rng.uniform(size=(6, 14)).astype(np.float32) for name in ("first", "second")}
    for images in made.values():
        images[:, -1] = marks[0]
        images[list(same[:1])] = images[list(same[1:])]
    found = nets.quiet(made | {"tracks_gradient": np.asarray(False)}, {}, {"n_samples": np.asarray(6), "marks": marks})
    assert (found is not None and "two of the images are the same" in found.text) == bool(same)


def test_full_batches_of_examples_beside_their_labels_pass() -> None:
    values = {"sizes": np.full(4, 5), "first": ORDER[:20], "second": ORDER[3:], "images": IMAGES, "ever": ORDER} | KEPT
    assert nets.full_batches(values, {}, LOADED) is None
    assert nets.full_batches(values | {"of_few": np.asarray(1)}, {}, LOADED) is not None
    assert nets.full_batches(values | {"of_many": np.asarray(156)}, {}, LOADED) is not None
    assert nets.full_batches(values | {"is_in_order": np.asarray(False)}, {}, LOADED) is not None
    assert (symptom := nets.full_batches(values | {"ever": ORDER[:22]}, {}, LOADED)) is not None
    assert symptom.slip == "examples_left_out"


def test_only_the_first_loss_counts_behind_wrong_steps() -> None:
    """One mistake costs one check: behind a wrong step the later losses cannot be right."""
    right = {"losses": np.array([0.9, 0.8, 0.7, 0.6]), "parameters": np.ones(3), "holds_numbers": np.asarray(True)}
    right |= {"long_run": np.ones(()), "draws": np.arange(16.0).reshape(2, 8)}
    averaged = right | {"losses": np.array([0.9, 0.85, 0.8, 0.75])}
    assert nets.losses(right, right, {}) is None
    assert (symptom := nets.losses(averaged, right, {})) is not None
    assert symptom.slip == "running_average"
    assert nets.losses(averaged | {"parameters": np.zeros(3)}, right, {}) is None
    assert nets.losses(right | {"losses": np.array([0.8, 0.8, 0.7, 0.6])}, right, {}) is not None
    assert nets.losses(right | {"losses": right["losses"][:3]}, right, {}) is not None
    assert nets.losses(right | {"holds_numbers": np.asarray(False)}, right, {}) is None
    assert nets.tensors_kept(right, right, {}) is None
    assert nets.tensors_kept(right | {"holds_numbers": np.asarray(False)}, right, {}) is not None


def test_the_witness_tells_its_mode_and_what_shrinks_it() -> None:
    witness, x = Witness(), torch.ones(2, 3, requires_grad=True)
    assert torch.equal(witness(x), x)
    witness(x).sum().backward()
    assert witness.idle.grad is not None
    assert not witness.idle.grad.any()  # a gradient of 0, and not none at all: weight decay then acts
    assert torch.equal(witness.eval()(x), x / 2)


@pytest.mark.parametrize(
    "judge", [nets.quiet, nets.shuffled, nets.full_batches, sampling.prior, sampling.gradient("log_sigma")]
)
def test_an_answer_without_values_fails(judge) -> None:
    assert judge({}, {}, INPUTS | LOADED | {"n_samples": np.asarray(9), "nz": np.asarray(2)}) is not None


# ---------------------------------------------------------------- slips written another way than in slips.py

OTHER_WAYS = {
    "reconstruct_samples": (
        "vae.model", "mu, _ = self.encoder(x).chunk(2, dim=-1)", "a, b = self.encoder(x).chunk(2, -1); mu = torch.normal(a, b.exp())",
    ),
    "class_not_in_decoder": ("cvae.model.CVAE", "torch.cat([z, c], dim=1)", "torch.cat([z, c.mean(0, keepdim=True).expand_as(c)], dim=1)"),
    "class_not_in_encoder": ("cvae.model.CVAE", "torch.cat([x.flatten(1), c], dim=1)", "torch.cat([x.flatten(1), torch.ones_like(c)], dim=1)"),
    "gradient_tracked": ("conv.generate", "with torch.no_grad():", "if True:"),
    "width_not_a_parameter": ("conv.vae", "nn.Parameter(torch.zeros(()))", "torch.zeros((), requires_grad=True)"),
    "variance_for_sigma": ("fc.reparametrize", "torch.exp(0.5 * logvar)", "torch.exp(0.5 * logvar) ** 2"),
    "shuffle_missing": ("ae.train.make_loader", "shuffle=True", "sampler=range(len(dataset))"),
}  # fmt: skip


@pytest.mark.parametrize("slip", OTHER_WAYS)
def test_a_slip_is_named_however_it_is_written(grader: Grader, slip: str) -> None:
    task, old, new = OTHER_WAYS[slip]
    cells = {name: cell.source for cell in load_references(NAME).solution for name in cell.tasks}
    assert old in cells[task]
    report = grader.grade_bytes(answers(NAME, {task: cells[task].replace(old, new)}), "a.ipynb", "student")
    failed: list[Verdict] = [
        verdict for verdict in report.verdicts if verdict.task == task and verdict.status == "wrong"
    ]
    assert slip in {verdict.slip for verdict in failed}, [verdict.sentence for verdict in failed]
