"""The measures tell apart what the rubric tells apart, each against a case whose value is known."""

import numpy as np
import pytest
import torch

from utils.datasets.airfoil_measures import measure_airfoils
from utils.datasets.airfoils import AirfoilDataset


@pytest.fixture(scope="module")
def dataset():
    return AirfoilDataset()


def test_the_data_measures_one(dataset):
    quality = measure_airfoils(dataset.profiles, dataset)
    assert (quality.roughness, quality.diversity) == pytest.approx((1, 1))
    assert quality.crossing == 0


def test_a_part_of_the_data_measures_about_one(dataset):
    quality = measure_airfoils(torch.from_numpy(dataset.profiles[::65]), dataset)
    assert quality.roughness == pytest.approx(1, abs=0.2)
    assert quality.diversity == pytest.approx(1, abs=0.2)


def test_one_profile_repeated_is_smooth_and_alike(dataset):
    quality = measure_airfoils(np.tile(dataset.profiles[5], (24, 1)), dataset)
    assert quality.diversity == 0
    assert 0.3 < quality.roughness < 3


def test_roughness_of_noise_is_the_expected_bend(dataset):
    """A second difference of N(0, s^2) noise is N(0, 6 s^2), so its mean absolute value is s sqrt(12 / pi)."""
    noise = np.random.default_rng(0).normal(0, 0.1, (2000, 200))
    data_bend = np.abs(np.diff(dataset.profiles.astype(float), 2, axis=1)).mean()
    assert measure_airfoils(noise, dataset).roughness * data_bend == pytest.approx(0.1 * np.sqrt(12 / np.pi), rel=0.01)


def test_diversity_is_the_mean_distance(dataset):
    two = np.stack([np.zeros(200), np.full(200, 0.5)])
    once = measure_airfoils(two, dataset).diversity
    assert measure_airfoils(2 * two, dataset).diversity == pytest.approx(2 * once)
    distances = torch.cdist(torch.from_numpy(dataset.profiles).double(), torch.from_numpy(dataset.profiles).double())
    mean = distances.sum() / (1547 * 1546)
    assert once == pytest.approx(0.5 * np.sqrt(200) / mean.item())


def test_swapped_surfaces_cross(dataset):
    samples = dataset.profiles[:10].copy()
    samples[:4] = samples[:4, ::-1]
    assert measure_airfoils(samples, dataset).crossing == 0.4


def test_not_finite_samples_give_nan(dataset):
    samples = dataset.profiles[:4].copy()
    samples[1, 3] = np.nan
    quality = measure_airfoils(samples, dataset)
    assert np.isnan(quality.roughness)
    assert np.isnan(quality.diversity)


@pytest.mark.parametrize("shape", [(24, 199), (1, 200), (200,), (2, 2, 200)])
def test_wrong_shapes_are_a_sentence(dataset, shape):
    with pytest.raises(ValueError, match=r"expected \(N, 200\), N at least 2"):
        measure_airfoils(np.zeros(shape), dataset)


def test_says_all_three_in_one_line(dataset):
    assert str(measure_airfoils(dataset.profiles, dataset)) == (
        "roughness 1.0 and diversity 1.00 times the data's, 0% with crossing surfaces"
    )
