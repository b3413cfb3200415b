"""One row of the table: a download through the whole command, and its filled grade file held against the truth."""

import contextlib
import csv
import io
import json
import random
import zipfile
from pathlib import Path
from unittest import mock

from grader.classes import batch
from grader.cli import main
from tests.downloads.layouts import BY_NAME, LAYOUTS, OPTIONS
from tests.downloads.troubles import TROUBLES, Case, Points
from tests.fuzz.stand_in import grader_with


def run_row(platform: str, trouble: str, folder: Path, as_zip: bool = False) -> list[str]:
    """Make the download, grade it, fill a grade file, and compare.

    Args:
        platform, trouble: Of `LAYOUTS` and `TROUBLES`.
        folder: An empty folder.
        as_zip: Whether the download stays the zip that a platform hands over.

    Returns:
        What was wrong; nothing, where all is as it must be.
    """
    case = TROUBLES[trouble]()
    files = LAYOUTS[platform](case)
    source = _zip(files, folder / "download.zip") if as_zip else _folder(files, folder / "download")
    _write_lists(case, folder)
    command = [
        "grade",
        str(source),
        "--out",
        str(folder / "out"),
        "--roster",
        str(folder / "roster.csv"),
        "--workers",
        "0",
    ]
    command += [
        "--fill",
        str(folder / "book.csv"),
        "--min-tier",
        "E",
        "--quality-seconds",
        "0",
        "--fill-also",
        "waiting",
    ]
    command += [*OPTIONS.get(platform, ()), *case.options]
    said, complaint = io.StringIO(), io.StringIO()
    grader = grader_with(random.Random(0), 0)

    def of_settings(settings: batch.Settings, seat: object) -> object:
        grader.notebook = settings.notebook
        return grader

    with (
        mock.patch.object(batch.sandboxes, "grader", of_settings),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complaint),
    ):
        code = main(command)
    shown = said.getvalue() + complaint.getvalue()
    faults = [f"exit code {code}: {shown}"] if code else []
    must = dict(case.must)
    if trouble == "two_of_one_name" and platform in BY_NAME:
        must |= {(n, name): None for n in (1, 2) for name in case.columns}
    faults += _rows(case, must, folder) if not code else []
    says = (
        () if (platform, trouble) == ("canvas", "nothing_inside") else case.says
    )  # there it is a text that was handed in
    faults += [f"not said: {words}" for words in says if words not in shown]
    faults += _lines(must, folder / "out") if not code else []
    return [f"{fault}\n{shown}" for fault in faults]


def _rows(case: Case, must: dict[tuple[int, str], Points], folder: Path) -> list[str]:
    with (folder / "out" / "book.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    faults = []
    for person, row in zip(case.people, rows[1:], strict=True):
        for n, name in enumerate(case.columns):
            wanted = must.get((person.number, name))
            expected = f"{wanted:g}" if isinstance(wanted, float) else ""
            if row[5 + n] != expected:
                faults.append(f"{person.name} has {row[5 + n]!r} for {name}, must have {expected!r}")
    return faults


def _lines(must: dict[tuple[int, str], Points], out: Path) -> list[str]:
    """Who has a line without points: as many as there must be."""
    found = [json.loads(path.read_text(encoding="utf-8"))["extra_data"] for path in out.rglob("results.json")]
    wanted = sum(isinstance(points, str) for points in must.values())
    got = sum(extra["status"] == "malformed" for extra in found)
    return [] if got == wanted else [f"{got} lines without points, must be {wanted}"]


def _write_lists(case: Case, folder: Path) -> None:
    with (folder / "book.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        titles = [f"{name} ({900 + n})" for n, name in enumerate(case.columns)]
        writer.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *titles])
        for p in case.people:
            writer.writerow([p.sortable, p.ids["canvas"], p.ids["sis"], p.ids["login"], "A", *("" for _ in titles)])
    with (folder / "roster.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "email", "canvas id", "sid", "login", "participant", "github"])
        for p in case.people:
            ids = [p.ids[kind] for kind in ("canvas", "sis", "login", "participant", "github")]
            writer.writerow([p.name, p.email, *ids])


def _folder(files: dict[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


def _zip(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path
