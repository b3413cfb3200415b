"""The data file is the one described, every profile is a plausible wing section, and a bad file is named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from utils.datasets import airfoils
from utils.datasets.airfoils import AirfoilDataset, AirfoilFileError

ROOT = Path(__file__).resolve().parents[3]
REBUILD = "python -m data.build_airfoils"


@pytest.fixture(scope="module")
def dataset():
    return AirfoilDataset()


@pytest.fixture(scope="module")
def surfaces(dataset):
    """Upper and lower surface from nose to trailing edge, in chord lengths, each (1547, 100)."""
    chords = dataset.profiles / dataset.scale
    return chords[:, :100][:, ::-1], chords[:, 100:]


def test_items(dataset):
    y, name = dataset[0]
    assert len(dataset) == 1547
    assert (y.dtype, y.shape) == (np.float32, (200,))
    assert isinstance(name, str)
    assert dataset[-1][1] == dataset.names[1546]
    assert sum(1 for _ in dataset) == 1547


def test_items_are_copies(dataset):
    y, _ = dataset[0]
    y += 1
    assert dataset[0][0].max() <= 1


def test_index_outside_is_one_sentence(dataset):
    with pytest.raises(IndexError, match="index 1547, expected 0 to 1546"):
        dataset[1547]


def test_works_in_a_dataloader(dataset):
    y, names = next(iter(DataLoader(dataset, batch_size=8)))
    assert y.shape == (8, 200)
    assert list(names) == dataset.names[:8]


def test_names_are_unique_and_sorted(dataset):
    assert dataset.names == sorted(set(dataset.names))
    assert {"naca0015", "clarky", "s1223"} <= set(dataset.names)


def test_scale_makes_the_largest_height_one(dataset):
    assert np.abs(dataset.profiles).max() == 1.0
    assert dataset.scale == pytest.approx(6.67, abs=0.01)


def test_known_section_comes_back_in_chord_lengths(dataset):
    upper = dataset.profiles[dataset.names.index("naca0015")] / dataset.scale
    x = dataset.get_x()[:100]
    thickness = 0.75 * (
        0.2969 * np.sqrt(x) - 0.1260 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1015 * x**4
    )  # NACA report 460
    assert np.abs(upper[:100] - thickness).max() < 2e-4


def test_positions(dataset):
    x = dataset.get_x()
    assert (x.shape, x.dtype) == ((200,), np.float32)
    assert (x[0], x[99], x[100], x[-1]) == (1, 0, 0, 1)
    assert (np.diff(x[:100]) < 0).all()
    assert np.array_equal(x[:100][::-1], x[100:])


def test_every_profile_is_finite_and_closed_at_the_nose(dataset):
    assert np.isfinite(dataset.profiles).all()
    assert (dataset.profiles[:, 99:101] == 0).all()


def test_upper_surface_lies_above_the_lower(surfaces):
    upper, lower = surfaces
    assert (upper - lower)[:, 1:-1].min() > -1e-6
    assert (upper - lower)[:, 21:79].min() > 0.0019
    assert (upper - lower).max(axis=1).min() > 0.015


def test_trailing_edge_is_thin_and_on_the_chord(surfaces):
    upper, lower = surfaces
    assert (upper - lower)[:, -1].max() < 0.031
    assert np.abs(upper + lower)[:, -1].max() < 0.01


def test_no_profile_has_a_spike(dataset):
    """A point that stands out by 0.1 % of the chord makes a third difference of 0.3 %."""
    chords = dataset.profiles / dataset.scale
    assert np.abs(np.diff(chords, 3, axis=1)).max() < 0.01


def test_no_two_profiles_are_the_same(dataset):
    rounded = np.round(dataset.profiles, 4)
    assert len(np.unique(rounded, axis=0)) == 1547


def test_readme_states_this_file(dataset):
    readme = (ROOT / "data/README.md").read_text(encoding="utf-8")
    assert airfoils.SHA256 in readme
    assert f"{dataset.scale:.6f}" in readme
    assert f"{(ROOT / 'data/airfoils.npz').stat().st_size:,} bytes" in readme


def test_data_dir_is_used_first(monkeypatch, tmp_path):
    (tmp_path / "airfoils.npz").write_bytes(b"not an archive")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with pytest.raises(AirfoilFileError, match="damaged or another version") as caught:
        AirfoilDataset()
    assert REBUILD in str(caught.value)
    assert "\n" not in str(caught.value)
    shutil.copy(ROOT / "data/airfoils.npz", tmp_path)
    assert len(AirfoilDataset()) == 1547


def test_data_dir_with_other_data_only_falls_back_on_the_bundle(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert len(AirfoilDataset()) == 1547


def test_missing_file_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(airfoils, "_BUNDLED", tmp_path / "airfoils.npz")
    with pytest.raises(AirfoilFileError, match="not in") as caught:
        AirfoilDataset()
    assert REBUILD in str(caught.value)
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_plot_takes_one_index_or_many(dataset):
    import matplotlib.pyplot as plt

    dataset.plot(idx=3)
    assert [axis.get_title() for axis in plt.gcf().axes] == [dataset.names[3]]
    dataset.plot(idx=[3, 5, 700])
    assert [axis.get_title() for axis in plt.gcf().axes] == [dataset.names[i] for i in (3, 5, 700)]
    plt.close("all")
