"""Bulk downloads of every platform: recognised, each upload with whoever it belongs to, the latest counts."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from grader.classes.pool import Here
from grader.classes.sorting import by_notebook, looked_at
from grader.platforms import Collection, Directory, HandIn, NothingToGrade, Person, read_roster
from grader.platforms import collect as collect_plainly
from grader.platforms import content as content_of
from grader.platforms.people import spellings
from grader.platforms.roster import RosterError
from grader.stages.intake import take_in_bytes

NOTEBOOK = json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()


def collect(paths: list[Path], roster: Directory | None = None) -> Collection:
    """As an instructor collects a download of a class."""
    return collect_plainly(paths, roster, zips_hold_classes=True)


def content(hand_in: HandIn) -> tuple[str, bytes]:
    """What would be graded of a hand-in."""
    ((chosen,),) = by_notebook(looked_at([hand_in], Here())).values()
    return content_of(chosen)


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


GRADESCOPE_YML = """
submission_101:
  :submitters:
  - :name: Zoë Müller
    :email: zoe@example.org
    :sid: 0123
  - :name: Li Lei 李雷
    :email: li@example.org
  :created_at: 2026-03-01 10:00:00.000000000 Z
  :score: 0.0
  :history:
  - :created_at: 2026-02-28 09:00:00 Z
submission_102:
  :submitters:
  - :name: Ada Lovelace
  :created_at: 2026-03-01 11:00:00 Z
  :history: []
submission_103:
  :submitters:
  - :name: Nobody Yet
  :created_at: 2026-03-01 12:00:00 Z
"""
DOWNLOADS: dict[str, dict[str, bytes]] = {
    "a Gradescope export": {
        "assignment_7_export/submission_metadata.yml": GRADESCOPE_YML.encode(),
        "assignment_7_export/submission_101/hw/airfoil.ipynb": NOTEBOOK,
        "assignment_7_export/submission_101/hw/model_config.yaml": b"a: 1",
        "assignment_7_export/submission_101/__MACOSX/._airfoil.ipynb": b"noise",
        "assignment_7_export/submission_101/huge.bin": b"\0" * 4096,
        "assignment_7_export/submission_102/hand_in.zip": _zip({"n.ipynb": NOTEBOOK}),
        "assignment_7_export/.DS_Store": b"noise",
    },
    "a Canvas download": {
        "lovelaceada_4711_900_hw.ipynb": NOTEBOOK,
        "lovelaceada_4711_905_hw-1.ipynb": NOTEBOOK + b" ",
        "müllerzoë_LATE_4712_901_hw.zip": _zip({"n.ipynb": NOTEBOOK}),
        "hoppergrace_4713_text.html": b"<p>see my link</p>",
        "LATE_anon_88_902_hw.ipynb": NOTEBOOK,
        "turingalan_4714_903_hw.zip": _zip({"n.ipynb": NOTEBOOK}),
        "turingalan_4714_904_report.pdf": b"%PDF-1.7",
    },
    "a Moodle download": {
        "Zoë Müller_55_assignsubmission_file/hw.ipynb": NOTEBOOK,
        "Zoë Müller_55_assignsubmission_onlinetext/onlinetext.html": b"<p>hello</p>",
        "Participant_56_assignsubmission_file_/hw.zip": _zip({"n.ipynb": NOTEBOOK}),
        "李雷_57_assignsubmission_file_hw.ipynb": NOTEBOOK,
        "Ada Lovelace_58_assignsubmission_onlinetext_onlinetext.html": b"<p>nothing</p>",
    },
    "an nbgrader folder": {
        "submitted/ada/ps1/kl.ipynb": NOTEBOOK,
        "submitted/ada/ps1/timestamp.txt": b"2026-03-01 10:00:00 UTC\n",
        "submitted/zoë/ps1/kl.ipynb": NOTEBOOK,
    },
    "a plain folder": {
        "ada.zip": _zip({"n.ipynb": NOTEBOOK}),
        "zoë.zip": _zip({"n.ipynb": NOTEBOOK}),
        "grace.ipynb": NOTEBOOK,
        "alan/hw.ipynb": NOTEBOOK,
        "alan/model_config.yaml": b"a: 1",
        "jonas.pdf": b"%PDF-1.7",
        "roster.csv": b"name\nada\n",
    },
}
WHO = {
    "a Gradescope export": {"Zoë Müller + Li Lei 李雷", "Ada Lovelace", "Nobody Yet"},
    "a Canvas download": {"lovelaceada_4711", "müllerzoë_4712", "hoppergrace_4713", "anon_88", "turingalan_4714"},
    "a Moodle download": {"Zoë Müller_55", "Participant_56", "李雷_57", "Ada Lovelace_58"},
    "an nbgrader folder": {"ada", "zoë"},
    "a plain folder": {"ada", "zoë", "grace", "alan", "jonas"},
}


def _folder(files: dict[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(params=["folder", "zip", "zip in a folder", "names without their encoding"])
def download(request: pytest.FixtureRequest, tmp_path: Path):
    """Puts a download on the disk in one of the forms in which instructors have it."""

    def make(files: dict[str, bytes]) -> Path:
        if request.param == "folder":
            return _folder(files, tmp_path / "download")
        wrapped = files if request.param == "zip" else {f"all of it/{name}": data for name, data in files.items()}
        data = _zip(wrapped)
        if request.param == "names without their encoding":  # some platforms do not say that the names are UTF-8
            data = _without_utf8_flags(data)
        (tmp_path / "download.zip").write_bytes(data)
        return tmp_path / "download.zip"

    return make


def _without_utf8_flags(data: bytes) -> bytes:
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        place = changed.find(signature)
        while place >= 0:
            changed[place + offset] &= ~0x08
            place = changed.find(signature, place + 4)
    return bytes(changed)


def _by_student(collection: Collection) -> dict:
    return {hand_in.student: hand_in for hand_in in collection.hand_ins}


@pytest.mark.parametrize("layout", DOWNLOADS)
def test_a_download_is_recognised_and_named(layout, download) -> None:
    collection = collect([download(DOWNLOADS[layout])])
    assert layout in collection.found[0]
    assert set(_by_student(collection)) == WHO[layout]
    assert collection.is_class


def test_gradescope_credits_every_member(download) -> None:
    group = _by_student(collect([download(DOWNLOADS["a Gradescope export"])]))["Zoë Müller + Li Lei 李雷"]
    assert [(p.name, p.email, p.ids) for p in group.members] == [
        ("Zoë Müller", "zoe@example.org", (("sis", "0123"),)),
        ("Li Lei 李雷", "li@example.org", ()),
    ]
    assert group.submitted_at.startswith("2026-03-01")
    assert len(group.earlier) == 1
    name, data = content(group)
    submission = take_in_bytes(data, name, group.student)
    assert list(submission.notebooks.values()) == [NOTEBOOK]
    assert submission.configs == {"model_config.yaml": b"a: 1"}
    assert submission.ignored == ("huge.bin",)


def test_gradescope_without_files_is_a_hand_in_without_files(download) -> None:
    assert _by_student(collect([download(DOWNLOADS["a Gradescope export"])]))["Nobody Yet"].files == ()


def test_canvas_counts_the_last_upload_and_knows_who_is_late(download) -> None:
    found = _by_student(collect([download(DOWNLOADS["a Canvas download"])]))
    assert content(found["lovelaceada_4711"]) == ("hw-1.ipynb", NOTEBOOK + b" ")
    assert [name for name, hand_in in found.items() if hand_in.is_late] == ["anon_88", "müllerzoë_4712"]
    assert content(found["turingalan_4714"])[0] == "hw.zip"


def test_moodle_takes_files_before_online_text(download) -> None:
    found = _by_student(collect([download(DOWNLOADS["a Moodle download"])]))
    assert content(found["Zoë Müller_55"]) == ("hw.ipynb", NOTEBOOK)
    assert content(found["李雷_57"]) == ("hw.ipynb", NOTEBOOK)
    assert content(found["Ada Lovelace_58"])[0] == "onlinetext.html"
    assert found["Participant_56"].members[0] == Person("Participant 56", ids=(("participant", "56"),))


def test_nbgrader_keeps_the_time_and_tells_assignments_apart(tmp_path: Path) -> None:
    files = DOWNLOADS["an nbgrader folder"]
    ada = _by_student(collect([_folder(files, tmp_path / "one")]))["ada"]
    assert ada.submitted_at == "2026-03-01 10:00:00 UTC"
    assert [file.name for file in ada.files] == ["kl.ipynb"]
    more = files | {"submitted/ada/ps2/vae.ipynb": NOTEBOOK}
    assert set(_by_student(collect([_folder(more, tmp_path / "two")]))) == {"ada ps1", "ada ps2", "zoë ps1"}


def test_what_staff_put_beside_is_left_aside_and_named(tmp_path: Path) -> None:
    (line,) = collect([_folder(DOWNLOADS["a plain folder"], tmp_path)]).found
    assert "left aside: roster.csv" in line


def test_a_file_added_to_a_download_is_graded_too(tmp_path: Path) -> None:
    files = DOWNLOADS["a Canvas download"] | {"by mail.ipynb": NOTEBOOK}
    assert "by mail" in _by_student(collect([_folder(files, tmp_path)]))


def test_a_zip_of_one_student_is_no_class(tmp_path: Path) -> None:
    for n, files in enumerate(
        [
            {"hw.ipynb": NOTEBOOK, "data.zip": b"x"},
            {"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK},
            {"hw_1_2_ada.ipynb": NOTEBOOK},
        ]
    ):
        path = tmp_path / f"ada{n}.zip"
        path.write_bytes(_zip(files))
        collection = collect([path])
        assert [hand_in.student for hand_in in collection.hand_ins] == [f"ada{n}"]
        assert not collection.is_class
        assert content(collection.hand_ins[0])[1] == path.read_bytes()


def test_a_students_own_names_do_not_change_the_layout(download) -> None:
    yml = b"submission_101:\n  :submitters:\n  - :name: Mallory\n"
    files = DOWNLOADS["a Gradescope export"] | {"assignment_7_export/submission_101/submission_metadata.yml": yml}
    assert set(_by_student(collect([download(files)]))) == WHO["a Gradescope export"]


def test_a_students_own_folder_names_do_not_change_the_layout(tmp_path: Path) -> None:
    files = DOWNLOADS["a plain folder"] | {
        "alan/submission_metadata.yml": b"x: 1",
        "alan/submitted/a/b/c.ipynb": NOTEBOOK,
    }
    assert set(_by_student(collect([_folder(files, tmp_path)]))) == WHO["a plain folder"]


def test_the_same_files_are_packed_to_the_same_bytes(tmp_path: Path) -> None:
    files = {"alan/hw.ipynb": NOTEBOOK, "alan/model_config.yaml": b"a: 1", "ada.zip": b"", "bob.zip": b""}
    (folder, archive) = (_folder(files, tmp_path / "a"), tmp_path / "b.zip")
    archive.write_bytes(_zip(dict(reversed(files.items()))))
    packed = [content(_by_student(collect([path]))["alan"]) for path in (folder, archive)]
    assert packed[0] == packed[1]


def test_two_of_one_name_do_not_share_a_folder(tmp_path: Path) -> None:
    yml = ":submitters:\n  - :name: Ada\n".replace("\n", "\n  ")
    text = f"submission_1:\n  {yml}\nsubmission_2:\n  {yml}\n"
    files = {
        "submission_metadata.yml": text.encode(),
        "submission_1/a.ipynb": NOTEBOOK,
        "submission_2/a.ipynb": NOTEBOOK,
    }
    assert [h.student for h in collect([_folder(files, tmp_path)]).hand_ins] == ["Ada", "Ada (2)"]


def test_a_zip_is_one_hand_in_unless_told_otherwise(tmp_path: Path) -> None:
    """A student can give a zip the names of any platform, and with them the names of others."""
    for layout, files in DOWNLOADS.items():
        (tmp_path / "eve.zip").write_bytes(_zip(files))
        collection = collect_plainly([tmp_path / "eve.zip"])
        assert [hand_in.student for hand_in in collection.hand_ins] == ["eve"], layout
        assert not collection.is_class


def test_a_link_at_the_top_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.ipynb").write_bytes(b"secret")
    folder = _folder({"ada.ipynb": NOTEBOOK, "bob.ipynb": NOTEBOOK}, tmp_path / "class")
    (folder / "eve.ipynb").symlink_to(tmp_path / "secret.ipynb")
    with pytest.raises(OSError, match="it is a link"):
        content(_by_student(collect([folder]))["eve"])


def test_a_link_in_a_students_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.ipynb").write_bytes(b"{}")
    folder = _folder({"ada/hw.ipynb": NOTEBOOK, "bob.zip": b"x"}, tmp_path / "class")
    (folder / "ada" / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    assert [file.name for file in _by_student(collect([folder]))["ada"].files] == ["hw.ipynb"]


@pytest.mark.parametrize(
    ("make", "words"), [(lambda p: None, "does not exist"), (lambda p: p.mkdir(), "holds no submissions")]
)
def test_nothing_to_grade_is_said(make, words, tmp_path: Path) -> None:
    make(tmp_path / "x")
    with pytest.raises(NothingToGrade, match=words):
        collect([tmp_path / "x"])


def test_a_metadata_file_of_another_shape_is_said(tmp_path: Path) -> None:
    for n, text in enumerate(["a: b: c", "- 1\n- 2", "submission_1: text", "\t"]):
        folder = _folder(
            {"submission_metadata.yml": text.encode(), "submission_1/a.ipynb": NOTEBOOK}, tmp_path / str(n)
        )
        with pytest.raises(NothingToGrade, match="cannot be read"):
            collect([folder])


# ---------------------------------------------------------------- people


def _roster(path: Path, text: str) -> Directory:
    path.write_text(text, encoding="utf-8")
    return read_roster(path)


@pytest.mark.parametrize(
    "text",
    [
        "name,email\nAda Lovelace,ada@x.org\nZoë Müller,zoe@x.org\nAlan Turing,alan@x.org\nKim Li,kim@x.org\n",
        "First Name,Last Name,SID\nAda,Lovelace,4711\nZoë,Müller,4712\nAlan,Turing,4714\nKim,Li,1\n",
        'Student,ID,SIS Login ID\n    Points Possible,,\n"Lovelace, Ada",4711,ada\n"Müller, Zoë",4712,z\n"Turing, Alan",4714,a\n"Li, Kim",1,k\n',
    ],
)
def test_a_roster_names_and_adds_who_is_missing(text: str, tmp_path: Path) -> None:
    folder = _folder(DOWNLOADS["a Canvas download"], tmp_path / "class")
    collection = collect([folder], _roster(tmp_path / "roster.csv", text))
    assert [person.name.replace("Li, Kim", "Kim Li") for person in collection.absent] == ["Kim Li"]
    (ada,) = _by_student(collection)["lovelaceada_4711"].members
    assert ada.name in ("Ada Lovelace", "Lovelace, Ada")


def test_a_roster_knows_the_members_of_a_moodle_group(tmp_path: Path) -> None:
    files = {"Team 1_9_assignsubmission_file/hw.ipynb": NOTEBOOK, "Team 2_10_assignsubmission_file/hw.ipynb": NOTEBOOK}
    roster = _roster(tmp_path / "r.csv", "name,group\nAda,Team 1\nBob,Team 1\nCid,Team 2\nDan,\n")
    collection = collect([_folder(files, tmp_path / "class")], roster)
    assert [[p.name for p in h.members] for h in collection.hand_ins] == [["Ada", "Bob"], ["Cid"]]
    assert [p.name for p in collection.absent] == ["Dan"]


def test_whom_two_share_nobody_is_found_by() -> None:
    directory = Directory([Person("Ada King", ids=(("sis", "1"),)), Person("Ada King", ids=(("sis", "2"),))])
    assert directory.index(Person("King, Ada"), trust_names=True) is None
    assert directory.index(Person("King, Ada", ids=(("sis", "2"),))) == 1


def test_a_name_is_the_same_in_every_order_and_accent() -> None:
    assert "lovelaceadaking" in spellings("Ada King Lovelace")
    assert spellings("Zoë Müller") == spellings("Müller, Zoe\u0308")
    assert spellings("") == set()


@pytest.mark.parametrize("text", ["", "points\n3\n", "name\n"])
def test_a_roster_without_names_is_said(text: str, tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="names nobody"):
        _roster(tmp_path / "r.csv", text)
