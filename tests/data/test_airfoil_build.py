"""The build reads every quirk the coordinate files have; the file in the bundle is what it builds."""

from collections import Counter

import numpy as np
import pytest

from data import build_airfoils as airfoils

# A thin section written by hand: nose (0, 0), trailing edge (1, 0), symmetric, 24 points a surface.
_X = (1 - np.cos(np.linspace(0, np.pi, 24))) / 2
_Y = 0.06 * np.sqrt(_X) * (1 - _X)
_UPPER = np.column_stack([_X, _Y])
_LOWER = np.column_stack([_X, -_Y])
CONTOUR = np.concatenate([_UPPER[::-1], _LOWER[1:]])


def _text(points, name="SECTION", join=" "):
    return "\n".join([name, *(join.join(f"{value:.7f}" for value in point) for point in points)])


def _lednicer():
    return "\n".join(["SECTION", "24. 24.", "", *_text(_UPPER).splitlines()[1:], "", *_text(_LOWER).splitlines()[1:]])


@pytest.mark.parametrize(
    "text",
    [
        _text(CONTOUR),
        _text(CONTOUR) + "\n\n\n",
        _text(CONTOUR, join=", "),
        _text(CONTOUR[::-1]),  # lower surface first
        _text(CONTOUR * 100),  # in per cent of the chord
        _text(CONTOUR @ np.array([[0.98, 0.199], [-0.199, 0.98]]) + [3.0, -2.0]),  # turned and moved
        "SECTION\n-2.0 3.0 -2.5 3.5\n" + "\n".join(_text(CONTOUR).splitlines()[1:]),  # bounds of a flow domain
        _lednicer(),
    ],
    ids=["plain", "blank lines", "commas", "reversed", "per cent", "turned", "bounds", "lednicer"],
)
def test_every_format_gives_the_same_profile(text):
    profile = airfoils.resample(*airfoils.normalise(airfoils.read_points(text)))
    plain = airfoils.resample(*airfoils.normalise(CONTOUR))
    assert profile.shape == (200,)
    assert np.abs(profile - plain).max() < 1e-6


def test_resampling_passes_through_the_points_and_never_beyond_them():
    profile = airfoils.resample(*airfoils.normalise(CONTOUR))
    assert np.abs(np.interp(_X, airfoils.X_SURFACE, profile[100:]) + _Y).max() < 5e-4
    assert profile.max() <= _Y.max() + 1e-12
    assert (profile[99], profile[100]) == (0, 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (_text(CONTOUR, name="X (c) Somebody"), "not a UIUC file"),
        (_text(CONTOUR) + "\nfrom the magazine", "not a UIUC file"),
        (_text(CONTOUR[:6]), "too few points"),
        (_text(CONTOUR) + "\n1 2 3", "not two columns"),
        (_text(np.delete(CONTOUR, [10, 11, 12], axis=0)), "gap in a surface"),
        (_text(CONTOUR[np.r_[0:10, 12, 11, 10, 13:47]]), "x turns back"),
    ],
)
def test_unusable_files_say_why(text, reason):
    with pytest.raises(airfoils.UnusableFileError, match=reason):
        airfoils.normalise(airfoils.read_points(text))


def test_selection_drops_and_counts(monkeypatch):
    monkeypatch.setattr(airfoils, "N_PROFILES", 2)
    plain = airfoils.resample(*airfoils.normalise(CONTOUR))
    kinked = plain * 1.3
    kinked[50] += 0.004
    profiles = {
        "a": plain,
        "b": plain + 1e-5,
        "c": plain * 20,
        "d": -plain,
        "e": plain * 0.01,
        "f": kinked,
        "g": plain * 1.2,
    }
    dropped = Counter()
    assert list(airfoils.select(profiles, dropped)) == ["a", "g"]
    assert sorted(dropped.values()) == [1, 1, 1, 2]
    assert dropped["duplicate"] == 1


def test_too_few_profiles_is_a_sentence(tmp_path):
    (tmp_path / "one.dat").write_text(_text(CONTOUR), encoding="utf-8")
    with pytest.raises(SystemExit, match="1 usable profiles, expected at least 1547"):
        airfoils.build(tmp_path)


def test_missing_source_is_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="no coordinate files"):
        airfoils.find_database(str(tmp_path))


def test_bundled_file_is_what_the_package_gives():
    """Runs where the package is installed; the build itself is far too rare to make it a requirement."""
    pytest.importorskip("aerosandbox", reason="aerosandbox is needed to build the data only")
    arrays, _ = airfoils.build(airfoils.find_database(None))
    assert airfoils.differences(arrays, airfoils.TARGET) == []
