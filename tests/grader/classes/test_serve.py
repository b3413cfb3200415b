"""A resident grader: what it answers is what the command writes, one user may ask, and no question stops it."""

import io
import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.classes import serve
from grader.classes.asking import MOST_LINE_BYTES, read_bytes, read_header, send
from grader.classes.batch import Settings
from grader.classes.pool import Here
from grader.classes.serve import CannotServe
from grader.cli import OUR_FAULT, main
from grader.records import Seat
from tests.mortals import NAME, written
from tests.support import answers

SALT = {"GRADER_SALT": "served"}
PROJECT = Path(__file__).resolve().parents[3]


def _started(path: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "grader", "serve", str(path), "--workers", "1", "--min-tier", "E"]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=os.environ | SALT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    process.stdout.readline()  # it serves, or has ended
    return process


def _stopped(process: subprocess.Popen) -> str:
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=30)[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("serve") / "socket"
    process = _started(path)
    yield path
    assert process.poll() is None
    assert "Traceback" not in _stopped(process)
    assert not path.exists()


def _ask(path: Path, question: dict, data: bytes = b"") -> tuple[dict, bytes]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        with connection.makefile("rwb") as stream:
            send(stream, question, data)
            header = read_header(stream)
            assert header is not None
            return header, read_bytes(stream, header, 2**28)


def test_only_this_user_may_ask(place: Path) -> None:
    found = place.lstat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == os.geteuid()


def test_it_grades_what_it_is_sent(place: Path) -> None:
    header, data = _ask(place, {"do": "grade", "student": "Ada", "file": "ada.ipynb"}, answers(NAME))
    assert header == {"bytes": len(data)}
    results = json.loads(data)
    assert results["extra_data"]["student"] == "Ada"
    assert results["score"] > 0
    damaged = json.loads(_ask(place, {"do": "grade", "student": "Bo", "file": "bo.zip"}, b"PK no zip")[1])
    assert damaged["extra_data"]["rejection"]


def test_one_connection_may_ask_again_and_again(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place))
        with connection.makefile("rwb") as stream:
            for n in range(3):
                send(stream, {"do": "grade", "student": f"s{n}", "file": "a.ipynb"}, b"{}")
            for n in range(3):
                header = read_header(stream)
                assert header is not None
                assert json.loads(read_bytes(stream, header, 2**28))["extra_data"]["student"] == f"s{n}"


@pytest.fixture(scope="module")
def class_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    for student, data in (
        ("ada", answers(NAME)),
        ("bo", answers(NAME, {"kl.D_KL": "def D_KL(mu, logvar):\n    return mu"})),
        ("cy", b"no notebook"),
    ):
        (folder / f"{student}.ipynb").write_bytes(data)
    return folder


def test_the_command_writes_the_same_through_it(place: Path, class_: Path, tmp_path: Path, grader, monkeypatch) -> None:
    """Byte for byte, times aside; and what was graded there holds here."""
    monkeypatch.setenv("GRADER_SALT", SALT["GRADER_SALT"])
    served, own = tmp_path / "served", tmp_path / "own"
    assert main(["grade", str(class_), "--out", str(served), "--min-tier", "E", "--server", str(place)]) == 0
    assert main(["grade", str(class_), "--out", str(own), "--min-tier", "E", "--workers", "0"]) == 0
    assert written(served) == written(own)
    before = {path: path.stat().st_mtime_ns for path in served.glob("*/results.json")}
    assert len(before) == 3
    assert main(["grade", str(class_), "--out", str(served), "--min-tier", "E", "--server", "/there/is/none"]) == 0
    assert before == {path: path.stat().st_mtime_ns for path in served.glob("*/results.json")}


def test_a_service_with_another_secret_is_refused(
    place: Path, class_: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("GRADER_SALT", "another")
    command = ["grade", str(class_), "--out", str(tmp_path / "out"), "--min-tier", "E", "--server", str(place)]
    assert main(command) == OUR_FAULT
    assert f"Stopped: the service at {place} has another secret of the course" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*/results.json"))


# ---------------------------------------------------------------- what is no question


def _questions(rng: random.Random) -> Iterator[bytes]:
    """Lines and bytes, from nearly right to noise, of every kind of fault."""
    right = {"do": "grade", "student": "Ada", "file": "a.ipynb", "bytes": 2, "about": "{}", "with": {"notebook": NAME}}
    values = [
        None,
        True,
        -1,
        10**30,
        1.5,
        "",
        "x",
        "\ud800",
        "\0",
        [],
        {},
        [[]] * 50,
        {"a": {}},
        float("nan"),
        "9" * 200_000,
    ]
    inside = ["notebook", "max_tier", "quality_seconds", "salt", "seat", "__class__"]
    while True:
        question = dict(right)
        kind = rng.randrange(7)
        if kind == 0:
            question[rng.choice([*right, "more"])] = rng.choice(values)
        elif kind == 1:
            del question[rng.choice(list(right))]
        elif kind == 2:
            question["with"] = {rng.choice(inside): rng.choice(values)}
        line = json.dumps(question).encode()
        if kind == 3:
            line = bytes(rng.randrange(256) for _ in range(rng.randrange(200)))
        elif kind == 4:
            line = line[: rng.randrange(len(line))]
        elif kind == 5:
            line = rng.choice([b"[" * 100_000, b"{" * 5, b'"do"', b"null", b"1e999", b"x" * (MOST_LINE_BYTES + 5)])
        yield line + rng.choice([b"\n", b"", b"\n\n"]) + b"{}" * rng.randrange(3)


def test_no_question_stops_it(place: Path) -> None:
    """Each gets an answer with a sentence, results, or its connection's end, and the next one is graded."""
    rng = random.Random(22)
    for n, question in zip(range(120), _questions(rng), strict=False):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(place))
            try:
                connection.sendall(question)
                if n % 5:  # else it goes away before an answer can come
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 16):
                        pass
            except (BrokenPipeError, ConnectionResetError):
                continue
    assert _ask(place, {"do": "about"})[0]["workers"] == 1
    assert json.loads(_ask(place, {"do": "grade", "student": "Ada", "file": "a.ipynb"}, b"{}")[1])["extra_data"][
        "rejection"
    ]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"do": "stop"}, '`do` is "grade" or "about"'),
        ({"do": "grade", "file": "a"}, "`student` is a text"),
        ({"do": "grade", "student": "a", "file": "a", "with": {"salt": "mine"}}, "`with` holds notebook, max_tier"),
        ({"do": "grade", "student": "a", "file": "a", "about": "[]"}, "`about` is a text with a JSON object"),
        ({"do": "grade", "student": "a", "file": "a", "bytes": 2**40}, "`bytes` is a whole number from 0 to"),
    ],
)
def test_what_is_wrong_is_said(place: Path, question: dict, says: str) -> None:
    assert says in _ask(place, question)[0]["error"]


class _Pool(Here):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def submit(self, fn, /, *args, **kwargs):
        raise self._error


def _answer(pool: Here, question: dict, data: bytes = b"") -> dict:
    """What a service says whose pool does this."""
    stream = io.BytesIO()
    send(stream, question, data)
    end = stream.tell()
    stream.seek(0)
    service = serve._Service(pool, Settings(salt="served"), Seat(), "A")
    service._is_answered(stream)
    stream.seek(end)
    return json.loads(stream.readline())


def test_a_fault_of_ours_is_said_and_a_changed_rubric_stops_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    question = {"do": "grade", "student": "a", "file": "a"}
    assert _answer(_Pool(ValueError("broken")), question) == {"error": "ValueError: broken"}
    assert "stopped" in _answer(_Pool(serve.NoRoom("the disk is full")), question)
    assert _answer(Here(), {"do": "about"})["tier"] == "A"
    monkeypatch.setattr(serve.resume_key, "digest", lambda place: "another")
    assert "was changed: start it again" in _answer(Here(), {"do": "about"})["stopped"]


# ---------------------------------------------------------------- its place


def test_a_place_that_is_taken_is_left_alone(place: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match=r"answers at .* already"):
        serve._listening(place)
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(CannotServe, match="no socket can be made"):
        serve._listening(tmp_path / "file")
    (tmp_path / "link").symlink_to(place)
    with pytest.raises(CannotServe, match="no socket can be made"):
        serve._listening(tmp_path / "link")
    with pytest.raises(CannotServe, match="no socket can be made"):
        serve._listening(tmp_path / "no" / "folder")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"
    assert _ask(place, {"do": "about"})[0]["tier"]


def test_the_socket_of_a_service_that_was_killed_is_replaced() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the path of a socket has 107 bytes at most
        path = Path(folder, "socket")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        serve._listening(path).close()


def test_a_service_that_ends_loses_nothing(class_: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    """The command says so in a sentence and goes on when there is one again."""
    monkeypatch.setenv("GRADER_SALT", SALT["GRADER_SALT"])
    path, out = tmp_path / "socket", tmp_path / "out"
    command = ["grade", str(class_), "--out", str(out), "--min-tier", "E", "--server", str(path)]
    assert main(command) == OUR_FAULT
    said = capsys.readouterr().err
    assert f"Stopped: no service answers at {path}" in said
    assert "the same command goes on from here" in said


def test_too_weak_an_isolation_serves_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(serve, "Workers", lambda *_: Here())
    monkeypatch.setattr(serve, "tier_here", lambda *_: "E")
    assert main(["serve", str(tmp_path / "socket"), "--min-tier", "D"]) == OUR_FAULT
    assert "This machine offers isolation tier E" in capsys.readouterr().err
    assert not (tmp_path / "socket").exists()
