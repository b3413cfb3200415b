"""CIFAR-10: the real files when they are whole, else a stand-in that says so; bytes in, batches in [0, 1] out."""

import hashlib
import io
import pickle
import tarfile
import time
import urllib.error

import numpy as np
import pytest
import torch

from utils.datasets import cifar
from utils.datasets._torchvision import import_torchvision
from utils.datasets.cifar import CIFAR10Dataset, images_0_1

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def offline(monkeypatch):
    """Every request fails at once, as without a network; counts the requests."""
    requests = []

    def refuse(request, *_, **__):
        requests.append(request)
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    return requests


def write_cifar(folder, monkeypatch, damaged=False):
    """Six small files in CIFAR-10's own format, with their checksums where torchvision looks for them."""
    cifar10 = import_torchvision().datasets.CIFAR10
    inside = folder / cifar10.base_folder
    inside.mkdir(parents=True)
    random = np.random.default_rng(0)

    def write(name, content):
        (inside / name).write_bytes(pickle.dumps(content))
        return name, hashlib.md5((inside / name).read_bytes()).hexdigest()

    def batch():
        return {"data": random.integers(0, 256, (4, 3072), dtype=np.uint8), "labels": [0, 1, 2, 9]}

    monkeypatch.setattr(cifar10, "train_list", [write(f"data_batch_{i}", batch()) for i in range(1, 6)])
    monkeypatch.setattr(cifar10, "test_list", [write("test_batch", batch())])
    name, md5 = write("batches.meta", {"label_names": list(cifar.CLASSES)})
    monkeypatch.setattr(cifar10, "meta", {"filename": name, "key": "label_names", "md5": md5})
    if damaged:
        (inside / "data_batch_3").write_bytes(b"half a fi")
    return inside


def test_real_files_are_read_as_bytes_channel_first(folder, monkeypatch, capsys):
    inside = write_cifar(folder, monkeypatch)
    data = CIFAR10Dataset(device=CPU)
    assert data.images.shape == (20, 3, 32, 32)
    assert data.images.dtype == torch.uint8
    raw = pickle.loads((inside / "data_batch_1").read_bytes())["data"]
    assert torch.equal(data.images[0], torch.from_numpy(raw[0].reshape(3, 32, 32)))
    assert data.labels[:4].tolist() == [0, 1, 2, 9]
    assert not data.is_stand_in
    assert data.source.title("Samples") == "Samples"
    assert "CIFAR-10: 20 training images" in capsys.readouterr().out


@pytest.fixture
def server(folder, tmp_path_factory, monkeypatch):
    """A mirror that serves a small archive; torchvision is told its checksum."""
    cifar10 = import_torchvision().datasets.CIFAR10
    inside = write_cifar(tmp_path_factory.mktemp("mirror"), monkeypatch)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(inside, arcname=inside.name)
    monkeypatch.setattr(cifar10, "tgz_md5", hashlib.md5(packed.getvalue()).hexdigest())

    class Response(io.BytesIO):
        length, url = len(packed.getvalue()), cifar10.url

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Response(packed.getvalue()))
    return cifar10


def test_what_is_missing_is_downloaded_checked_and_kept(server, folder, monkeypatch, capsys):
    assert len(CIFAR10Dataset(device=CPU)) == 20
    said = capsys.readouterr().out
    assert "CIFAR-10 is not in DATA_DIR: downloading 170 MB" in said
    assert "CIFAR-10: 20 training images" in said
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("downloaded twice"))
    assert len(CIFAR10Dataset(train=False, device=CPU)) == 4


def test_a_download_with_another_checksum_is_not_used(server, monkeypatch, capsys):
    monkeypatch.setattr(server, "tgz_md5", "0" * 32)
    assert CIFAR10Dataset(device=CPU, limit=10).is_stand_in
    assert "File not found or corrupted" in capsys.readouterr().out


def test_damaged_files_are_fetched_again(server, folder, capsys):
    (folder / server.base_folder).mkdir()
    data = CIFAR10Dataset(device=CPU)
    assert not data.is_stand_in
    assert "is incomplete or damaged: fetching 170 MB again" in capsys.readouterr().out


def test_test_part_is_another_file(folder, monkeypatch):
    write_cifar(folder, monkeypatch)
    assert len(CIFAR10Dataset(train=False, device=CPU)) == 4


def test_items_are_floats_in_0_1(folder, monkeypatch):
    write_cifar(folder, monkeypatch)
    data = CIFAR10Dataset(device=CPU)
    images, labels = data[:3]
    assert images.dtype == torch.float32
    assert torch.equal((images * 255).round().to(torch.uint8), data.images[:3])
    assert labels.tolist() == [0, 1, 2]


def test_without_network_a_stand_in_is_announced_and_named(folder, offline, capsys):
    started = time.perf_counter()
    data = CIFAR10Dataset(device=CPU, limit=50)
    assert time.perf_counter() - started < 20
    assert offline, "the download was not even tried"
    assert data.is_stand_in
    assert data.images.shape == (50, 3, 32, 32)
    assert data.images.dtype == torch.uint8
    assert data.source.title("Samples") == "Samples (stand-in data: drawn scenes)"
    printed = capsys.readouterr().out
    assert "CIFAR-10 not found and not downloadable: using coloured 32x32 scenes drawn by code" in printed
    assert "no route to host" in printed


def test_damaged_files_without_network_never_become_a_stand_in(folder, monkeypatch, offline):
    write_cifar(folder, monkeypatch, damaged=True)
    with pytest.raises(RuntimeError, match=r"are damaged and could not be fetched again .* delete that folder"):
        CIFAR10Dataset(device=CPU)


def test_excerpt_is_used_and_called_one(folder, offline, capsys):
    images = np.arange(2 * 3072, dtype=np.uint32).astype(np.uint8).reshape(2, 3, 32, 32)
    arrays = {"x_train": images, "y_train": np.array([6, 9], dtype=np.uint8)}
    np.savez(folder / "cifar10_head.npz", **arrays, x_test=images[:1], y_test=np.array([3], dtype=np.uint8))
    data = CIFAR10Dataset(device=CPU)
    assert np.array_equal(data.images.numpy(), images)
    assert data.labels.tolist() == [6, 9]
    assert not data.is_stand_in
    assert "first 1,017 images of each file" in capsys.readouterr().out
    assert not offline


def test_limit_keeps_the_first(folder, monkeypatch):
    write_cifar(folder, monkeypatch)
    assert torch.equal(CIFAR10Dataset(device=CPU, limit=7).images, CIFAR10Dataset(device=CPU).images[:7])
    with pytest.raises(ValueError, match="limit is 0, expected a positive number"):
        CIFAR10Dataset(device=CPU, limit=0)


def test_images_0_1_converts_bytes_and_keeps_floats():
    values = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert torch.allclose(images_0_1(values), torch.tensor([0.0, 0.2, 1.0]))
    assert torch.equal(images_0_1(np.array([0.25, 1.0])), torch.tensor([0.25, 1.0]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.tensor([0.0, 255.0]), "values run from 0 to 255, expected 0 to 1; divide bytes by 255"),
        (torch.tensor([-1.0, 1.0]), "values run from -1 to 1"),
        (torch.tensor([float("nan")]), "values run from nan"),
        (torch.tensor([1, 2]), "images are torch.int64, expected uint8"),
    ],
)
def test_images_0_1_refuses_other_ranges(values, message):
    with pytest.raises(ValueError, match=message):
        images_0_1(values)
