"""Handed-in weights of notebook 2: what is told of them, and that no point hangs on it."""

import numpy as np
import pytest
import torch
import yaml

from assignments.airfoil_vae.checks import trained
from assignments.airfoil_vae.checks.given import given
from assignments.airfoil_vae.checks.trained import TOLD, disagreement, prepared, score, trial
from assignments.airfoil_vae.numbers import MODEL, TRAIN
from assignments.airfoil_vae.probes import trained_vae
from grader.authoring.solution import solution_names
from grader.authoring.trained import State, weights_as_inputs
from grader.records import Verdict
from grader.stages.pipeline import Grader
from tests.support import answers
from tests.trained import hand_in, of_ours, weights_file
from utils.datasets.airfoils import AirfoilDataset
from utils.training.weights import read_weights

NAME, CHECK = "02_airfoil_vae", next(iter(TOLD))
FILES = {"model_config.yaml": yaml.safe_dump(MODEL).encode(), "train_config.yaml": yaml.safe_dump(TRAIN).encode()}


@pytest.fixture(scope="module")
def names() -> dict:
    return solution_names(NAME)


def fresh(names: dict) -> State:
    torch.manual_seed(0)
    return {key: value.numpy() for key, value in names["VAE"](**MODEL).state_dict().items()}


def good() -> State:
    """Trained with the published configuration, as the bundle holds it."""
    return of_ours(NAME, "airfoils_design")


def said_by(names: dict, state: State) -> dict[str, np.ndarray]:
    inputs = trial("vae", FILES) | weights_as_inputs(state)
    with torch.no_grad():
        said = trained_vae(names, **{key: torch.from_numpy(np.array(value)) for key, value in inputs.items()})
    return {key: value.numpy() for key, value in said.items()}


def half(state: State) -> State:
    return {key: value.astype(np.float16).astype(np.float32) for key, value in state.items()}


def worth(names: dict, state: State, secret: bytes = b"tests") -> str:
    state = half(state)
    said = said_by(names, state)
    assert disagreement("vae", state, said) == ""
    return score(CHECK, {"vae": prepared("vae", state, said)}, secret).text


@pytest.mark.parametrize("secret", [b"a", b"b", b"c"])
def test_what_is_told_does_not_hang_on_the_draw(names: dict, secret: bytes) -> None:
    assert "worth 15 of 15 points, smooth and diverse" in worth(names, good(), secret)
    assert "worth 0 of 15 points" in worth(names, fresh(names), secret)


def test_a_collapse_and_typed_in_profiles_are_told(names: dict) -> None:
    flat = good()
    first = next(key for key, value in flat.items() if key.startswith("decoder") and value.shape[1:] == (10,))
    flat[first] = 0.01 * flat[first]
    assert "all samples are alike" in worth(names, flat)
    pasted = {key: np.zeros_like(value) for key, value in good().items()}
    bias = next(key for key, value in pasted.items() if value.shape == (200,) and key.startswith("decoder"))
    pasted[bias] = AirfoilDataset().profiles[0].copy()
    assert "0 of 15 points, 24 of 24 are copies" in worth(names, pasted)


def test_every_weight_of_the_decoder_counts_and_the_order_of_the_file_does_not(names: dict) -> None:
    state = half(good())
    said = said_by(names, state)
    turned = dict(sorted(state.items(), reverse=True))
    codes = given({}, b"x").codes
    made = [trained.decoder_of(prepared("vae", one, said_by(names, one))) for one in (state, turned)]
    np.testing.assert_array_equal(made[0](torch.from_numpy(codes)), made[1](torch.from_numpy(codes)))  # type: ignore[misc]
    for key in [key for key in state if key.startswith("decoder")]:
        assert disagreement("vae", state | {key: state[key] + 0.5}, said), key


@pytest.mark.parametrize(
    "order", [np.empty(0), np.array([0.5]), np.array([-1]), np.array([99]), np.array([[0]]), np.array([0, 1])]
)
def test_whatever_a_process_says_of_its_decoder_is_looked_at_first(order: np.ndarray) -> None:
    assert "other parts" in disagreement("vae", good(), {"order": order, "trial": np.zeros((16, 200), np.float32)})


def _told(grader: Grader, weights: bytes | None, data: bytes = b"", files: dict[str, bytes] | None = None) -> Verdict:
    report = grader.grade_bytes(hand_in(NAME, weights, data, FILES if files is None else files), "ada.zip", "ada")
    assert not report.fault
    assert sum(v.points for v in report.verdicts) <= 60
    return next(v for v in report.verdicts if v.check == CHECK)


def test_no_point_hangs_on_the_weights(names: dict, nursery) -> None:
    saved = weights_file(NAME, {"vae": good()}, files=FILES)
    assert len(saved) < 2 * 2**20
    assert set(read_weights(saved).files) == set(FILES)
    slower = FILES | {"train_config.yaml": yaml.safe_dump(TRAIN | {"n_iters": 3000}).encode()}
    wider = FILES | {"model_config.yaml": yaml.safe_dump(MODEL | {"hidden_dims": [512, 256, 129]}).encode()}
    beside = answers(NAME, {"air.decoder": DRAWS_BESIDE})
    with Grader(NAME, "tests", quality_seconds=0, nursery=nursery.requests) as grader:
        found = {
            "none": _told(grader, None),
            "good": _told(grader, saved),
            "untrained": _told(grader, weights_file(NAME, {"vae": fresh(names)}, files=FILES)),
            "stale": _told(grader, weights_file(NAME, {"vae": good()}, code={}, files=FILES)),
            "other training": _told(grader, saved, files=slower),
            "no configuration": _told(grader, weights_file(NAME, {"vae": good()}), files={}),
            "other widths": _told(grader, weights_file(NAME, {"vae": good()}, files=wider), files=wider),
            "no file": _told(grader, b"nothing"),
            "drawn beside": _told(grader, weights_file(NAME, {"vae": good()}, data=beside, files=FILES), beside),
        }
    assert {(v.status, v.points) for v in found.values()} == {("manual", 0)}
    said = {what: verdict.sentence for what, verdict in found.items()}
    assert all("waits for the run that trains your model again" in sentence for sentence in said.values())
    assert "would be worth 15 of 15" in said["good"]
    assert "would be worth 0 of 15" in said["untrained"]
    assert "another version of air.encoder" in said["stale"]
    assert "another train_config.yaml than is handed in" in said["other training"]
    assert "model_config.yaml is not in the file" in said["no configuration"]
    assert "putting the weights into your class raised" in said["other widths"]
    assert "makes something else of these weights" in said["drawn beside"]
    assert said["none"] == said["no file"]


DRAWS_BESIDE = """class Decoder(nn.Module):
    def __init__(self, latent_size, hidden_dims, output_size):
        super().__init__()
        widths = [latent_size, *hidden_dims, output_size]
        layers = []
        for n_in, n_out in zip(widths, widths[1:]):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, z):
        return self.layers(z) + torch.sin(z[:, :1])
"""
