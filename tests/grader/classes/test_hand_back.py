"""Feedback back to the students: each page reaches its student by the platforms' own rules, and nothing hidden shows too early."""

import csv
import io
import json
import random
import re
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from grader import gradescope
from grader.classes.hand_back import stage_now
from grader.cli import main
from grader.records import Report, Verdict
from grader.report import feedback_page, results_json, write_atomically
from grader.report.early import early
from grader.report.files import folder_name
from grader.stages.sentences import hidden_sentence
from utils.assignments import course
from utils.assignments.course import CourseError, CourseFile, parse_course

NAMES = ("Ada King", "R2_D2 3_4", "Zoë O'Neil", "李 雷", "Wei Zhang", "Wei Zhang", "X / Y", "_a_")


def _result(student: str, members: list[dict], status: str = "passed", sentence: str = "all is well") -> dict:
    verdicts = (
        Verdict("kl.D_KL.values", "kl.D_KL", "t", "1.3", status, 5 if status == "passed" else 0, 5, sentence),
        Verdict("kl.beta.manual", "kl.beta", "t", "2.1", "manual", 0, 5, "kl.beta: waits for a person."),
    )
    found = results_json(Report(student, "a.zip", "01_kl_divergence", "0" * 64, "A", verdicts, draw="d"))
    found["extra_data"] |= {"members": members, "submitted_at": "", "is_late": False, "earlier": []}
    return found


def _write(folder: Path, results: list[dict]) -> None:
    for result in results:
        write_atomically(folder / folder_name(result["extra_data"]["student"]) / "results.json", json.dumps(result))


def _packed(folder: Path, *options: str, platform: str) -> dict[str, str]:
    out = folder.parent / "back.zip"
    assert main(["feedback", str(folder), "--for", platform, "--out", str(out), *options]) == 0
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


# ---------------------------------------------------------------- Moodle and Canvas, by their own rules of reading names


def _moodle_old(path: str) -> tuple[str, str] | None:
    """Participant and file name as Moodle up to 4.0 reads them: the whole path, cut at the first four underscores."""
    parts = f"/import/{path}".split("_", 4)
    if len(parts) < 5 or not parts[1].isdecimal() or (parts[2], parts[3]) != ("assignsubmission", "file"):
        return None
    return parts[1], parts[4]


def _moodle_new(path: str) -> tuple[str, str] | None:
    """As Moodle from 4.1 reads them: the first part of the path that fits."""
    for part in path.split("/"):
        parts = part.split("_", 4)
        if len(parts) >= 4 and parts[1].isdecimal() and parts[2:4] == ["assignsubmission", "file"]:
            return parts[1], parts[4] if len(parts) > 4 else ""
    return None


def _canvas(name: str) -> tuple[str, str] | None:
    """User and upload as Canvas reads them: the first two parts between underscores that are numbers."""
    numbers = [part for part in name.split("_") if re.fullmatch(r"\d+", part)]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else None


@pytest.mark.parametrize("seed", range(10))
def test_every_page_reaches_its_student_in_moodle(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    people = [(chance.choice(NAMES), str(chance.randint(1, 10**6))) for _ in range(chance.randint(1, 9))]
    people = list({number: (name, number) for name, number in people}.values())
    _write(
        tmp_path / "r", [_result(f"{n}_{k}", [{"name": n, "email": "", "ids": {"participant": k}}]) for n, k in people]
    )
    found = _packed(tmp_path / "r", platform="moodle")
    assert len(found) == len(people)
    for name, page in found.items():
        assert _moodle_old(name) == _moodle_new(name)
        participant, file = _moodle_old(name) or ("", "")
        assert file == "feedback.html"
        (student,) = [f"{n}_{k}" for n, k in people if k == participant]
        assert f"<h1>{student}</h1>".replace("'", "&#39;") in page


@pytest.mark.parametrize("seed", range(10))
def test_every_page_reaches_its_student_in_canvas(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    users = chance.sample(range(1, 10**6), chance.randint(1, 9))
    uploads: dict[str, list[int]] = {}
    names = []
    for user in users:
        late = chance.choice(["", "_LATE"])
        for _ in range(chance.randint(1, 3)):
            number = chance.randint(1, 10**7)
            uploads.setdefault(str(user), []).append(number)
            names.append(f"kingada{late}_{user}_{number}_{chance.choice(['hw.ipynb', 'my_2_3_hw.zip', 'hw-1.zip'])}")
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    _write(
        tmp_path / "r",
        [_result(f"kingada_{u}", [{"name": "kingada", "email": "", "ids": {"canvas": str(u)}}]) for u in users],
    )
    found = _packed(tmp_path / "r", "--like", str(tmp_path / "submissions.zip"), platform="canvas")
    assert len(found) == len(users)
    for name, page in found.items():
        user, upload = _canvas(name) or ("", "")
        assert int(upload) == max(uploads[user]), "the upload that was graded"
        assert f"<h1>kingada_{user}</h1>" in page
        assert name.endswith("_feedback.html")


def test_e_mails_have_a_mapping_and_a_group_one_page(tmp_path: Path) -> None:
    ada, bob = ({"name": n, "email": f"{n}@x.y", "ids": {}} for n in ("ada", "bob"))
    lost = {"name": "eve", "email": "", "ids": {"canvas": "7"}}
    _write(tmp_path / "r", [_result("ada + bob", [ada, bob]), _result("eve", [lost])])
    found = _packed(tmp_path / "r", platform="email")
    rows = list(csv.DictReader(io.StringIO(found["mapping.csv"])))
    assert {row["email"]: "<h1>ada + bob</h1>" in found[row["file"]] for row in rows} == {
        "ada@x.y": True,
        "bob@x.y": True,
    }
    assert len(found) == 2


def test_two_hand_ins_of_one_person_get_nothing_and_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = [{"name": "Wei", "email": "", "ids": {"participant": "5"}}]
    other = [{"name": "Ada", "email": "", "ids": {"participant": "6"}}]
    _write(tmp_path / "r", [_result("a", one), _result("b", one), _result("c", other), _result("d", [])])
    assert list(_packed(tmp_path / "r", platform="moodle")) == ["Ada_6_assignsubmission_file_feedback.html"]
    said = capsys.readouterr().out
    assert "none is packed: a, b;" in said
    assert "Nothing says where these go: d." in said


def test_what_cannot_be_packed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feedback", str(tmp_path), "--for", "moodle"]) == 1
    _write(tmp_path / "r", [_result("a", [])])
    assert main(["feedback", str(tmp_path / "r"), "--for", "canvas"]) == 1
    assert main(["feedback", str(tmp_path / "r"), "--for", "canvas", "--like", str(tmp_path / "no.zip")]) == 1
    assert "give it with --like" in capsys.readouterr().err


# ---------------------------------------------------------------- stages


def _alike(seed: int) -> tuple[dict, dict]:
    """A student's results, and those where the drawn inputs alone decide otherwise."""
    chance = random.Random(seed)
    one, other = [], []
    for n in range(chance.randint(1, 8)):
        kind = chance.choice(["hidden", "hidden", "wrong", "raised", "manual", "quality", "missing"])
        ending = kind if kind in ("manual", "quality") else "values"
        about = (f"q{n}.{ending}", f"q{n}", "t", f"1.{n}")
        said = f"q{n} (cell 3): {hidden_sentence()}"
        if kind == "hidden":
            one.append(Verdict(*about, "wrong", 0, 5, said))
            other.append(Verdict(*about, "passed", 5, 5, f"q{n} (cell 3): t. Advice, no points: x."))
        elif kind == "quality":
            one.append(Verdict(*about, "passed", 5, 5, "it draws well"))
            other.append(Verdict(*about, "partial", 2, 5, "it draws badly", figure="data:image/png;base64,AAAA"))
        else:
            status = "manual" if kind == "manual" else kind
            both = Verdict(*about, status, 0, 5, f"q{n}: {kind} on the example.")
            one.append(both)
            other.append(both)
    facts = {
        "student": "s",
        "file_name": "a.zip",
        "notebook": "01_kl_divergence",
        "submission_sha256": "0",
        "tier": "A",
    }
    return results_json(Report(**facts, verdicts=tuple(one))), results_json(Report(**facts, verdicts=tuple(other)))


@pytest.mark.parametrize("seed", range(40))
def test_before_the_deadline_drawn_inputs_leave_no_trace(seed: int) -> None:
    one, other = _alike(seed)
    pages = [feedback_page(early(result)) for result in (one, other)]
    assert pages[0] == pages[1]
    assert 'score">0' not in pages[0]
    assert hidden_sentence() not in pages[0]
    shown = [[t for t in gradescope.staged(r)["tests"] if t["visibility"] == "visible"] for r in (one, other)]
    assert shown[0] == shown[1]
    assert all("score" not in test for test in shown[0])
    for test in one["tests"]:
        if test["output"].endswith("on the example.") and ".manual" not in test["name"]:
            assert test["output"].replace("'", "&#39;") in pages[0], "what the visible examples say is told in full"


def test_the_platform_shows_points_afterwards_and_loses_none() -> None:
    one, _ = _alike(3)
    staged = gradescope.staged(one)
    later = [t for t in staged["tests"] if t["visibility"] == "after_due_date"]
    assert [{**t, "visibility": "visible"} for t in later] == one["tests"]
    assert staged["score"] == one["score"]


@pytest.mark.parametrize(
    ("release", "hours", "stage"),
    [("staged", -1, "early"), ("staged", 1, "all"), ("all", -1, "all"), ("staged", None, "all")],
)
def test_the_setting_and_the_time_decide(
    release: str, hours: float | None, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = datetime(2026, 3, 1, tzinfo=timezone.utc)
    known = {} if hours is None else {"01_kl_divergence": due}
    monkeypatch.setattr("grader.classes.hand_back.course_file", lambda: CourseFile(release=release, due=known))
    assert stage_now("01_kl_divergence", now=due + timedelta(hours=hours or 0)) == stage


def test_the_pages_of_the_early_stage_are_packed(tmp_path: Path) -> None:
    result = _result("Ada_6", [{"name": "Ada", "email": "", "ids": {"participant": "6"}}])
    _write(tmp_path / "r", [result])
    (page,) = _packed(tmp_path / "r", "--stage", "early", platform="moodle").values()
    assert "Before the deadline" in page
    assert "5 / 5" not in page
    (page,) = _packed(tmp_path / "r", "--stage", "all", platform="moodle").values()
    assert "5 / 5" in page


def test_another_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="line 1: release is 'soon'; give one of all, staged"):
        parse_course('release = "soon"\n', tmp_path / "course.toml")
    assert course.parse_course('release = "staged"\n', tmp_path / "course.toml").release == "staged"
