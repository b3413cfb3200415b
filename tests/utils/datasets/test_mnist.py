import gzip
import hashlib
import struct
import urllib.error
import urllib.request

import numpy as np
import pytest
import torch

from utils.datasets._torchvision import import_torchvision
from utils.datasets.mnist import MNISTDataset

COUNTS = {"train": 12, "t10k": 5}


def _idx(array: np.ndarray) -> bytes:
    """An array in the file format of MNIST."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def _files() -> dict[str, bytes]:
    files = {}
    for part, count in COUNTS.items():
        images = np.arange(count * 784).reshape(count, 28, 28) % 256
        files[f"{part}-images-idx3-ubyte"] = _idx(images)
        files[f"{part}-labels-idx1-ubyte"] = _idx(np.arange(count) % 10)
    return files


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def unpacked(folder):
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in _files().items():
        (raw / name).write_bytes(content)
    return raw


class _Server:
    """Answers like the mirror, from memory."""

    def __init__(self, files: dict[str, bytes]):
        self.files = files
        self.asked: list[str] = []

    def open(self, request, *_, **__):
        url = request.full_url
        self.asked.append(url)
        content = self.files.get(url.rsplit("/", 1)[-1])
        if content is None:
            raise urllib.error.URLError("not here")
        return _Response(url, content)


class _Response:
    def __init__(self, url: str, content: bytes):
        self.url, self.length, self._content = url, len(content), content

    def read(self, size: int) -> bytes:
        chunk, self._content = self._content[:size], self._content[size:]
        return chunk

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


@pytest.fixture
def server(monkeypatch):
    """A mirror that serves the small files; torchvision is told their checksums."""
    packed = {f"{name}.gz": gzip.compress(content) for name, content in _files().items()}
    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in packed.items()]
    monkeypatch.setattr(import_torchvision().datasets.MNIST, "resources", resources)
    server = _Server(packed)
    monkeypatch.setattr(urllib.request, "urlopen", server.open)
    return server


def test_files_that_are_there_are_read_as_they_are(unpacked, capsys):
    data = MNISTDataset(train=True)
    assert data.images.shape == (12, 1, 28, 28)
    assert data.images.dtype == torch.float32
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert data.images[0, 0, 0, 255 % 28] == pytest.approx((255 % 28) / 255)
    assert not data.is_stand_in
    assert data.source.name == "MNIST"
    assert "12 training images" in capsys.readouterr().out
    assert len(MNISTDataset(train=False)) == 5


def test_an_item_is_an_image_and_its_label(unpacked):
    image, label = MNISTDataset()[3]
    assert image.shape == (1, 28, 28)
    assert label.item() == 3
    batch = next(iter(torch.utils.data.DataLoader(MNISTDataset(), 4)))
    assert batch[0].shape == (4, 1, 28, 28)
    assert [tensor.shape[0] for tensor in MNISTDataset(limit=7).tensors] == [7, 7]


def test_images_of_one_class(unpacked):
    data = MNISTDataset()
    assert torch.equal(data.of_class(1, 2), data.images[[1, 11]])
    with pytest.raises(ValueError, match="3 images of class 1 asked for, 2 are there"):
        data.of_class(1, 3)


def test_a_limit_must_be_positive(unpacked):
    with pytest.raises(ValueError, match="limit is 0, expected a positive number"):
        MNISTDataset(limit=0)


def test_what_is_missing_is_downloaded_checked_and_announced(folder, server, capsys):
    data = MNISTDataset()
    assert not data.is_stand_in
    assert len(data) == 12
    assert "downloading 11.6 MB" in capsys.readouterr().out.splitlines()[0]
    asked = len(server.asked)
    assert len(MNISTDataset(train=False)) == 5
    assert len(server.asked) == asked  # a second time nothing is fetched


def test_a_download_with_a_wrong_checksum_is_not_used(folder, server, capsys):
    server.files = {name: gzip.compress(b"something else") for name in server.files}
    data = MNISTDataset()
    assert data.is_stand_in
    assert "corrupted" in capsys.readouterr().out


def test_without_network_and_files_a_stand_in_says_so(folder, server, capsys):
    server.files = {}
    train, test = MNISTDataset(train=True), MNISTDataset(train=False)
    said = capsys.readouterr().out
    assert said.count("\nMNIST not found and not downloadable: using scikit-learn's handwritten digits\n") == 2
    assert "unpacked files into DATA_DIR/MNIST/raw.\n" in said
    assert str(folder) not in said
    assert train.is_stand_in
    assert train.source.title("Samples") == "Samples (stand-in data: scikit-learn digits)"
    assert (len(train), len(test)) == (1500, 297)


def test_the_stand_in_has_the_shape_type_and_range_of_mnist(folder, server):
    server.files = {}
    data = MNISTDataset()
    assert data.images.shape[1:] == (1, 28, 28)
    assert (data.images.dtype, data.labels.dtype) == (torch.float32, torch.int64)
    assert data.images.min() == 0
    assert 0.9 < data.images.max() <= 1
    assert data.images[:, :, :4].max() == 0  # paper around the digit, as in MNIST
    assert data.labels.unique().tolist() == list(range(10))


def test_damaged_files_are_named_not_replaced(unpacked):
    whole = (unpacked / "train-images-idx3-ubyte").read_bytes()
    (unpacked / "train-images-idx3-ubyte").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RuntimeError, match="DATA_DIR/MNIST/raw are damaged; delete that folder and run again"):
        MNISTDataset()
