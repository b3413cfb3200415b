"""Handed-in weights of notebook 4: what is told of them, and that no point hangs on it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from assignments.cifar_dcgan.checks import trained
from assignments.cifar_dcgan.checks.trained import (
    NEAR,
    TOLD,
    decode,
    disagreement,
    generator_of,
    scenes,
    score,
    search,
    spectral_norms,
    spread,
)
from grader.authoring.solution import solution_names
from grader.authoring.trained import State
from grader.stages.pipeline import Grader
from tests.trained import hand_in, weights_file
from utils.assignments import load_assignment
from utils.training.weights import count

NAME, CHECK = "04_cifar_dcgan", "gan.reconstruct.images"
WEIGHTS = Path(trained.__file__).parents[1] / "weights"


def floats(module: torch.nn.Module) -> State:
    return {key: value.numpy() for key, value in module.state_dict().items() if value.is_floating_point()}


@pytest.fixture(scope="module")
def names() -> dict:
    torch.manual_seed(0)
    return solution_names(NAME)


def good() -> State:
    """A generator of ours after 100 epochs on photographs."""
    stored = load_file(WEIGHTS / "dcgan_generator.safetensors")
    return {key: value.astype(np.float32) for key, value in stored.items() if value.dtype.kind == "f"}


def constant(grey: float) -> State:
    """A generator that makes one grey whatever the code is."""
    state = {key: np.zeros_like(value) for key, value in good().items()}
    state["upsample.8.bias"] = np.full(3, np.log(grey / (1 - grey)), np.float32)
    state |= {key: np.ones_like(value) for key, value in state.items() if key.endswith("running_var")}
    return state


def test_what_is_declared_is_what_the_solution_makes(names: dict) -> None:
    declared = load_assignment(NAME).about.weights
    assert declared is not None
    made = {
        "generator": names["Generator"](64),
        "discriminator": names["Discriminator"](),
        "normed": names["SpectralDiscriminator"](),
    }
    assert {model: count(floats(module)) for model, module in made.items()} == {
        m: n.parameters for m, n in declared.models.items()
    }


def test_the_graders_generator_is_the_notebooks(names: dict) -> None:
    own = names["Generator"](64).eval()
    own.load_state_dict({**own.state_dict(), **{key: torch.from_numpy(value) for key, value in good().items()}})
    codes = torch.randn(5, 64)
    with torch.no_grad():
        torch.testing.assert_close(decode(generator_of(good()), codes), own(codes))


def test_a_trained_generator_comes_near_and_no_constant_image_does() -> None:
    images = scenes(b"tests")
    bound = NEAR * spread(images, each=True)
    assert bound < spread(images) / 2 < 0.145  # the source's demand, which one grey meets
    assert search(generator_of(good()), images) < 0.75 * bound
    assert search(generator_of(constant(images.mean().item())), images) > 1.8 * bound


@pytest.mark.parametrize("secret", [b"a", b"b"])
def test_what_is_told_does_not_hang_on_the_draw(secret: bytes, names: dict) -> None:
    fresh = floats(names["DCGAN"]()._generator)
    assert "at least twice as near" in score(CHECK, {"generator": good()}, secret).text
    for state in (fresh if secret == b"a" else constant(0.5),):
        text = score(CHECK, {"generator": state}, secret).text
        assert "does not come twice as near" in text
        assert "they are alike" in text


def test_a_generator_that_answers_every_code_alike_is_a_collapse() -> None:
    state = good()
    state["fc.weight"] = 0.02 * state["fc.weight"]
    assert "they are alike" in score(CHECK, {"generator": state}, b"a").text
    assert "they are alike" not in score(CHECK, {"generator": good()}, b"a").text


def test_singular_values_are_those_of_the_weights_in_use(names: dict) -> None:
    network = names["SpectralDiscriminator"]()
    for _ in range(30):
        network.train()(torch.rand(8, 3, 32, 32))
    used = [layer.weight for layer in network.eval().modules() if isinstance(layer, torch.nn.Conv2d)]
    wanted = [torch.linalg.matrix_norm(weight.detach().flatten(1), 2).item() for weight in used]
    assert spectral_norms(floats(network)) == pytest.approx(wanted, rel=1e-3)
    plain = names["Discriminator"]()
    wanted = [
        torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item()
        for layer in plain.modules()
        if isinstance(layer, torch.nn.Conv2d)
    ]
    assert spectral_norms(floats(plain)) == pytest.approx(wanted, rel=1e-3)


def test_weights_of_another_network_are_not_measured() -> None:
    state = good()
    assert disagreement("generator", state, {}) == ""
    state["more"] = state.pop("fc.bias")
    assert "other layers" in disagreement("generator", state, {})


def test_what_is_measured_moves_no_point(nursery) -> None:
    with Grader(NAME, "tests", nursery=nursery.requests) as grader:
        weights = {
            "none": None,
            "good": weights_file(NAME, {"generator": good()}),
            "renamed": weights_file(NAME, {"generator": {f"x{key}": value for key, value in good().items()}}),
            "stale": weights_file(NAME, {"generator": good()}, code={}),
            "stand-in": weights_file(NAME, {"generator": good()}, stand_in=True),
            "no file": b"nothing",
        }
        reports = {what: grader.grade_bytes(hand_in(NAME, data), "ada.zip", "ada") for what, data in weights.items()}
    assert {what: report.fault for what, report in reports.items()} == dict.fromkeys(reports, "")
    told = {what: next(v.sentence for v in report.verdicts if v.check == CHECK) for what, report in reports.items()}
    scores = {what: [(v.check, v.status, v.points) for v in report.verdicts] for what, report in reports.items()}
    assert all(score == scores["none"] for score in scores.values())
    assert "Measured from your weights" in told["good"]
    assert "Measured from your weights" in told["stand-in"]
    assert "other layers" in told["renamed"]
    assert "another version of gan.init" in told["stale"]
    assert told["none"] == told["no file"]
    assert set(TOLD) == {CHECK}
