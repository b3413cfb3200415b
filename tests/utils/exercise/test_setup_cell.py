"""The setup cell: what is there is said, what is missing comes with what mends it."""

import importlib.util
import subprocess
import sys

import pytest

from utils.exercise import setup_cell
from utils.exercise.setup_cell import diagnose


def said(capsys, notebook: str = "01_kl_divergence") -> str:
    diagnose(notebook)
    return capsys.readouterr().out


def test_a_machine_with_everything_gets_no_advice(capsys, monkeypatch):
    monkeypatch.setattr(setup_cell, "FAST", False)
    lines = said(capsys).splitlines()
    assert lines[0].startswith("Python 3.")
    assert ", torch 2." in lines[0]
    assert lines[1].startswith("Runs on your own machine, device ")
    assert lines[2] == "Data: this notebook makes its own."
    assert lines[3].startswith("Full runs.")
    assert len(lines) == 4


def test_a_missing_package_comes_with_the_command(capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "safetensors" else find(name))
    assert "missing" not in said(capsys), "notebook 1 declares no such package"
    text = said(capsys, "03_mnist_vae")
    assert "missing: safetensors. To mend it, run in a new cell: %pip install safetensors==" in text


def test_it_speaks_even_without_torch(capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    assert "the device is known once torch is installed" in said(capsys)


def test_an_old_torch_is_named(capsys, monkeypatch):
    version = setup_cell.metadata.version
    monkeypatch.setattr(setup_cell.metadata, "version", lambda name: "1.13.1" if name == "torch" else version(name))
    assert "too old, at least torch 2.2 is needed" in said(capsys)


def test_an_old_python_is_named(capsys, monkeypatch):
    monkeypatch.setattr(setup_cell.sys, "version_info", (3, 9, 2))
    assert "Python 3.10 or newer is needed" in said(capsys)


def test_colab_on_a_cpu_is_told_how_to_get_a_gpu(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    monkeypatch.setattr("utils.training.device.set_device", lambda: __import__("torch").device("cpu"))
    assert "Runs on Google Colab, device cpu (for a GPU: Runtime > Change runtime type" in said(capsys)


def test_colab_is_told_what_differs_there(capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "typst" else find(name))
    text = said(capsys)
    assert "gone with the machine: download what you hand in" in text
    assert "%pip install typst==" in text
    assert " pypandoc-binary==" in text


@pytest.mark.parametrize(
    ("notebook", "file", "mend"),
    [
        ("03_mnist_vae", "MNIST/raw/train-images-idx3-ubyte", "downloaded at its first use"),
        ("04_cifar_dcgan", "cifar-10-batches-py/data_batch_1", "downloaded at its first use"),
        ("04_cifar_dcgan", "cifar10_head.npz", "downloaded at its first use"),
    ],
)
def test_data_is_found_or_its_mend_named(capsys, monkeypatch, tmp_path, notebook, file, mend):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    text = said(capsys, notebook)
    assert "not found in DATA_DIR" in text
    assert mend in text
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    text = said(capsys, notebook)
    assert "found in DATA_DIR" in text
    assert "not found" not in text


def test_the_bundles_airfoils_are_found_wherever_other_data_lies(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    text = said(capsys, "02_airfoil_vae")
    assert "airfoils found in " in text
    assert "DATA_DIR" not in text
    monkeypatch.setattr(setup_cell, "_BUNDLE", tmp_path / "elsewhere")
    assert "airfoils not found in DATA_DIR: it is part of the bundle: unpack the bundle again" in said(
        capsys, "02_airfoil_vae"
    )


def test_no_path_of_the_machine_is_printed(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert str(tmp_path) not in said(capsys, "03_mnist_vae")


@pytest.mark.parametrize(("value", "is_fast"), [("1", True), ("0", False), ("", False)])
def test_fast_follows_the_environment(value, is_fast):
    code = (
        "from utils.exercise.setup_cell import FAST, diagnose; print(FAST); import sys; print('torch' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env={"FAST": value}, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert run.stdout.split() == [str(is_fast), "False"]
