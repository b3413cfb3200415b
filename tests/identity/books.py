"""Grade files and class lists of some of a university's people, in a platform's form; the truth of each row beside them."""

import csv
import io
import random
from dataclasses import dataclass

from tests.identity.people import Somebody

TITLE = "01_kl_divergence"


@dataclass(frozen=True)
class Book:
    """A file, the person of each of its rows (None: a row of nobody), the column that is filled, and the kinds of id in it."""

    text: str
    who: tuple[int | None, ...]  # of the rows below the heading
    column: int
    kinds: dict[int, dict[str, str]]  # what the file says of each of its people, by kind


def _written(rng: random.Random, rows: list[list[str]]) -> str:
    out = io.StringIO()
    delimiter = rng.choice([",", ",", ";", "\t"])
    csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(["\n", "\r\n"])).writerows(rows)
    return rng.choice(["", "\ufeff"]) + out.getvalue()


def _sometimes(rng: random.Random, value: str) -> str:
    return value if rng.random() < 0.9 else ""


def canvas(rng: random.Random, people: list[Somebody]) -> Book:
    columns = [kind for kind in ("sis", "login") if rng.random() < 0.8]
    titles = {"sis": "SIS User ID", "login": "SIS Login ID"}
    header = ["Student", "ID", *(titles[kind] for kind in columns), "Section", f"{TITLE} (901)", "Final Score"]
    rows, kinds = [], {}
    for person in people:
        said = {kind: value for kind in columns if (value := _sometimes(rng, person.ids[kind]))}
        old = rng.choice(["", "", "7.5"])
        rows.append([person.sortable, person.ids["canvas"], *(said.get(kind, "") for kind in columns), "A", old, ""])
        kinds[person.number] = said | {"canvas": person.ids["canvas"]}
    nobody = ["    Points Possible", *([""] * len(columns)), "", "", "35", ""]
    all_rows = [header, nobody, *rows, ["Student, Test", "999", *([""] * len(columns)), "A", "", ""]]
    return Book(_written(rng, all_rows), (None, *(p.number for p in people), None), len(columns) + 3, kinds)


def moodle(rng: random.Random, people: list[Somebody]) -> Book:
    word, *titles = rng.choice(
        [("Participant ", "Identifier", "Full name", "Email address", "Grade"),
         ("Teilnehmer/in", "ID", "Vollständiger Name", "E-Mail-Adresse", "Bewertung"),
         ("Participante", "Identificador", "Nombre completo", "Dirección", "Calificación")]
    )  # fmt: skip
    number = rng.random() < 0.3
    header = [titles[0], titles[1], *(["ID number"] if number else []), titles[2], "Status", titles[3], "Max"]
    rows, kinds = [], {}
    for person in people:
        ids = [person.ids["sis"]] if number else []
        rows.append([f"{word}{person.ids['participant']}", person.name, *ids, person.email, "x", "", "35,00"])
        kinds[person.number] = {"participant": person.ids["participant"], "email": person.email}
        kinds[person.number] |= {"sis": person.ids["sis"]} if number else {}
    return Book(_written(rng, [header, *rows]), tuple(p.number for p in people), 5 if number else 4, kinds)


def brightspace(rng: random.Random, people: list[Somebody]) -> Book:
    title = f"{TITLE} Points Grade <Numeric MaxPoints:35>"
    header = ["OrgDefinedId", "Username", "Last Name", "First Name", title, "End-of-Line Indicator"]
    rows = [[f"#{p.ids['sis']}", f"#{p.ids['login']}", p.last, p.first, "", "#"] for p in people]
    kinds = {p.number: {"sis": p.ids["sis"], "login": p.ids["login"]} for p in people}
    return Book(_written(rng, [header, *rows]), tuple(p.number for p in people), 4, kinds)


def gradescope(rng: random.Random, people: list[Somebody]) -> Book:
    header = ["First Name", "Last Name", "SID", "Email", "Sections", "Total Score", "Max Points", "Status"]
    rows = [[p.first, p.last, p.ids["sis"], p.email, "A", "", "35.0", "Missing"] for p in people]
    kinds = {p.number: {"sis": p.ids["sis"], "email": p.email} for p in people}
    return Book(_written(rng, [header, *rows]), tuple(p.number for p in people), 5, kinds)


BOOKS = {"canvas": canvas, "moodle": moodle, "brightspace": brightspace, "gradescope": gradescope}
_TITLES = {"canvas": "Canvas ID", "sis": "SID", "login": "Login", "participant": "Participant", "email": "Email"}


def roster(rng: random.Random, people: list[Somebody]) -> str:
    """A class list with some kinds of id, or with names alone."""
    kinds = [kind for kind in _TITLES if rng.random() < 0.4]
    rows = [["name", *(_TITLES[kind] for kind in kinds)]]
    for person in people:
        values = {kind: person.email if kind == "email" else person.ids[kind] for kind in kinds}
        rows.append([rng.choice([person.name, person.sortable]), *values.values()])
    return _written(rng, rows)
