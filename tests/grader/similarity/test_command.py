"""`python -m grader similar`: what it reads and writes, for staff alone, and that nobody who was deleted is left anywhere."""

import json
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from grader.cli import REJECTED, WRITTEN, main
from grader.records import Report
from grader.report import results_json, write_class
from grader.report.files import folder_name
from tests.similarity.classes import made_class
from tests.similarity.files import notebook_bytes
from tests.similarity.files import write_class as write_submissions
from tests.support import one_verdict

NAME = "01_kl_divergence"
ODD = "def D_KL(mu, logvar):\n    zauberwort = (logvar.exp() + mu.pow(2)).cos() * 17\n    return zauberwort.prod(dim=0).tanh() - 23"


def _write_results(folder: Path, students: list[str], submissions: Path) -> None:
    listed = []
    for student in students:
        verdict = one_verdict(status="wrong", points=0, max_points=4, sentence="no", slip="sum_for_mean")
        listed.append(
            results_json(
                Report(
                    student=student,
                    file_name="a.ipynb",
                    notebook=NAME,
                    submission_sha256=f"sha of {student}",
                    tier="A",
                    verdicts=(verdict,),
                )
            )
        )
        (folder / folder_name(student)).mkdir(parents=True, exist_ok=True)
        (folder / folder_name(student) / "results.json").write_text(json.dumps(listed[-1]), encoding="utf-8")
        (folder / folder_name(student) / "feedback.html").write_text("feedback", encoding="utf-8")
    facts = {
        "command": ["grade", str(submissions)], "notebook": None, "is_class": True, "found": [], "absent": [],
        "by_hand": None, "wall_seconds": 1.0,
    }  # fmt: skip
    write_class(folder, listed, facts)


@pytest.fixture
def graded(tmp_path: Path) -> tuple[Path, Path]:
    """A class of files and its results: student 5 has the answers of student 2, one of them odd."""
    students = list(made_class(NAME, 14, [], seed=3).students)
    for k in (2, 5):
        students[k] = replace(students[k], code={**students[2].code, "kl.D_KL": ODD})
    write_submissions(tuple(students), tmp_path / "class")
    _write_results(tmp_path / "results", [path.stem for path in (tmp_path / "class").iterdir()], tmp_path / "class")
    return tmp_path / "class", tmp_path / "results"


def _page(results: Path) -> str:
    return (results / "similar.html").read_text(encoding="utf-8")


def test_results_are_enough_and_the_class_page_links_it(
    graded: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    results = graded[1]
    assert "similar.html" not in (results / "class.html").read_text(encoding="utf-8")
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file() and path.name != "class.html"}
    assert main(["similar", str(results)]) == WRITTEN
    assert f"{NAME}: 14 hand-ins, 91 pairs compared" in capsys.readouterr().out
    assert 'href="similar.html"' in (results / "class.html").read_text(encoding="utf-8")
    after = {path: path.read_bytes() for path in results.rglob("*") if path.is_file() and path.name != "class.html"}
    assert after.keys() - before.keys() == {results / "similar.html"}
    assert {path: after[path] for path in before} == before, "no student's page or result changes"
    assert "student_2 and student_5" in _page(results)
    assert "sum_for_mean" not in _page(results), "a slip that everybody makes says nothing"


def test_submissions_are_enough_and_nothing_else_is_written(tmp_path: Path, graded: tuple[Path, Path]) -> None:
    submissions, _ = graded
    assert main(["similar", str(submissions), "--out", str(tmp_path / "out")]) == WRITTEN
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["similar.html"]
    assert "right and wrong answers count alike" in _page(tmp_path / "out")


def test_an_earlier_year_is_compared_with(tmp_path: Path, graded: tuple[Path, Path]) -> None:
    results = graded[1]
    earlier = made_class(NAME, 8, [], seed=99, is_restyled=False).students
    old = replace(earlier[0], student="old hand", code={**earlier[0].code, "kl.D_KL": ODD})
    write_submissions((old, *earlier[1:]), tmp_path / "last year")
    assert main(["similar", str(results), "--against", str(tmp_path / "last year")]) == WRITTEN
    assert "14 hand-ins of this class and 8 of earlier years, 203 pairs compared" in _page(results)


def test_every_notebook_of_a_folder_is_compared_with_its_own(
    graded: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = made_class("03_mnist_vae", 4, [], seed=1, is_restyled=False).students
    write_submissions(tuple(replace(one, student=f"{one.student} b") for one in others), graded[0])
    assert main(["similar", str(graded[0]), "--out", str(tmp_path / "out")]) == WRITTEN
    said = capsys.readouterr().out
    assert f"{NAME}: 14 hand-ins, 91 pairs compared" in said
    assert "03_mnist_vae: 4 hand-ins, 6 pairs compared, 0 stand out." in said
    assert _page(tmp_path / "out").count("<h2>0") == 2


def test_who_is_deleted_leaves_no_trace(graded: tuple[Path, Path], tmp_path: Path) -> None:
    submissions, results = graded
    assert main(["similar", str(results)]) == WRITTEN
    assert "zauberwort" in _page(results)
    shutil.rmtree(results / "student_5")  # the results alone: the submission is still there
    assert main(["similar", str(results)]) == WRITTEN
    written = [path for path in tmp_path.rglob("*") if path.is_file() and submissions not in path.parents]
    assert [path for path in written if path.name != "class.html" and b"student_5" in path.read_bytes()] == [
        results / "grades.csv"
    ]
    (submissions / "student_2.ipynb").unlink()
    assert main(["similar", str(results)]) == WRITTEN
    assert "student_2" not in _page(results)


def test_a_page_about_a_class_that_has_changed_does_not_stay(graded: tuple[Path, Path]) -> None:
    submissions, results = graded
    assert main(["similar", str(results)]) == WRITTEN
    students = [path.stem for path in submissions.iterdir()]
    _write_results(results, students, submissions)  # graded again, nothing new
    assert (results / "similar.html").exists()
    assert 'href="similar.html"' in (results / "class.html").read_text(encoding="utf-8")
    _write_results(results, students[:-1], submissions)
    assert not (results / "similar.html").exists()
    assert "similar.html" not in (results / "class.html").read_text(encoding="utf-8")


def test_moved_submissions_are_asked_for_in_one_sentence(
    graded: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    submissions, results = graded
    submissions.rename(submissions.with_name("elsewhere"))
    assert main(["similar", str(results)]) == REJECTED
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"--out {results}" in said
    assert main(["similar", str(submissions.with_name("elsewhere")), "--out", str(results)]) == WRITTEN
    (results / "run.json").write_text("[]", encoding="utf-8")
    assert main(["similar", str(results)]) == REJECTED
    assert main(["similar", str(results / "nothing")]) == REJECTED


HOSTILE = {
    "empty": b"",
    "pdf": b"%PDF-1.7\n",
    "cut": b'{"cells": [{"cell_type": "code", "source": "# AUTOGRADED',
    "deep": b'{"cells": ' + b"[" * 100_000,
    "no_cells": b'{"cells": 3}',
    "strange_cells": b'{"cells": [3, null, {"cell_type": [], "source": {}, "outputs": "x", "metadata": 4, "id": []}]}',
    "zip_of_nothing": b"PK\x05\x06" + b"\0" * 18,
    "large": b'{"cells": [' + b" " * (33 * 2**20) + b"]}",
}


def test_damaged_hand_ins_stop_nobody(graded: tuple[Path, Path], tmp_path: Path) -> None:
    submissions, _ = graded
    for name, data in HOSTILE.items():
        (submissions / f"{name}.ipynb").write_bytes(data)
    broken = made_class(NAME, 1, [], seed=4).students[0]
    nested = "x = " + "+".join(["a"] * 9000)
    (submissions / "nested.ipynb").write_bytes(
        notebook_bytes(replace(broken, code={"kl.D_KL": ODD.replace("17", nested[4:])}))
    )
    assert main(["similar", str(submissions), "--out", str(tmp_path / "out")]) == WRITTEN
    page = _page(tmp_path / "out")
    assert "student_2 and student_5" in page
    skipped = page.partition("<h2>Not compared</h2>")[2].partition("</section>")[0]
    for name in HOSTILE:
        assert f"<p>{name}: " in skipped, name
    assert "Traceback" not in page


def test_it_needs_no_network(graded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert main(["similar", str(graded[1])]) == WRITTEN
