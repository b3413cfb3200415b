"""A film of a training: the training stays what it is, the GIF is small and moves, and the PDF shows a strip."""

import base64
import io

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from utils.export.outputs import read_outputs
from utils.export.parts import Limits, Picture
from utils.export.summary import Summary
from utils.training.film import Film


def train(network: nn.Module, steps: int) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(steps):
        loss = (network.train()(torch.randn(8, 3)) - 1).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def made() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 4))


def film_of(network, path, draw_noise=False) -> Film:
    codes = torch.ones(5, 3)

    def draw():
        figure = Figure(figsize=(3, 1.5))
        figure.subplots().imshow(network(codes).numpy(), vmin=0, vmax=2)
        return figure

    return Film(path, draw, "a network that learns")


@pytest.mark.parametrize("steps", [1, 2, 7, 60, 300])
def test_the_film_changes_nothing_of_the_training(tmp_path, steps):
    plain, filmed = made(), made()
    torch.manual_seed(1)
    train(plain, steps)
    torch.manual_seed(1)
    film = film_of(filmed, tmp_path / "film.gif")
    with film.of(filmed):
        train(filmed, steps)
    assert all(
        torch.equal(a, b) for a, b in zip(plain.state_dict().values(), filmed.state_dict().values(), strict=True)
    )
    assert film.steps[0] == 0
    assert film.steps[-1] == steps
    assert film.steps == sorted(set(film.steps))
    size = film.save()
    assert size == (tmp_path / "film.gif").stat().st_size < 1_000_000
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == len(film.steps)
        assert gif.info["loop"] == 0


def test_looks_at_samples_are_no_steps(tmp_path):
    network = made()
    film = film_of(network, tmp_path / "film.gif")
    with film.of(network):
        train(network, 3)
        network.eval()(torch.ones(2, 3))
        with torch.no_grad():
            network.train()(torch.ones(2, 3))
    assert film.steps == [0, 1, 3] or film.steps[-1] == 3


def test_a_film_of_noise_is_thinned_below_a_megabyte_and_keeps_its_end(tmp_path):
    def draw():
        figure = Figure(figsize=(9, 9))
        figure.add_axes((0, 0, 1, 1)).imshow(torch.rand(600, 600, 3).numpy(), interpolation="nearest")
        return figure

    film = Film(tmp_path / "film.gif", draw)
    for step in range(8):
        film.take(step)
    assert film.save() < 1_000_000
    with Image.open(film.path) as gif:
        assert 2 <= gif.n_frames < 8


def test_in_the_pdf_it_is_a_strip(tmp_path, monkeypatch, capsys):
    seen: list = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata: seen.append((data, metadata)))
    network = made()
    film = film_of(network, tmp_path / "film.gif")
    with film.of(network):
        train(network, 40)
    film.show()
    data, metadata = seen[0]
    output = {"output_type": "display_data", "data": data, "metadata": metadata}
    (part,) = read_outputs(1, [output], Limits(), Summary())
    assert isinstance(part, Picture)
    assert part.mime == "image/png"
    strip, gif = (Image.open(io.BytesIO(data)) for data in (base64.b64decode(part.content), film.path.read_bytes()))
    assert (strip.width, strip.height) == (3 * gif.width, 2 * gif.height)
    assert base64.b64encode(film.path.read_bytes()).decode() in data["text/html"]
    assert 'alt="a network that learns, ' in data["text/html"]
    assert "film.gif" in capsys.readouterr().out


def test_without_a_frame_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="no frame was taken"):
        film_of(made(), tmp_path / "film.gif").save()
