import socket
from pathlib import Path

import pytest

from utils.datasets._cache import TIMEOUT_SECONDS, Source, data_dir, shorten, try_download


def test_data_dir_is_the_bundles_unless_chosen(monkeypatch, tmp_path):
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert data_dir() == Path(__file__).resolve().parents[3] / "data"
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert data_dir() == tmp_path


def test_a_chosen_folder_is_not_spelled_out(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert shorten(tmp_path / "MNIST") == "DATA_DIR/MNIST"
    assert shorten(tmp_path).startswith("DATA_DIR")
    assert str(tmp_path) not in shorten(tmp_path)


def test_a_stand_in_is_named_in_titles_and_the_real_data_is_not():
    assert Source("MNIST").title("Samples") == "Samples"
    assert Source("digits", is_stand_in=True).title("Samples") == "Samples (stand-in data: digits)"
    assert str(Source("MNIST")) == "MNIST"


def test_a_picture_of_weights_of_ours_names_what_they_have_seen():
    ours = "; weights of ours, trained on MNIST"
    for source in (Source("MNIST"), Source("digits", is_stand_in=True)):
        assert source.title("Samples", ours) == f"Samples{ours}"
    assert Source("digits", is_stand_in=True).title("Samples", "") == "Samples (stand-in data: digits)"


def test_a_download_that_works_gives_no_reason():
    assert try_download(lambda: None) is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError("timed out"), "timed out"),
        (RuntimeError("Error downloading:\nTried here, got:\n no route\n\n"), "no route"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (EOFError(), "EOFError"),
    ],
)
def test_a_failure_becomes_one_sentence(error, reason):
    def fail():
        raise error

    text = try_download(fail)
    assert reason in text
    assert "\n" not in text


def test_our_own_mistakes_are_not_taken_for_a_lost_network():
    with pytest.raises(ZeroDivisionError):
        try_download(lambda: 1 / 0)


def test_sockets_time_out_during_the_download_only(capsys):
    seen = []

    def download():
        print("torchvision's narration")
        seen.append(socket.getdefaulttimeout())

    before = socket.getdefaulttimeout()
    try_download(download)
    assert seen == [TIMEOUT_SECONDS]
    assert socket.getdefaulttimeout() == before
    assert capsys.readouterr().out == ""
