"""What instructors have: rosters, grade files, and bulk downloads, graded with the command that they would type."""

import contextlib
import csv
import io
import json
import os
import random
import tempfile
import zipfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from unittest import mock

from grader.classes import batch
from grader.cli import main
from grader.platforms import read_roster
from grader.platforms.gradebooks import GradebookError, fill, read_gradebook
from grader.platforms.roster import RosterError
from grader.records import Report
from grader.report import results_json
from tests.fuzz.changes import ODD_TEXT, changed_bytes, changed_text
from tests.fuzz.promises import demand, demand_sentence
from tests.fuzz.stand_in import grader_with
from tests.fuzz.submissions import spoilt_notebook
from tests.support import one_verdict

NAME = "01_kl_divergence"
_HEADINGS = (
    "name",
    "Name",
    "email",
    "Student ID",
    "id",
    "group",
    "First Name",
    "Last Name",
    "",
    "sid",
    "points",
    "Grade",
)
_PEOPLE = (
    "Zoë Müller",
    "Lovelace, Ada",
    "李雷",
    "O'Neil",
    "Student, Test",
    "Points Possible",
    "ada@x.org",
    "4711",
    "",
    "EX",
    "7.5",
)
_CANVAS = "Student,ID,SIS User ID,SIS Login ID,Section,01_kl_divergence (901),Essay (902),Final Score"
_MOODLE = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments"


def _with_folder(case: Callable[[random.Random, Path], str]) -> Callable[[random.Random], str]:
    """A case that needs files: each time it gets an empty folder, which is gone when it ends."""

    @wraps(case)
    def run(rng: random.Random) -> str:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            return case(rng, Path(folder))

    return run


def _cell(rng: random.Random) -> str:
    return rng.choice(ODD_TEXT) if rng.random() < 0.15 else rng.choice(_PEOPLE)


def _table(rng: random.Random, header: str, columns: int) -> bytes:
    """A CSV file below a given heading, in the writing of some spreadsheet, or damaged."""
    out = io.StringIO()
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(
        out,
        delimiter=rng.choice([","] * 6 + [";", "\t"]),
        quoting=quoting,
        lineterminator=rng.choice(["\n", "\r\n", "\r"]),
    )
    for _ in range(rng.randrange(6)):
        writer.writerow([_cell(rng) for _ in range(max(0, columns + rng.choice([0, 0, 0, 0, -1, 2])))])
    text = rng.choice(["", "", "\ufeff"]) + header + rng.choice(["\n", "\r\n"]) + out.getvalue()
    if rng.random() < 0.3:
        text = changed_text(rng, text, 2)
    data = text.encode(rng.choice(["utf-8"] * 8 + ["utf-16", "latin-1", "cp1252"]), "replace")
    return changed_bytes(rng, data, 2) if rng.random() < 0.2 else data


@_with_folder
def rosters(rng: random.Random, folder: Path) -> str:
    """Class lists in CSV: people, or one sentence."""
    headings = [rng.choice(_HEADINGS) for _ in range(rng.randint(1, 5))]
    path = folder / "roster.csv"
    path.write_bytes(_table(rng, ",".join(headings), len(headings)))
    try:
        directory = read_roster(path)
    except RosterError as error:
        demand_sentence(str(error))
        return "refused"
    for person in directory.people:
        demand(bool(person.name), "a person without a name")
        directory.look_up(person)
        directory.of_group(person.group)
    return "read"


@_with_folder
def gradebooks(rng: random.Random, folder: Path) -> str:
    """Grade files: nothing but the one column changes, or one sentence."""
    header = rng.choice([_CANVAS, _MOODLE, _CANVAS.replace("Essay", "01_kl_divergence"), changed_text(rng, _CANVAS, 1)])
    path = folder / "book.csv"
    path.write_bytes(_table(rng, header, header.count(",") + 1))
    results = [_result(rng) for _ in range(rng.randrange(4))]
    try:
        book = read_gradebook(path)
        rows = [list(row) for row in book.rows]
        summary = fill(book, results, folder / "out", rng.choice([None, None, "Essay", "901", ""]))
        demand_sentence(summary, longest=100_000)  # it names everybody who was left out
    except GradebookError as error:
        demand_sentence(str(error))
        return "refused"
    changed = {n for row, new in zip(rows, book.rows, strict=True) for n in range(len(row)) if row[n] != new[n]}
    demand(len(changed) <= 1, "more than one column was changed")
    demand(
        changed or (folder / "out" / "book.csv").read_bytes() == path.read_bytes(), "it was changed without a reason"
    )
    return "filled" if changed else "unchanged"


def _result(rng: random.Random) -> dict:
    score = rng.choice([0.0, 35.0, 30.5])
    verdict = one_verdict(points=score)
    report = Report(
        student=_cell(rng) or "ada",
        file_name="a.zip",
        notebook=NAME,
        submission_sha256="0",
        tier="A",
        verdicts=(verdict,),
        rejection=rng.choice(["", "", "Not a zip: zip it."]),
    )
    results = results_json(report)
    results["extra_data"]["members"] = [
        {
            "name": _cell(rng),
            "email": rng.choice(["", "ada@x.org"]),
            "ids": {rng.choice(["canvas", "sis", "login", "participant", "label"]): _cell(rng)},
        }
    ]
    return results


# ---------------------------------------------------------------- bulk downloads


@_with_folder
def classes(rng: random.Random, place: Path) -> str:
    """A bulk download in any layout, its names, list and files spoilt, through the whole command; then the same again."""
    source = _written(rng, _download(rng), place)
    command = ["grade", str(source), "--out", str(place / "out"), "--workers", "0", "--min-tier", "E"]
    if rng.random() < 0.3:
        (place / "roster.csv").write_bytes(_table(rng, "name,email,id", 3))
        command += ["--roster", str(place / "roster.csv")]
    if rng.random() < 0.2:
        (place / "book.csv").write_bytes(_table(rng, rng.choice([_CANVAS, _MOODLE]), 8))
        command += ["--fill", str(place / "book.csv")]
    if rng.random() < 0.2:
        sheet = place / "sheet.csv"
        command += ["--by-hand", str(sheet)]
        if rng.random() < 0.5:
            sheet.write_bytes(_table(rng, "student,kl.elbo.manual (5),kl.D_KL.manual (x)", 3))
    ended = _run(rng, command, place / "out")
    if rng.random() < 0.4 and (place / "out").exists():
        for path in sorted((place / "out").rglob("results.json")):
            if rng.random() < 0.3:
                path.write_bytes(changed_bytes(rng, path.read_bytes()))
        _run(rng, command, place / "out")
        _run(rng, ["diff", str(place / "out"), str(place / "out")], place / "out")
    return ended


def _run(rng: random.Random, command: list[str], out: Path) -> str:
    """The command in this process: an exit code that it may have, sentences, and reports for all that was found."""
    grader = grader_with(rng, 0)
    said, complaint = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(batch.sandboxes, "grader", return_value=grader),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complaint),
    ):
        code = main(command)
    said.getvalue().encode()
    for line in complaint.getvalue().splitlines():
        demand_sentence(line)
    for line in said.getvalue().splitlines():
        demand(line.isprintable(), f"not printable: {line!r}")
    demand(code in (0, 1), f"exit code {code}: {complaint.getvalue()[-300:]}")
    if code == 1 and not (out / "grades.csv").exists():
        demand(len(complaint.getvalue().splitlines()) == 1, f"refused with {complaint.getvalue()!r}")
        return "refused"
    if command[0] == "grade":
        count = json.loads((out / "run.json").read_text(encoding="utf-8"))["submissions"]
        demand(count == len(list(out.rglob("results.json"))) or "out" in command[1], f"{count} hand-ins share folders")
    return "graded"


def _download(rng: random.Random) -> dict[str, bytes]:
    """Files by path, as a platform names them or nearly."""
    kind = rng.choice(["gradescope", "canvas", "moodle", "nbgrader", "plain", "plain"])
    who = [
        rng.choice(["ada", "Zoë Müller", "李雷", "class.html", "run", "a_b", "O'Neil"])
        for _ in range(rng.randint(1, 4))
    ]
    files: dict[str, bytes] = {}
    for n, name in enumerate(who):
        if rng.random() < 0.25:
            name += rng.choice(ODD_TEXT)[:120]
        file = rng.choice(
            [
                "hw.ipynb",
                "hw.zip",
                "hw-1.ipynb",
                "hw (2).ipynb",
                f"hw{rng.choice(ODD_TEXT)[:80]}.ipynb",
                "report.pdf",
                "text.html",
            ]
        )
        file += "" if rng.random() < 0.9 else "-" + "9" * 90 + ".ipynb"
        number = rng.choice([str(4711 + n), "9" * 90, "٣", "0"])
        path = {
            "gradescope": f"export/submission_{n}/{file}",
            "canvas": f"{name}_{number}_{900 + n}_{file}",
            "moodle": f"{name}_{number}_assignsubmission_file/{file}",
            "nbgrader": f"submitted/{name}/ps1/{file}",
            "plain": rng.choice([f"{name}/{file}", f"{name}.ipynb", f"{name}.zip"]),
        }[kind]
        files[path] = _content(rng, path)
    if kind == "gradescope":
        files["export/submission_metadata.yml"] = _metadata(rng, who)
    if rng.random() < 0.2:
        files[rng.choice(["submission_metadata.yml", "submitted/x", "roster.csv", ".DS_Store", "a/b/c/d/e.ipynb"])] = (
            b"x: 1"
        )
    return files


def _content(rng: random.Random, path: str) -> bytes:
    data = spoilt_notebook(rng) if rng.random() < 0.6 else rng.choice([b"", b"%PDF-1.7", b'{"cells": []}'])
    if path.endswith(".zip"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("n.ipynb", data)
        data = out.getvalue()
    return changed_bytes(rng, data) if rng.random() < 0.2 else data


def _metadata(rng: random.Random, who: list[str]) -> bytes:
    lines = []
    for n, name in enumerate(who):
        lines += [
            f"submission_{n}:",
            "  :submitters:",
            f"  - :name: {name}",
            "    :sid: 0123",
            "  :created_at: 2026-03-01 10:00:00 Z",
        ]
    text = "\n".join(lines) + "\n"
    if rng.random() < 0.5:
        text = changed_text(rng, text, 2)
    data = text.encode("utf-8", "replace")
    return changed_bytes(rng, data, 3) if rng.random() < 0.3 else data


def _written(rng: random.Random, files: dict[str, bytes], place: Path) -> Path:
    """The download on the disk: a folder with any bytes in its names, or a zip, whole or damaged."""
    if rng.random() < 0.5:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                with contextlib.suppress(ValueError):  # half characters and empty names cannot be written
                    archive.writestr(name, data)
        data = out.getvalue()
        (place / "download.zip").write_bytes(changed_bytes(rng, data, 3) if rng.random() < 0.5 else data)
        return place / "download.zip"
    for name, data in files.items():
        raw = (
            os.fsencode(place / "download")
            + b"/"
            + name.encode("utf-8", rng.choice(["replace", "surrogatepass"])).replace(b"\0", b"")
        )
        with contextlib.suppress(OSError):  # names that no disk takes
            os.makedirs(os.path.dirname(raw), exist_ok=True)
            with open(raw, "wb") as file:
                file.write(data)
    return place / "download"
