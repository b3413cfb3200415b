"""The hand-in as a whole: what costs points comes first, nothing keeps a student from handing in, and no traceback."""

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from finished import as_bytes, cell_of, finished
from nbformat import v4

from tools.notebooks import student_notebook
from utils import hand_in
from utils.exercise.files import save_yaml
from utils.submission import check_notebook, place, steps
from utils.submission.__main__ import main
from utils.submission.pages import write_pdf
from utils.submission.session import Run

NAME = "01_kl_divergence"
AIRFOILS = "02_airfoil_vae"
PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, and no PDF, which takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(steps, "write_pdf", lambda *arguments: "Wrote a PDF.")
    return tmp_path


def save(path, notebook, age: float = 0) -> None:
    path.write_bytes(as_bytes(notebook))
    os.utime(path, (time.time() - age, time.time() - age))


def packed(folder, name: str = NAME) -> list[str]:
    with zipfile.ZipFile(folder / f"{name}_submission.zip") as archive:
        return sorted(archive.namelist())


# ---------------------------------------------------------------- the steps


def test_an_unfinished_notebook_is_packed_and_what_costs_points_comes_first(folder, capsys):
    save(folder / f"{NAME}.ipynb", student_notebook(NAME))
    hand_in(NAME)
    text = capsys.readouterr().out
    places = [
        "Costs points as it stands (70 of 70):",
        "1.3 kl.D_KL, 5 points: nothing",
        "Worth a look",
        "No cell has been run",
        "Wrote",
    ]
    assert sorted(places, key=text.index) == places
    assert packed(folder) == [f"{NAME}.ipynb"]


def test_the_receipt_names_what_was_packed_and_stays_in_a_file(folder, capsys):
    notebook = finished(NAME)
    cell_of(notebook, "**RESPONSE:**").source = "**RESPONSE:**"
    save(folder / f"{NAME}.ipynb", notebook)
    (folder / "01_kl_beta.png").write_bytes(b"png")
    hand_in(NAME)
    data = (folder / f"{NAME}_submission.zip").read_bytes()
    receipt = (folder / f"{NAME}_receipt.txt").read_text(encoding="utf-8")
    assert f"SHA-256   {hashlib.sha256(data).hexdigest()}" in receipt
    assert f"size      {len(data):,} bytes" in receipt
    assert "answered  11 of 12 questions; open: 1.1 kl.general" in receipt
    assert f"holds     {NAME}.ipynb, 01_kl_beta.png" in receipt
    assert receipt in capsys.readouterr().out
    with zipfile.ZipFile(folder / f"{NAME}_submission.zip") as archive:
        assert archive.read(f"{NAME}.ipynb") == as_bytes(notebook)


def test_a_finished_notebook_gets_neither_heading(folder, capsys):
    save(folder / f"{NAME}.ipynb", finished(NAME))
    (folder / "01_kl_beta.png").write_bytes(b"png")
    hand_in(NAME)
    text = capsys.readouterr().out
    assert "Every graded cell and every response has an answer." in text
    assert "Costs points" not in text
    assert "Worth a look" not in text


def test_a_picture_that_is_not_there_is_told_and_left_out(folder, capsys):
    save(folder / f"{NAME}.ipynb", finished(NAME))
    hand_in(NAME, files=["mine.png"])
    text = capsys.readouterr().out
    assert "01_kl_beta.png is not beside the notebook: run the cell that writes it." in text
    assert "mine.png is not beside the notebook" in text
    assert packed(folder) == [f"{NAME}.ipynb"]


def test_the_configurations_travel_with_notebook_2(folder, capsys):
    save(folder / f"{AIRFOILS}.ipynb", finished(AIRFOILS))
    hand_in(AIRFOILS)
    assert "5.1 air.quality, 15 points: model_config.yaml is not beside the notebook" in capsys.readouterr().out
    save_yaml({"input_size": 200, "hidden_dims": [8], "latent_size": 10}, "model_config.yaml")
    save_yaml({"n_iters": 10}, "train_config.yaml")
    hand_in(AIRFOILS)
    assert "has an answer" in capsys.readouterr().out
    assert packed(folder, AIRFOILS) == [f"{AIRFOILS}.ipynb", "model_config.yaml", "train_config.yaml"]


def test_a_retyped_tag_is_a_warning_and_costs_nothing(folder):
    notebook = finished(NAME)
    cell = cell_of(notebook, "# AUTOGRADED (5) D_KL")
    cell.source = cell.source.replace("# AUTOGRADED (5) D_KL", "#autograded 5: D_KL")
    save(folder / "x.ipynb", notebook)
    check = check_notebook(folder / "x.ipynb", files=["01_kl_beta.png"])
    assert any("kl.D_KL: the tag of cell 15 was retyped" in warning for warning in check.warnings)
    assert check.findings == ()
    save(folder / "x.ipynb", finished(NAME))
    assert not any("retyped" in warning for warning in check_notebook(folder / "x.ipynb").warnings)


def test_a_file_behind_its_kernel_is_told_and_then_its_answers_are_not_compared(folder):
    path = folder / "x.ipynb"
    save(path, finished(NAME), age=600)
    newer = Run(999, "# AUTOGRADED (5) D_KL\ndef D_KL(mu, logvar):\n    return 0", time.time())
    check = check_notebook(path, [newer])
    assert check.unsaved.startswith("1 cell ran after the file was saved")
    assert [w for w in check.warnings if "kl_beta" not in w] == []
    save(path, finished(NAME))
    check = check_notebook(path, [newer])
    assert check.unsaved == ""
    (told,) = [w for w in check.warnings if "kl_beta" not in w]
    assert told.startswith("Cell 15 (kl.D_KL) was changed after it last ran")
    assert [w for w in check_notebook(path, None).warnings if "kl_beta" not in w] == []


@pytest.mark.parametrize("age", [0, 1, 5, 100, 130, 600, 90_000])
def test_inside_a_kernel_nobody_knows_what_is_on_the_screen_so_saving_comes_first(folder, capsys, age):
    """An answer in words may be edited without any cell running, however young the file is."""
    save(folder / "x.ipynb", finished(NAME), age=age)
    steps.run_steps(folder / "x.ipynb", runs=[], is_check_only=True)
    text = capsys.readouterr().out
    assert text.startswith("x.ipynb, as it was saved ")
    assert "save first (Ctrl+S or Cmd+S)" in text
    steps.run_steps(folder / "x.ipynb", runs=None, is_check_only=True)
    text = capsys.readouterr().out
    assert text.startswith("x.ipynb, as it was saved ")
    assert "save first" not in text, "in a terminal the file is what was named"


def test_what_is_known_to_be_unsaved_is_said_instead(folder, capsys):
    save(folder / "x.ipynb", finished(NAME), age=600)
    steps.run_steps(folder / "x.ipynb", runs=[Run(999, "x = 1", time.time())], is_check_only=True)
    text = capsys.readouterr().out
    assert text.startswith("x.ipynb, as it was saved 10 minutes ago\n")
    assert text.splitlines()[1].startswith("  1 cell ran after the file was saved: `x = 1` stands there differently")
    assert "save first" not in text


def test_a_folder_that_takes_no_files_is_one_sentence(folder, capsys, monkeypatch):
    save(folder / f"{NAME}.ipynb", student_notebook(NAME))

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(steps, "pack", refuse)
    hand_in(NAME)
    assert "The zip cannot be written beside 01_kl_divergence.ipynb (Permission denied)." in capsys.readouterr().out


def test_a_zip_is_replaced_whole_or_not_at_all(folder, monkeypatch):
    save(folder / f"{NAME}.ipynb", student_notebook(NAME))
    hand_in(NAME)
    before = (folder / f"{NAME}_submission.zip").read_bytes()
    monkeypatch.setattr(zipfile.ZipFile, "write", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left")))
    hand_in(NAME)
    assert (folder / f"{NAME}_submission.zip").read_bytes() == before
    assert not list(folder.glob("*.part"))


# ---------------------------------------------------------------- the PDF


def test_the_pdf_carries_name_and_hash_and_its_failure_is_one_sentence(tmp_path, monkeypatch):
    from utils import export

    path = tmp_path / "x.ipynb"
    save(path, student_notebook(NAME))
    seen = []

    def export_pdf(*arguments):
        seen.append(arguments)
        return SimpleNamespace(path=arguments[1], summary=SimpleNamespace(counts=lambda: "70 cells."))

    monkeypatch.setattr(export, "export_pdf", export_pdf, raising=False)
    assert write_pdf(path, NAME, "Ada", "abc") == f"Wrote {NAME}_submission.pdf: 70 cells."
    assert seen[0][2:4] == ("Ada", "abc")

    def fail(*arguments):
        raise RuntimeError("no glyphs\nat all")

    monkeypatch.setattr(export, "export_pdf", fail)
    assert write_pdf(path, NAME, "", "") == "No PDF could be made (no glyphs at all). The zip is complete without it."

    html = SimpleNamespace(path=tmp_path / "x.html", summary=None)
    monkeypatch.setattr(export, "export_pdf", lambda *arguments: html)
    assert write_pdf(path, NAME, "", "").startswith("Wrote x.html instead of a PDF: open it in a browser")


def test_a_notebook_becomes_a_real_pdf(tmp_path):
    path = tmp_path / "x.ipynb"
    save(path, student_notebook(NAME))
    assert write_pdf(path, NAME, "Ada Lovelace", "ab" * 32).startswith(f"Wrote {NAME}_submission.pdf: ")
    assert (tmp_path / f"{NAME}_submission.pdf").read_bytes().startswith(b"%PDF")


# ---------------------------------------------------------------- which file


def test_a_renamed_notebook_is_recognised_and_the_newest_taken(folder, capsys):
    save(folder / f"{NAME}.ipynb", student_notebook(NAME), age=600)
    save(folder / "my copy (1).ipynb", finished(NAME))
    hand_in(NAME)
    assert "the newest is taken" in capsys.readouterr().out
    assert packed(folder) == ["my copy (1).ipynb"]


def test_the_notebook_jupyter_names_is_taken_before_a_newer_copy(folder, capsys, monkeypatch):
    save(folder / "mine.ipynb", finished(NAME), age=600)
    save(folder / "newer.ipynb", student_notebook(NAME))
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "mine.ipynb"))
    hand_in(NAME)
    text = capsys.readouterr().out
    assert "mine.ipynb, as it was saved 10 minutes ago" in text
    assert "the newest is taken" not in text


def test_the_notebook_vs_code_names_is_taken(folder, monkeypatch):
    (folder / "sub").mkdir()
    save(folder / "sub" / "mine.ipynb", finished(NAME))
    shell = SimpleNamespace(user_ns={"__vsc_ipynb_file__": str(folder / "sub" / "mine.ipynb")})
    monkeypatch.setattr(place, "running_shell", lambda: shell)
    hand_in(NAME)
    assert packed(folder / "sub") == ["mine.ipynb"]


def test_a_folder_without_the_notebook_is_one_sentence(folder, capsys):
    save(folder / "other.ipynb", finished(AIRFOILS))
    hand_in(NAME)
    assert capsys.readouterr().out.startswith(f"No file of {NAME} is found in the folder of this kernel")
    assert [path.name for path in folder.iterdir()] == ["other.ipynb"]


def on_colab(monkeypatch, answer) -> None:
    """Stand in for Colab's package; `answer` is what its page returns."""
    colab = ModuleType("google.colab")
    colab._message = SimpleNamespace(blocking_request=lambda request, timeout_sec: answer())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)


def test_colab_gives_the_notebook_as_its_page_shows_it(folder, capsys, monkeypatch):
    on_colab(monkeypatch, lambda: {"ipynb": json.loads(as_bytes(finished(NAME)))})
    hand_in(NAME)
    assert packed(folder) == [f"{NAME}.ipynb"]
    text = capsys.readouterr().out
    assert "On Colab: download the files" in text
    assert f"{NAME}.ipynb, as it stands on the page\n" in text
    assert "save first" not in text
    save(folder / f"{NAME}.ipynb", student_notebook(NAME), age=50)
    steps.run_steps(folder / f"{NAME}.ipynb", runs=[], is_check_only=True)
    assert "save first" in capsys.readouterr().out, "another file than the page gave"


@pytest.mark.parametrize("answer", [lambda: None, lambda: {"ipynb": {}}, lambda: 1 / 0])
def test_colab_that_does_not_answer_is_told_how_to_bring_the_file(folder, capsys, monkeypatch, answer):
    on_colab(monkeypatch, answer)
    hand_in(NAME)
    assert "File > Download > Download .ipynb" in capsys.readouterr().out


# ---------------------------------------------------------------- the command line


def test_check_writes_nothing_and_zip_writes_zip_and_receipt(folder, capsys):
    save(folder / "work.ipynb", finished(NAME))
    assert main(["check", "work.ipynb"]) == 0
    assert [path.name for path in folder.iterdir()] == ["work.ipynb"]
    assert main(["zip", "work.ipynb", "--student", "Ada"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{NAME}_receipt.txt", f"{NAME}_submission.zip", "work.ipynb"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The notebook file is empty"),
        (b"not json", "The notebook is not valid JSON"),
        (b"[]", "The file is JSON but not a notebook"),
        (b'{"cells": []}', "This is no notebook of the course (01_kl_divergence"),
        (None, "cannot be read (No such file or directory). Name the .ipynb file you worked in."),
    ],
)
def test_a_file_that_cannot_be_handed_in_is_one_sentence(folder, capsys, content, said):
    if content is not None:
        (folder / "other.ipynb").write_bytes(content)
    assert main(["zip", "other.ipynb"]) == 2
    text = capsys.readouterr().out
    assert said in text
    assert text.count("\n") == 1


def test_a_console_without_greek_gets_a_question_mark(folder):
    notebook = finished(NAME)
    cell_of(notebook, "# TEST").outputs = [v4.new_output("error", ename="ValueError", evalue="β is lost", traceback=[])]
    save(folder / "work.ipynb", notebook)
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "utils.submission", "check", "work.ipynb"]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120)
    assert run.returncode == 0
    assert b"ValueError: ? is lost" in run.stdout
    assert run.stderr == b""


def test_a_wrong_command_line_shows_the_right_one(capsys):
    with pytest.raises(SystemExit):
        main(["verify"])
    assert "usage: python -m utils.submission" in capsys.readouterr().err
