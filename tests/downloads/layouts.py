"""The same class as each platform hands it over. A platform that keeps the last upload alone hands over that one."""

import re
import unicodedata
from collections.abc import Callable
from email.message import EmailMessage

from tests.downloads.troubles import Case, Upload
from tests.identity.people import Somebody

Files = dict[str, bytes]


def _each(case: Case) -> list[tuple[Somebody, list[Upload]]]:
    return [(case.people[n], uploads) for n, uploads in case.uploads.items()]


def _folders(case: Case, folder: Callable[[Somebody], str]) -> Files:
    """A folder for each, with the last upload in it; an empty one where there is none."""
    files: Files = {}
    for person, uploads in _each(case):
        files |= {f"{folder(person)}/{name}": data for name, data in uploads[-1].items()} or {f"{folder(person)}/": b""}
    return files


def canvas(case: Case) -> Files:
    files, number = {}, 98
    for person, uploads in _each(case):
        name = re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", f"{person.last}{person.first}")).lower()
        for upload in uploads:
            for file, data in (upload or {"text.html": b"<p>see my mail</p>"}).items():
                number += 1
                middle = "" if file == "text.html" else f"_{number}"
                files[f"{name}_{person.ids['canvas']}{middle}_{file}"] = data
    return files


def moodle(case: Case) -> Files:
    return _folders(case, lambda person: f"{person.name}_{person.ids['participant']}_assignsubmission_file")


def moodle_flat(case: Case) -> Files:
    files = _folders(case, lambda person: f"{person.name}_{person.ids['participant']}_assignsubmission_file")
    return {name if "/" not in name[:-1] else name.replace("_file/", "_file_", 1): data for name, data in files.items()}


def gradescope(case: Case) -> Files:
    files, lines = {}, []
    for n, (person, uploads) in enumerate(_each(case)):
        lines += [f"submission_{n}:", "  :submitters:", f"  - :name: {person.name}", f"    :sid: {person.ids['sis']}"]
        lines += [f"    :email: {person.email}", "  :created_at: 2026-03-01 10:00:00 Z"]
        files |= {f"export/submission_{n}/{name}": data for name, data in uploads[-1].items()}
    return files | {"export/submission_metadata.yml": "\n".join(lines).encode()}


def nbgrader(case: Case) -> Files:
    return _folders(case, lambda person: f"submitted/{person.ids['login']}/ps1")


def exchange(case: Case) -> Files:
    files = {}
    for person, uploads in _each(case):
        for n, upload in enumerate(uploads):
            folder = f"inbound/{person.ids['login']}+ps1+2026-03-0{n + 1} 10:00:00.000000 UTC+abc{n}"
            files |= {f"{folder}/{name}": data for name, data in upload.items()} or {f"{folder}/": b""}
    return files


def blackboard(case: Case) -> Files:
    files = {}
    for person, uploads in _each(case):
        for n, upload in enumerate(uploads):
            begin = f"Homework 1_{person.ids['login']}_attempt_2026-03-0{n + 1}-10-00-00"
            files[f"{begin}.txt"] = b"Name: a student\n"
            files |= {f"{begin}_{name}": data for name, data in upload.items()}
    return files


def brightspace(case: Case) -> Files:
    files: Files = {"index.html": b"<html></html>"}
    for k, (person, uploads) in enumerate(_each(case)):
        for n, upload in enumerate(uploads):
            folder = f"10{k}-2432 - {person.name} - Mar {n + 1}, 2026 1159 PM"
            files |= {f"{folder}/{name}": data for name, data in upload.items()} or {f"{folder}/": b""}
    return files


def github(case: Case) -> Files:
    return _folders(case, lambda person: f"hw1-submissions/hw1-{person.ids['github']}")


def google(case: Case) -> Files:
    files = {}
    for person, uploads in _each(case):
        for n, upload in enumerate(uploads):
            for name, data in upload.items():
                again = f" ({n})" if n else ""
                files[f"{person.name} - Homework{again}.{'zip' if name.endswith('.zip') else 'ipynb'}"] = data
    return files


def mail(case: Case) -> Files:
    files = {}
    for person, uploads in _each(case):
        for n, upload in enumerate(uploads):
            message = EmailMessage()
            message["From"] = f"{person.name} <{person.email.upper()}>"
            message["Date"] = f"Sun, 0{n + 1} Mar 2026 10:00:00 +0100"
            message.set_content("Here it is.")
            for name, data in upload.items():
                message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
            files[f"{person.number}-{n}.eml"] = bytes(message)
    return files


def plain(case: Case) -> Files:
    return _folders(case, lambda person: f"group A/{person.ids['login']}")


LAYOUTS: dict[str, Callable[[Case], Files]] = {
    made.__name__: made
    for made in (
        canvas, moodle, moodle_flat, gradescope, nbgrader, exchange, blackboard, brightspace, github, google, mail, plain
    )
}  # fmt: skip
OPTIONS = {
    "brightspace": ("--trust-names",),
    "google": ("--trust-names",),
    "plain": ("--layout", "{any}/{login}/{file}"),
}
BY_NAME = ("brightspace", "google")  # platforms whose downloads say names alone
