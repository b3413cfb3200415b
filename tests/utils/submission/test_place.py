"""Which file is the running notebook."""

from threading import Timer

import pytest
from finished import as_bytes, finished

from utils.submission import place
from utils.submission.place import find_notebook

NAME = "01_kl_divergence"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_that_an_editor_is_writing_is_read_once_more(here):
    path, data = here / "mine.ipynb", as_bytes(finished(NAME))
    path.write_bytes(data[: len(data) // 2])
    Timer(0.3, path.write_bytes, [data]).start()
    assert find_notebook(NAME) == path


def test_a_file_that_has_been_broken_for_long_is_not_waited_for(here, monkeypatch, capsys):
    monkeypatch.setattr(place, "_NEW_SECONDS", 0.0)
    monkeypatch.setattr(place, "_WRITING_SECONDS", 60.0)
    (here / "mine.ipynb").write_bytes(b'{"cells": [')
    assert find_notebook(NAME) is None
    assert "No file of 01_kl_divergence is found" in capsys.readouterr().out
