"""Feedback back to the students: pages in the form that a platform takes for bulk upload, or as files for e-mails.

Canvas    <as in the download, up to the upload's number>_feedback.html: it looks for the user's and the upload's numbers
Moodle    <Full name>_<participant>_assignsubmission_file_feedback.html, flat, which every version reads
e-mail    a page a hand-in, and mapping.csv: email, name, hand-in, file

Two hand-ins that would go to one place go nowhere, and are named.
"""

import argparse
import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from grader.classes.results_folder import no_results, read_results
from grader.marking.given import add_marks
from grader.platforms.layouts import canvas_upload
from grader.platforms.tree import files_of
from grader.report.early import ALL, EARLY, STAGES, early
from grader.report.feedback import feedback_page
from grader.report.files import folder_name, write_atomically
from grader.report.grades import harmless
from grader.stages.intake import DAMAGE
from utils.assignments.course import STAGED, course_file
from utils.notebook.printable import printable

Results = dict[str, Any]
_SHOWN, _PAGE = 5, "feedback.html"


class CannotHandBack(ValueError):
    """Nothing can be written; the message is one sentence."""


def add_parser(commands: Any) -> None:
    """Add the command to those of `python -m grader`."""
    back = commands.add_parser("feedback", help="pack the students' pages for a platform's bulk upload, or for e-mails")
    back.add_argument("results", type=Path, metavar="RESULTS", help="a folder that `grade --out` has written")
    back.add_argument("--for", dest="platform", required=True, choices=sorted(_FORMS), help="who takes it: %(choices)s")
    back.add_argument(
        "--like", type=Path, metavar="DOWNLOAD", help="the submissions as downloaded; Canvas goes by their names"
    )
    back.add_argument(
        "--out", type=Path, metavar="FILE", help="the zip to write (default: RESULTS/feedback-PLATFORM.zip)"
    )
    back.add_argument(
        "--stage", choices=STAGES, help="early: that it runs, and the visible examples; default: as course.toml says"
    )


def hand_back(options: argparse.Namespace) -> str:
    """Run the command; returns what was done, in sentences.

    Raises:
        CannotHandBack: If there is nothing to pack, or nothing to go by.
        StoreError: If the file of marks cannot be used.
    """
    found = list(read_results(options.results).values())
    if not found:
        raise CannotHandBack(no_results(options.results))
    results, _ = add_marks(options.results, found)
    results = [result for result in results if result["extra_data"]["status"] != "grader_error"]
    stages = {r["extra_data"]["student"]: options.stage or stage_now(r["extra_data"]["notebook"]) for r in results}
    files, mapping, notes = _packed(results, stages, _FORMS[options.platform](options, results))
    out = options.out or options.results / f"feedback-{options.platform}.zip"
    write_atomically(out, _zipped(files | mapping))
    waiting = sum(bool(r["extra_data"]["pending_points"]) for r in results)
    shown = sorted(set(stages.values()))
    lines = [f"{out}: {len(files)} pages, stage {' and '.join(shown)}. {_NEXT[options.platform]}"]
    lines += notes
    if waiting and ALL in shown:
        lines.append(f"{waiting} of them say that points still wait for a person.")
    return printable("\n".join(lines))


def stage_now(notebook: str, due: datetime | None = None, now: datetime | None = None) -> str:
    """What the course's setting releases at this moment.

    Args:
        notebook: Whose `[due]` counts.
        due: When it is due, if somebody else knows.
        now: The moment.
    """
    course = course_file()
    due = due or course.due.get(notebook)
    if course.release != STAGED or due is None:
        return ALL
    return EARLY if (now or datetime.now(timezone.utc)) < due else ALL


Places = dict[str, list[str]]  # by hand-in, the names its page goes under


def _packed(
    results: list[Results], stages: dict[str, str], places: Places
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Files by name, the mapping for e-mails, and sentences about those who get nothing."""
    owners: dict[str, list[str]] = {}
    for student, names in places.items():
        for name in names:
            owners.setdefault(name.casefold(), []).append(student)
    doubled = sorted({student for own in owners.values() if len(set(own)) > 1 for student in own})
    lost = sorted(r["extra_data"]["student"] for r in results if not places.get(r["extra_data"]["student"]))
    files: dict[str, str] = {}
    for result in results:
        student = result["extra_data"]["student"]
        if student in doubled:
            continue
        page = feedback_page(early(result) if stages[student] == EARLY else result)
        files |= dict.fromkeys(places.get(student, []), page)
    notes = []
    if doubled:
        notes.append(f"Hand-ins of one person, so none is packed: {_named(doubled)}; delete all but one.")
    if lost:
        notes.append(f"Nothing says where these go: {_named(lost)}.")
    return files, _mapping(results, files), notes


def _named(students: list[str]) -> str:
    return ", ".join(students[:_SHOWN]) + (" and more" if len(students) > _SHOWN else "")


# ------------------------------------------------------------ forms


def _for_canvas(options: argparse.Namespace, results: list[Results]) -> Places:
    """By the names of the download: the last upload of each user."""
    if options.like is None:
        raise CannotHandBack("Canvas goes by the names in its own download: give it with --like.")
    try:
        names = [file.name for file in files_of(options.like) if len(file.parts) == 1]
    except (OSError, *DAMAGE) as error:
        raise CannotHandBack(f"{options.like} cannot be read ({error}): give the download that was graded.") from None
    newest: dict[str, tuple[int, str]] = {}
    for name in names:
        if upload := canvas_upload(name):
            newest[upload.user] = max(newest.get(upload.user, (-1, "")), (upload.number, upload.prefix))
    if not newest:
        raise CannotHandBack(f"{options.like} is no download of Canvas: none of its names is like name_12_345_file.")
    return {
        r["extra_data"]["student"]: [f"{newest[user][1]}{_PAGE}" for user in _ids(r, "canvas") if user in newest]
        for r in results
    }


def _for_moodle(options: argparse.Namespace, results: list[Results]) -> Places:
    places: Places = {}
    for result in results:
        places[result["extra_data"]["student"]] = [
            f"{_plain(member['name'])}_{number}_assignsubmission_file_{_PAGE}"
            for member in _members(result)
            if (number := str(member["ids"].get("participant", ""))).isdecimal()
        ]
    return places


def _for_email(options: argparse.Namespace, results: list[Results]) -> Places:
    return {
        r["extra_data"]["student"]: [f"pages/{folder_name(r['extra_data']['student'])}.html"]
        for r in results
        if any(member["email"] for member in _members(r))
    }


def _mapping(results: list[Results], files: dict[str, str]) -> dict[str, str]:
    """For a mail merge: whom each page goes to."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["email", "name", "hand_in", "file"])
    for result in results:
        student = result["extra_data"]["student"]
        name = f"pages/{folder_name(student)}.html"
        for member in _members(result):
            if name in files and member["email"]:
                writer.writerow([harmless(member["email"]), harmless(member["name"]), harmless(student), name])
    return {"mapping.csv": out.getvalue()} if any(name.startswith("pages/") for name in files) else {}


def _members(result: Results) -> list[dict[str, Any]]:
    return [m if isinstance(m["ids"], dict) else m | {"ids": {}} for m in result["extra_data"].get("members") or []]


def _ids(result: Results, kind: str) -> list[str]:
    return [str(member["ids"][kind]) for member in _members(result) if member["ids"].get(kind)]


def _plain(name: str) -> str:
    """A name without what Moodle parts its file names by."""
    return re.sub(r"[_/\\]+", " ", folder_name(name)).strip() or "student"


def _zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), text.encode("utf-8", "replace"), zipfile.ZIP_DEFLATED)
    return out.getvalue()


_FORMS: dict[str, Callable[[argparse.Namespace, list[Results]], Places]] = {
    "canvas": _for_canvas,
    "moodle": _for_moodle,
    "email": _for_email,
}
_NEXT = {
    "canvas": "In Canvas: the assignment, Upload Submissions.",
    "moodle": "In Moodle: View all submissions, Upload multiple feedback files in a zip.",
    "email": "mapping.csv says whom each page goes to.",
}
