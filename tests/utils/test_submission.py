"""The hand-in: what is open is said, what is there is packed, and nothing keeps a student from handing in."""

import hashlib
import os
import time
import zipfile

import nbformat
import pytest

from tools.notebooks import solved_notebook, student_notebook
from utils import submission
from utils.assignments import UNANSWERED, load_assignment
from utils.submission import check_notebook, hand_in, main

NAME = "01_kl_divergence"


def as_bytes(notebook) -> bytes:
    return nbformat.writes(notebook).encode()


def sentences(notebook) -> list[str]:
    findings = check_notebook(as_bytes(notebook), load_assignment(NAME))
    return [f"{finding.question.id} ({finding.points}): {finding.text}" for finding in findings]


def edit(notebook, start: str, old: str, new: str):
    """Change one cell, found by how it begins."""
    cell = next(cell for cell in notebook.cells if cell.source.startswith(start))
    assert old in cell.source
    cell.source = cell.source.replace(old, new)
    return notebook


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


# ---------------------------------------------------------------- what is found


def test_a_finished_notebook_has_no_findings():
    assert sentences(solved_notebook(NAME)) == []


def test_an_untouched_notebook_has_every_task_and_response_as_finding():
    assignment = load_assignment(NAME)
    found = sentences(student_notebook(NAME))
    assert len(found) == len(assignment.tasks) + sum(question.responses for question in assignment.questions)
    assert "kl.D_KL (5): nothing is filled in yet" in found
    assert "kl.beta (5): response 2 of 2 is empty" in found
    findings = check_notebook(as_bytes(student_notebook(NAME)), assignment)
    assert sum(finding.points for finding in findings) == assignment.total_points


def test_a_gap_left_open_in_a_cell_that_was_worked_on_is_counted():
    start = "# AUTOGRADED (5) D_KL"
    notebook = edit(student_notebook(NAME), start, "    raise", "    kl = mu * logvar\n    raise")
    assert "kl.D_KL (5): 1 gap still open" in sentences(notebook)


def test_a_cell_that_does_not_parse_is_named_with_its_line():
    notebook = edit(solved_notebook(NAME), "# AUTOGRADED (5) D_KL", "return kl.mean()", "return kl.mean(")
    (found,) = sentences(notebook)
    assert found.startswith("kl.D_KL (5): the cell does not parse (line")


def test_a_name_that_is_not_allowed_is_named():
    start = "# AUTOGRADED (5) log_prob"
    notebook = edit(solved_notebook(NAME), start, "    K = ", "    torch.distributions.Normal(0, 1)\n    K = ")
    (found,) = sentences(notebook)
    assert "uses `torch.distributions`, which is not allowed here" in found


def test_a_deleted_cell_is_missing():
    notebook = solved_notebook(NAME)
    notebook.cells = [cell for cell in notebook.cells if "def elbo" not in cell.source]
    (found,) = sentences(notebook)
    assert found.startswith("kl.elbo (5): ")
    assert "no cell begins with `# AUTOGRADED (5) elbo`" in found


@pytest.mark.parametrize(
    ("response", "is_answered"),
    [
        (f"**RESPONSE:**\n\n{UNANSWERED}", False),
        (f"**RESPONSE:** (a) beta too large\n\n{UNANSWERED}", False),
        ("**RESPONSE:**", False),
        ("**RESPONSE:**\n\n \n", False),
        (f"**RESPONSE:**\n\n{UNANSWERED}\n\nBy Jensen's inequality.", True),
        ("**RESPONSE:** By Jensen's inequality.", True),
        ("**RESPONSE:**\n\n$x = 1$", True),
    ],
)
def test_an_answer_is_text_of_the_students_own(response, is_answered):
    notebook = solved_notebook(NAME)
    first = next(cell for cell in notebook.cells if cell.source.startswith("**RESPONSE:**"))
    first.source = response
    assert sentences(notebook) == ([] if is_answered else ["kl.general (10): the response is empty"])


def test_a_deleted_response_is_missing():
    notebook = solved_notebook(NAME)
    first = next(cell for cell in notebook.cells if cell.source.startswith("**RESPONSE:**"))
    notebook.cells.remove(first)
    (found,) = sentences(notebook)
    assert found == "kl.general (10): the response is missing; begin a text cell with **RESPONSE:**"


# ---------------------------------------------------------------- the file and the zip


def test_hand_in_packs_an_unfinished_notebook_and_prints_a_receipt(folder, capsys):
    (folder / f"{NAME}.ipynb").write_bytes(as_bytes(student_notebook(NAME)))
    (folder / "plot.png").write_bytes(b"png")
    hand_in(NAME, files=["plot.png", "absent.png"])
    text = capsys.readouterr().out
    path = folder / f"{NAME}_submission.zip"
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [f"{NAME}.ipynb", "plot.png"]
        assert archive.read(f"{NAME}.ipynb") == as_bytes(student_notebook(NAME))
    assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert "1.3 kl.D_KL, 5 points: nothing is filled in yet" in text
    assert "absent.png is not there" in text
    assert "saved moments ago" in text


def test_a_renamed_notebook_is_recognised_and_the_newest_taken(folder, capsys):
    old, new = folder / f"{NAME}.ipynb", folder / "my copy (1).ipynb"
    old.write_bytes(as_bytes(student_notebook(NAME)))
    os.utime(old, (time.time() - 600, time.time() - 600))
    new.write_bytes(as_bytes(solved_notebook(NAME)))
    hand_in(NAME)
    text = capsys.readouterr().out
    assert "the newest is taken" in text
    with zipfile.ZipFile(folder / f"{NAME}_submission.zip") as archive:
        assert archive.namelist() == ["my copy (1).ipynb"]


def test_the_notebook_jupyter_names_is_taken_before_a_newer_copy(folder, capsys, monkeypatch):
    mine = folder / "mine.ipynb"
    mine.write_bytes(as_bytes(solved_notebook(NAME)))
    os.utime(mine, (time.time() - 600, time.time() - 600))
    (folder / "newer.ipynb").write_bytes(as_bytes(student_notebook(NAME)))
    monkeypatch.setenv("JPY_SESSION_NAME", str(mine))
    hand_in(NAME)
    text = capsys.readouterr().out
    assert "mine.ipynb, saved 10 minutes ago" in text
    assert "save the notebook and run this cell again" in text


def test_a_folder_without_the_notebook_is_one_sentence(folder, capsys):
    hand_in(NAME)
    assert capsys.readouterr().out.startswith(f"No file of {NAME} is found in the folder of this kernel")
    assert list(folder.iterdir()) == []


def test_colab_is_told_where_its_file_is(folder, capsys, monkeypatch):
    monkeypatch.setitem(submission.sys.modules, "google.colab", submission)
    hand_in(NAME)
    assert "File > Download > Download .ipynb" in capsys.readouterr().out


# ---------------------------------------------------------------- the command line


def test_check_writes_nothing_and_zip_writes_the_archive(folder, capsys):
    path = folder / "work.ipynb"
    path.write_bytes(as_bytes(solved_notebook(NAME)))
    assert main(["check", str(path)]) == 0
    assert sorted(p.name for p in folder.iterdir()) == ["work.ipynb"]
    assert main(["zip", str(path)]) == 0
    assert (folder / f"{NAME}_submission.zip").is_file()
    assert "Every graded cell and every response has an answer." in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"cells": []}'])
def test_a_file_that_is_no_notebook_of_the_course_is_one_sentence(folder, capsys, content):
    path = folder / "other.ipynb"
    path.write_bytes(content)
    assert main(["check", str(path)]) == 2
    error = capsys.readouterr().err
    assert "this is no notebook of the course (01_kl_divergence" in error
    assert error.count("\n") == 1


def test_a_wrong_command_line_shows_the_right_one(capsys):
    assert main(["verify"]) == 2
    assert "Usage: python -m utils.submission check|zip NOTEBOOK; got verify." in capsys.readouterr().err
