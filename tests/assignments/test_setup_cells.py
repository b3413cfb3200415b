"""The first cell of a notebook finds the bundle: beside it, above it, and on Colab from the uploaded zip alone.

The cell stands in every notebook, because it must run before `utils` is found; that the copies are one cell is a test.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from tools.notebook_source import ROOT, read_source, source_names
from tools.notebooks import student_notebook
from tools.student import write_bundle

NAME = "01_kl_divergence"
FAKE_COLAB = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"


# Colab's page, which knows the notebook that no file holds; none of what makes a PDF is installed there.
COLAB_PAGE = """
import json, sys, types
colab = types.ModuleType("google.colab")
page = lambda request, timeout_sec: {"ipynb": json.load(open("page.json", encoding="utf-8"))}
colab._message = types.SimpleNamespace(blocking_request=page)
sys.modules |= {"google": types.ModuleType("google"), "google.colab": colab, "typst": None, "pypandoc": None}
"""


def setup_cell(name: str) -> str:
    return read_source(name).cells_of("setup")[0].text


def run_setup(folder: Path, before: str = "") -> subprocess.CompletedProcess:
    code = before + setup_cell(NAME)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )


@pytest.mark.parametrize("name", source_names())
def test_every_notebook_has_the_same_setup_cell(name):
    assert setup_cell(name) == setup_cell(NAME).replace(NAME, name)


def test_a_notebook_in_its_folder_finds_the_bundle(tmp_path):
    (tmp_path / "utils").symlink_to(ROOT / "utils")
    (tmp_path / "notebooks").mkdir()
    run = run_setup(tmp_path / "notebooks")
    assert run.returncode == 0, run.stderr
    assert "Runs on your own machine, device " in run.stdout


def test_on_colab_a_zip_that_was_packed_again_without_its_folder_is_found(tmp_path):
    with zipfile.ZipFile(tmp_path / "student.zip", "w") as archive:
        for path in (ROOT / "utils").rglob("*.py"):
            archive.write(path, path.relative_to(ROOT))
    found = setup_cell(NAME).replace(f'diagnose("{NAME}")', "print(sys.modules['utils'].__file__)")
    run = subprocess.run(
        [sys.executable, "-c", FAKE_COLAB + found],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert Path(run.stdout.strip()) == tmp_path / "utils" / "__init__.py"


def test_on_colab_the_zip_is_all_from_the_first_cell_to_the_hand_in(tmp_path):
    name = "02_airfoil_vae"
    write_bundle(tmp_path / "student.zip")
    notebook = student_notebook(name)
    nbformat.write(notebook, tmp_path / "page.json")
    imports = next(cell.source for cell in notebook.cells if cell.source.startswith("# IMPORTS"))
    code = [COLAB_PAGE, setup_cell(name), imports, "print(len(AirfoilDataset()), 'profiles')", f"hand_in({name!r})"]
    environment = {key: value for key, value in os.environ.items() if key not in ("DATA_DIR", "PYTHONPATH")}
    environment["PATH"] = str(tmp_path)  # no browser that could print
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert "airfoils found in generative-models" in run.stdout
    assert "1547 profiles" in run.stdout
    assert "2.1 air.encoder, 12 points: nothing is filled in yet" in run.stdout
    assert f"Wrote {name}_submission.html instead of a PDF" in run.stdout
    assert "%pip install typst==" in run.stdout
    assert "On Colab: download the files from the Files panel" in run.stdout
    with zipfile.ZipFile(tmp_path / f"{name}_submission.zip") as archive:
        assert archive.namelist() == [f"{name}.ipynb"]


def test_a_notebook_that_was_moved_away_says_what_to_do(tmp_path):
    run = run_setup(tmp_path)
    assert run.returncode == 1
    assert "keep this notebook in the bundle's folder `notebooks`" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("name", source_names())
def test_code_is_narrow_enough_for_the_page(name):
    """Neither Colab nor the PDF wraps it; answers and given code keep the lines that answers elsewhere have."""
    cells = [
        cell for cell in read_source(name).cells if cell.kind == "code" and cell.role not in ("autograded", "given")
    ]
    assert [line for cell in cells for line in cell.text.split("\n") if len(line) > 95] == []
