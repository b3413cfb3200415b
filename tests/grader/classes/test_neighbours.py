"""One hostile hand-in changes nothing for the others: the quick form of `python -m tests.neighbours`, in this process."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from grader.classes import batch
from grader.cli import main
from grader.stages.pipeline import Grader
from tests.mortals import write_class
from tests.neighbours import Run, attempts, own_seconds, with_one_more, wrong_in

# One of each family that takes no long time, and hardly any of the disk.
QUICK = (
    "leak_by_retry", "spaces_in_a_tag", "empty_objects", "fill_threads", "pose_as_gradescope", "pose_as_plain",
    "members_that_climb", "formulas_too_dear",
)  # fmt: skip
FINE = Run(code=0, seconds=100.0, together_mib=300, one_mib=150)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    place = tmp_path_factory.mktemp("neighbours")
    return place, write_class(place / "alone", 2, 0, 0)


@pytest.fixture(scope="module")
def grading(grader: Grader):
    """The command in this process; its times and memory are another run's, made up."""

    def graded_here(given: Path, out: Path) -> Run:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batch.sandboxes, "grader", lambda settings, seat: grader)
            patch.setenv("GRADER_SALT", "tests")
            code = main(["grade", str(given), "--out", str(out), "--workers", "0", "--min-tier", "E"])
        return replace(FINE, code=code)

    return graded_here


@pytest.fixture(scope="module")
def alone(names: tuple[Path, list[str]], grading) -> Run:
    return grading(names[0] / "alone", names[0] / "out")


@pytest.mark.parametrize("attempt", [pytest.param(one, id=one[1]) for one in attempts() if one[1] in QUICK])
def test_the_others_get_what_they_get_alone(names: tuple[Path, list[str]], grading, alone: Run, attempt) -> None:
    place, honest = names
    mixed = with_one_more(place, attempt, grading)
    assert wrong_in(honest, place / "out", place / attempt[1], alone, mixed) == []


def test_each_family_has_a_hostile_hand_in() -> None:
    families = [family for family, _, _ in attempts()]
    assert set(families) == {"leak", "stall", "bloat", "fill", "pose", "poison", "print"}
    assert {family for family, name, _ in attempts() if name in QUICK} == set(families)


def test_what_came_out_differently_is_told(names: tuple[Path, list[str]], alone: Run, tmp_path: Path) -> None:
    """By results that were changed, lost or added, an exit code, a time and a peak."""
    place, honest = names
    for name in (*honest, "hostile"):
        (tmp_path / name).mkdir()
        for file in ("results.json", "feedback.html"):
            source = place / "out" / (honest[0] if name == "hostile" else name) / file
            (tmp_path / name / file).write_bytes(source.read_bytes())
    assert wrong_in(honest, place / "out", tmp_path, alone, FINE) == []
    for spoilt, said in (
        (replace(FINE, code=1), "ended with 1"),
        (replace(FINE, seconds=2 * FINE.seconds + own_seconds() + 1), "without the hostile one"),
        (replace(FINE, together_mib=1025), "1025 MiB"),
    ):
        assert [said in line for line in wrong_in(honest, place / "out", tmp_path, FINE, spoilt)] == [True]
    os.rename(tmp_path / "hostile", tmp_path / "grace")
    assert "too many or missing" in wrong_in(honest, place / "out", tmp_path, alone, FINE)[0]
    (tmp_path / honest[0] / "results.json").write_text("{}", encoding="utf-8")
    assert f"{honest[0]}/results.json is another" in wrong_in(honest, place / "out", tmp_path, alone, FINE)
