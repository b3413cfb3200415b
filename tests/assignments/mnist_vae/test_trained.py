"""Handed-in weights of notebook 3 through the real pipeline: what they earn, and what no forgery does."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from assignments.mnist_vae.checks import trained
from assignments.mnist_vae.checks.held_out import read
from assignments.mnist_vae.checks.networks import OtherLayers
from assignments.mnist_vae.checks.trained import (
    CALLS,
    NARROW,
    NZ,
    PARTS,
    TOLD,
    Drawn,
    disagreement,
    draw,
    measure_annealed,
    score,
    trial,
)
from grader.authoring.solution import solution_names
from grader.records import Report, Verdict
from grader.stages.pipeline import Grader
from tests.attacks.weights import fresh, looks_up, pasting
from tests.support import answers
from tests.trained import hand_in, of_ours, weights_file
from utils.assignments import load_assignment

NAME = "03_mnist_vae"
FILE = "03_mnist_vae.safetensors"


@pytest.fixture(scope="module")
def grader(nursery):
    with Grader(NAME, "tests", nursery=nursery.requests) as one:
        yield one


def verdicts(report: Report) -> dict[str, Verdict]:
    assert not report.fault
    assert not report.rejection
    return {verdict.check: verdict for verdict in report.verdicts if verdict.check in PARTS}


def graded(grader: Grader, weights: bytes | None, data: bytes = b"") -> dict[str, Verdict]:
    return verdicts(grader.grade_bytes(hand_in(NAME, weights, data), "ada.zip", "ada"))


def test_what_is_declared_is_what_the_solution_makes() -> None:
    declared = load_assignment(NAME).about.weights
    assert declared is not None
    assert set(declared.models) == set(CALLS)
    for model, needs in declared.models.items():
        assert sum(value.size for value in fresh(model).values()) == needs.parameters, model
        assert disagreement(model, fresh(model), {}) != ""  # nothing said, nothing believed


def test_without_weights_a_person_looks(grader: Grader) -> None:
    for verdict in graded(grader, None).values():
        assert verdict.status == "manual"
        assert verdict.points == 0
        assert "was not handed in" in verdict.sentence


def test_untrained_weights_are_measured_and_worth_nothing(grader: Grader) -> None:
    found = graded(grader, weights_file(NAME, {model: fresh(model) for model in CALLS}))
    assert {verdict.status for verdict in found.values()} == {"wrong"}
    assert "nats on held-out digits" in found["cvae.samples.quality"].sentence
    assert all(verdict.figure.startswith("data:image/png") for verdict in found.values())


@pytest.mark.parametrize("of_real", [True, False])
@pytest.mark.parametrize("each", [1, 2, 4])
def test_pictures_that_were_typed_in_earn_nothing(of_real: bool, each: int) -> None:
    state = looks_up(of_real, each)
    drawn = draw("cvae", state, b"secret")
    digits, _ = read(drawn.images)
    assert (digits == drawn.asked).mean() > 0.5, "this forgery draws nothing that could be taken for a digit: mend it"
    assert not score("cvae.samples.quality", {"cvae": state}, b"secret").points


@pytest.mark.parametrize("part", ["nats", "diversity"])
def test_a_figure_that_is_no_number_speaks_for_nobody(monkeypatch, part: str) -> None:
    good = Drawn(
        nats=100.0,
        kl=9.0,
        kept=1.0,
        images=np.zeros((1000, 784)),
        asked=np.zeros(1000),
        read=1.0,
        worst=1.0,
        classes=10,
        diversity=0.7,
    )
    monkeypatch.setattr(trained, "draw", lambda *_: good)
    assert score("cvae.samples.quality", {"cvae": {}}, b"").points == 6
    assert score("vae.beta.quality3", {"vae": {}}, b"").points == 2
    monkeypatch.setattr(trained, "draw", lambda *_: replace(good, **{part: float("nan")}))
    assert score("cvae.samples.quality", {"cvae": {}}, b"").points is None
    assert score("vae.beta.quality3", {"vae": {}}, b"").points is None


def test_a_typed_in_decoder_waits_for_a_person(grader: Grader) -> None:
    found = graded(grader, weights_file(NAME, {"cvae": looks_up(True, 1)}))
    assert found["cvae.samples.quality"].status == "manual"
    assert "all alike" in found["cvae.samples.quality"].sentence
    assert "holds no vae" in found["vae.beta.quality3"].sentence


DAMAGED = {
    "NaN": lambda: weights_file(NAME, {"cvae": fresh("cvae") | {"mu_layer.bias": np.full(15, np.nan)}}),
    "60 MB": lambda: save({"cvae/w": np.zeros(30 * 2**20, np.float16)}),
    "a header of 1 GB": lambda: (2**30).to_bytes(8, "little") + b"{}",
    "no weights at all": lambda: b"weights",
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_file_that_cannot_be_read_costs_what_is_measured_on_it_alone(grader: Grader, what: str) -> None:
    report = grader.grade_bytes(hand_in(NAME, DAMAGED[what]()), "ada.zip", "ada")
    for verdict in verdicts(report).values():
        assert verdict.status == "malformed"
        assert verdict.points == 0
        assert FILE in verdict.sentence
    usual = grader.grade_bytes(hand_in(NAME, None), "ada.zip", "ada")
    assert sum(v.points for v in report.verdicts) == sum(v.points for v in usual.verdicts) > 0


def test_other_weights_than_the_code_asks_for_are_not_measured(grader: Grader) -> None:
    cvae = fresh("cvae")
    other = {key: (value[:, :400] if key == "encoder.0.weight" else value) for key, value in cvae.items()}
    renamed = {key.replace("mu_layer", "mean_layer"): value for key, value in cvae.items()}
    for state, said in ((other, "another shape"), (renamed, "putting the weights into your class raised")):
        verdict = graded(grader, weights_file(NAME, {"cvae": state}))["cvae.samples.quality"]
        assert verdict.status == "manual"
        assert said in verdict.sentence
    stale = weights_file(
        NAME, {"cvae": cvae}, data=answers(NAME, {"cvae.model.CVAE": "class CVAE(nn.Module):\n    pass"})
    )
    verdict = graded(grader, stale)["cvae.samples.quality"]
    assert verdict.status == "manual"
    assert "another version of cvae.model.CVAE" in verdict.sentence
    verdict = graded(grader, weights_file(NAME, {"cvae": cvae}, stand_in=True))["cvae.samples.quality"]
    assert verdict.status == "manual"
    assert "stand-in" in verdict.sentence


def test_a_class_that_draws_beside_its_weights_is_found_out(grader: Grader) -> None:
    data = pasting()
    found = graded(grader, weights_file(NAME, {"cvae": fresh("cvae")}, data=data), data)["cvae.samples.quality"]
    assert found.status == "manual"
    assert "your class makes other images of these weights" in found.sentence


def test_what_is_drawn_depends_on_the_secret_and_is_the_same_again() -> None:
    one, again, other = (draw("cvae", fresh("cvae"), secret).images for secret in (b"a", b"a", b"b"))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0


@pytest.mark.parametrize("model", CALLS)
def test_a_trial_tells_one_weight_from_another(model: str) -> None:
    """Any change of a layer shows in what the class makes of the trial inputs."""
    import torch

    from assignments.mnist_vae import probes
    from grader.authoring.trained import weights_as_inputs

    names, state = solution_names(NAME), {k: v.astype(np.float16).astype(np.float32) for k, v in fresh(model).items()}
    inputs = {
        key: torch.from_numpy(np.array(value)) for key, value in (trial(model) | weights_as_inputs(state)).items()
    }
    with torch.no_grad():
        said = {key: value.numpy() for key, value in getattr(probes, CALLS[model][1])(names, **inputs).items()}
    assert disagreement(model, state, said) == ""
    for key, value in state.items():
        assert disagreement(model, state | {key: value + 0.05}, said), key
    assert disagreement(model, {**state, "more.weight": np.zeros((2, 2), np.float32)}, said)
    with pytest.raises(OtherLayers):
        draw(model, {key: value for key, value in state.items() if "bias" not in key}, b"s")
    assert NZ == 32


def test_well_trained_models_earn_all_points(grader: Grader) -> None:
    """A student's own training with the solution's code and seed 0 ends near weights of ours, so nobody may be suspected for that."""
    files = {
        "cvae": "digits_cvae",
        "vae": "digits_beta_tuned",
        "fc_vae": "digits_fc_vae",
        "autoencoder": "digits_autoencoder",
    }
    models = {model: of_ours(NAME, file) for model, file in files.items()}
    report = grader.grade_bytes(hand_in(NAME, weights_file(NAME, models)), "ada.zip", "ada")
    found = verdicts(report)
    assert [(v.status, v.points) for v in found.values()] == [("passed", 2), ("passed", 6)]
    assert "Your autoencoder: 0.08" in found["vae.beta.quality3"].sentence
    assert report.cpu_seconds < 10  # one on an idle processor of today; a slow or a busy one takes several
    plain = grader.grade_bytes(hand_in(NAME, None), "ada.zip", "ada")
    assert sum(v.points for v in report.verdicts) == sum(v.points for v in plain.verdicts) + 8


def test_what_annealing_did_is_told_and_moves_no_point(grader: Grader) -> None:
    check = next(iter(TOLD))
    found = {}
    for what, files in {
        "none": {},
        "one": {"annealed": "digits_annealed"},
        "both": {"annealed": "digits_annealed", "unannealed": "digits_full"},
        "exchanged": {"annealed": "digits_full", "unannealed": "digits_annealed"},
    }.items():
        models = {model: of_ours(NAME, file) for model, file in files.items()} | {"cvae": fresh("cvae")}
        report = grader.grade_bytes(hand_in(NAME, weights_file(NAME, models)), "ada.zip", "ada")
        found[what] = next(v for v in report.verdicts if v.check == check)
    assert {(v.status, v.points) for v in found.values()} == {("passed", 1)}
    said = {what: verdict.sentence for what, verdict in found.items()}
    assert "the file of weights holds no annealed" in said["none"]
    assert "dimensions used" in said["one"]
    assert "annealing" not in said["one"].split("held-out digits")[1]
    assert "Here annealing ended lower" in said["both"]
    assert "Here annealing did not end lower" in said["exchanged"]


def test_a_dimension_that_says_nothing_is_not_used() -> None:
    """As section 2.4 counts: ours in use, none of a collapsed encoder, and each that is switched off one fewer."""
    state = of_ours(NAME, "digits_annealed")
    whole = measure_annealed("annealed", state, b"tests")
    assert 5 <= whole.used <= 8
    assert whole.squared + whole.kl < 34.3  # published
    last = max(key for key in state if key.startswith("encoder") and key.endswith("weight"))
    for code in range(NARROW):
        silent = {key: value.copy() for key, value in state.items()}
        for row in (code, NARROW + code):  # mean and width
            silent[last][row] = silent[last.replace("weight", "bias")][row] = 0
        one = measure_annealed("annealed", silent, b"tests")
        assert one.used in (whole.used - 1, whole.used)
        assert one.kl <= whole.kl
    for key in (last, last.replace("weight", "bias")):
        state[key] = np.zeros_like(state[key])
    none = measure_annealed("annealed", state, b"tests")
    assert (none.used, none.kl) == (0, 0)
    assert none.squared > 40


@pytest.mark.parametrize("only", ["", "decoder", "mu_layer"])
def test_weights_of_ours_are_nobodys_own(grader: Grader, only: str) -> None:
    """A file that says it was trained with these answers, and holds what came with the notebook, whole or in part."""
    own, ours = (of_ours(NAME, "digits_cvae", exact=exact) for exact in (False, True))
    mixed = {key: (ours if key.startswith(only) else own)[key] for key in own}
    found = graded(grader, weights_file(NAME, {"cvae": mixed}))["cvae.samples.quality"]
    assert (found.status, found.points) == ("manual", 0)
    assert "holds weights of ours" in found.sentence


@pytest.mark.parametrize(("file", "points"), [("digits_beta_0", 1), ("digits_beta_10", 0)])
def test_a_beta_that_is_none_shows(file: str, points: float) -> None:
    assert score("vae.beta.quality3", {"vae": of_ours(NAME, file)}, b"tests").points == points
