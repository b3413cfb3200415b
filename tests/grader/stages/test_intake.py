"""What students hand in by mistake or on purpose: each file gets one clear sentence, and nothing is written anywhere."""

import io
import os
import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from grader.stages.intake import IntakeError, take_in, take_in_bytes
from grader.stages.notebook import read
from tests.support import answers
from utils.notebook.cells import NotebookError

NOTEBOOK = "01_kl_divergence"
MINI = b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def rejection(data: bytes, name: str = "ada.zip") -> str:
    with pytest.raises(IntakeError) as caught:
        take_in_bytes(data, name, "ada")
    return one_sentence(caught.value)


def one_sentence(error: Exception) -> str:
    text = str(error)
    assert text.endswith(".")
    assert text.isprintable()
    assert ": " in text, "no next step"
    assert "Error" not in text
    assert len(text) < 400
    return text


@pytest.fixture(autouse=True)
def _nothing_is_written(tmp_path, monkeypatch):
    """Every test runs in an empty folder, with an empty folder as the temporary one, and leaves both as they were."""
    for name in ("here", "temporary", "given"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield
    assert not list((tmp_path / "here").iterdir())
    assert not list((tmp_path / "temporary").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"here", "temporary", "given"}


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "ada.zip", "is empty"),
        (b"", "ada.txt", "is empty"),
        (b"%PDF-1.7 ...", "ada.pdf", "is a PDF"),
        (b"Rar!\x1a\x07", "ada.zip", "is a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "ada.zip", "is a 7z archive"),
        (b"\x1f\x8b\x08", "ada.tar.gz", "is a gzip archive"),
        (b"<!doctype html>", "ada.zip", "is an HTML page"),
        (b"\x89PNG\r\n", "ada.png", "neither a zip nor a notebook"),
        (b"def D_KL(mu, logvar): ...", "ada.py", "neither a zip nor a notebook"),
    ],
)
def test_a_wrong_file_is_called_what_it_is(data, name, words):
    assert words in rejection(data, name)


def test_a_zip_is_taken_with_its_configs_and_the_rest_is_listed():
    data = zipped(
        ("work/my notebook.IPYNB", MINI),
        ("work/model_config.yaml", b"a: 1"),
        ("photo.jpg", b"x"),
        ("__MACOSX/hand-in/._my notebook.ipynb", b"\0"),
        ("work/.ipynb_checkpoints/my notebook-checkpoint.ipynb", MINI),
        (".DS_Store", b"\0"),
    )
    taken = take_in_bytes(data, "ada.zip", "ada")
    assert taken.notebooks == {"work/my notebook.IPYNB": MINI}
    assert taken.configs == {"model_config.yaml": b"a: 1"}
    assert taken.ignored == ("photo.jpg",)


def test_a_bare_notebook_is_taken():
    assert take_in_bytes(MINI, "ada.ipynb", "ada").notebooks == {"ada.ipynb": MINI}
    assert take_in_bytes(b"\xef\xbb\xbf\n" + MINI, "upload.txt", "ada").notebooks


def test_a_zip_without_a_notebook_says_what_it_holds():
    assert "it holds report.pdf" in rejection(zipped(("report.pdf", b"x")))
    assert "it holds nothing else" in rejection(zipped())
    assert "holds nothing else" in rejection(zipped(("__MACOSX/._a.ipynb", b"x")))


def test_a_zip_in_a_zip_is_not_opened():
    assert "it holds inner.zip" in rejection(zipped(("inner.zip", zipped(("a.ipynb", MINI)))))


def test_code_beside_the_notebook_is_ignored():
    names = (
        "conftest.py",
        "sitecustomize.py",
        "utils/__init__.py",
        "torch.py",
        "assignments/flows/references/x.json",
        "pytest.ini",
    )
    taken = take_in_bytes(zipped(("a.ipynb", MINI), *((name, b"raise") for name in names)), "ada.zip", "ada")
    assert taken.ignored == names


@pytest.mark.parametrize(
    "name", ["../../evil.ipynb", "/etc/evil.ipynb", "..\\evil.ipynb", "C:\\evil.ipynb", "a/../../evil.ipynb"]
)
def test_paths_that_lead_elsewhere_are_ignored(name):
    assert "no notebook" in rejection(zipped((name, MINI)))
    assert list(take_in_bytes(zipped((name, b"x"), ("a.ipynb", MINI)), "ada.zip", "ada").notebooks) == ["a.ipynb"]


def test_a_link_is_ignored():
    link = zipfile.ZipInfo("a.ipynb")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert "no notebook" in rejection(zipped((link, b"/etc/passwd")))


def test_an_encrypted_zip_is_asked_for_without_password():
    data = bytearray(zipped(("a.ipynb", MINI)))
    for signature, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + flags_at] |= 1
    assert "encrypted" in rejection(bytes(data))


def test_a_cut_zip_is_called_damaged():
    data = zipped(("a.ipynb", MINI * 100))
    for length in (30, len(data) // 2, len(data) - 10):
        assert "damaged" in rejection(data[:length])


def test_five_hundred_megabytes_are_not_read(tmp_path, monkeypatch):
    big = tmp_path / "given" / "big.zip"
    with open(big, "wb") as file:
        file.truncate(500 * 2**20)  # takes no room on the disk
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    with pytest.raises(IntakeError) as caught:
        take_in(big)
    assert "500 MB, at most 64 MB" in one_sentence(caught.value)


def test_a_bomb_is_not_unpacked():
    data = zipped(*((f"{n}.ipynb", bytes(30 * 2**20)) for n in range(10)))
    assert len(data) < 2**20
    assert "300 MB, at most 256 MB" in rejection(data)


def test_a_notebook_too_large_names_itself():
    assert "a.ipynb has more than 32 MB" in rejection(zipped(("a.ipynb", bytes(33 * 2**20))))
    assert "more than 0.0625 MB" in rejection(zipped(("a.ipynb", MINI), ("train_config.yaml", bytes(2**17))))


def test_a_size_that_lies_costs_no_memory():
    data = bytearray(zipped(("a.ipynb", bytes(40 * 2**20))))
    at = data.find(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 100)
    rejection(bytes(data))


def test_more_files_than_allowed():
    assert "holds 201 files, at most 200" in rejection(zipped(*((f"{n}.txt", b"") for n in range(201))))


@pytest.mark.parametrize(
    "name", ["Übung ½.ipynb", "作业.ipynb", "a\x1b[31m.ipynb", "\u202egnp.ipynb", " .ipynb", "a" * 300 + ".ipynb"]
)
def test_names_in_odd_writing_are_printable(name):
    taken = take_in_bytes(zipped((name, MINI)), "ada.zip", "ada")
    assert all(found.isprintable() and len(found) <= 200 for found in taken.notebooks)


def test_a_name_in_an_old_encoding_is_read():
    data = zipped(("xxxx.ipynb", MINI)).replace(b"xxxx.ipynb", b"\x9a\x81\xff\x80.ipynb")
    assert len(take_in_bytes(data, "ada.zip", "ada").notebooks) == 1


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_damage_to_a_zip_is_more_than_a_sentence(compression):
    """A seeded fuzzer: whatever bytes are changed, the answer is a submission or a sentence."""
    rng = random.Random(compression)
    whole = zipped(("a.ipynb", MINI * 3), ("train_config.yaml", b"a: 1"), compression=compression)
    outcomes = set()
    for _ in range(800):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        try:
            take_in_bytes(bytes(data), "ada.zip", "ada")
            outcomes.add("taken")
        except IntakeError as error:
            outcomes.add("rejected" if str(error).isprintable() else "unprintable")
    assert outcomes == {"taken", "rejected"}


def test_a_file_that_is_not_there_or_no_file(tmp_path):
    for path in (tmp_path / "given" / "no.zip", tmp_path / "given"):
        with pytest.raises(IntakeError) as caught:
            take_in(path)
        one_sentence(caught.value)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "given" / "pipe.zip")
    with pytest.raises(IntakeError) as caught:
        take_in(tmp_path / "given" / "pipe.zip")
    assert "not a file" in one_sentence(caught.value)


# ---------------------------------------------------------------- which notebook of a zip is meant


def reading_error(data: bytes, expected: str | None = None) -> str:
    with pytest.raises(NotebookError) as caught:
        read(take_in_bytes(data, "ada.zip", "ada"), expected)
    return one_sentence(caught.value)


def test_two_notebooks_of_the_assignment_are_one_too_many():
    solved = answers(NOTEBOOK)
    assert "2 notebooks of this assignment (a.ipynb, b.ipynb)" in reading_error(
        zipped(("a.ipynb", solved), ("b.ipynb", solved + b" "))
    )


def test_another_notebook_beside_it_is_ignored_and_said():
    found = read(take_in_bytes(zipped(("notes.ipynb", MINI), ("a.ipynb", answers(NOTEBOOK))), "ada.zip", "ada"))
    assert found.notebook_name == "a.ipynb"
    assert any("notes.ipynb ignored" in repair for repair in found.repairs)


def test_the_notebook_of_another_assignment_is_named():
    text = reading_error(zipped(("a.ipynb", answers(NOTEBOOK))), expected="02_airfoil_vae")
    assert "01_kl_divergence" in text
    assert "expected 02_airfoil_vae" in text


def test_a_strangers_notebook_answers_nothing():
    assert "No answer to 01_kl_divergence" in reading_error(zipped(("a.ipynb", MINI)), NOTEBOOK)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not json", "not valid JSON"),
        (b"", "is empty"),
        (b'{"cells": 3}', "not a notebook"),
        (b"[1, 2]", "not a notebook"),
        (b"null", "not a notebook"),
        (b'{"worksheets": []}', "old format 3"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"cells": [' + b"9" * 5000 + b"]}", "not valid JSON"),
    ],
)
def test_what_is_no_notebook_says_so(data, words):
    assert words in reading_error(zipped(("a.ipynb", data)))
