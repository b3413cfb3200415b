"""Shards: merged they are what one run would have written, and what makes no whole is refused by name with nothing written."""

import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from grader.classes import batch, grade_command, sorting
from grader.classes.batch import Settings
from grader.classes.sameness import SECRET, made_with
from grader.classes.shards import SHARD_FILE, Shard, numbers, shard_option
from grader.cli import REJECTED, WRITTEN, main
from grader.records import Report
from tests.downloads.troubles import ONE, OTHER, untouched, work, zipped
from tests.fuzz.stand_in import grader_with

STUDENTS = ("ada", "bob", "cid", "dan", "Zoë Müller", "李", "eve", "fay", "gil", "hal")


@cache
def _report(data: bytes, name: str, student: str, notebook: str | None) -> Report:
    """What is graded gets the same report whenever and wherever, and takes no time: then two runs write the same bytes."""
    grader = grader_with(random.Random(0), 0)
    grader.notebook, grader.salt = notebook, "one secret"
    return replace(grader.grade_bytes(data, name, student), wall_seconds=1.0, cpu_seconds=1.0)


class _Grader:
    tier = "A"

    def __init__(self, notebook: str | None) -> None:
        self.grade_bytes = lambda data, name, student: _report(data, name, student, notebook)


_look = cache(sorting.look)


@contextmanager
def _stand_ins() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch.sandboxes, "grader", lambda settings, seat: _Grader(settings.notebook))
        patch.setattr(sorting, "look", _look)
        patch.setattr(grade_command, "_require_gradable", lambda name: None)  # of no shard's making, and slow
        patch.setenv("GRADER_SALT", "one secret")
        yield patch


@pytest.fixture(autouse=True)
def _stand_in() -> Iterator[None]:
    with _stand_ins():
        yield


def _drawn(rng: random.Random) -> bytes:
    kinds: list[Callable[[], bytes]] = [
        lambda: work(ONE, rng.randrange(1, 4)),
        lambda: work(OTHER, rng.randrange(1, 3)),
        lambda: zipped({"a.ipynb": work(ONE, rng.randrange(1, 4)), "b.ipynb": work(OTHER, 1)}),
        lambda: zipped({"a.ipynb": work(ONE, 1), "b.ipynb": work(ONE, 2)}),  # which counts, nobody knows
        lambda: untouched(ONE),
        lambda: b"%PDF-1.7",
        lambda: b"",
        lambda: b"{" * 1000,
    ]
    return rng.choice(kinds)()


def _class(folder: Path, rng: random.Random, only: str = "") -> Path:
    """So many hand-ins as are drawn, of any notebook, of one, or of none."""
    folder.mkdir()
    for student in rng.sample(STUDENTS, rng.randrange(2, 7)):
        data = work(only, rng.randrange(1, 4)) if only else _drawn(rng)
        ending = {b"PK": "zip", b"%P": "pdf"}.get(data[:2], "ipynb")
        (folder / f"{student}.{ending}").write_bytes(data + b" " * rng.randrange(3) * (ending == "ipynb"))
    return folder


def _grade(source: Path, out: Path, *options: str) -> int:
    return main(["grade", str(source), "--out", str(out), "--workers", "0", "--min-tier", "E", *options])


def _sharded(source: Path, places: Path, count: int, *options: str) -> list[str]:
    for number in range(1, count + 1):
        _grade(source, places / str(number), "--shard", f"{number}/{count}", *options)
    return [str(places / str(number)) for number in range(1, count + 1)]


def _files(out: Path) -> dict[str, bytes]:
    """Everything that a run has written; of its own time nothing."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.name != ".run"]
    return {str(p.relative_to(out)): re.sub(rb'"wall_seconds": [\d.]+', b"", p.read_bytes()) for p in paths}


# ---------------------------------------------------------------- a whole


@pytest.mark.parametrize("seed", range(8))
def test_merged_is_what_one_run_writes(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(seed)
    source = _class(tmp_path / "class", rng, rng.choice(["", "", ONE]))
    options = rng.choice([(), (), ("--notebook", ONE), ("--quality-seconds", "0")])
    if rng.random() < 0.5:
        lines = "".join(f"{name},{n}@x.org\n" for n, name in enumerate(rng.sample(STUDENTS, 5)))
        (tmp_path / "roster.csv").write_text(f"name,email\n{lines}", encoding="utf-8")
        options = (*options, "--roster", str(tmp_path / "roster.csv"))
    code, count = _grade(source, tmp_path / "whole", *options), rng.randrange(1, 6)
    shards = _sharded(source, tmp_path / "shards", count, *options)
    rng.shuffle(shards)
    assert main(["merge", *shards, "--out", str(tmp_path / "merged")]) == code
    assert _files(tmp_path / "merged") == _files(tmp_path / "whole")
    capsys.readouterr()
    assert _grade(source, tmp_path / "merged", *options) == code
    assert {*re.findall(r"(\d+) graded", capsys.readouterr().out)} == {"0"}
    assert _files(tmp_path / "merged") == _files(tmp_path / "whole")


def test_what_persons_gave_is_in_the_pages_of_a_second_merge(tmp_path: Path) -> None:
    source = _class(tmp_path / "class", random.Random(1), ONE)
    shards, merged = _sharded(source, tmp_path / "shards", 3), tmp_path / "merged"
    student = next(source.iterdir()).stem
    (tmp_path / "adjust.csv").write_text(
        f"student,check,points,reason,by,when\n{student},total,2,an appeal,staff,2026-03-09\n", encoding="utf-8"
    )
    main(["merge", *shards, "--out", str(merged)])
    assert _grade(source, merged, "--adjust", str(tmp_path / "adjust.csv")) == WRITTEN
    adjusted = _files(merged)
    assert b"an appeal" in adjusted[f"{student}/feedback.html"]
    main(["merge", *shards, "--out", str(merged)])
    assert {n: d for n, d in _files(merged).items() if "marks" not in n} == {
        n: d for n, d in adjusted.items() if "marks" not in n
    }


def test_one_question_graded_again_in_shards(tmp_path: Path) -> None:
    source = _class(tmp_path / "class", random.Random(2), ONE)
    for options in ((), ("--question", "kl.log_prob")):
        _grade(source, tmp_path / "whole", *options)
        shards = _sharded(source, tmp_path / "shards", 4, *options)
    assert main(["merge", *shards, "--out", str(tmp_path / "merged")]) == WRITTEN
    assert _files(tmp_path / "merged") == _files(tmp_path / "whole")


def test_a_late_hand_in_moves_nobody(tmp_path: Path) -> None:
    """The same commands again grade what is new alone, and the whole is as it would be."""
    source = _class(tmp_path / "class", random.Random(3), ONE)
    _sharded(source, tmp_path / "shards", 3)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("shards/*/*/results.json")}
    (source / "newcomer.ipynb").write_bytes(work(ONE, 2))
    shards = _sharded(source, tmp_path / "shards", 3)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    _grade(source, tmp_path / "whole")
    assert main(["merge", *shards, "--out", str(tmp_path / "merged")]) == WRITTEN
    assert _files(tmp_path / "merged") == _files(tmp_path / "whole")


# ---------------------------------------------------------------- what makes no whole


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class, and its four shards."""
    place = tmp_path_factory.mktemp("made")
    (place / "class").mkdir()
    for n, student in enumerate(STUDENTS):
        (place / "class" / f"{student}.ipynb").write_bytes(work(ONE, 1 + n % 3) + b" " * n)
    with _stand_ins():
        _sharded(place / "class", place / "shards", 4)
    return place


@pytest.fixture
def four(made: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    """The same, to be changed."""
    for part in ("class", "shards"):
        shutil.copytree(made / part, tmp_path / part)
    return tmp_path / "class", [str(tmp_path / "shards" / str(number)) for number in range(1, 5)]


def _refused(shards: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence; nothing is written."""
    capsys.readouterr()
    assert main(["merge", *shards, "--out", str(tmp_path / "merged")]) == REJECTED
    assert not (tmp_path / "merged").exists()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_each_part_that_differs_is_named(
    four: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four
    parts = made_with(Settings(None, "one secret"), [ONE])
    assert len(parts) >= 6
    for part in parts:
        other = {**made_with(Settings(None, "one secret"), [ONE]), part: "another"}
        with monkeypatch.context() as patch:
            patch.setattr(grade_command, "made_with", lambda *_, other=other: other)
            _grade(source, Path(shards[2]), "--shard", "3/4")
        said = _refused(shards, tmp_path, capsys)
        assert shards[2] in said
        assert f"another {part}" in said
        if part != SECRET:
            assert f"(another there, {parts[part]} here)" in said


def test_another_secret_is_refused(
    four: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four
    monkeypatch.setenv("GRADER_SALT", "another")
    assert f"{shards[0]} (shard 1 of 4) was graded with another secret" in _refused(shards, tmp_path, capsys)
    _grade(source, tmp_path / "shards" / "x", "--shard", "2/4")
    monkeypatch.setenv("GRADER_SALT", "one secret")
    said = _refused([shards[0], str(tmp_path / "shards" / "x"), *shards[2:]], tmp_path, capsys)
    assert "x (shard 2 of 4) was graded with another secret" in said
    text = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "shards").glob("*/shard.json"))
    assert "one secret" not in text


@pytest.mark.parametrize("seed", range(4))
def test_missing_and_doubled_shards_are_named(
    seed: int, four: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, (_, shards) = random.Random(seed), four
    left = rng.sample(range(4), rng.randrange(1, 4))
    gone = sorted({1, 2, 3, 4} - {n + 1 for n in left})
    assert f"{numbers(gone)} " in _refused([shards[n] for n in left], tmp_path, capsys).partition("Of 4 shards, ")[2]
    shutil.copytree(shards[left[0]], tmp_path / "copy")
    said = _refused([*shards, str(tmp_path / "copy")], tmp_path, capsys)
    assert f"both hold shard {left[0] + 1} of 4" in said
    assert _refused([*shards, shards[left[0]]], tmp_path, capsys)


def test_shards_of_another_run_are_refused(
    four: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four
    other = tmp_path / "other"
    _grade(source, other, "--shard", "2/5")
    assert "are parts of another size" in _refused([shards[0], str(other), *shards[2:]], tmp_path, capsys)
    shutil.rmtree(other)
    _grade(source, other, "--shard", "2/4", "--quality-seconds", "0")
    said = _refused([shards[0], str(other), *shards[2:]], tmp_path, capsys)
    assert "another --quality-seconds (None and 0.0)" in said
    shutil.rmtree(other)
    (source / "newcomer.ipynb").write_bytes(work(ONE, 1))
    _grade(source, other, "--shard", "2/4")
    said = _refused([shards[0], str(other), *shards[2:]], tmp_path, capsys)
    assert "saw another class (in one alone: newcomer)" in said


def _of(shard: str) -> list[Path]:
    return sorted(path.parent for path in Path(shard).glob("*/results.json"))


def _points_added(path: Path) -> None:
    results = json.loads((path / "results.json").read_text(encoding="utf-8"))
    results["score"] += 1
    (path / "results.json").write_text(json.dumps(results), encoding="utf-8")


def _linked(path: Path) -> None:
    (path / "results.json").rename(path / "moved.json")
    (path / "results.json").symlink_to(path / "moved.json")


TAMPERED: dict[str, Callable[[Path], object]] = {
    "points added": _points_added,
    "removed": lambda path: (path / "results.json").unlink(),
    "cut": lambda path: os.truncate(path / "results.json", 100),
    "no seal": lambda path: (path / "results.json").write_text('{"tests": [], "extra_data": {}}', encoding="utf-8"),
    "a link": _linked,
    "somebody else's": lambda path: shutil.copy(
        next(one for one in sorted(path.parent.parent.glob("*/*")) if one.is_dir() and one != path) / "results.json",
        path,
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_results_that_are_not_as_written_are_refused(
    how: str, four: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four
    victim = next(path for shard in shards for path in _of(shard))
    TAMPERED[how](victim)
    said = _refused(shards, tmp_path, capsys)
    assert f"the results of {victim.name}" in said
    assert str(victim.parent) in said
    number = shards.index(str(victim.parent)) + 1
    _grade(source, victim.parent, "--shard", f"{number}/4")  # as the sentence says
    assert main(["merge", *shards, "--out", str(tmp_path / "merged")]) == WRITTEN


def test_sealed_results_of_an_earlier_hand_in_are_refused(
    four: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four
    number, path = next((n, path) for n, shard in enumerate(shards, 1) for path in _of(shard))
    earlier = (path / "results.json").read_bytes()
    (source / f"{path.name}.ipynb").write_bytes(work(ONE, 0) + b" ")
    _grade(source, path.parent, "--shard", f"{number}/4")
    (path / "results.json").write_bytes(earlier)
    assert f"the results of {path.name} are not as they were written" in _refused(shards, tmp_path, capsys)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda held: held["record"]["notebooks"][ONE].update(hand_ins=[]), "shard.json is not as it was written"),
        (lambda held: held["record"].pop("facts"), "shard.json is not as it was written"),
        (lambda held: held["record"]["shard"].update(number=2), "shard.json is not as it was written"),
        (lambda held: held.update(record=[]), "shard.json is not as it was written"),
        (lambda held: held.pop("extra_data"), "shard.json is not as it was written"),
        (lambda held: held.pop("record"), "which is not finished"),
        (lambda held: held.update(shard={"number": True, "of": "4"}), "holds no shard"),
        (lambda held: held.clear(), "holds no shard"),
    ],
)
def test_a_record_that_is_not_as_written_is_refused(
    change: Callable, says: str, four: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(four[1][0]) / SHARD_FILE
    held = json.loads(path.read_text(encoding="utf-8"))
    change(held)
    path.write_text(json.dumps(held), encoding="utf-8")
    said = _refused(four[1], tmp_path, capsys)
    assert four[1][0] in said
    assert says in said


def test_a_run_that_was_stopped_is_no_finished_shard(
    four: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four

    def stopped(*_: object, **__: object) -> list:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("grader.classes.notebook_run.grade_all", stopped)
        _grade(source, Path(shards[1]), "--shard", "2/4", "--fresh")
    assert f"{shards[1]} holds shard 2 of 4, which is not finished" in _refused(shards, tmp_path, capsys)


def test_a_folder_holds_one_thing(
    four: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four
    _grade(source, tmp_path / "whole")
    for out, options, says in (
        (shards[0], ("--shard", "2/4"), "holds shard 1 of 4, and this is shard 2 of 4"),
        (shards[0], ("--shard", "1/5"), "holds shard 1 of 4, and this is shard 1 of 5"),
        (shards[0], (), "holds shard 1 of 4, and the whole class is to be graded"),
        (str(tmp_path / "whole"), ("--shard", "1/4"), "holds results of a whole class, and this is shard 1 of 4"),
        (str(tmp_path / "new"), ("--shard", "1/4", "--late", "off"), "--late is about the whole class"),
        (str(tmp_path / "new"), ("--shard", "1/4", "--by-hand", "x.csv"), "--by-hand is about the whole class"),
    ):
        assert _grade(source, Path(out), *options) == REJECTED
        assert says in capsys.readouterr().err
    assert main(["merge", *shards, "--out", shards[0]]) == REJECTED
    assert "lie one in the other" in capsys.readouterr().err
    assert main(["merge", *shards, "--out", str(tmp_path / "whole")]) == WRITTEN


def test_what_is_merged_over_must_be_the_same_course_s(
    four: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, shards = four
    monkeypatch.setenv("GRADER_SALT", "another")
    _grade(source, tmp_path / "whole")
    monkeypatch.setenv("GRADER_SALT", "one secret")
    before = _files(tmp_path / "whole")
    assert main(["merge", *shards, "--out", str(tmp_path / "whole")]) == REJECTED
    assert "drawn with another secret: choose another --out" in capsys.readouterr().err
    assert _files(tmp_path / "whole") == before


# ---------------------------------------------------------------- parts


def test_every_student_is_in_one_shard_of_any_number() -> None:
    names = [f"s{n}" for n in range(2000)] + ["", "\ud800", "é", "é"]
    for of in (1, 2, 7, 16, 61):
        shards = [Shard(number, of) for number in range(1, of + 1)]
        assert all(sum(shard.has(name) for shard in shards) == 1 for name in names)
        sizes = [sum(shard.has(name) for name in names) for shard in shards]
        assert max(sizes) < 2 * len(names) / of  # no shard has all the work


@pytest.mark.parametrize(
    "text", ["", "3", "0/4", "5/4", "-1/4", "1/0", "1/2/3", "a/b", "1/99999999", "１/２", " 1/2", "1.0/2"]
)
def test_no_shard(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["grade", "x", f"--shard={text}"])
    assert "is no shard: write which and of how many" in capsys.readouterr().err
    assert shard_option("3/16") == Shard(3, 16)


def test_numbers_as_a_job_array_takes_them() -> None:
    assert numbers([7, 5, 2, 6]) == "2,5-7"
    assert numbers([1]) == "1"
