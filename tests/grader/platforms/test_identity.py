"""Whose points are whose: random classes judged by the truth, the judge tried with faults, and the cases that were seen."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.classes import sorting
from grader.platforms import Directory, Person, collect, gradebooks
from grader.platforms.gradebooks import GradebookError, fill, read_gradebook
from grader.platforms.people import Found
from grader.platforms.roster import RosterError, read_roster
from grader.records import Report
from grader.report import results_json
from tests.identity import run_trial
from tests.support import one_verdict

NAME = "01_kl_divergence"


def _results(student: str, points: float, ids: dict[str, str], email: str = "", name: str = "") -> dict:
    verdict = one_verdict(points=points, sentence="a sentence")
    results = results_json(
        Report(student=student, file_name="a.zip", notebook=NAME, submission_sha256="0", tier="A", verdicts=(verdict,))
    )
    results["extra_data"]["members"] = [{"name": name or student, "email": email, "ids": ids}]
    return results


def _filled(folder: Path, text: str, results: list[dict], **options) -> tuple[list[str], str]:
    (folder / "book.csv").write_text(text, encoding="utf-8")
    said = fill(read_gradebook(folder / "book.csv"), results, folder / "out", **options)
    return (folder / "out" / "book.csv").read_text(encoding="utf-8").splitlines()[1:], said


# ---------------------------------------------------------------- random classes


def test_no_points_reach_a_wrong_row(tmp_path: Path) -> None:
    """A part of `python -m tests.identity`."""
    known = 0
    for number in range(250):
        (folder := tmp_path / str(number)).mkdir()
        trial = run_trial(1, number, folder)
        assert not trial.faults, (number, trial.faults)
        known += trial.seen["known beyond doubt"]
    assert known > 200


def _by_any_column(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(self: Directory, person: Person, trust_names: bool = False) -> Found:
        values = {value for _, value in person.recognised_by()}
        hits = [n for n, p in enumerate(self.people) if values & {value for _, value in p.recognised_by()}]
        return Found(tuple(hits[:1]), bool(hits), "by any column")

    monkeypatch.setattr(Directory, "look_up", look_up)


def _back_to_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Directory.look_up

    def look_up(self: Directory, person: Person, trust_names: bool = False) -> Found:
        found = right(self, person, trust_names)
        return found if found.places else right(self, dataclasses.replace(person, ids=(), email=""), True)

    monkeypatch.setattr(Directory, "look_up", look_up)


def _the_last_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    right = gradebooks.assign

    def assign(results: list[dict], *rest: object) -> object:
        parts = [right([result], *rest) for result in results]
        clear = {place: claim for part in parts for place, claim in part.results.items()}
        return dataclasses.replace(parts[0], results=clear) if parts else right(results, *rest)

    monkeypatch.setattr(gradebooks, "assign", assign)


def _the_first_upload_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_latest", lambda answered: answered[0])


def _names_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Directory.look_up
    monkeypatch.setattr(Directory, "look_up", lambda self, person, trust_names=False: right(self, person, True))


@pytest.mark.parametrize(
    "fault", [_by_any_column, _back_to_the_name, _the_last_wins, _the_first_upload_counts, _names_are_trusted]
)
def test_the_judge_sees_a_fault(fault: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    for number in range(400):
        (folder := tmp_path / str(number)).mkdir()
        if run_trial(2, number, folder).faults:
            return
    pytest.fail("400 classes, and nothing was seen")


# ---------------------------------------------------------------- what was seen


def test_two_of_one_name_and_a_worksheet_of_one_section(tmp_path: Path) -> None:
    text = "Identifier,Full name,Email address,Status,Grade\nParticipant 56,Wei Zhang,w2@x.org,x,\n"
    both = [_results("Wei Zhang_55", 0, {"participant": "55"}), _results("Wei Zhang_56", 35, {"participant": "56"})]
    assert _filled(tmp_path, text, both)[0] == ["Participant 56,Wei Zhang,w2@x.org,x,35"]
    rows, said = _filled(tmp_path, text, both[:1])
    assert rows == ["Participant 56,Wei Zhang,w2@x.org,x,"]
    assert "Wei Zhang_55 is not in it (no Moodle participant 55)" in said


def test_a_canvas_id_is_no_sis_id(tmp_path: Path) -> None:
    text = f'Student,ID,SIS User ID,SIS Login ID,Section,{NAME} (9)\n"B, A",12,11,x,A,\n"D, C",13,12,y,A,\n'
    rows, _ = _filled(tmp_path, text, [_results("dc_13", 7, {"canvas": "13"}), _results("ef_11", 30, {"canvas": "11"})])
    assert rows == ['"B, A",12,11,x,A,', '"D, C",13,12,y,A,7']


def test_of_several_hand_ins_of_one_person_none_wins(tmp_path: Path) -> None:
    text = f'Student,ID,SIS User ID,SIS Login ID,Section,{NAME} (9)\n"B, A",12,11,x,A,\n'
    three = [_results(name, n, {"sis": "11"}) for n, name in enumerate(("first", "second", "third"))]
    rows, said = _filled(tmp_path, text, three)
    assert rows == ['"B, A",12,11,x,A,']
    assert "first and second and third are hand-ins of one person, B, A [12, 11]: none was written" in said


def test_an_address_is_no_login(tmp_path: Path) -> None:
    text = f'Student,ID,SIS Login ID,Section,{NAME} (9)\n"B, A",12,ada,A,\n'
    rows, said = _filled(tmp_path, text, [_results("Ada", 3, {}, "ada@y.org")])
    assert rows == ['"B, A",12,ada,A,']
    assert "Ada is not in it" in said


def test_ids_that_contradict_each_other_give_nothing(tmp_path: Path) -> None:
    text = "First Name,Last Name,SID,Email,Total Score\nAda,King,1,a@x.org,\nBob,Lee,2,b@x.org,\nCid,Ray,3,,\n"
    rows, said = _filled(
        tmp_path,
        text,
        [
            _results("Ada King", 9, {"sis": "2"}, "a@x.org"),
            _results("Bob Lee", 8, {"sis": "2"}, "other@x.org"),
            _results("Cid Ray", 7, {"sis": "3"}, "cid@x.org"),
        ],
    )
    assert rows == ["Ada,King,1,a@x.org,", "Bob,Lee,2,b@x.org,", "Cid,Ray,3,,7"]
    assert "Ada King may be Ada King [1] or Bob Lee [2] (SIS id 2 and email a@x.org: more than one person's)" in said
    assert "Bob Lee may be Bob Lee [2] (email other@x.org: another stands there)" in said


def test_a_name_writes_nothing_unless_it_is_trusted(tmp_path: Path) -> None:
    text = f'Student,ID,Section,{NAME} (9)\n"King, Ada",12,A,\n"Li, Wei",13,A,\n"Wei, Li",14,A,\n'
    results = [_results("Ada King", 9, {"label": "Ada King"}), _results("Wei Li", 8, {"label": "Wei Li"})]
    rows, said = _filled(tmp_path, text, results)
    assert [row[-1] for row in rows] == [",", ",", ","]
    assert "Ada King may be King, Ada [12], by name alone, which is no proof: not written" in said
    rows, said = _filled(tmp_path, text, results, trust_names=True)
    assert [row[-1] for row in rows] == ["9", ",", ","]
    assert "Wei Li may be Li, Wei [13] or Wei, Li [14]" in said


def test_an_id_under_another_name_is_written_and_said(tmp_path: Path) -> None:
    text = "First Name,Last Name,SID,Email,Total Score\nAda,King,1,a@x.org,\n"
    rows, said = _filled(tmp_path, text, [_results("Bob Lee", 9, {"sis": "1"})])
    assert rows == ["Ada,King,1,a@x.org,9"]
    assert "Look at: Bob Lee got the row of Ada King [1] by the id, under another name." in said


def test_a_notebook_has_its_own_column(tmp_path: Path) -> None:
    text = f'Student,ID,Section,{NAME} (9),02_airfoil_vae (10)\n"B, A",12,A,,\n'
    other = _results("ba_12", 21, {"canvas": "12"})
    other["extra_data"]["notebook"] = "02_airfoil_vae"
    rows, said = _filled(tmp_path, text, [_results("ba_12", 3, {"canvas": "12"}), other])
    assert rows == ['"B, A",12,A,3,21']
    assert f"2 scores in the column {NAME} (9) and 02_airfoil_vae (10)" in said
    with pytest.raises(GradebookError, match="choose one with --notebook"):
        _filled(tmp_path, text.replace(",02_airfoil_vae (10)", "").replace(",,", ","), [_results("b", 3, {}), other])


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Student;ID;Section;HW (9);Essay (10)\nB, A;12;A;;7,5\n", "B, A;12;A;30,5;7,5"),
        ('Student,ID,Section,HW (9),Essay (10)\n"B, A",12,A,,"7,5"\n', '"B, A",12,A,"30,5","7,5"'),
        ("Student\tID\tSection\tHW (9)\tEssay (10)\nB, A\t12\tA\t\t7.5\n", "B, A\t12\tA\t30.5\t7.5"),
        ("Student;ID;Section;HW (9);Essay (10)\nB, A;12;A;;7\n", "B, A;12;A;30,5;7"),
    ],
)
def test_points_are_written_as_the_file_writes_numbers(text: str, filled: str, tmp_path: Path) -> None:
    assert _filled(tmp_path, text, [_results("ba", 30.5, {"canvas": "12"})], column="HW")[0] == [filled]


@pytest.mark.parametrize(
    "header",
    [
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade",
        "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung",
        "Identifiant,Nom complet,Adresse de courriel,Statut,Note,Note maximale",
    ],
)
def test_a_worksheet_in_another_language_is_moodle_s(header: str, tmp_path: Path) -> None:
    mark = ";" if ";" in header else ","
    row = mark.join(["Teilnehmer/in55", "Ada King", "a@x.org", "ok", "", "35"])
    assert (
        _filled(tmp_path, f"{header}\n{row}\n", [_results("Ada", 7, {"participant": "55"})])[0][0].split(mark)[4] == "7"
    )
    assert _filled(tmp_path, f"{header}\n{row}\n", [_results("Ada", 7, {}, "a@x.org")])[0][0].split(mark)[4] == "7"


def test_two_columns_of_one_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("name,email,E-Mail\nAda,a@x.org,b@x.org\n", encoding="utf-8")
    with pytest.raises(RosterError, match="the columns email and E-Mail both say who somebody is"):
        read_roster(tmp_path / "roster.csv")


# ---------------------------------------------------------------- rosters


def test_a_roster_says_whose_a_hand_in_is(tmp_path: Path) -> None:
    for name in ("x1.ipynb", "x2.ipynb", "x3.ipynb"):
        (tmp_path / "class").mkdir(exist_ok=True)
        (tmp_path / "class" / name).write_bytes(b"{}")
    (tmp_path / "roster.csv").write_text(
        "name,canvas id,hand-in\nAda,11,x1\nBob,12,x1\nCid,13,x2\nDan,14,\n", encoding="utf-8"
    )
    collection = collect([tmp_path / "class"], read_roster(tmp_path / "roster.csv"))
    assert [[p.name for p in h.members] for h in collection.hand_ins] == [["Ada", "Bob"], ["Cid"], ["x3"]]
    assert dict(collection.hand_ins[1].members[0].ids)["canvas"] == "13"
    assert [p.name for p in collection.absent] == ["Dan"]


def test_a_name_on_a_roster_lends_its_spelling_and_no_ids(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "weizhang.ipynb").write_bytes(b"{}")
    (tmp_path / "roster.csv").write_text("name,email,sid\nWei Zhang,w@x.org,5\n", encoding="utf-8")
    (member,) = collect([tmp_path / "class"], read_roster(tmp_path / "roster.csv")).hand_ins[0].members
    assert (member.name, member.email, dict(member.ids)) == ("Wei Zhang", "", {"label": "weizhang"})


def test_somebody_called_like_a_group_is_not_the_group(tmp_path: Path) -> None:
    folder = tmp_path / "class" / "Ada King_55_assignsubmission_file"
    folder.mkdir(parents=True)
    (folder / "hw.ipynb").write_bytes(b"{}")
    (tmp_path / "roster.csv").write_text("name,group\nBob,Ada King\nCid,Ada King\nAda King,\n", encoding="utf-8")
    (member,) = collect([tmp_path / "class"], read_roster(tmp_path / "roster.csv")).hand_ins[0].members
    assert member.name == "Ada King"


def test_two_of_one_name_keep_their_folders_in_any_order(tmp_path: Path) -> None:
    texts = [f"submission_{n}:\n  :submitters:\n  - :name: Ada\n    :sid: s{n}\n" for n in (1, 2)]
    for n, lines in enumerate((texts, texts[::-1])):
        folder = tmp_path / str(n)
        for one in ("submission_1", "submission_2"):
            (folder / one).mkdir(parents=True)
            (folder / one / "a.ipynb").write_bytes(one.encode())
        (folder / "submission_metadata.yml").write_text("".join(lines), encoding="utf-8")
        found = {hand_in.student: hand_in.files[0].read(99) for hand_in in collect([folder]).hand_ins}
        assert found == {"Ada (s1)": b"submission_1", "Ada (s2)": b"submission_2"}
