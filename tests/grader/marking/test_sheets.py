"""Sheets of points: written once, read in any spreadsheet's form, keyed by who somebody is and by the answer that was judged."""

import csv
import io
import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.marking import Brought, add_marks
from grader.marking.options import write_sheet
from grader.marking.sheets import Sheet, read_sheet, sheet_of
from grader.marking.state import State
from grader.marking.store import Ledger
from grader.marking.tables import SheetError
from grader.records import Report, Verdict, Written
from grader.report import class_page, feedback_page, grades_csv, results_json
from grader.report.statistics import automatic_points
from tests.marking.sheets import filled, read_text
from tests.support import one_verdict
from utils.assignments import assignment_names, load_assignment

PARTS = ("kl.general.manual", "kl.beta.manual1", "kl.beta.manual2")


def _results(
    student: str,
    unwritten: tuple[str, ...] = (),
    person: tuple[str, str, str] = ("", "", ""),
    text: str = "w",
    **changes,
) -> dict:
    automatic = one_verdict(sentence="all is well")
    by_hand = [
        Verdict(
            check=part,
            task=part.rpartition(".")[0],
            title="a title",
            number=f"3.{n}",
            status="missing" if part in unwritten else "manual",
            points=0,
            max_points=10,
            sentence="waits",
        )
        for n, part in enumerate(PARTS)
    ]
    written = tuple(Written(part, "" if part in unwritten else f"{text} {part}", ()) for part in PARTS)
    facts = {
        "file_name": "a.zip",
        "notebook": "01_kl_divergence",
        "submission_sha256": "0",
        "tier": "A",
        "written": written,
    }
    found = results_json(Report(student, **facts | {"verdicts": (automatic, *by_hand)} | changes))
    name, email, number = person
    found["extra_data"]["members"] = [
        {"name": name or student, "email": email, "ids": {"sis": number} if number else {}}
    ]
    return found


@pytest.fixture
def classroom() -> list[dict]:
    return [
        _results("zoë"),
        _results("=ada", unwritten=PARTS[1:]),
        _results("eve", verdicts=(), rejection="not a zip"),
    ]


@pytest.fixture
def sheet(tmp_path: Path, classroom: list[dict]) -> Path:
    write_sheet(tmp_path / "points.csv", tmp_path, classroom)
    return tmp_path / "points.csv"


def _rows(sheet: Path) -> list[list[str]]:
    return list(csv.reader(sheet.read_text(encoding="utf-8").splitlines()))


def _put(sheet: Path, rows: list[list[str]]) -> None:
    with sheet.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _fill(sheet: Path, *points: str) -> None:
    rows = _rows(sheet)
    rows[-1][3:-1] = points
    _put(sheet, rows)


def _given(sheet: Sheet) -> dict[tuple[str, str], float]:
    return {(row.student, check): n for row in sheet.rows for check, n in row.points.items() if n is not None}


def _added(classroom: list[dict], *sheets: Path) -> tuple[list[dict], str]:
    return add_marks(sheets[0].parent, classroom, Brought(tuple(map(read_sheet, sheets))))


def test_the_sheet_has_a_cell_for_every_part_and_no_numbers_where_nobody_gave_any(sheet: Path) -> None:
    header, ada, zoë = _rows(sheet)
    assert header == ["student", "email", "id", *(f"{part} (10)" for part in PARTS), "answers"]
    assert (ada[:-1], zoë[:-1]) == (["'=ada", "", "", "", "-", "-"], ["zoë", "", "", "", "", ""])
    assert _given(read_sheet(sheet)) == {}


def test_points_enter_score_maximum_tables_and_feedback(sheet: Path, classroom: list[dict]) -> None:
    _fill(sheet, "10", "7.5", "0")
    (zoë, ada, eve), sentence = _added(classroom, sheet)
    assert sentence == "3 parts graded by hand are in, 1 still wait."
    assert (zoë["score"], automatic_points(zoë), zoë["extra_data"]["pending_points"]) == (52.5, 65, 0)
    assert [test["extra_data"]["status"] for test in zoë["tests"][1:]] == ["passed", "partial", "wrong"]
    assert zoë["score"] == sum(test["score"] for test in zoë["tests"])
    assert (ada["score"], automatic_points(ada), ada["extra_data"]["pending_points"]) == (35, 55, 10)
    assert eve == classroom[2]
    rows = {row["student"]: row for row in csv.DictReader(grades_csv([zoë, ada, eve]).splitlines())}
    assert (rows["zoë"]["score"], rows["zoë"]["max_score"], rows["zoë"]["kl.beta"]) == ("52.5", "65", "7.5")
    page = feedback_page(zoë)
    assert "kl.beta: a person gave 7.5 of 10 points." in page
    assert "of 65 points</span>" in page
    assert "points graded automatically" in feedback_page(classroom[0])
    assert "Distribution of the points" in class_page([zoë, ada, eve], [], [])
    assert "Distribution of the automatic points" in class_page(classroom, [], [])


def test_the_grader_s_own_results_are_not_changed(sheet: Path, classroom: list[dict]) -> None:
    _fill(sheet, "10", "10", "10")
    _added(classroom, sheet)
    assert [result.get("score") for result in classroom] == [35, 35, 0]
    assert classroom[0]["extra_data"]["pending_points"] == 30


def test_a_spreadsheet_s_semicolons_and_commas_are_read(sheet: Path) -> None:
    _fill(sheet, "1", "7.5", "")
    text = sheet.read_text(encoding="utf-8").replace("7.5", "7§5").replace(",", ";").replace("§", ",")
    sheet.write_bytes(("\ufeff" + text).encode())
    assert _given(read_sheet(sheet)) == {("zoë", PARTS[0]): 1.0, ("zoë", PARTS[1]): 7.5}


@pytest.mark.parametrize("points", ["11", "-1", "ten", "nan", "1e9"])
def test_what_is_no_number_of_points_is_said_with_its_place(points: str, sheet: Path) -> None:
    _fill(sheet, "10", points, "")
    with pytest.raises(SheetError, match=r"points\.csv, line 3, kl\.beta\.manual1: .* expected points from 0 to 10"):
        read_sheet(sheet)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"name,points\nada,3\n", b"\n", b"student,kl.beta.manual1 (10)\nada,3\n"]
)
def test_another_file_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(SheetError, match=r".*x\.csv"):
        read_sheet(tmp_path / "x.csv")


# ---------------------------------------------------------------- what is refused, with its lines

Damage = Callable[[list[list[str]], random.Random], str]


def _doubled(rows: list[list[str]], chance: random.Random) -> str:
    rows.insert(chance.randint(1, len(rows)), list(chance.choice(rows[1:])))
    return r"line \d+: .* (stands in line \d+ as well|line \d+ is about)"


def _doubled_and_changed(rows: list[list[str]], chance: random.Random) -> str:
    row = list(chance.choice(rows[1:]))
    row[0] = ""  # the same person, found by the address
    rows.append(row)
    return r"line \d+: line \d+ is about .* as well"


def _heading_edited(rows: list[list[str]], chance: random.Random) -> str:
    n = chance.randrange(3, len(rows[0]) - 1)
    rows[0][n] = chance.choice(
        [
            rows[0][n].partition(" ")[0],
            rows[0][n].replace("(10)", "(12)"),
            "q " + rows[0][n],
            rows[0][n].replace("manual", "manula"),
            "Derivation",
        ]
    )
    return r"line 1: "


def _heading_moved(rows: list[list[str]], chance: random.Random) -> str:
    first, second = chance.sample(range(3), 2)
    rows[0][first], rows[0][second] = rows[0][second], rows[0][first]
    return r"line 1|begins with"


def _heading_doubled(rows: list[list[str]], chance: random.Random) -> str:
    rows[0][4] = rows[0][3]
    return r"line 1: the heading .* stands there twice"


def _column_added(rows: list[list[str]], chance: random.Random) -> str:
    n = chance.randint(1, len(rows[0]))
    for row in rows:
        row.insert(n, "notes" if row is rows[0] else "well done")
    return r"line 1: the heading"


def _digests_lost(rows: list[list[str]], chance: random.Random) -> str:
    for row in rows[1:]:
        row[-1] = ""
    return r"line \d+, kl\..*: nothing under answers"


def _people_mixed(rows: list[list[str]], chance: random.Random) -> str:
    first, second = chance.sample(rows[1:], 2)
    first[2], second[2] = second[2], first[2]  # sorted one column without the others
    return r"line \d+: its people are not one hand-in's"


DAMAGES = (
    _doubled, _doubled_and_changed, _heading_edited, _heading_moved, _heading_doubled, _column_added, _digests_lost, _people_mixed,
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_sheet_is_refused_with_its_lines_and_nothing_is_stored(
    damage: Damage, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    classroom = [_results(f"s_{n}", person=(f"S {n}", f"s{n}@x.y", f"{n:04}")) for n in range(chance.randint(2, 6))]
    sheet = tmp_path / "points.csv"
    write_sheet(sheet, tmp_path, classroom)
    rows = _rows(sheet)
    for row in rows[1:]:
        row[3:-1] = [str(chance.randint(0, 10)) for _ in PARTS]
    said = damage(rows, chance)
    _put(sheet, rows)
    with pytest.raises(SheetError, match=said):
        _added(classroom, sheet)
    with closing(Ledger(tmp_path)) as ledger:
        assert ledger.events() == []


@pytest.mark.parametrize("seed", range(20))
def test_random_sheets_reach_whom_they_mean_whatever_the_order(seed: int, tmp_path: Path) -> None:
    """Names are doubled, numbers have zeros in front, rows are shuffled, answers change in between."""
    chance = random.Random(seed)
    people = [
        (chance.choice(["Wei Zhang", "Ada King", "Zoë"]), f"p{n}@x.y", f"{n:04}") for n in range(chance.randint(2, 8))
    ]
    before = [_results(f"{name} ({n})", person=(name, mail, number)) for n, (name, mail, number) in enumerate(people)]
    sheet = tmp_path / "points.csv"
    write_sheet(sheet, tmp_path, before)
    header, *rows = _rows(sheet)
    wanted = {row[1]: [str(chance.randint(0, 20) / 2) for _ in PARTS] for row in rows}
    for row in rows:
        row[3:-1] = wanted[row[1]]
    chance.shuffle(rows)
    _put(sheet, [header, *rows])
    changed = {mail for _, mail, _ in people if chance.random() < 0.3}
    order = list(enumerate(people))
    chance.shuffle(order)  # in the next download the folders of equal names are numbered otherwise
    after = [
        _results(f"{name} ({k})", person=(name, mail, number), text="anew" if mail in changed else "w")
        for k, (_, (name, mail, number)) in enumerate(order)
    ]
    settled, said = _added(after, sheet)
    for result in settled:
        mail = result["extra_data"]["members"][0]["email"]
        expected = 35 + (0 if mail in changed else sum(map(float, wanted[mail])))
        assert result["score"] == expected, mail
        assert result["extra_data"]["pending_points"] == (30 if mail in changed else 0)
    assert ("open again" in said) == bool(changed)


def test_two_sheets_are_joined_and_a_conflict_is_refused_with_both_lines(classroom: list[dict], tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    for sheet in (first, second):
        write_sheet(sheet, tmp_path, classroom)
    _fill(first, "3", "", "")
    _fill(second, "3", "4", "")
    (zoë, *_), _ = _added(classroom, first, second)
    assert zoë["score"] == 35 + 7
    _fill(second, "5", "4", "")
    with pytest.raises(
        SheetError, match=r"b\.csv, line 3: kl\.general\.manual of zoë has 5 points, and 3 in .*a\.csv, line 3"
    ):
        _added(classroom, first, second)
    with pytest.raises(SheetError, match=r"b\.csv, line 3: .* 5 points, and 3 in line 3 of a\.csv, read before"):
        _added(classroom, second)
    (zoë, *_), _ = _added(classroom, first)
    assert zoë["score"] == 35 + 7, "nothing of it was stored"


def test_points_for_somebody_else_are_named(sheet: Path, classroom: list[dict]) -> None:
    _fill(sheet, "1", "2", "3")
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("zoë,", "zoé,"), encoding="utf-8")
    _, sentence = _added(classroom, sheet)
    assert sentence.startswith("0 parts graded by hand are in, 4 still wait.")
    assert "Not among these results: line 3 of points.csv (zoé)." in sentence


def test_somebody_with_a_known_kind_of_number_is_never_found_by_name(classroom: list[dict], tmp_path: Path) -> None:
    old = [_results("Wei Zhang", person=("Wei Zhang", "wei1@x.y", "11"))]
    new = [_results("Wei Zhang", person=("Wei Zhang", "wei2@x.y", "12"))]
    (result,), said = add_marks(tmp_path, new, Brought((filled(old, {("Wei Zhang", PARTS[0]): 9.0}),)))
    assert result["score"] == 35
    assert "Not among these results: line 2 of points.csv (Wei Zhang)." in said


def test_a_number_of_another_kind_is_nobody_s(classroom: list[dict], tmp_path: Path) -> None:
    """Somebody's Canvas id may be somebody else's student number: the sheet's kind decides."""
    ada, bob = (_results(f"s_{n}", person=(f"S {n}", "", "")) for n in range(2))
    ada["extra_data"]["members"][0]["ids"] = {"canvas": "11", "sis": "12"}
    bob["extra_data"]["members"][0]["ids"] = {"canvas": "12", "sis": "11"}
    sheet = tmp_path / "points.csv"
    write_sheet(sheet, tmp_path, [ada, bob])
    rows = _rows(sheet)
    assert [row[2] for row in rows[1:]] == ["canvas:11", "canvas:12"]
    rows[1][0], rows[1][3] = "", "4"
    _put(sheet, rows)
    settled, _ = _added([ada, bob], sheet)
    assert [r["score"] for r in settled] == [39, 35]
    rows[1][2] = "12"  # somebody took the kind away
    _put(sheet, rows)
    with pytest.raises(SheetError, match="line 2: its people are not one hand-in's"):
        _added([ada, bob], sheet)


def test_points_over_what_nobody_wrote_count(sheet: Path, classroom: list[dict]) -> None:
    rows = _rows(sheet)
    rows[1][4] = "2"
    _put(sheet, rows)
    (_, ada, _), _ = _added(classroom, sheet)
    assert ada["score"] == 37


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=80),
        st.text(alphabet='student;,\n"()kl.b10-5ä\r\0 ', max_size=80).map(str.encode),
        st.text(alphabet=';,\n"()12-: ', max_size=60),
    )
)
def test_whatever_the_sheet_holds_it_ends_in_points_or_in_a_sentence(tmp_path: Path, data: bytes | str) -> None:
    path = tmp_path / "any.csv"
    text = f"student,email,id,kl.beta.manual1 (10),answers\n{data}".encode() if isinstance(data, str) else data
    path.write_bytes(b"student" + text if text[:1] in (b",", b";") else text)
    try:
        points, sentence = _given(read_sheet(path)), "any.csv"
    except SheetError as error:
        points, sentence = {}, str(error)
    assert sentence.count("any.csv") == 1
    assert all(value >= 0 for value in points.values())


def test_the_sheet_of_a_class_is_read_as_it_was_written(classroom: list[dict]) -> None:
    text = sheet_of(classroom, State())
    out = io.StringIO()
    csv.writer(out, dialect="excel", delimiter=";").writerows(csv.reader(text.splitlines()))
    assert read_text(out.getvalue(), Path("s.csv")).rows == read_text(text, Path("s.csv")).rows


def test_a_sheet_of_another_notebook_is_left_to_it(classroom: list[dict], tmp_path: Path) -> None:
    other = next(name for name in assignment_names() if name != "01_kl_divergence")
    question = next(q for q in load_assignment(other).questions if not q.id.startswith("kl."))
    sheet = read_text(
        f"student,email,id,{question.id}.manual (5),answers\nzoë,,,1,{question.id}.manual:{'0' * 12}\n", Path("o.csv")
    )
    settled, said = add_marks(tmp_path, classroom, Brought((sheet,)))
    assert [r["score"] for r in settled] == [35, 35, 0]
    assert "About other notebooks: o.csv." in said
