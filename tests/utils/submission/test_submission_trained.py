"""Trained weights beside a notebook: written by `save_weights`, and what the hand-in check says of them."""

import json
import zipfile

import pytest
import torch
from torch import nn

from tests.support import answers
from utils import save_weights
from utils.assignments import load_assignment
from utils.datasets._cache import Source
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks
from utils.submission import check_notebook, steps, trained
from utils.submission.session import Run
from utils.training.weights import read_weights

NAME, FILE = "03_mnist_vae", "03_mnist_vae.safetensors"
MNIST, DIGITS = Source("MNIST"), Source("scikit-learn digits", is_stand_in=True)


@pytest.fixture
def names():
    """All models, untrained, by the notebook's names; and something else that a notebook holds."""
    torch.manual_seed(0)
    sizes = {model: needs.parameters for model, needs in load_assignment(NAME).about.weights.models.items()}  # type: ignore[union-attr]
    return {model: nn.Linear(size - 1, 1, bias=True) for model, size in sizes.items()} | {
        "x": torch.zeros(3),
        "net": nn.Linear(2, 2),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the solved notebook, whose answers a kernel has run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{NAME}.ipynb").write_bytes(answers(NAME))
    found = find_tasks(read_notebook(answers(NAME)), load_assignment(NAME)).found
    runs = [Run(number, source.source, None) for number, source in enumerate(found, 1)]
    monkeypatch.setattr(trained, "read_runs", lambda: runs)
    return tmp_path


def said(folder) -> list[str]:
    return [warning for warning in check_notebook(folder / f"{NAME}.ipynb").warnings if FILE in warning]


def test_what_was_trained_is_written_told_and_packed(folder, names, capsys, monkeypatch):
    path = save_weights(NAME, names, MNIST)
    line = capsys.readouterr().out
    assert path is not None
    assert path.name == FILE
    assert "trained on MNIST" in line
    assert "cvae (1,296,414 numbers)" in line
    assert 8 < path.stat().st_size / 2**20 < 10
    assert f"{path.stat().st_size / 2**20:.1f} MB" in line
    weights = read_weights(path.read_bytes())
    torch.testing.assert_close(
        torch.from_numpy(weights.models["cvae"]["weight"]), names["cvae"].weight.detach().half().float(), rtol=0, atol=0
    )
    assert not weights.is_stand_in
    assert weights.trained_on == "MNIST"
    assert "net" not in weights.models
    assert said(folder) == []
    monkeypatch.setattr(steps, "write_pdf", lambda *arguments: "")
    assert steps.run_steps(folder / f"{NAME}.ipynb")
    with zipfile.ZipFile(folder / f"{NAME}_submission.zip") as archive:
        assert FILE in archive.namelist()


def _tied():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)).half()
    net[1].weight = net[0].weight
    return net


def _with_a_compiled_part():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[0] = torch.compile(net[0], backend="eager")
    return net


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda net: torch.compile(net, backend="eager"),
        nn.DataParallel,
        torch.optim.swa_utils.AveragedModel,
        lambda net: nn.DataParallel(_with_a_compiled_part()),
        lambda net: net.double(),
        lambda net: net.half(),
        lambda net: net.bfloat16(),
        lambda net: _tied(),
        lambda net: _with_a_compiled_part(),
    ],
)
def test_what_is_wrapped_or_of_another_precision_is_saved_under_the_names_of_the_class(folder, wrapped):
    """The grader makes the class anew, bare and in single precision."""
    model = wrapped(nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)))
    path = save_weights(NAME, {"cvae": model}, MNIST)
    assert path is not None
    state = {key: torch.from_numpy(value) for key, value in read_weights(path.read_bytes()).models["cvae"].items()}
    again = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    again.load_state_dict(state)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    dtype = next(model.parameters()).dtype
    torch.testing.assert_close(again(x).to(dtype), model(x.to(dtype)), rtol=0.05, atol=0.02)


def test_without_weights_one_sentence_says_so(folder):
    assert said(folder) == [f"{FILE} is not beside the notebook: run the cell that saves what you trained."]


def test_weights_of_an_older_answer_are_stale(folder, names):
    save_weights(NAME, names, MNIST)
    source = "class CVAE(nn.Module):\n    pass"
    (folder / f"{NAME}.ipynb").write_bytes(answers(NAME, {"cvae.model.CVAE": source}))
    (warning,) = said(folder)
    assert "cvae was trained with another version of cvae.model.CVAE than the notebook holds" in warning
    (folder / f"{NAME}.ipynb").write_bytes(answers(NAME, {"ae.nets.Decoder": "class Decoder(nn.Module):\n    pass"}))
    stale = [f"{FILE}: {model}" for model in ("autoencoder", "vae", "annealed", "unannealed")]
    assert [warning.split(" was trained")[0] for warning in said(folder)] == stale


def test_comments_and_spacing_make_nothing_stale(folder, names):
    save_weights(NAME, names, MNIST)
    notebook = json.loads(answers(NAME))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and source.startswith("# AUTOGRADED"):
            cell["source"] = f"{source}\n\n# a word of mine\n"
    (folder / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert said(folder) == []


def test_another_shape_and_a_missing_model_are_named(folder, names, capsys):
    names["fc_vae"] = nn.Linear(10, 10)
    del names["vae"]
    save_weights(NAME, names, MNIST)
    assert "vae is not there, and is left out" in capsys.readouterr().out
    assert said(folder) == [
        f"{FILE} holds no vae: train it, then run the cell that saves.",
        f"{FILE}: fc_vae has another shape, 110 numbers where the exercise asks for 1,288,414.",
    ]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e6])
def test_a_training_that_diverged_is_left_out_and_said(folder, names, capsys, bad):
    with torch.no_grad():
        names["cvae"].bias.fill_(bad)
    path = save_weights(NAME, names, MNIST)
    assert "cvae holds numbers that are not finite" in capsys.readouterr().out
    assert path is not None
    assert "cvae" not in read_weights(path.read_bytes()).models


def test_a_stand_in_is_said(folder, names):
    save_weights(NAME, names, DIGITS)
    (warning,) = said(folder)
    assert "stand-in (scikit-learn digits)" in warning


def test_a_file_that_is_none_is_said_and_packed_all_the_same(folder):
    (folder / FILE).write_bytes(b"nothing of the kind")
    (warning,) = said(folder)
    assert "no safetensors file" in warning


def test_nothing_trained_writes_nothing(folder, capsys):
    assert save_weights(NAME, {}, MNIST) is None
    assert not (folder / FILE).exists()
    assert "No weights were written" in capsys.readouterr().out


def test_weights_of_another_configuration_are_stale(tmp_path, monkeypatch, capsys):
    """What is handed in beside the notebook belongs to the weights as the answers do."""
    name = "02_airfoil_vae"
    assignment = load_assignment(name)
    found = find_tasks(read_notebook(answers(name)), assignment).found
    monkeypatch.setattr(trained, "read_runs", lambda: [Run(n, one.source, None) for n, one in enumerate(found, 1)])
    files = assignment.about.hand_in.files  # type: ignore[union-attr]
    for file in files:
        (tmp_path / file).write_text("a: 1\n", encoding="utf-8")
    save_weights(name, {"vae": nn.Linear(3, 3)}, Source("wings"), tmp_path)
    assert trained.find_weights_warnings(tmp_path, assignment, found) == []
    for file in files:
        (tmp_path / file).write_text("a: 2\n", encoding="utf-8")
        (warning,) = trained.find_weights_warnings(tmp_path, assignment, found)
        assert f"vae was trained with another {file} than is handed in" in warning
        (tmp_path / file).write_text("a: 1\n", encoding="utf-8")
