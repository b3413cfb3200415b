"""What the fuzzer and the property tests have found, each kept: an input, and the answer it gets now."""

import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assignments.airfoil_vae.checks.configs import MODEL_FILE, TRAIN_FILE, ConfigError, read_configs
from grader.authoring.check import Check, Probe, Symptom
from grader.authoring.judges import judged
from grader.classes import batch
from grader.cli import REJECTED, WRITTEN, main
from grader.platforms import HandIn, collect, content, read_roster
from grader.platforms.gradebooks import GradebookError, read_gradebook
from grader.platforms.roster import RosterError
from grader.platforms.tables import plain_text
from grader.platforms.tree import File
from grader.report.files import folder_name
from grader.report.results import is_results
from grader.stages.intake import MAX_ZIP_BYTES
from tests.fuzz.promises import demand_report, demand_sentence
from tests.fuzz.stand_in import grader_with
from tests.fuzz.submissions import CONFIGS
from tests.support import answers

NAME = "01_kl_divergence"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch):
    """No sandbox: its answers are the reference's."""
    grader = grader_with(random.Random(0), 0)
    monkeypatch.setattr(batch.sandboxes, "grader", lambda settings, seat: grader)
    return grader


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command on a path; all that it says is one line after another, fit to print."""

    def run(path: Path, *options: str, code: int = WRITTEN) -> str:
        command = ["grade", str(path), "--out", str(tmp_path / "out"), "--workers", "0", "--min-tier", "E", *options]
        assert main(command) == code
        said = capsys.readouterr()
        assert all(line.isprintable() for line in (said.out + said.err).splitlines())
        return said.out + said.err

    return run


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def _results(out: Path) -> dict[str, dict]:
    return {path.parent.name: json.loads(path.read_bytes()) for path in out.glob("*/results.json")}


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["a\ud800.ipynb", "a\x1b[31m.ipynb", "\u202egnp.ipynb", "a\n\nb.ipynb"])
def test_a_file_name_that_cannot_be_written_or_shown(stand_in, name: str) -> None:
    for data in (answers(NAME), b"{}", b""):
        report = stand_in.grade_bytes(data, name, "ada")
        demand_report(report)
        assert report.file_name.isprintable()


def test_a_name_on_the_disk_that_is_no_text(tmp_path: Path, run) -> None:
    (tmp_path / "class").mkdir()
    for name in (b"\xff\xfe.ipynb", "Zo\u00eb\u00a0M.ipynb".encode(), b"esc\x1b[2J.ipynb"):
        Path(os.fsdecode(os.fsencode(tmp_path / "class") + b"/" + name)).write_bytes(answers(NAME))
    run(tmp_path / "class")
    assert set(_results(tmp_path / "out")) == {"__", "Zoë M", "esc__2J"}


def test_a_student_called_like_a_report(tmp_path: Path, run) -> None:
    (tmp_path / "class").mkdir()
    for name in ("class.html", "grades.csv", "run.json", "Class.HTML"):
        (tmp_path / "class" / f"{name}.ipynb").write_bytes(answers(NAME))
    run(tmp_path / "class")
    assert len(_results(tmp_path / "out")) == 4
    assert "<html" in (tmp_path / "out" / "class.html").read_text(encoding="utf-8")


def test_names_too_long_for_a_disk_stay_apart(tmp_path: Path) -> None:
    for long in ("作" * 85, "\U0001d160" * 60):  # one is 255 bytes, the other three characters each when normalised
        path = tmp_path / "download.zip"
        path.write_bytes(_zip({f"{long}/a.zip": b"", f"{long}!/b.zip": b"", f"{long}?/c.zip": b""}))
        students = [hand_in.student for hand_in in collect([path], zips_hold_classes=True).hand_ins]
        assert len({folder_name(student) for student in students}) == len(students) == 3
        assert all(len(folder_name(student).encode()) <= 255 for student in students)


def test_a_number_of_5000_digits_in_a_name(tmp_path: Path, run) -> None:
    digits = "9" * 5000
    members = {
        f"ada_1_{digits}_hw.ipynb": b"{}",
        f"bob_2_3_hw-{digits}.ipynb": b"{}",
        "eve_3_4_hw.zip": b"",
        "zoe_4_5_hw.zip": b"",
    }
    (tmp_path / "download.zip").write_bytes(_zip(members))
    run(tmp_path / "download.zip", "--class")
    assert len(_results(tmp_path / "out")) == 4


# ---------------------------------------------------------------- zips


def test_a_member_without_a_name(stand_in) -> None:
    data = _zip({"x": answers(NAME), "a.ipynb": answers(NAME)})
    at = data.find(b"PK\x01\x02")
    nameless = data[: at + 28] + b"\0\0" + data[at + 30 : at + 46] + data[at + 47 :]  # the name's length, and the name
    size = len(nameless[at:]) - 22
    nameless = nameless[:-10] + size.to_bytes(4, "little") + nameless[-6:]
    assert zipfile.ZipFile(io.BytesIO(nameless)).namelist() == ["", "a.ipynb"]
    assert not stand_in.grade_bytes(nameless, "ada.zip", "ada").rejection


def test_a_damaged_member_of_a_download_costs_nobody_else(tmp_path: Path, run) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, student in enumerate(("ada", "bob", "eve")):
            archive.writestr(f"{student}_1{n}_5_hw.ipynb", answers(NAME) + b" " * n)
    data = bytearray(out.getvalue())
    data[200:260] = bytes(60)  # in the first member's compressed bytes
    (tmp_path / "download.zip").write_bytes(data)
    said = run(tmp_path / "download.zip", "--class")
    assert "cannot be read" in said
    assert sorted(result["extra_data"]["status"] == "malformed" for result in _results(tmp_path / "out").values()) == [
        False,
        False,
        True,
    ]


def test_a_thousand_notebooks_of_one_student_are_not_all_read() -> None:
    read = []

    def large(limit: int) -> bytes:
        read.append(limit)
        return bytes(20 * 2**20)

    _, data = content(HandIn("ada", (), tuple(File((f"{n}.ipynb",), large) for n in range(1000))))
    assert len(data) > MAX_ZIP_BYTES
    assert len(read) == 4


def test_a_list_of_submissions_that_cannot_be_read(tmp_path: Path, run) -> None:
    for text in (b"\x80\x81", b"[" * 5000, b"- 1\n- 2\n", b"submission_1: text\n"):
        (tmp_path / "export").mkdir(exist_ok=True)
        (tmp_path / "export" / "submission_metadata.yml").write_bytes(text)
        said = run(tmp_path / "export", code=REJECTED).splitlines()
        assert len(said) == 1
        assert "download it again" in said[0]


# ---------------------------------------------------------------- configurations


@pytest.mark.parametrize("value", ["!!int ''", "!!float ''", "!!bool x", "!!timestamp x", "!!int x", "0x" + "f" * 5000])
@pytest.mark.parametrize("place", ["beta: {}", "{}: 1"])
def test_yaml_of_a_type_that_it_is_not(place: str, value: str) -> None:
    files = {MODEL_FILE: CONFIGS[MODEL_FILE].encode(), TRAIN_FILE: place.format(value).encode()}
    with pytest.raises(ConfigError) as caught:
        read_configs(files)
    demand_sentence(f"{caught.value}.")


# ---------------------------------------------------------------- class lists, grade files, options


def test_a_roster_with_a_line_too_long(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("points,grade\n1,2,3\n", encoding="utf-8")
    with pytest.raises(RosterError, match="names nobody"):
        read_roster(tmp_path / "roster.csv")


def test_a_roster_with_a_line_end_inside_a_name(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_bytes('name,email\n"Ada\nLovelace",ada@x.org\nZo\x0bë,z@x.org\n'.encode())
    assert [person.name for person in read_roster(tmp_path / "roster.csv").people] == ["Ada Lovelace", "Zo ë"]


def test_a_grade_file_with_a_heading_that_cannot_be_shown(tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text("Student\t\x1b[31m,\u202eID\n", encoding="utf-8")
    with pytest.raises(GradebookError) as caught:
        read_gradebook(tmp_path / "book.csv")
    demand_sentence(str(caught.value))


def test_a_field_that_the_csv_module_does_not_read() -> None:
    assert len(plain_text('"' + "x" * 200_000 + '"')) > 100_000
    assert plain_text("\ufeff") == ""


@pytest.mark.parametrize(
    "options", [["--workers", "-1"], ["--workers", "two"], ["--quality-seconds", "nan"], ["--quality-seconds", "inf"]]
)
def test_a_number_that_is_none(tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["grade", str(tmp_path), *options])
    assert "is not a" in capsys.readouterr().err


def test_results_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "file").touch()
    assert main(["grade", str(tmp_path / "a.pdf"), "--out", str(tmp_path / "file")]) == REJECTED
    assert "choose another --out" in capsys.readouterr().err


# ---------------------------------------------------------------- results, sentences, judges


def test_results_that_were_cut_or_edited_are_made_again(tmp_path: Path, run) -> None:
    (tmp_path / "class").mkdir()
    for n in range(3):
        (tmp_path / "class" / f"s{n}.ipynb").write_bytes(answers(NAME) + b" " * n)
    run(tmp_path / "class")
    before = {
        name: path.read_bytes() for name in ("s0", "s1", "s2") for path in [tmp_path / "out" / name / "results.json"]
    }
    whole = json.loads(before["s0"])
    assert is_results(whole)
    for key, odd in {"tests": [1], "extra_data": [], "score": "35", "output": None}.items():
        assert not is_results(whole | {key: odd})
    broken = whole | {"tests": [{**whole["tests"][0], "number": "1.x"}]}
    (tmp_path / "out" / "s0" / "results.json").write_text(json.dumps(broken), encoding="utf-8")
    (tmp_path / "out" / "s1" / "results.json").write_text("[" * 100_000, encoding="utf-8")
    assert "2 graded, 1 kept from before" in run(tmp_path / "class")
    assert json.loads((tmp_path / "out" / "s0" / "results.json").read_bytes())["score"] == whole["score"]


def test_members_that_were_edited_are_made_again(tmp_path: Path, run) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.ipynb").write_bytes(answers(NAME))
    run(tmp_path / "class")
    path = tmp_path / "out" / "ada" / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"members"', '"nobody"'), encoding="utf-8")
    assert "1 graded" in run(tmp_path / "class")


def test_a_tag_and_a_line_that_would_act_on_a_terminal(stand_in) -> None:
    source = "# autograded (5) D_KL \x1b[2J\ndef D_KL(mu, logvar):\n    return mu\n"
    content = json.loads(answers(NAME))
    cell = next(cell for cell in content["cells"] if "".join(cell["source"]).startswith("# AUTOGRADED (5) D_KL"))
    cell["source"] = source
    report = stand_in.grade_bytes(json.dumps(content).encode(), "a.ipynb", "ada")
    assert any("was retyped" in repair for repair in report.repairs)
    demand_report(report)


def test_a_fault_of_ours_while_reading_stops_no_class(tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(submission, expected):
        if submission.student == "bob":
            raise LookupError("ours")
        raise AssertionError("only bob is asked")

    monkeypatch.setattr("grader.stages.pipeline.read", read)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "bob.ipynb").write_bytes(answers(NAME))
    (tmp_path / "class" / "ada.pdf").write_bytes(b"%PDF")
    assert "grader error, LookupError: ours" in run(tmp_path / "class", code=2)
    assert _results(tmp_path / "out")["bob"]["extra_data"]["status"] == "grader_error"


def test_what_is_wrong_has_a_length() -> None:
    def repeats(values, reference, inputs):
        return Symptom(f"the list is {values['x'].tolist()}", "a_slip")

    check = Check("t.c", "t", "title", 1, Probe("f", lambda rng: {}), repeats)
    symptom = judged(check, {"x": np.zeros(250)}, {}, {})
    assert symptom is not None
    assert len(symptom.text) < 600
    assert symptom.slip == "a_slip"
