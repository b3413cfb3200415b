"""Configurations come back as they were, and an archive holds exactly what was named."""

import zipfile

import numpy as np
import pytest
import torch
import yaml

from utils.exercise.files import save_yaml, zip_files

CONFIG = {
    "hidden_dims": [512, 256, 128],
    "beta": 4.3e-4,
    "tiny": 1e-5,
    "optimizer_name": "Adam",
    "optimizer_config": {"lr": 1e-3, "amsgrad": False},
    "lr_scheduler_name": None,
}


def test_a_config_comes_back_with_its_types_and_order(tmp_path):
    save_yaml(CONFIG, tmp_path / "c.yaml")
    back = yaml.safe_load((tmp_path / "c.yaml").read_text(encoding="utf-8"))
    assert back == CONFIG
    assert list(back) == list(CONFIG)
    assert isinstance(back["tiny"], float)


def test_numbers_of_numpy_and_torch_and_tuples_become_plain(tmp_path):
    save_yaml({"a": np.float32(0.5), "b": torch.tensor(3), "c": (1, 2), "d": np.int64(4)}, tmp_path / "c.yaml")
    assert yaml.safe_load((tmp_path / "c.yaml").read_text(encoding="utf-8")) == {"a": 0.5, "b": 3, "c": [1, 2], "d": 4}


@pytest.mark.parametrize(
    ("config", "where"),
    [
        ({"rec_loss_fn": torch.nn.MSELoss()}, "rec_loss_fn is of type MSELoss"),
        ({"o": {"betas": [0.9, np.zeros(2)]}}, r"o\.betas\[1\] is of type ndarray"),
        ([1, 2], "got list, expected a dictionary"),
    ],
)
def test_what_yaml_cannot_hold_is_named_with_its_place(tmp_path, config, where):
    with pytest.raises(TypeError, match=where):
        save_yaml(config, tmp_path / "c.yaml")
    assert not (tmp_path / "c.yaml").exists()


def test_archive_holds_the_files_without_their_folders(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.txt").write_text("a", encoding="utf-8")
    (tmp_path / "b.txt").write_text("b", encoding="utf-8")
    zip_files(tmp_path / "z.zip", [tmp_path / "deep/a.txt", str(tmp_path / "b.txt")])
    with zipfile.ZipFile(tmp_path / "z.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a.txt": b"a", "b.txt": b"b"}


def test_missing_file_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "b.txt").write_text("b", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"model_config\.yaml not found"):
        zip_files(tmp_path / "z.zip", [tmp_path / "b.txt", tmp_path / "model_config.yaml"])
    assert not (tmp_path / "z.zip").exists()


def test_same_name_twice_or_the_archive_in_itself(tmp_path):
    (tmp_path / "d").mkdir()
    for path in ("d/a.txt", "a.txt", "z.zip"):
        (tmp_path / path).write_text("x", encoding="utf-8")
    for files in ([tmp_path / "a.txt", tmp_path / "d/a.txt"], [tmp_path / "z.zip"]):
        with pytest.raises(ValueError, match="each name may occur once"):
            zip_files(tmp_path / "z.zip", files)
    assert (tmp_path / "z.zip").read_text(encoding="utf-8") == "x"
