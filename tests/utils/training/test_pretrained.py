import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from utils.training.pretrained import load_pretrained, weight_files


@pytest.fixture
def weights(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE", str(tmp_path))
    folder = tmp_path / "assignments" / "lines" / "weights"
    folder.mkdir(parents=True)
    tensors = {"weight": torch.full((2, 3), 0.5), "bias": torch.arange(2.0), "extra.images": torch.ones(1, 4)}
    save_file(tensors, folder / "line.safetensors")


def test_weights_are_copied_and_extras_returned(weights):
    line = nn.Linear(3, 2)
    extras = load_pretrained(line, "line")
    assert line.bias.tolist() == [0.0, 1.0]
    assert line.weight.requires_grad
    assert extras["images"].tolist() == [[1.0] * 4]


def test_another_architecture_is_named(weights):
    with pytest.raises(ValueError, match=r"Linear\.weight is \(2, 5\), the weights 'line' have \(2, 3\)"):
        load_pretrained(nn.Linear(5, 2), "line")
    with pytest.raises(ValueError, match=r"Linear\.bias is missing"):
        load_pretrained(nn.Linear(3, 2, bias=False), "line")


def test_unknown_weights_list_the_known_ones(weights):
    with pytest.raises(FileNotFoundError, match="no weights are called 'curve'; there are: line"):
        load_pretrained(nn.Linear(3, 2), "curve")


def test_the_weights_that_travel_are_small():
    files = weight_files()
    assert files
    assert all(file.stat().st_size < 1.5e6 for file in files)
