"""Adjustments and the late rule: arithmetic against an oracle of whole numbers, the file's lines, what is shown, what survives."""

import csv
import random
from contextlib import closing
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.classes.diff import diff
from grader.classes.results_folder import read_results
from grader.cli import main
from grader.marking.adjustments import read_adjustments
from grader.marking.given import Brought, add_marks
from grader.marking.hand_in_times import moodle_time, times_in
from grader.marking.late import Deadline, cost, hours_late, parse_time, points_lost
from grader.marking.store import STORE, Ledger, copy_store
from grader.marking.tables import SheetError
from grader.report import feedback_page, grades_csv
from tests.marking.classroom import PARTS, result, write_result, write_run
from utils.assignments import assignment_names, load_assignment
from utils.assignments.course import CourseError, Late, parse_course

HEAD = "student,check,points,reason,by,when"
DUE = datetime(2026, 3, 1, 23, 59, tzinfo=timezone(timedelta(hours=1)))
RULE = Late(grace_minutes=15, per_day=10, cap=50, until_days=7)
AUTO, WRONG, TO_READ = "kl.D_KL.values", "kl.beta.weight", PARTS[0][0]


def _hand_in(student: str, number: str, email: str = "", at: str = "", is_late: bool = False) -> dict:
    found = result(student, {PARTS[0][0]: "an answer"})
    members = [{"name": student.split("_")[0], "email": email, "ids": {"canvas": number}}]
    found["extra_data"] |= {"members": members, "submitted_at": at, "is_late": is_late, "earlier": []}
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    results = tmp_path / "results"
    for one in (
        _hand_in("ada_11", "11", email="ada@uni.edu", at="2026-03-01 22:59:00 UTC"),
        _hand_in("bob_12", "12", email="bob@uni.edu", at="2026-03-02T23:00:00Z"),
        _hand_in("wei_13", "13"),
        _hand_in("wei_14", "14", is_late=True),
    ):
        write_result(results, one)
    write_run(results)
    return results


def _file(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder.parent / "adjust.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def _settled(folder: Path, *lines: str, **brought) -> tuple[dict[str, dict], str]:
    given_file = read_adjustments(_file(folder, *lines)) if lines else None
    found, said = add_marks(folder, list(read_results(folder).values()), Brought(adjustments=given_file, **brought))
    return {r["extra_data"]["student"]: r for r in found}, said


def _by(*cells: object) -> str:
    return ",".join(map(str, (*cells, "a reason", "Emmy", "2026-03-08")))


# ---------------------------------------------------------------- arithmetic, against whole numbers


def _oracle_cost(rule: Late, minutes: int) -> tuple[int, Fraction] | None:
    """Days begun and percent, counted one day at a time in whole minutes."""
    if minutes <= 0 or minutes <= rule.grace_minutes:
        return None
    days, end = 0, 0
    while end < minutes:
        days, end = days + 1, end + 24 * 60
    if rule.until_days is not None and minutes > Fraction(rule.until_days) * 24 * 60:
        return days, Fraction(100)
    percent = Fraction(0)
    for _ in range(days):
        percent = min(percent + Fraction(rule.per_day), Fraction(rule.cap))
    return days, percent


def _oracle_lost(hundredths: int, percent: Fraction) -> Fraction:
    exact = Fraction(hundredths) * percent / 100
    down = exact.numerator // exact.denominator
    return Fraction(down + (1 if exact - down > Fraction(1, 2) else 0), 100)


@settings(max_examples=400, deadline=None)
@given(
    st.builds(
        Late,
        grace_minutes=st.integers(0, 3000).map(float),
        per_day=st.integers(0, 100).map(float) | st.sampled_from([2.5, 12.5]),
        cap=st.integers(0, 100).map(float),
        until_days=st.none() | st.integers(0, 14).map(float),
    ),
    st.integers(-3000, 30_000) | st.sampled_from([n * 1440 + d for n in range(15) for d in (-1, 0, 1)]),
    st.integers(0, 20_000),
)
def test_late_costs_what_whole_numbers_say(rule: Late, minutes: int, hundredths: int) -> None:
    found, expected = cost(rule, minutes / 60), _oracle_cost(rule, minutes)
    assert (found is None) == (expected is None)
    if found and expected:
        assert (found.days, Fraction(found.percent)) == expected
        lost = points_lost(hundredths / 100, found.percent)
        assert round(lost * 100) == _oracle_lost(hundredths, expected[1]) * 100
        assert 0 <= lost <= hundredths / 100 + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)), st.integers(-14, 14), st.integers(-5000, 5000))
def test_zones_do_not_move_the_hours(due: datetime, zone: int, minutes: int) -> None:
    due = due.replace(microsecond=0, tzinfo=timezone.utc)
    there = (due + timedelta(minutes=minutes)).astimezone(timezone(timedelta(hours=zone)))
    for text in (there.isoformat(), there.strftime("%Y-%m-%d %H:%M:%S %z")):
        time = parse_time(text)
        assert time is not None
        assert round(hours_late(due, time) * 60) == minutes


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-13-01 10:00", "2026-03-01", "2026-03-01 25:00", "2026-03-01 10:00+99:99", "x" * 9999],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_time(text) is None


def _expected(marks: float, settled: dict[str, float], total: list[float], percent: Fraction) -> Fraction:
    """A score from scratch: its checks, then late, then the total's points one after the other, never below nothing."""
    checks = {AUTO: Fraction(33), WRONG: Fraction(0), TO_READ: Fraction(marks)} | {
        c: Fraction(p) for c, p in settled.items()
    }
    score = sum(checks.values())
    score -= _oracle_lost(int(score * 100), percent)
    for points in total:
        score = max(Fraction(0), score + Fraction(points))
    return score


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_random_files_add_up(tmp_path_factory: pytest.TempPathFactory, chance: random.Random) -> None:
    folder = tmp_path_factory.mktemp("random") / "results"
    people, lines, expected = [], [], {}
    for n in range(chance.randint(1, 4)):
        name, minutes = f"s{n}_{n}", chance.choice([0, 10, 30, 1500, 3000, 20_000])
        at = (DUE + timedelta(minutes=minutes)).isoformat()
        people.append(_hand_in(name, str(n), email=f"s{n}@x.y", at=at))
        settled = {
            c: chance.randint(0, most * 4) / 4
            for c, most in ((AUTO, 33), (WRONG, 2), (TO_READ, 10))
            if chance.random() < 0.4
        }
        total = [p for _ in range(chance.randint(0, 3)) if (p := chance.randint(-160, 80) / 4)]
        key = chance.choice([name, f"s{n}@x.y", f"S{n}@X.Y"])
        own = [_by(key, check, points) for check, points in settled.items()]
        own += [f"{key},total,{points},reason {k},E,now" for k, points in enumerate(total)]
        lines += own
        found = _oracle_cost(RULE, minutes)
        if chance.random() < 0.3:
            lines.append(_by(key, "late", 0))
            found = None
        expected[name] = _expected(0, settled, total, found[1] if found else Fraction(0))
    for person in people:
        write_result(folder, person)
    found, _ = _settled(folder, *(lines or [_by("nobody", "total", 1)]), deadline=Deadline({"": DUE}, RULE))
    assert {s: Fraction(r["score"]).limit_denominator(10_000) for s, r in found.items()} == expected
    for row in csv.DictReader(grades_csv(list(found.values())).splitlines()):
        parts = [row[name] for name in ("kl.D_KL", "kl.beta", "kl.general", "late", "adjustments") if row.get(name)]
        assert round(sum(map(float, parts)), 4) == float(row["score"]), "the columns of a line add up to its score"
    again, said = _settled(folder, *(lines or [_by("nobody", "total", 1)]))
    assert {s: r["score"] for s, r in again.items()} == {s: r["score"] for s, r in found.items()}
    assert "withdrawn" not in said


# ---------------------------------------------------------------- the file


def test_an_appeal_extra_credit_and_a_penalty(folder: Path) -> None:
    found, said = _settled(
        folder, _by("ada@uni.edu", WRONG, 2), _by("ada_11", "total", 50), _by("bob_12", "total", -100)
    )
    assert "3 lines of adjust.csv hold." in said
    assert (found["ada_11"]["score"], found["bob_12"]["score"], found["wei_13"]["score"]) == (85, 0, 33)
    page = feedback_page(found["ada_11"])
    assert page.count("a reason") == 2
    assert "+50" in page
    assert "A person has looked at this again: 2 points." in page
    assert "Emmy" not in page, "who decided is between the staff"


def test_a_line_that_is_gone_is_withdrawn_and_the_rest_stays(folder: Path) -> None:
    _settled(folder, _by("ada_11", "total", 5), _by("bob_12", "total", 1))
    found, said = _settled(folder, _by("ada_11", "total", 4), _by("bob_12", "total", 1))
    assert (found["ada_11"]["score"], found["bob_12"]["score"]) == (37, 34)
    assert "1 withdrawn" in said
    assert _settled(folder)[0]["ada_11"]["score"] == 37, "and without the file they hold"


def test_they_survive_a_regrade_into_a_new_folder_and_never_move_to_somebody_else(folder: Path, tmp_path: Path) -> None:
    _settled(folder, _by("wei_13", "total", 5))
    other = tmp_path / "again"
    write_result(other, _hand_in("wei_13", "13"))
    copy_store(folder / STORE, other)
    assert _settled(other)[0]["wei_13"]["score"] == 38
    write_result(other, _hand_in("wei_13", "99"))  # the name stands for another person in this download
    assert _settled(other)[0]["wei_13"]["score"] == 33


def test_points_for_what_could_not_be_graded(folder: Path) -> None:
    rejected = _hand_in("eve_15", "15")
    rejected["extra_data"] |= {"rejection": "eve.rar is no zip", "status": "malformed"}
    rejected |= {"tests": [], "score": 0}
    write_result(folder, rejected)
    found, _ = _settled(folder, _by("eve_15", "total", 20))
    assert found["eve_15"]["score"] == 20
    assert "20 <span" in feedback_page(found["eve_15"])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([_by("ada_11", "total", 1), _by("bob_12", "total", 1), _by("ada_11", "total", 1)], r"line 4: the same as line 2"),
        ([_by("ada_11", AUTO, 1), _by("ada@uni.edu", AUTO, 2)], r"line 3: line 2 settles kl.D_KL.values of ada_11 as well"),
        ([_by("wei", "total", 1)], r"line 2: wei is wei_13 or wei_14"),
        ([_by("ada_11", "kl.D_KL.value", 1)], r"line 2: .* did you mean kl.D_KL.values\?"),
        ([_by("ada_11", AUTO, 34)], r"line 2: kl.D_KL.values is worth 0 to 33 points, got 34; for extra credit"),
        ([_by("ada_11", AUTO, -1)], r"line 2: .* got -1"),
        ([_by("ada_11", "total", "five")], r"line 2: 'five' stands under points"),
        ([_by("ada_11", "total", "nan")], r"line 2: 'nan'"),
        ([_by("ada_11", "total", 0)], r"line 2: 0 points to the total"),
        ([_by("ada_11", "late", -1)], r"line 2: -1 hours late cannot be"),
        (["ada_11,total,1,,Emmy,now"], r"line 2: reason is empty"),
        (["ada_11,total,1,r,Emmy,now,more"], r"line 2: it has more cells"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_line_and_nothing_is_stored(
    folder: Path, lines: list[str], said: str
) -> None:
    with pytest.raises(SheetError, match=said):
        _settled(folder, *lines)
    with closing(Ledger(folder)) as ledger:
        assert ledger.state.all_adjustments() == []


@pytest.mark.parametrize("head", ["student,check,points", f"{HEAD},notes", "name,x", "", f"{HEAD},when"])
def test_other_headings_are_refused(folder: Path, head: str) -> None:
    with pytest.raises(SheetError):
        read_adjustments(_file(folder, head=head))


def test_semicolons_decimal_commas_and_the_long_heading_are_read(folder: Path) -> None:
    path = _file(
        folder,
        'ada_11;total;2,5;"words; of, all kinds";E;now',
        head=HEAD.replace(",", ";").replace("check", "Check or total"),
    )
    (line,) = read_adjustments(path).lines
    assert (line.points, line.cells["reason"], line.number) == (2.5, "words; of, all kinds", 2)


def test_a_line_of_another_notebook_is_left_and_strangers_are_named(folder: Path) -> None:
    lines = [_by("ada_11", "x.y", 1) + ",09_other", _by("zoe", "total", 1) + ","]
    file = read_adjustments(_file(folder, *lines, head=f"{HEAD},notebook"))
    _, said = add_marks(folder, list(read_results(folder).values()), Brought(adjustments=file))
    assert "0 lines" in said
    assert "Not among these results: line 3 (zoe)." in said


# ---------------------------------------------------------------- the late rule


def test_late_is_a_line_of_its_own_and_ends_when_told(folder: Path) -> None:
    found, said = _settled(folder, deadline=Deadline({"": DUE}, RULE))
    assert (found["ada_11"]["score"], found["bob_12"]["score"]) == (33, 26.4), "a minute into the second day"
    assert found["bob_12"]["extra_data"]["late"]["days"] == 2
    assert "1 hand-ins are late by the course's rule." in said
    assert "does not say by how much: wei_14;" in said
    assert "1 carry no time" in said
    page = feedback_page(found["bob_12"])
    assert "1 day late" in page
    assert "20 % of the points earned" in page
    assert "-6.6" in page
    found, _ = _settled(folder, _by("bob_12", "late", 0), _by("wei_14", "late", 30))
    assert (found["bob_12"]["score"], found["wei_14"]["score"]) == (33, 26.4)
    assert "In time" not in feedback_page(found["ada_11"])
    assert "counts as handed in in time (a reason)" in feedback_page(found["bob_12"]).replace("Counts", "counts")
    found, _ = _settled(folder, ends_late_rule=True)
    assert found["wei_14"]["score"] == 33


def test_the_command_applies_both_and_the_comparison_shows_them(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tmp_path / "before"
    for one in read_results(folder).values():
        write_result(before, one)
    file = _file(folder, _by("ada_11", "total", 3), _by("bob_12", WRONG, 2))
    kept = {path: path.read_bytes() for path in folder.glob("*/results.json")}
    assert main(["mark", str(folder), "--write", "--adjust", str(file)]) == 0
    assert {path: path.read_bytes() for path in folder.glob("*/results.json")} == kept
    said = diff(before, folder)
    assert "ada_11: 33 -> 36  because: adjusted: a reason (total)" in said
    assert "    total: none -> +3 (+3)" in said
    assert "bob_12: 33 -> 35  because: adjusted: a reason (kl.beta.weight)" in said
    assert "wei_" not in said
    assert main(["mark", str(folder), "--late", "2026-03-01T23:59+01:00"]) == 1
    assert "no late rule" in capsys.readouterr().err


def test_due_times_stand_in_the_course_s_file(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    read = parse_course("[late]\nper_day = 5\n[due]\n01_kl = 2026-03-01T23:59:00+01:00\n", path)
    assert read.due == {"01_kl": DUE}
    for wrong in ("01_kl = 2026-03-01T23:59:00", '01_kl = "soon"', "01_kl = 2026-03-01"):
        with pytest.raises(CourseError, match=r"line 2: 01_kl = .* is no time with a zone"):
            parse_course(f"[due]\n{wrong}\n", path)


# ---------------------------------------------------------------- times of a worksheet


@settings(max_examples=150, deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), st.booleans())
def test_moodle_s_times_are_read_in_both_clocks(time: datetime, is_half: bool) -> None:
    time = time.replace(second=0, microsecond=0)
    clock = (
        f"{time.hour % 12 or 12}:{time.minute:02} {'PM' if time.hour >= 12 else 'AM'}"
        if is_half
        else f"{time.hour:02}:{time.minute:02}"
    )
    months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    assert moodle_time(f"{days[time.weekday()]}, {time.day} {months[time.month - 1]} {time.year}, {clock}") == time


@pytest.mark.parametrize(
    "text", ["", "-", "Dienstag, 3. März 2026, 22:15", "Tuesday, 31 February 2026, 10:15", "3 March 2026, 13:15 PM"]
)
def test_what_is_no_time_of_moodle_s_is_none(text: str) -> None:
    assert moodle_time(text) is None


def test_a_worksheet_says_when_and_the_rule_counts_it(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    for student, number in (("Wei_71", "71"), ("Wei_72", "72"), ("Ada_73", "73")):
        one = _hand_in(student, number)
        one["extra_data"]["members"][0]["ids"] = {"participant": number}
        write_result(folder, one)
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(
        "Identifier,Full name,Status,Grade,Last modified (submission),Feedback comments\n"
        'Participant 71,Wei,Submitted,,"Monday, 2 March 2026, 10:00 AM",\n'
        'Participant 72,Wei,Submitted,,"Sunday, 1 March 2026, 11:58 PM",\n'
        "Participant 73,Ada,Submitted,,-,\n",
        encoding="utf-8",
    )
    found, said = _settled(folder, deadline=Deadline({"": DUE}, RULE), times=times_in(sheet))
    assert {student: r["score"] for student, r in found.items()} == {"Wei_71": 29.7, "Wei_72": 33, "Ada_73": 33}
    assert "1 carry no time" in said
    again, _ = _settled(folder)
    assert again["Wei_71"]["score"] == 29.7, "and later without the worksheet"
    assert times_in(_file(folder, _by("x", "total", 1))) == {}


# ---------------------------------------------------------------- several notebooks


def test_a_file_for_several_notebooks_counts_once(folder: Path, tmp_path: Path) -> None:
    """A run over several notebooks gives the same file to each: what could count twice is refused."""
    inner = tmp_path / "all" / "01_kl_divergence"
    for one in read_results(folder).values():
        write_result(inner, one)
    others = [name for name in assignment_names() if name != "01_kl_divergence"]
    foreign = next(f"{q.id}.values" for q in load_assignment(others[-1]).questions if not q.id.startswith("kl."))
    head, lines = f"{HEAD},notebook", [_by("ada_11", "total", 2) + ",01_kl_divergence", _by("bob_12", foreign, 1) + ","]
    file = read_adjustments(_file(folder, *lines, head=head))
    found, said = add_marks(inner, list(read_results(inner).values()), Brought(adjustments=file))
    assert {r["extra_data"]["student"]: r["score"] for r in found}["ada_11"] == 35
    assert "1 lines" in said
    file = read_adjustments(_file(folder, _by("ada_11", "total", 2) + ",", head=head))
    with pytest.raises(SheetError, match="line 2: several notebooks are here, and total would count in each"):
        add_marks(inner, list(read_results(inner).values()), Brought(adjustments=file))
