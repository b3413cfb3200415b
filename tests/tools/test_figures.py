"""The pictures of good results: taken from the cells that name one, small enough for the repository."""

import base64
import io

import numpy as np
import pytest
from nbformat import v4
from PIL import Image

from tools import figures
from tools.notebook_source import read_source, source_names
from utils.assignments.places import place_of


def png(pixels: np.ndarray) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "png")
    return packed.getvalue()


def executed(**metadata):
    picture = v4.new_output("display_data", {"image/png": base64.b64encode(b"first").decode()})
    later = v4.new_output("display_data", {"image/png": base64.b64encode(b"second").decode()})
    text = v4.new_output("stream", text="loss 1.0")
    return v4.new_notebook(cells=[v4.new_code_cell("plot()", outputs=[text, picture, later], metadata=metadata)])


def test_the_first_picture_of_a_named_cell_is_taken():
    assert figures.find_pictures(executed(figure="kl")) == {"kl": b"first"}
    assert figures.find_pictures(executed()) == {}


def test_a_named_cell_without_a_picture_is_refused():
    notebook = executed(figure="kl")
    notebook.cells[0].outputs = []
    with pytest.raises(ValueError, match="Cell 1 is to make the figure 'kl' but shows no picture"):
        figures.find_pictures(notebook)


def test_a_picture_is_shrunk_and_still_looks_the_same():
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[50:250, 100:300] = (0, 114, 178)
    small = figures.shrink(png(pixels))
    back = np.asarray(Image.open(io.BytesIO(small)).convert("RGB"))
    assert np.abs(back.astype(int) - pixels).max() <= 8
    assert len(small) < 2000


def test_a_picture_too_large_for_the_repository_is_refused():
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8)
    with pytest.raises(ValueError, match="at most 100000 may be committed"):
        figures.shrink(png(noise))


def test_fast_pictures_are_refused(monkeypatch, capsys):
    monkeypatch.setenv("FAST", "1")
    assert figures.main(["01_kl_divergence"]) == 1
    assert "unset it" in capsys.readouterr().err


@pytest.mark.parametrize("name", source_names())
def test_every_figure_a_source_names_is_committed_and_small(name):
    for cell in read_source(name).cells:
        if figure := cell.metadata.get("figure"):
            path = place_of(name).path / "figures" / f"{figure}.png"
            assert path.is_file(), f"run `python -m tools.figures {name}`"
            assert path.stat().st_size < figures.MAX_BYTES


def test_a_run_keeps_the_notebook_and_says_how_long_it_took(monkeypatch, tmp_path, capsys):
    class Ran:
        def __init__(self, notebook, **_):
            self.notebook = notebook

        def execute(self, env):
            assert env["PYTHONPATH"]  # where `utils` is found
            self.notebook.cells[0].outputs = executed().cells[0].outputs[:1]

    monkeypatch.setattr(figures, "solved_notebook", lambda name: v4.new_notebook(cells=[v4.new_code_cell("loss()")]))
    monkeypatch.setattr(figures, "NotebookClient", Ran)
    monkeypatch.delenv("FAST", raising=False)
    assert figures.main(["01_kl_divergence", "--keep", str(tmp_path / "runs")]) == 0
    assert "loss 1.0" in (tmp_path / "runs" / "01_kl_divergence.ipynb").read_text(encoding="utf-8")
    assert "01_kl_divergence took 0.0 minutes" in capsys.readouterr().out
