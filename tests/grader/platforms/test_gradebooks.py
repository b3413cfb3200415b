"""Grade files: one column is filled, every other byte stays."""

import csv
import random
from pathlib import Path

import pytest

from grader.platforms.gradebooks import GradebookError, fill, read_gradebook
from grader.records import Report, Verdict
from grader.report import results_json
from tests.support import one_verdict

NAME = "01_kl_divergence"
CANVAS = (
    '\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Notebook 1: The KL divergence and the ELBO (901),"Essay, ""final"" (902)",Final Score\r\n'
    "    Points Possible,,,,,35,10,(read only)\r\n"
    '"Lovelace, Ada",11,s1,ada@x.org,"A, B",,"7",\r\n'
    '"Müller, Zoë",12,s2,zoe@x.org,A,"12.5",8,\r\n'
    '"Turing, Alan",13,s3,alan@x.org,A,EX,9,\r\n'
    '"Hopper, ""Amazing"" Grace",14,s4,grace@x.org,A,1,9,\r\n'
    '"Student, Test",99,,,A,,,\r\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments\n"
    'Participant 55,Zoë Müller,zoe@x.org,Submitted,,35.00,-,"two\nlines"\n'
    "Participant 56,Ada Lovelace,ada@x.org,Submitted,,35.00,-,\n"
    "Participant 57,Not Here,no@x.org,No submission,,35.00,-,"
)


def _results(name: str, points: float, ids: dict[str, str] | None = None, email: str = "", **changes) -> dict:
    verdict = one_verdict(status="passed" if points else "wrong", points=points, sentence="a sentence")
    facts = {
        "student": name,
        "file_name": "a.zip",
        "notebook": NAME,
        "submission_sha256": "0",
        "tier": "A",
        "verdicts": (verdict,),
    }
    results = results_json(Report(**facts | changes))
    results["extra_data"]["members"] = [{"name": name, "email": email, "ids": ids or {}}]
    return results


def _book(tmp_path: Path, text: str):
    path = tmp_path / "gradebook.csv"
    path.write_bytes(text.encode())
    return read_gradebook(path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_canvas_is_filled_and_nothing_else_changes(tmp_path: Path, out: Path) -> None:
    results = [
        _results("lovelaceada", 35, {"canvas": "11"}),
        _results("müllerzoë", 30.5, {"canvas": "12"}),
        _results("turingalan", 20, {"canvas": "13"}),
    ]
    summary = fill(_book(tmp_path, CANVAS), results, out)
    expected = CANVAS.replace('"A, B",,"7"', '"A, B",35,"7"').replace('"12.5",8', '"30.5",8')
    assert (out / "gradebook.csv").read_bytes().decode() == expected
    assert "2 scores" in summary
    assert "turingalan is excused" in summary


def test_moodle_is_filled_and_nothing_else_changes(tmp_path: Path, out: Path) -> None:
    fill(
        _book(tmp_path, MOODLE),
        [_results("Zoë Müller", 0, {"participant": "55"}), _results("someone", 21.25, email="ada@x.org")],
        out,
    )
    expected = MOODLE.replace("zoe@x.org,Submitted,,", "zoe@x.org,Submitted,0,").replace(
        "ada@x.org,Submitted,,", "ada@x.org,Submitted,21.25,"
    )
    assert (out / "gradebook.csv").read_bytes().decode() == expected


def test_who_has_no_score_is_left_and_named(tmp_path: Path, out: Path) -> None:
    fault = Verdict(
        check="grader",
        task="grader",
        title="grading",
        number="0",
        status="grader_error",
        points=0,
        max_points=35,
        sentence="ours",
    )
    results = [
        _results("lovelaceada", 0, {"canvas": "11"}, rejection="not a zip", verdicts=()),
        _results("müllerzoë", 0, {"canvas": "12"}, verdicts=(fault,)),
        _results("Unknown Person", 3),
    ]
    summary = fill(_book(tmp_path, CANVAS), results, out)
    assert (out / "gradebook.csv").read_bytes().decode() == CANVAS
    for words in (
        "lovelaceada was not graded (malformed)",
        "müllerzoë was not graded (grader_error)",
        "Unknown Person is not in it",
    ):
        assert words in summary


def test_every_member_of_a_group_gets_the_score(tmp_path: Path, out: Path) -> None:
    results = _results("A + Z", 35)
    results["extra_data"]["members"] = [
        {"name": "Ada Lovelace", "email": "", "ids": {"canvas": "11"}},
        {"name": "x", "email": "zoe@y.org", "ids": {"login": "ZOE@x.org"}},
    ]
    assert "2 scores" in fill(_book(tmp_path, CANVAS), [results], out)


def test_the_column_can_be_named_and_must_be_one(tmp_path: Path, out: Path) -> None:
    two = CANVAS.replace('"Essay, ""final"" (902)"', "01_kl_divergence again (903)")
    with pytest.raises(GradebookError, match="name it with --column"):
        fill(_book(tmp_path, two), [_results("a", 1, {"canvas": "11"})], out)
    summary = fill(_book(tmp_path, two), [_results("a", 1, {"canvas": "11"})], out, "again")
    assert "in the column 01_kl_divergence again (903)" in summary
    with pytest.raises(GradebookError, match="no one column for nonsense"):
        fill(_book(tmp_path, CANVAS), [_results("a", 1, {"canvas": "11"})], out, "nonsense")


def test_another_maximum_is_said(tmp_path: Path, out: Path) -> None:
    text = CANVAS.replace(",,,,,35,10", ",,,,,100,10")
    assert "worth 100 points, these results give up to 35" in fill(
        _book(tmp_path, text), [_results("a", 1, {"canvas": "11"})], out
    )


def test_the_given_file_is_never_written_over(tmp_path: Path) -> None:
    book = _book(tmp_path, CANVAS)
    fill(book, [_results("lovelaceada", 35, {"canvas": "11"})], tmp_path)
    assert book.path.read_bytes().decode() == CANVAS
    assert (tmp_path / "filled_gradebook.csv").exists()


def test_the_runs_own_table_is_never_written_over(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text(CANVAS, encoding="utf-8")
    assert "filled_grades.csv" in fill(read_gradebook(path), [_results("lovelaceada", 35, {"canvas": "11"})], out)
    assert not (out / "grades.csv").exists()


@pytest.mark.parametrize("text", ["", "name,points\na,1\n", "Identifier,Name\n1,a\n"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(GradebookError, match=r"expected Student,ID \(Canvas\)"):
        _book(tmp_path, text)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GradebookError, match="cannot be read"):
        read_gradebook(tmp_path / "x.csv")


@pytest.mark.parametrize("seed", range(30))
def test_what_is_higher_or_excused_is_left_unless_told_and_replaced_scores_are_named(
    seed: int, tmp_path: Path, out: Path
) -> None:
    chance = random.Random(seed)
    also = {what for what in ("higher", "excused") if chance.random() < 0.4}
    there = [chance.choice(["", "EX", "-", "0", "12.5", "35", "40", "pending", "ex"]) for _ in range(8)]
    scores = [float(chance.randint(0, 35)) for _ in there]
    lines = "".join(f'"P{n}, A",{n},s{n},p{n}@x.org,A,{cell},,\r\n' for n, cell in enumerate(there))
    book = _book(tmp_path, CANVAS.partition('"Lovelace')[0] + lines)
    said = fill(
        book, [_results(f"A P{n}", score, {"canvas": str(n)}) for n, score in enumerate(scores)], out, also=also
    )
    after = [line.split(",")[6] for line in (out / "gradebook.csv").read_text(encoding="utf-8").splitlines()[2:]]
    for n, (before, score, cell) in enumerate(zip(there, scores, after, strict=True)):
        is_number = before.replace(".", "").isdecimal()
        is_left = (before.upper() == "EX" and "excused" not in also) or (
            is_number and float(before) > score and "higher" not in also
        )
        assert cell == (before if is_left else f"{score:g}"), (before, score, also)
        is_named = f"A P{n} {before} by {score:g}" in said
        assert is_named == (not is_left and before not in ("", "-") and not (is_number and float(before) == score))
        if is_left:
            assert f"A P{n} is excused" in said or f"A P{n} has {float(before):g} there, more than {score:g}" in said


def test_nothing_is_filled_while_parts_wait_unless_told(tmp_path: Path, out: Path) -> None:
    waits = _results("Ada Lovelace", 30, {"canvas": "11"})
    waits["extra_data"]["pending_points"] = 5
    with pytest.raises(GradebookError, match=r"Parts of 1 hand-ins still wait for a person \(Ada Lovelace\)"):
        fill(_book(tmp_path, CANVAS), [waits], out)
    assert not (out / "gradebook.csv").exists()
    assert "1 scores" in fill(_book(tmp_path, CANVAS), [waits], out, also=["waiting"])


def test_what_stands_in_a_column_of_scores_does_not_make_it_one_of_people(tmp_path: Path) -> None:
    """Taken for addresses, it would leave the next assignment's column as the only one to fill."""
    header = "Student,ID,SIS User ID,SIS Login ID,Section,01_kl_divergence (901),Essay (902)"
    (tmp_path / "book.csv").write_text(f"{header}\nAda,11,,,,ada@x.org,\n", encoding="utf-8")
    fill(read_gradebook(tmp_path / "book.csv"), [_results("Ada", 30, {"canvas": "11"})], tmp_path / "out")
    (row,) = csv.DictReader((tmp_path / "out" / "book.csv").read_text(encoding="utf-8").splitlines())
    assert (row["01_kl_divergence (901)"], row["Essay (902)"]) == ("30", "")
