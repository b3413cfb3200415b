"""A class of any size, made up from an assignment's own questions, and its page measured in a real browser.

python -m tests.large_class [STUDENTS ...]      how large the pages are, and how long a browser takes to open them
"""

import base64
import random
import sys
import tempfile
import time
from pathlib import Path

from grader.marking.adjusting import adjust
from grader.marking.events import Event
from grader.marking.late import Deadline, parse_time
from grader.records import Guess, Report, Verdict, Written
from grader.report import results_json, write_class
from grader.stages.written import parts_for_a_person
from tests.marking.browser import CHROMIUM, chromium
from tests.marking.classroom import drawing
from utils.assignments import Assignment, assignment_names, load_assignment
from utils.assignments.course import Late

_NAMES = ("Ada", "Wei", "Zoë", "Mohammed", "Grace", "李", "Emmy", "Alan", "Yuki", "Olu")
_SLIPS = ("sum_for_mean", "wrong_axis", "no_gradient", "", "")


def made_up(count: int, notebook: str = "", pictures: bool = True) -> list[dict]:
    """Results of so many students, with what a person and the late rule changed in some.

    Args:
        count: Students.
        notebook: The assignment; the one with most questions if not given.
        pictures: Whether every part for a person has one.
    """
    names = [notebook] if notebook else assignment_names()
    assignment = max(map(load_assignment, names), key=lambda one: len(one.questions))
    return [_one(assignment, n, pictures) for n in range(count)]


def _one(assignment: Assignment, n: int, pictures: bool) -> dict:
    chance = random.Random(n)
    ability, student = chance.random(), f"{chance.choice(_NAMES)} {chance.choice(_NAMES)}son_{10_000 + n}"
    if n % 50 == 49:
        return results_json(
            Report(student, "a.rar", "", "0" * 64, "A", (), rejection="a.rar is no zip: hand in the zip.")
        )
    verdicts: list[Verdict] = []
    written: list[Written] = []
    for question in assignment.questions:
        about = (question.id, question.title, question.number)
        for task in question.tasks:
            is_right = chance.random() < 0.3 + 0.7 * ability
            said = f"{task.id}: " + (
                "all values agree."
                if is_right
                else "z has shape (128, 1), expected (128, 20): eps must have the shape of mu."
            )
            status, points, slip = ("passed", task.points, "") if is_right else ("wrong", 0, chance.choice(_SLIPS))
            verdicts.append(Verdict(f"{task.id}.values", *about, status, points, task.points, said, slip))
        for name, part in parts_for_a_person(question):
            verdicts.append(Verdict(name, *about, "manual", 0, part.points, f"{question.id}: waits for a person."))
            text = f"It is the KL divergence of student {n}, and so it is never negative. " * chance.randint(1, 6)
            written.append(Written(name, text, (drawing(n),) if pictures else ()))
    repairs = ("The tag of cell 12 was mended.",) if n % 20 == 3 else ()
    found = results_json(
        Report(
            student,
            f"{student}.zip",
            assignment.notebook,
            "0" * 64,
            "A",
            tuple(verdicts),
            repairs,
            written=tuple(written),
            guesses=tuple(Guess(asked, chance.choice([*asked.choices, ""])) for asked in assignment.predictions),
        )
    )
    members = [{"name": student, "email": f"s{n}@x.y", "ids": {"canvas": str(n)}}]
    found["extra_data"] |= {"members": members, "submitted_at": "2026-03-03 10:00 UTC"}
    if n % 7 == 0:
        due = parse_time("2026-03-02T23:59+01:00")
        body = {"target": "total", "points": 2.0, "reason": "an appeal", "when": "2026-03-09", "settles": False}
        adjust(
            found, [Event("staff", "adjust", body, student, id=1)], Deadline({"": due} if due else {}, Late(per_day=10))
        )
    return found


def write_pages(folder: Path, results: list[dict]) -> None:
    """The files about the class, as a run leaves them."""
    facts = {"command": ["grade"], "notebook": None, "is_class": True, "by_hand": None, "wall_seconds": 1.0}
    absent = [{"name": "Hedy Lamarr", "email": "", "ids": []}]
    write_class(folder, results, facts | {"absent": absent, "found": ["it is a Canvas download."]})


def seconds_to_open(page, path: Path) -> float:
    """From asking for a file to its being laid out and its scripts done, in a browser's tab."""
    began = time.perf_counter()
    page.goto(path.as_uri())
    page.evaluate("document.body.offsetHeight")
    return time.perf_counter() - began


def main(counts: list[int]) -> None:
    for count in counts:
        results = made_up(count, pictures=count <= 1000)
        with tempfile.TemporaryDirectory() as name:
            folder, began = Path(name), time.perf_counter()
            write_pages(folder, results)
            wrote = time.perf_counter() - began
            pictures = list((folder / "class_pages" / "pictures").glob("*"))
            size = (folder / "class.html").stat().st_size / 2**20
            print(f"{count} students: class.html {size:.2f} MiB, {len(pictures)} pictures, written in {wrote:.1f} s")
            if CHROMIUM:
                _open(folder)


def _open(folder: Path) -> None:
    with chromium() as browser:
        tab = browser.new_page()
        opened = [seconds_to_open(tab, folder / "class.html") for _ in range(3)]
        began = time.perf_counter()
        tab.evaluate("document.querySelector('.people').scrollIntoView(); document.querySelector('.rows').offsetHeight")
        people = time.perf_counter() - began
        largest = max((folder / "class_pages").glob("*.html"), key=lambda path: path.stat().st_size)
        reading = seconds_to_open(tab, largest)
    print(
        f"    opens in {max(opened):.2f} s (worst of 3), its people laid out in {people:.2f} s; {largest.name} "
        f"({largest.stat().st_size / 2**20:.2f} MiB) in {reading:.2f} s"
    )


def png(results: dict) -> bytes:
    """The first picture of a result."""
    return base64.b64decode(results["extra_data"]["written"][0]["pictures"][0])


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [300, 3000])
