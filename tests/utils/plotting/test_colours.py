"""Colours that stand for different things in one figure, as colour-blind readers see them: Chromium's own simulation (Machado et al. 2009)."""

import io
import itertools

import numpy as np
import PIL.Image
import pytest

from tests.marking.browser import WHY_NOT, chromium
from utils.plotting import curves, divergence, gan, latent

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
PAPER = "#ffffff"
PALETTES = {
    "classes in a plane": latent.CLASS_COLOURS,
    "curves": curves._COLOURS,
    "divergences": (divergence._BLUE, divergence._RED, divergence._GREEN),
    "two networks": tuple(colour for _, _, colour, _ in gan._LOSSES),
}
SIGHTS = ("none", "deuteranopia", "protanopia", "tritanopia")
APART = 12.0  # of CIE 1976; 2.3 is just noticeable
CONTRAST = 2.5  # of a mark on paper


@pytest.fixture(scope="module")
def seen():
    """How each colour of every palette looks with each sight: {sight: {colour: (r, g, b)}}."""
    colours = sorted({colour for palette in PALETTES.values() for colour in palette})
    blocks = "".join(f'<i style="background:{colour}"></i>' for colour in colours)
    style = "body{margin:0;font-size:0}i{display:inline-block;width:10px;height:10px}"
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 10 * len(colours), "height": 10})
        page.set_content(f"<style>{style}</style>{blocks}")
        session = page.context.new_cdp_session(page)
        found = {}
        for sight in SIGHTS:
            session.send("Emulation.setEmulatedVisionDeficiency", {"type": sight})
            picture = PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            found[sight] = {colour: picture.getpixel((10 * n + 5, 5)) for n, colour in enumerate(colours)}
    return found


def _linear(rgb) -> np.ndarray:
    share = np.asarray(rgb) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _lab(rgb) -> np.ndarray:
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = matrix @ _linear(rgb) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_simulation_simulates(seen):
    assert seen["none"]["#d55e00"] == (0xD5, 0x5E, 0x00)
    red, green = (np.array(seen["deuteranopia"][colour]) for colour in ("#d55e00", "#009e73"))
    assert abs(red[0] - red[1]) < 60, "red and green are mixed"
    assert not np.array_equal(green, seen["none"]["#009e73"])


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", PALETTES)
def test_two_colours_of_a_figure_are_never_mistaken_for_each_other(seen, name, sight):
    labs = {colour: _lab(seen[sight][colour]) for colour in PALETTES[name]}
    near = {
        (one, other): distance
        for one, other in itertools.combinations(labs, 2)
        if (distance := float(np.linalg.norm(labs[one] - labs[other]))) < APART
    }
    assert not near


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", PALETTES)
def test_every_colour_stands_out_from_the_paper(seen, name, sight):
    light = {colour: float([0.2126, 0.7152, 0.0722] @ _linear(seen[sight][colour])) for colour in PALETTES[name]}
    assert min(1.05 / (value + 0.05) for value in light.values()) >= CONTRAST
