"""Downloads: files of a platform. A file's content is a token, and the truth knows whose token it is and how new."""

import io
import json
import random
import re
import unicodedata
import zipfile
from dataclasses import dataclass, field

from tests.identity.people import Somebody


@dataclass
class Truth:
    """Who handed in what: by token, the people and whether a later upload of theirs replaced it."""

    owners: dict[int, frozenset[int]] = field(default_factory=dict)
    replaced: set[int] = field(default_factory=set)
    undecided: set[int] = field(
        default_factory=set
    )  # lies beside others of the same person, and nothing tells the latest

    def token(self, *people: Somebody) -> int:
        number = len(self.owners) + 1
        self.owners[number] = frozenset(person.number for person in people)
        return number

    def of(self, person: int) -> list[int]:
        """Tokens that a person handed in and nothing replaced."""
        return [token for token, owners in self.owners.items() if person in owners and token not in self.replaced]


@dataclass(frozen=True)
class Download:
    """Files by path, and by person the kinds of id that the files say of them truly."""

    platform: str
    files: dict[str, bytes]
    known: dict[int, dict[str, str]]  # number of a person -> what is said of them, by kind
    twisted: frozenset[int] = frozenset()  # whose ids contradict each other


def notebook(token: int) -> bytes:
    return json.dumps({"cells": [], "metadata": {"token": token}, "nbformat": 4, "nbformat_minor": 5}).encode()


def token_of(data: bytes) -> int | None:
    """The one token in a hand-in's bytes; None where there is none, or more than one."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [archive.read(name) for name in archive.namelist() if name.endswith(".ipynb")]
    else:
        found = [data]
    tokens = {json.loads(one)["metadata"]["token"] for one in found if one[:1] == b"{"}
    return tokens.pop() if len(tokens) == 1 else None


def _zipped(token: int) -> bytes:
    return _in_zip("hw.ipynb", notebook(token))


def _in_zip(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def _uploads(rng: random.Random, truth: Truth, person: Somebody) -> list[tuple[str, bytes]]:
    """What a person uploaded, in the order of time; the last counts."""
    count = rng.choice([1, 1, 1, 2, 3])
    tokens = [truth.token(person) for _ in range(count)]
    truth.replaced.update(tokens[:-1])
    if rng.random() < 0.5:
        same = rng.random() < 0.7
        names = [f"hw{'' if n == 0 else f'-{n}'}.ipynb" if same else f"{9 - n}.ipynb" for n in range(count)]
        return [(name, notebook(token)) for name, token in zip(names, tokens, strict=True)]
    first = rng.choice([8, 9, 98])
    return [(f"hw_v{first + n}.zip", _zipped(token)) for n, token in enumerate(tokens)]


def _at_once(rng: random.Random, truth: Truth, person: Somebody) -> list[tuple[str, bytes]]:
    """What a platform hands over without saying what was first: the names may tell, or nothing does."""
    form = rng.choice(["one", "one", "versions", "copies", "nothing tells", "zip in zip"])
    if form == "versions":
        tokens, first = [truth.token(person) for _ in range(2)], rng.choice([8, 9, 99])
        truth.replaced.add(tokens[0])
        mark = rng.choice(["_v{}", " ({})", "-{}"])
        return [(f"hw{mark.format(first + n)}.ipynb", notebook(token)) for n, token in enumerate(tokens)]
    if form == "nothing tells":
        tokens = [truth.token(person) for _ in range(2)]
        truth.undecided.update(tokens)
        return [(name, _zipped(token)) for name, token in zip(("draft.zip", "mine.zip"), tokens, strict=True)]
    token = truth.token(person)
    if form == "copies":
        return [("hw.zip", _zipped(token)), ("hw.ipynb", notebook(token))]
    return [("all.zip", _in_zip("hw.zip", _zipped(token)))] if form == "zip in zip" else [("hw.ipynb", notebook(token))]


def canvas(rng: random.Random, truth: Truth, people: list[Somebody], twists: bool = False) -> Download:
    files, attachment = {}, rng.randrange(10, 90)
    for person in rng.sample(people, len(people)):
        late = rng.choice(["", "", "_LATE"])
        for name, data in _uploads(rng, truth, person):
            attachment += rng.randint(1, 60)  # passes from two digits to three: the order is that of numbers
            files[f"{_squeezed(person)}{late}_{person.ids['canvas']}_{attachment}_{name}"] = data
    return Download("canvas", files, {p.number: {"canvas": p.ids["canvas"]} for p in people})


def _squeezed(person: Somebody) -> str:
    return re.sub(r"[\W_]+", "", f"{person.last}{person.first}").lower()


def moodle(rng: random.Random, truth: Truth, people: list[Somebody], twists: bool = False) -> Download:
    files, blind = {}, rng.random() < 0.2
    for person in people:
        token = truth.token(person)
        number = person.ids["participant"]
        folder = (
            f"{'Participant' if blind else person.name}_{number}_assignsubmission_file{rng.choice(['/', '_/', '_'])}"
        )
        files[f"{folder}hw.ipynb"] = notebook(token)
    return Download("moodle", files, {p.number: {"participant": p.ids["participant"]} for p in people})


def gradescope(rng: random.Random, truth: Truth, people: list[Somebody], twists: bool = False) -> Download:
    """With `twists`, some have somebody else's student number beside their own address: to be seen where a file holds both."""
    files, lines, known, twisted = {}, [], {}, set()
    rest, n = rng.sample(people, len(people)), 100
    while rest:
        members = [rest.pop() for _ in range(min(len(rest), rng.choice([1, 1, 1, 2, 3])))]
        n += 1
        lines += [f"submission_{n}:", "  :submitters:"]
        for member in members:
            said = {
                kind: value
                for kind, value in (("sis", member.ids["sis"]), ("email", member.email))
                if rng.random() < 0.8
            }
            if twists and len(said) == 2 and rng.random() < 0.15:
                said["sis"] = rng.choice(people).ids["sis"]
                if said["sis"] != member.ids["sis"]:
                    twisted.add(member.number)
            lines += [f"  - :name: {json.dumps(member.name, ensure_ascii=False)}"]
            lines += [f"    :email: {said['email']}"] if "email" in said else []
            lines += [f"    :sid: {said['sis']}"] if "sis" in said else []
            known[member.number] = said
        lines += ["  :created_at: 2026-03-01 10:00:00 Z"]
        files[f"export/submission_{n}/hw.ipynb"] = notebook(truth.token(*members))
    files["export/submission_metadata.yml"] = ("\n".join(lines) + "\n").encode()
    return Download("gradescope", files, known, frozenset(twisted))


def nbgrader(rng: random.Random, truth: Truth, people: list[Somebody], twists: bool = False) -> Download:
    files = {f"submitted/{p.ids['login']}/ps1/hw.ipynb": notebook(truth.token(p)) for p in people}
    return Download("nbgrader", files, {p.number: {"login": p.ids["login"]} for p in people})


def plain(rng: random.Random, truth: Truth, people: list[Somebody], twists: bool = False) -> Download:
    """A folder of one's own: a file a student, named by an id of whatever kind, or by the name."""
    kind = rng.choice(["name", "canvas", "sis", "login"])
    files = {}
    for person in people:
        label = person.name if kind == "name" else person.ids[kind]
        path = f"{label}.ipynb" if rng.random() < 0.7 else f"{label}/hw.ipynb"
        if unicodedata.normalize("NFC", path) not in files:
            files[path] = notebook(truth.token(person))
    return Download("plain", files, {p.number: {} for p in people})


PLATFORMS = {"canvas": canvas, "moodle": moodle, "gradescope": gradescope, "nbgrader": nbgrader, "plain": plain}
