"""The first cell of a notebook finds the bundle: beside it, above it, and on Colab from the uploaded zip alone.

The cell stands in every notebook, because it must run before `utils` is found; that the copies are one cell is a test.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.notebook_source import ROOT, read_source, source_names

NAME = "01_kl_divergence"
FAKE_COLAB = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"


def setup_cell(name: str) -> str:
    return read_source(name).cells_of("setup")[0].text


def run_setup(folder: Path, before: str = "") -> subprocess.CompletedProcess:
    code = before + setup_cell(NAME)
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", source_names())
def test_every_notebook_has_the_same_setup_cell(name):
    assert setup_cell(name) == setup_cell(NAME).replace(NAME, name)


def test_a_notebook_in_its_folder_finds_the_bundle(tmp_path):
    (tmp_path / "utils").symlink_to(ROOT / "utils")
    (tmp_path / "notebooks").mkdir()
    run = run_setup(tmp_path / "notebooks")
    assert run.returncode == 0, run.stderr
    assert "Runs on your own machine, device " in run.stdout


@pytest.mark.parametrize("top", ["", "student/"])
def test_colab_needs_nothing_but_the_zip(top, tmp_path):
    with zipfile.ZipFile(tmp_path / "student.zip", "w") as archive:
        for path in (ROOT / "utils").rglob("*.py"):
            archive.write(path, top + str(path.relative_to(ROOT)))
    run = run_setup(tmp_path, FAKE_COLAB)
    assert run.returncode == 0, run.stderr
    assert "Runs on Google Colab" in run.stdout


def test_a_notebook_that_was_moved_away_says_what_to_do(tmp_path):
    run = run_setup(tmp_path)
    assert run.returncode == 1
    assert "keep this notebook in the bundle's folder `notebooks`" in run.stderr
    assert run.stderr.count("\n") == 1
