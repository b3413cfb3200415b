"""Claims of the notebooks that take seconds to show."""

import copy
import math

import pytest
import torch

from tests.claims import airfoils, gaussians, photographs
from tests.claims.cells import names_of
from utils.datasets.airfoils import AirfoilDataset


@pytest.fixture(scope="module")
def estimators() -> dict[str, float]:
    return gaussians.estimators("cpu", 7, None, 1.0)


def test_torch_normal_is_tracked_and_returns_zeros(estimators: dict[str, float]) -> None:
    mu = torch.zeros(3, requires_grad=True)
    assert torch.normal(mu, torch.ones(3)).requires_grad
    assert estimators["largest gradient through torch.normal"] == 0


def test_the_exact_kl_can_be_the_noisier_one(estimators: dict[str, float]) -> None:
    assert estimators["-ELBO, exact KL, sd"] > 0.8
    assert estimators["-ELBO, sampled KL, sd"] < 1e-4


def test_averaging_inside_the_logarithm_tightens_and_outside_does_not(estimators: dict[str, float]) -> None:
    tight = [estimators[f"importance-weighted bound, {n} draws, above -log p(x)"] for n in (1, 10, 100)]
    loose = [estimators[f"-ELBO, {n} draws, above -log p(x)"] for n in (1, 10, 100)]
    assert tight[0] > 4 * tight[1] > 8 * tight[2] > -0.1
    assert loose == pytest.approx([1.25] * 3, abs=0.15)


def test_below_one_beta_gives_no_bound(estimators: dict[str, float]) -> None:
    assert estimators["beta 0.5: loss minus -log p(x)"] < -0.3
    assert estimators["beta 2: loss minus -log p(x)"] > 0.3


def test_two_estimators_of_one_gradient(estimators: dict[str, float]) -> None:
    assert estimators["score function, mean"] == pytest.approx(-8, abs=0.6)
    assert estimators["reparameterised, mean"] == pytest.approx(-8, abs=0.2)
    assert estimators["score function, sd"] > 3.5 * estimators["reparameterised, sd"]


def test_frozen_draws_fit_their_own_points_and_a_single_one_widens_without_end() -> None:
    names = names_of("kl_divergence")
    names["set_seed"](0)
    names["frozen"] = torch.randn(1, 64, 1)
    fit = names["fit"]
    mu, sigma = fit(lambda params: names["rsample"](params, 64))
    assert abs(mu - 2) < 0.1
    assert abs(sigma - 0.5) < 0.1
    mu, sigma = fit(lambda params: names["rsample"](params, 64).detach())
    assert abs(mu) < 0.5
    mu, sigma = fit(names["frozen_sampler"](64))
    assert abs(mu - 2) < 0.4
    assert abs(sigma - 0.5) < 0.2
    widths = [fit(names["frozen_sampler"](1), steps)[1] for steps in (100, 300, 600)]
    assert 0.5 < widths[0] < widths[1] - 0.3 < widths[2] - 0.6


def test_how_many_directions_are_worth_their_price() -> None:
    facts = airfoils.facts("cpu", 0, None, 1.0)
    assert facts["directions above 100 x 0.0004"] == 4
    assert facts["directions above 100 x 0.02"] == 0
    assert facts["variance 1"] / 100 == pytest.approx(0.0127, abs=1e-4)
    assert facts["best linear loss, beta 0.00043"] == pytest.approx(0.0029, abs=5e-5)


def test_the_best_linear_loss_is_the_one_that_the_loop_can_reach() -> None:
    """At the optimum of probabilistic principal components, the notebook's own loss is what the formula says."""
    names, beta = names_of("airfoil_vae"), 4.3e-4
    heights = torch.from_numpy(AirfoilDataset().profiles)
    centred = heights - heights.mean(dim=0)
    _, scales, directions = torch.linalg.svd(centred, full_matrices=False)
    variances, noise = scales[:10] ** 2 / len(heights), 100 * beta
    used = variances > noise
    gain = torch.where(used, (variances - noise).clamp(min=0).sqrt(), torch.zeros(()))  # columns of the decoder
    model = names["VAE"](200, [], 10)
    with torch.no_grad():
        encode = directions[:10] * (gain / (gain**2 + noise))[:, None]
        logvar = torch.where(used, noise / variances, torch.ones(())).log()
        model.encoder.layers[0].weight.copy_(torch.cat([encode, torch.zeros(10, 200)]))
        model.encoder.layers[0].bias.copy_(torch.cat([-encode @ heights.mean(dim=0), logvar]))
        model.decoder.layers[0].weight.copy_(directions[:10].T * gain)
        model.decoder.layers[0].bias.copy_(heights.mean(dim=0))
        torch.manual_seed(0)
        losses = []
        for _ in range(20):
            y_hat, mu, logvar = model(heights)
            kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1).mean()
            losses.append(((y_hat - heights) ** 2).mean() + beta * kl)
    facts = airfoils.facts("cpu", 0, None, 1.0)
    assert torch.stack(losses).mean().item() == pytest.approx(facts["best linear loss, beta 0.00043"], rel=0.01)


def test_a_look_restarts_the_random_numbers_of_a_training_unless_it_is_forked() -> None:
    model = names_of("airfoil_vae")["VAE"](200, [8], 10)
    before = torch.random.get_rng_state()
    with torch.random.fork_rng():
        first = model.generate(3, device="cpu")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(model.generate(3, device="cpu"), first)
    assert not torch.equal(torch.random.get_rng_state(), before)


def test_batch_norm_undoes_the_scale_of_the_convolution_before_it() -> None:
    names = names_of("cifar_dcgan")
    names["set_seed"](0)
    plain = names["Discriminator"]()
    plain.apply(names["DCGAN"]._init_weights)
    scaled, images = copy.deepcopy(plain), torch.rand(64, 3, 32, 32)
    with torch.no_grad():
        for index in (2, 5):
            weight = scaled.downsample[index].weight
            weight /= torch.linalg.matrix_norm(weight.flatten(1), 2)
        moved = (plain(images) - scaled(images)).abs().max()
        assert moved < 0.1 * plain(images).std()


def test_the_initial_weights_do_not_arrive_behind_spectral_norm() -> None:
    names = names_of("cifar_dcgan")
    network = names["SpectralDiscriminator"]()
    originals = [
        layer.parametrizations.weight.original for layer in network.modules() if hasattr(layer, "parametrizations")
    ]
    before = [original.clone() for original in originals]
    network.apply(names["DCGAN"]._init_weights)
    assert len(originals) == 3
    assert all(torch.equal(old, new) for old, new in zip(before, originals, strict=True))


def test_a_bounded_kernel_does_not_bound_the_whole_convolution_by_one() -> None:
    """Held to the matrix of the whole map, which is small enough to write out for the last convolution."""
    found = photographs.steepness("cpu", 5, None, 1.0)
    assert all(1.1 < value < 2 for value in found.values()), found
    names = names_of("cifar_dcgan")
    names["device"] = torch.device("cpu")
    layer = torch.nn.Conv2d(3, 5, 4, stride=2, padding=1, bias=False)
    columns = torch.eye(3 * 8 * 8).reshape(-1, 3, 8, 8)
    whole = torch.linalg.matrix_norm(layer(columns).flatten(1), 2).item()
    assert names["steepness"](layer, 8) == pytest.approx(whole, rel=1e-3)
    assert whole <= 2 * torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()


def test_the_cross_entropy_of_grey_pixels_lacks_a_normaliser_of_log_2_or_more() -> None:
    x = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    for x_hat in (0.01, 0.2, 0.4999, 0.7, 0.99):
        integral = torch.trapezoid(x_hat**x * (1 - x_hat) ** (1 - x), x).item()
        assert integral == pytest.approx((2 * x_hat - 1) / (math.log(x_hat) - math.log(1 - x_hat)), rel=1e-6)
        assert integral <= 0.5
