"""A class: the unit of work, runs that are stopped and go on, hostile and damaged neighbours, faults of ours."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from support import answers

from grader.classes import batch
from grader.classes.batch import Settings, Work, encode, fault_results, grade_hand_in, still_holds
from grader.classes.pool import Here, Workers
from grader.classes.results_folder import FolderInUse, ResultsFolder, read_results
from grader.classes.run import _ready, grade_all, kept_results
from grader.cli import OUR_FAULT, REJECTED, WRITTEN, main
from grader.platforms import collect
from grader.records import Report
from grader.stages.pipeline import Grader
from tests.arena import HELPERS
from tests.attacks.catalogue import load_attacks
from tests.mortals import die_for, nothing, without_times, written
from tools.examples import build, load_examples

NAME = "01_kl_divergence"
SETTINGS = Settings(NAME, "tests")
QUICK_ATTACKS = ("forged_frames", "exit_in_cell", "patch_comparisons", "exception_from_hell")


@pytest.fixture(autouse=True)
def _one_sandbox(monkeypatch: pytest.MonkeyPatch, grader: Grader) -> None:
    """What runs in this process uses the session's sandbox, and the same salt as the commands started here."""
    monkeypatch.setattr(batch.sandboxes, "grader", lambda settings, seat: grader)
    monkeypatch.setenv("GRADER_SALT", "tests")


def _work(student: str = "ada", extra: bytes = b"") -> Work:
    return Work(student, f"{student}.ipynb", answers(NAME) + extra, '{"members": []}')


# ---------------------------------------------------------------- the unit


def test_the_unit_gives_the_same_bytes_twice() -> None:
    first, second = (grade_hand_in(_work(), SETTINGS) for _ in range(2))
    assert without_times(first) == without_times(second)
    assert json.loads(first)["score"] == 35


def test_results_hold_for_the_same_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    results = json.loads(grade_hand_in(_work(), SETTINGS))
    assert still_holds(results, _work(), SETTINGS)
    assert not still_holds(results, _work(extra=b"\n"), SETTINGS)
    assert not still_holds(results, _work("grace"), SETTINGS)
    assert not still_holds(results, Work("ada", "ada.ipynb", _work().data, '{"members": ["eve"]}'), SETTINGS)
    assert not still_holds(results, _work(), Settings(NAME, "another"))
    assert not still_holds(results, _work(), Settings(None, "tests"))
    assert not still_holds(results, _work(), Settings(NAME, "tests", max_tier="D"))
    assert not still_holds(results, _work(), Settings(NAME, "tests", quality_seconds=1.0))
    batch._circumstances.cache_clear()
    monkeypatch.setattr(batch, "__version__", "99")
    assert not still_holds(results, _work(), SETTINGS)
    batch._circumstances.cache_clear()


@pytest.mark.parametrize("results", [{}, {"extra_data": {}}, {"extra_data": {"key": "0"}}])
def test_results_of_another_making_do_not_hold(results: dict) -> None:
    assert not still_holds(results, _work(), SETTINGS)


def test_a_fault_of_ours_is_tried_again_and_has_no_score() -> None:
    results = json.loads(fault_results(_work(), SETTINGS, "a worker ended"))
    assert "score" not in results
    assert results["extra_data"]["fault"] == "a worker ended"
    assert not still_holds(results, _work(), SETTINGS)


def test_the_salt_is_not_in_the_results() -> None:
    secret = "a secret of the course"
    data = encode(
        _work(),
        Settings(NAME, secret),
        Report(student="ada", file_name="ada.ipynb", notebook=NAME, submission_sha256="0" * 64, tier="A", verdicts=()),
    )
    assert secret.encode() not in data


# ---------------------------------------------------------------- a class


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Honest, damaged and hostile hand-ins; no two files are the same."""
    folder = tmp_path_factory.mktemp("class")
    wrong = "def D_KL(mu, logvar):\n    return mu.sum()\n"
    for n in range(6):
        (folder / f"right{n}.ipynb").write_bytes(answers(NAME) + b" " * n)
        (folder / f"wrong{n}.ipynb").write_bytes(answers(NAME, {"kl.D_KL": wrong + "#" * n}))
    for example in load_examples():
        if example.damages:
            name, data = build(example)
            (folder / name).write_bytes(data)
    for attack in load_attacks():
        if attack.name in QUICK_ATTACKS:
            source = HELPERS.format(arena={}) + attack.source
            (folder / f"{attack.name}.ipynb").write_bytes(answers(NAME, {attack.task: source}))
    return folder


@pytest.fixture(scope="module")
def undisturbed(classroom: Path, grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run that nothing happens to."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch.sandboxes, "grader", lambda settings, seat: grader)
        patch.setenv("GRADER_SALT", "tests")
        assert main(["grade", str(classroom), "--out", str(out), "--workers", "0", "--min-tier", "E"]) == WRITTEN
    return out


def test_damaged_and_hostile_neighbours_change_nothing(undisturbed: Path, classroom: Path, grader: Grader) -> None:
    results = read_results(undisturbed)
    assert len(results) == len(list(classroom.iterdir()))
    for n in range(6):
        assert results[f"right{n}"]["score"] == 35
        alone = json.loads(
            grade_hand_in(
                Work(f"wrong{n}", f"wrong{n}.ipynb", (classroom / f"wrong{n}.ipynb").read_bytes()),
                Settings(None, "tests"),
            )
        )
        assert results[f"wrong{n}"]["tests"] == alone["tests"]
        assert alone["score"] == 30
    assert all(results[name]["score"] == 30 for name in QUICK_ATTACKS)


def test_killed_at_any_moment_a_run_goes_on_and_ends_the_same(
    undisturbed: Path, classroom: Path, tmp_path: Path
) -> None:
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    grade = [sys.executable, "-m", "grader", "grade", str(classroom), "--out", str(out), "--min-tier", "E", "--workers"]
    environment = os.environ | {"TMPDIR": str(temporary)}
    chance = random.Random(6)
    for share in (0.1, 0.5):
        run = subprocess.Popen([*grade, "1"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        enough = share * len(list(classroom.iterdir()))
        deadline = time.monotonic() + 120
        while len(list(out.glob("*/results.json"))) <= enough and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.1)
        assert run.poll() is None, "it ended before it could be killed"
        run.kill()
        run.wait()
    graded = {path: path.stat().st_mtime_ns for path in out.glob("*/results.json")}
    assert graded
    (out / "right0" / ".results.json.1.partial").write_text("{", encoding="utf-8")
    last = subprocess.run([*grade, "2"], env=environment, capture_output=True, text=True, timeout=240, encoding="utf-8")
    assert last.returncode == WRITTEN, last.stderr
    assert f"{len(graded)} kept from before" in last.stdout
    assert {path: path.stat().st_mtime_ns for path in graded} == graded
    assert written(out) == written(undisturbed)
    left = {path.name.partition("-")[0]: [*path.iterdir()] for path in temporary.iterdir()}
    assert left.keys() <= {"pymp"}, left  # Python's own, with the socket that its fork server listened to
    assert all(file.is_socket() for files in left.values() for file in files)


def test_a_second_run_grades_nothing_and_a_changed_file_alone(
    undisturbed: Path, classroom: Path, tmp_path: Path, capsys
) -> None:
    copy, out = tmp_path / "class", tmp_path / "out"
    copy.mkdir()
    for n in range(3):
        (copy / f"s{n}.ipynb").write_bytes(answers(NAME) + b" " * n)
    command = ["grade", str(copy), "--out", str(out), "--workers", "0", "--min-tier", "E"]
    assert main(command) == WRITTEN
    assert "3 graded in" in capsys.readouterr().out
    assert main(command) == WRITTEN
    assert "0 graded, 3 kept from before" in capsys.readouterr().out
    (copy / "s1.ipynb").write_bytes(answers(NAME, {"kl.D_KL": "def D_KL(mu, logvar):\n    return mu.sum()\n"}))
    assert main(command) == WRITTEN
    assert "1 graded, 2 kept from before" in capsys.readouterr().out
    assert read_results(out)["s1"]["score"] == 30
    assert main([*command, "--fresh"]) == WRITTEN
    assert "3 graded in" in capsys.readouterr().out


def test_what_is_written_is_read_again_or_it_is_said(tmp_path: Path) -> None:
    """The class page is made of what lies in the folder: never of another's results, nor of none."""
    for student in ("ada", "bob"):
        (tmp_path / f"{student}.pdf").write_bytes(b"%PDF-1.7")
    hand_ins = list(collect([tmp_path]).hand_ins)
    with ResultsFolder(tmp_path / "out") as folder, Here() as here:
        first, second = grade_all(hand_ins, SETTINGS, folder, here, lambda tier: True)
        assert [folder.written("ada"), folder.written("bob")] == [first, second]
        (folder.path / "ada" / "results.json").write_bytes((folder.path / "bob" / "results.json").read_bytes())
        with pytest.raises(FolderInUse, match="ada has gone or was changed"):
            folder.written("ada")
        (folder.path / "bob" / "results.json").unlink()
        with pytest.raises(FolderInUse, match="The same command grades what is missing"):
            folder.written("bob")


def test_those_ready_at_once_come_in_the_order_of_the_class(tmp_path: Path) -> None:
    waiting: dict[Future, Work] = {}
    for n in range(30):  # of so many a set is hardly ever in order
        work = Work(f"s{n:02}", f"s{n:02}.ipynb", b"")
        done: Future = Future()
        done.set_result(fault_results(work, SETTINGS, "for a test"))
        waiting[done] = work
    students = [work.student for work in waiting.values()]
    with ResultsFolder(tmp_path / "out") as folder:
        given = [one["extra_data"]["student"] for one in _ready(waiting, SETTINGS, folder)]
    assert given == students
    assert not waiting


def test_results_have_a_line_for_each_test_and_each_other_entry() -> None:
    results = json.loads(fault_results(Work("ada", "ada.ipynb", b""), SETTINGS, "ein Fehler, größer als \ud800"))
    results["tests"] *= 3
    data = batch.encoded(results)
    assert json.loads(data) == json.loads(json.dumps(results).replace("\\ud800", "?"))
    lines = data.decode().splitlines()
    assert len(lines) == 2 + len(results) + len(results["tests"]) + 1  # braces, entries, tests, the list's end


def test_a_hand_in_that_ends_its_worker_is_a_fault_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for student in ("ada", "bob"):
        (tmp_path / f"{student}.pdf").write_bytes(b"%PDF-1.7")  # rejected without a sandbox's help
    monkeypatch.setattr("grader.classes.run.grade_hand_in", partial(die_for, "bob"))
    hand_ins = list(collect([tmp_path]).hand_ins)
    with ResultsFolder(tmp_path / "out") as folder, Workers(1, nothing) as workers:
        results = {
            r["extra_data"]["student"]: r for r in grade_all(hand_ins, SETTINGS, folder, workers, lambda tier: True)
        }
        assert kept_results(hand_ins, SETTINGS, folder, lambda tier: True).keys() == {"ada"}
    assert results["bob"]["extra_data"]["status"] == "grader_error"
    assert "score" not in results["bob"]
    assert "is a PDF" in results["ada"]["output"]


def test_one_run_at_a_time_writes_in_a_folder(tmp_path: Path, capsys) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with ResultsFolder(tmp_path / "out"):
        with pytest.raises(FolderInUse):
            ResultsFolder(tmp_path / "out").__enter__()
        assert main(["grade", str(tmp_path / "a.pdf"), "--out", str(tmp_path / "out")]) == REJECTED
    assert "Another run is writing" in capsys.readouterr().err


def test_what_cannot_be_read_or_is_too_large_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.classes.run.MAX_ZIP_BYTES", 100)
    monkeypatch.setattr("grader.platforms.hand_ins.MAX_ZIP_BYTES", 100)
    (tmp_path / "large.zip").write_bytes(b"PK" * 200)
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.zip")
    hand_ins = [collect([tmp_path / name]).hand_ins[0] for name in ("large.zip", "pipe.zip")]
    with ResultsFolder(tmp_path / "out") as folder, Here() as here:
        large, pipe = grade_all(hand_ins, SETTINGS, folder, here, lambda tier: True)
    assert "has more than" in large["output"]
    assert "pipe.zip cannot be read (it is not a file)" in pipe["output"]
    assert large["extra_data"]["status"] == pipe["extra_data"]["status"] == "malformed"


def test_a_stopped_run_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def interrupted(*_: object, **__: object) -> Iterator[dict]:
        raise KeyboardInterrupt

    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    monkeypatch.setattr("grader.classes.notebook_run.grade_all", interrupted)
    assert main(["grade", str(tmp_path / "a.pdf"), "--out", str(tmp_path / "out")]) == OUR_FAULT
    assert "goes on from here" in capsys.readouterr().err


def test_absent_students_are_on_the_list(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    for student in ("ada", "bob"):
        (tmp_path / "class" / f"{student}.pdf").write_bytes(b"%PDF")
    (tmp_path / "roster.csv").write_text("name,email\nAda,ada@x.org\nBob,bob@x.org\nZoë,zoe@x.org\n", encoding="utf-8")
    out = tmp_path / "out"
    main(
        [
            "grade",
            str(tmp_path / "class"),
            "--roster",
            str(tmp_path / "roster.csv"),
            "--out",
            str(out),
            "--workers",
            "0",
            "--min-tier",
            "E",
        ]
    )
    lines = (out / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["Ada", "Bob", "Zoë"]
    assert "Zoë,,,,,absent" in lines[3]
    assert "on the roster, nothing handed in" in (out / "class.html").read_text(encoding="utf-8")


def test_threads_take_turns_and_get_their_own_results() -> None:
    """Right and wrong answers in turn, from four threads at once: one sandbox must not mix them up."""
    settings = Settings(salt="tests", quality_seconds=0)
    right, wrong = answers(NAME), answers(NAME, {"kl.D_KL": "def D_KL(mu, logvar):\n    return mu.sum()"})
    works = [Work(f"s{n}", "hw.ipynb", (right, wrong)[n % 2] + b" " * n) for n in range(12)]
    with ThreadPoolExecutor(4) as threads:
        found = [json.loads(data)["score"] for data in threads.map(lambda work: grade_hand_in(work, settings), works)]
    assert len(set(found[::2])) == len(set(found[1::2])) == 1
    assert found[0] == 35 > found[1]
