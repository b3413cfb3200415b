"""The quality score of notebook 2: what samples are worth, and what happens to models that cannot be trained again.

`airfoil_samples.npz` holds samples of models trained in `assignments.airfoil_vae.evidence` before profiles were bent, one set for each of five seeds.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from support import answers

from assignments.airfoil_vae.checks.given import BEND, Given, given
from assignments.airfoil_vae.checks.quality import MISSED, Score, picture, score, score_values
from assignments.airfoil_vae.checks.rebuilt import decoder_of, nearest_made, run, trial_codes
from assignments.airfoil_vae.numbers import MODEL
from assignments.airfoil_vae.probes import decoder_values
from grader.records import Report, Verdict
from grader.report import feedback_page, overall_status, results_json
from grader.sandbox.sitting import Sitting
from grader.stages.pipeline import Grader
from utils.datasets.airfoils import AirfoilDataset

NAME = "02_airfoil_vae"
TRAIN = {"beta": 0.00043, "optimizer_config": {"lr": 1e-3}, "n_iters": 300}
SAMPLES = np.load(Path(__file__).with_name("airfoil_samples.npz"))
EXPECTED = {
    "published": (15, 15),
    "300_iterations": (8, 8),
    "beta_0": (0, 8),
    "beta_0.02_(collapse)": (5, 5),
    "untrained": (0, 0),
}


@pytest.fixture(scope="module")
def profiles() -> np.ndarray:
    return AirfoilDataset().profiles


# ---------------------------------------------------------------- samples


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", EXPECTED)
def test_trained_models_earn_what_the_rubric_says(kind: str, seed: int) -> None:
    low, high = EXPECTED[kind]
    assert low <= score(SAMPLES[f"{kind}-{seed}"].astype(np.float32)).points <= high


def _with_noise(profiles: np.ndarray, size: float) -> Score:
    """A good model's samples and noise of a standard deviation, in heights."""
    good = SAMPLES["published-0"].astype(np.float32)
    return score(good + np.random.default_rng(0).normal(0, size, good.shape).astype(np.float32))


def test_noise_costs_points_by_its_size(profiles: np.ndarray) -> None:
    points = [_with_noise(profiles, size).points for size in (0, 0.004, 0.005, 0.006, 0.02)]
    assert points[0] == 15
    assert points == sorted(points, reverse=True)
    assert 8 <= points[2] <= 12
    assert points[-1] == 0
    assert "tremble" in _with_noise(profiles, 0.005).text


def test_one_wing_over_and_over_is_worth_5() -> None:
    one = score(np.repeat(SAMPLES["published-0"][:1].astype(np.float32), 24, axis=0))
    assert one.points == 5
    assert "collapsed" in one.text


def test_alike_and_rough_is_worth_nothing() -> None:
    one = np.repeat(SAMPLES["300_iterations-0"][:1].astype(np.float32), 24, axis=0)
    assert score(one).points == 0


def test_too_little_diversity_costs_points() -> None:
    good = SAMPLES["published-0"].astype(np.float32)
    half = score(good.mean(axis=0) + 0.5 * (good - good.mean(axis=0)))
    assert 8 <= half.points <= 12
    assert "differ too little" in half.text


def test_real_profiles_are_no_samples(profiles: np.ndarray) -> None:
    copied = score(profiles[::65][:24])
    assert copied.points == 0
    assert "24 of 24 are copies" in copied.text
    assert "copies" in score(profiles[::65][:24] + np.float32(5e-4)).text


def test_crossing_surfaces_are_no_wings() -> None:
    turned = SAMPLES["published-0"].astype(np.float32)[:, ::-1]
    assert score(turned).points == 0
    assert "cross" in score(turned).text


@pytest.mark.parametrize(
    "values",
    [{}, {"samples": np.zeros((24, 199), np.float32)}, {"samples": np.zeros(0)}, {"samples": np.zeros((24, 200), np.int64)},
     {"samples": np.full((24, 200), np.nan)}, {"samples": np.full((24, 200), np.inf)}, {"other": np.zeros(1)}],
)  # fmt: skip
def test_what_is_no_set_of_samples_is_a_sentence(values: dict) -> None:
    points, text = score_values(values, {}, b"")
    assert points == 0
    assert text.startswith("generate(24): samples")
    assert picture(values, {}, b"") == ""


def test_huge_samples_are_scored_and_drawn() -> None:
    values = {"samples": np.full((24, 200), 3e38, np.float32)}
    assert score_values(values, {}, b"")[0] == 0
    assert picture(values, {}, b"").startswith("data:image/png;base64,")


# ---------------------------------------------------------------- the whole way


@pytest.fixture(scope="module")
def retraining(nursery) -> Iterator[Grader]:
    with Grader(NAME, salt="tests", quality_seconds=120, nursery=nursery.requests) as running:
        yield running


def _zip(model: object = MODEL, train: object = TRAIN, replaced: dict[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{NAME}.ipynb", answers(NAME, replaced))
        for name, config in (("model_config.yaml", model), ("train_config.yaml", train)):
            archive.writestr(name, config if isinstance(config, bytes) else yaml.safe_dump(config))
    return file.getvalue()


def _quality(grader: Grader, data: bytes, file_name: str = "ada.zip") -> tuple[Verdict, Report]:
    report = grader.grade_bytes(data, file_name, "ada")
    assert not report.fault
    return next(verdict for verdict in report.verdicts if verdict.check == "air.quality.quality"), report


def test_a_model_is_trained_again_and_its_samples_are_shown(retraining: Grader) -> None:
    verdict, report = _quality(retraining, _zip())
    assert (verdict.status, verdict.points, verdict.max_points) == ("partial", 8, 15), verdict.sentence
    assert re.search(r"roughness [\d.]+ and diversity [\d.]+ times the data's, \d+% with crossing", verdict.sentence)
    results = results_json(report)
    assert results["score"] == 68
    assert results["extra_data"]["pending_points"] == 0
    assert overall_status(report) == "partial"
    page = feedback_page(results)
    assert '<img src="data:image/png;base64,' in page
    assert "8/15" in page


def test_the_same_file_gets_the_same_points(retraining: Grader) -> None:
    first, second = (_quality(retraining, _zip(train=TRAIN | {"n_iters": 40}))[0] for _ in range(2))
    assert first == second


def test_training_stops_at_its_budget(nursery) -> None:
    with Grader(NAME, salt="tests", quality_seconds=2, nursery=nursery.requests) as grader:
        verdict, report = _quality(grader, _zip(train=TRAIN | {"n_iters": 900_000}))
    assert (verdict.status, verdict.points) == ("timeout", 0)
    assert "stopped after 2 seconds of CPU time" in verdict.sentence
    assert report.cpu_seconds < 20
    assert sum(v.points for v in report.verdicts) == 60


def test_a_budget_that_was_got_round_is_noticed(retraining: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's own limit stands in the student's process; the time the kernel counted does not."""
    public = Sitting.public
    monkeypatch.setattr(Sitting, "public", lambda self, job: replace(public(self, job), cpu_seconds=500.0))
    verdict, _ = _quality(retraining, _zip(train=TRAIN | {"n_iters": 5}))
    assert (verdict.status, verdict.points) == ("timeout", 0)
    assert "took 500 seconds of CPU time" in verdict.sentence


_GENERATE = """
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.encoder, self.decoder = Encoder(input_size, hidden_dims, latent_size), Decoder(latent_size, hidden_dims, input_size)

    def forward(self, y):
        mu, logvar = self.encoder(y)
        return self.decoder(mu), mu, logvar

    def generate(self, n_samples, seed=0, device=Device):
        return {}
"""


def _generating(answer: str) -> bytes:
    return _zip(train=TRAIN | {"n_iters": 5}, replaced={"air.vae": _GENERATE.format(answer)})


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (_zip(train=TRAIN | {"optimizer_name": "Adamm", "n_iters": 5}), "raised", "did you mean 'Adam'?"),
        (_zip(train=TRAIN | {"optimizer_config": {"lr": 1e9}, "n_iters": 20}), "wrong", "finite"),
        (_zip(model=MODEL | {"hidden_dims": [4096] * 16}), "memory", "make the layers smaller"),
        (_zip(model=MODEL | {"latent_size": 2}), "wrong", "latent_size in model_config.yaml is 2, expected 10, which does not change"),
        (_zip(train=b"!!python/object/apply:os.system ['true']"), "wrong", "write it with save_yaml"),
        (_generating("torch.from_numpy(AirfoilDataset().profiles[::60][:n_samples])"), "wrong", "no wing sections"),
        (_generating("None"), "malformed", "samples is None"),
        (_generating("torch.ones(3)"), "wrong", "samples has shape (3,), expected (24, 200)"),
        (_zip(replaced={"air.encoder": "class Encoder(nn.Module): pass"}), "raised", "raised TypeError"),
        (answers(NAME), "missing", "model_config.yaml is not in the file"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_gets_a_sentence(retraining: Grader, data: bytes, status: str, words: str) -> None:
    verdict, _ = _quality(retraining, data, "ada.ipynb" if data[:1] == b"{" else "ada.zip")
    assert (verdict.status, verdict.points) == (status, 0), verdict.sentence
    assert words in verdict.sentence


_UNTRAINED = """
def train_VAE(model, dataset, device, **settings):
    return None


class VAE(VAE):
    def generate(self, n_samples, seed=0, device=Device):
        from utils.datasets import AirfoilDataset

        real = torch.as_tensor(AirfoilDataset().profiles)
        x = torch.linspace(0, {waves} * math.pi, 200)
        return (real[torch.randperm(len(real))[:n_samples]] + {size} * torch.cos(x)).float()
"""


@pytest.mark.parametrize(("size", "waves"), [(0.0017, 0.2), (0.0017, 1), (0.003, 16)])
def test_real_profiles_a_little_moved_earn_nothing_without_training(
    retraining: Grader, size: float, waves: float
) -> None:
    source = _UNTRAINED.format(size=size, waves=waves).replace("math.pi", "3.14159")
    verdict, _ = _quality(retraining, _zip(replaced={"air.train": source}))
    assert verdict.points == 0, verdict.sentence


def test_a_trained_decoder_is_rebuilt_from_its_weights() -> None:
    torch.manual_seed(0)
    for activation in (torch.nn.LeakyReLU(), torch.nn.Tanh(), torch.nn.SiLU(), torch.nn.LeakyReLU(0.2)):
        layers = torch.nn.Sequential(torch.nn.Linear(10, 30), activation, torch.nn.Linear(30, 200))
        values = {
            name: value.numpy() for name, value in decoder_values(layers, torch.from_numpy(trial_codes())).items()
        }
        decode = decoder_of(values)
        assert decode is not None
        codes = np.random.default_rng(1).normal(size=(5, 10)).astype(np.float32)
        np.testing.assert_allclose(run(decode, codes), layers(torch.from_numpy(codes)).detach(), atol=1e-4)
    assert decoder_of(values | {"trial": values["trial"] + 1}) is None
    assert decoder_of({}) is None


@pytest.mark.parametrize("layer", [torch.nn.BatchNorm1d(30), torch.nn.Softmax(dim=1)])
def test_a_decoder_that_cannot_be_rebuilt_waits_for_a_person(layer: torch.nn.Module) -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(10, 30), layer, torch.nn.Linear(30, 200))
    values = {name: value.numpy() for name, value in decoder_values(layers, torch.from_numpy(trial_codes())).items()}
    good = SAMPLES["published-0"].astype(np.float32) + given({}, b"").bend
    points, text = score_values(values | {"samples": good}, {}, b"")
    assert points is None
    assert "a person looks" in text


# ---------------------------------------------------------------- decoders that nobody trained


def principal(profiles: np.ndarray) -> torch.nn.Module:
    """The ten principal components, written into a linear layer."""
    mean = profiles.mean(axis=0)
    _, widths, directions = np.linalg.svd(profiles - mean, full_matrices=False)
    layer = torch.nn.Linear(10, 200)
    scaled = directions[:10] * widths[:10, None] / np.sqrt(len(profiles))
    layer.weight.data, layer.bias.data = torch.tensor(scaled.T).float(), torch.tensor(mean).float()
    return torch.nn.Sequential(layer)


def memory(profiles: np.ndarray, rng: np.random.Generator, size: float, degree: int) -> torch.nn.Module:
    """One of some profiles, looked up by the first number of a code; the others move and bend it smoothly."""
    wings = profiles[rng.permutation(len(profiles))[:200]].astype(np.float64)
    edges = np.quantile(rng.normal(size=20_000), np.arange(1, 200) / 200)
    steep, n = 1e4, len(wings) - 1
    first, second = torch.nn.Linear(10, 2 * n + 20), torch.nn.Linear(2 * n + 20, 200)
    into, start = np.zeros((2 * n + 20, 10)), np.zeros(2 * n + 20)
    into[: 2 * n, 0] = steep  # two bends make a step: 0 before the edge, 1 behind it
    start[: 2 * n] = np.concatenate([-steep * edges, -steep * edges - 1])
    into[2 * n : 2 * n + 10], into[2 * n + 10 :] = np.eye(10), -np.eye(10)
    steps = np.diff(wings, axis=0)
    smooth = np.vander(np.linspace(-1, 1, 100), degree + 1) @ rng.normal(size=(degree + 1, 20)) * size
    smooth = np.concatenate([smooth[:, :10], smooth[:, 10:]])
    smooth[:, 0] = 0
    out = np.concatenate([steps.T, -steps.T, smooth, -smooth], axis=1)
    for layer, weight, bias in ((first, into, start), (second, out, wings[0])):
        layer.weight.data, layer.bias.data = torch.tensor(weight).float(), torch.tensor(bias).float()
    return torch.nn.Sequential(first, torch.nn.ReLU(), second)


def returned(decoder: torch.nn.Module, samples: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """What the probe would send; by default the model's own samples."""
    values = {name: value.numpy() for name, value in decoder_values(decoder, torch.from_numpy(trial_codes())).items()}
    with torch.no_grad():
        own = decoder(torch.from_numpy(np.random.default_rng(3).normal(size=(24, 10))).float()).numpy()
    return values | {"samples": own if samples is None else samples.astype(np.float32)}


def _offset(rng: np.random.Generator) -> np.ndarray:
    """Something smooth, of any size up to a thick wing's and any shape up to degree 6, the same for both surfaces or not."""
    size, degree = 10 ** rng.uniform(-3.5, -1.5), rng.integers(0, 7)
    one, other = (np.polyval(rng.normal(size=degree + 1), np.linspace(-1, 1, 100)) for _ in range(2))
    return size * np.concatenate([one, one[::-1] if rng.random() < 0.5 else other])


@pytest.mark.parametrize("secret", [b"one", b"two"])
def test_nobody_gets_points_without_training(profiles: np.ndarray, secret: bytes) -> None:
    """Returns at once; typed in or looked up, from the published data or from what was given; and bent smoothly."""
    rng = np.random.default_rng(int.from_bytes(secret, "big"))
    drawn = given({}, secret)
    untrained = torch.nn.Sequential(torch.nn.Linear(10, 64), torch.nn.LeakyReLU(), torch.nn.Linear(64, 200))
    tried = {"components typed in": returned(principal(profiles))}
    for n in range(4):
        wings = (profiles + (drawn.bend if n % 2 else 0))[rng.permutation(len(profiles))[:24]]
        moved = wings + np.stack([_offset(rng) for _ in range(24)])
        tried[f"real wings, moved, {n}"] = returned(untrained, moved)
        tried[f"real wings, moved, components, {n}"] = returned(principal(profiles), moved)
    for n in range(2):
        size, degree = 10 ** rng.uniform(-3.5, -2), int(rng.integers(0, 7))
        tried[f"looked up, typed in, {n}"] = returned(memory(profiles, rng, size, degree))
        tried[f"looked up, as given, {n}"] = returned(memory(drawn.profiles, rng, size, degree))
    points = {name: score_values(values, {}, secret) for name, values in tried.items()}
    assert {name: told for name, told in points.items() if told[0]} == {}


@pytest.mark.parametrize(("rank", "is_enough"), [(0, False), (1, False), (10, True)])
def test_what_a_model_cannot_make_is_measured_on_profiles_kept_back(rank: int, is_enough: bool) -> None:
    drawn = given({}, b"one")
    model = principal(drawn.profiles)
    model[0].weight.data[:, rank:] = 0
    decode = decoder_of(returned(model))
    assert decode is not None
    wanted = drawn.kept_back[:24] + drawn.bend
    assert (np.abs(nearest_made(decode, wanted) - wanted).mean() < MISSED) == is_enough


def test_what_remains_possible_is_what_the_page_says() -> None:
    """Components worked out from what was given are a model of it, though no `train_VAE` made them."""
    drawn = given({}, b"one")
    points, _ = score_values(returned(principal(drawn.profiles)), {}, b"one")
    assert points is not None
    page = (Path(__file__).parents[3] / "docs" / "airfoil-quality.md").read_text(encoding="utf-8")
    assert ("principal components" in page.partition("## Limits")[2]) == (points > 0)


def test_the_draw_is_one_for_files_and_secret() -> None:
    def same(a: Given, b: Given) -> bool:
        return np.array_equal(a.bend, b.bend) and np.array_equal(a.kept_back, b.kept_back)

    first = given({"a": b"1"}, b"s")
    assert same(first, given({"a": b"1"}, b"s"))
    assert not same(first, given({"a": b"2"}, b"s"))
    assert not same(first, given({"a": b"1"}, b"t"))
    assert np.abs(first.bend).mean() == pytest.approx(BEND)
    assert len(first.kept) + len(first.kept_back) == len(AirfoilDataset())
    assert not {row.tobytes() for row in first.kept} & {row.tobytes() for row in first.kept_back}


def test_without_an_answer_there_is_nothing_to_train(retraining: Grader) -> None:
    from utils.assignments import load_assignment

    untouched = next(task for task in load_assignment(NAME).tasks if task.id == "air.train").untouched_source
    verdict, _ = _quality(retraining, _zip(replaced={"air.train": untouched}))
    assert verdict.status == "missing"
    assert "without train_VAE" in verdict.sentence


def test_left_out_the_points_stay_open(grader: Grader) -> None:
    verdict, report = _quality(grader, _zip())
    assert verdict.status == "manual"
    results = results_json(report)
    assert (results["score"], results["extra_data"]["pending_points"]) == (60, 15)
