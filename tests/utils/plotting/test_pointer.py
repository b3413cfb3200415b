"""The plane under the pointer: what is enlarged at a place is what the decoder makes of the code named there."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from utils.plotting.pointer import show_plane

SIDE = 8


@pytest.fixture
def decoder():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, SIDE * SIDE), nn.Sigmoid(), nn.Unflatten(1, (1, SIDE, SIDE)))


@pytest.fixture
def bundle(decoder, monkeypatch):
    seen: list = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata: seen.append((data, metadata)))
    show_plane(decoder, 7, about="a plane of shapes")
    return seen[0]


def sheet(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L")).astype(float)


def test_each_place_shows_what_its_code_decodes_to(decoder, bundle):
    html = bundle[0]["text/html"]
    ink = 255 - sheet(re.search(r"base64,([^)]*)\)", html)[1])
    places = re.findall(r'background-position:-(\d+)px -(\d+)px" title="z = \(([-\d.]+), ([-\d.]+)\)"', html)
    assert len(places) == 49
    for left, top, z_1, z_2 in places:
        shown = ink[int(top) : int(top) + SIDE, int(left) : int(left) + SIDE] / 255
        made = decoder(torch.tensor([[float(z_1), float(z_2)]]))[0, 0].detach().numpy()
        assert np.abs(shown - made).max() < 0.06  # 16 greys, and a code with two decimals
    assert [float(place[2]) for place in places[:7]] == sorted(float(place[2]) for place in places[:7])
    assert float(places[0][3]) > float(places[-1][3])


def test_what_is_printed_is_the_whole_plane_described(bundle):
    data, metadata = bundle
    assert sheet(data["image/png"]).shape == (7 * SIDE, 7 * SIDE)
    assert metadata["image/png"]["alt"] == "a plane of shapes"
    assert 'role="img" aria-label="a plane of shapes"' in data["text/html"]
