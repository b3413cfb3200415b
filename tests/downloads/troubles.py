"""Troubles: what three people hand in, in the order of time, and the points that each must have in each notebook."""

import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import nbformat

from tests.fuzz.stand_in import grader_with
from tests.identity.people import Somebody
from tests.support import answers
from tools.notebooks import student_notebook
from utils.assignments import assignment_names, load_assignment

ONE, OTHER = "01_kl_divergence", "03_mnist_vae"
Upload = dict[str, bytes]  # by name
Points = float | str | None  # a status for what has a line and no points; None: nothing is written


@dataclass(frozen=True)
class Case:
    """A class: uploads of each person, oldest first, and what must come of them, by person and notebook."""

    uploads: dict[int, list[Upload]]
    must: dict[tuple[int, str], Points]
    people: tuple[Somebody, ...]
    options: tuple[str, ...] = ()
    says: tuple[str, ...] = ()  # in what is printed
    columns: tuple[str, ...] = field(default=(ONE, OTHER))


@cache
def work(notebook: str, done: int) -> bytes:
    """A notebook of which so many tasks are answered, from the first on."""
    tasks = load_assignment(notebook).tasks
    return answers(notebook, {task.id: task.untouched_source for task in tasks[done:]})


@cache
def untouched(notebook: str) -> bytes:
    return nbformat.writes(student_notebook(notebook)).encode()


@cache
def worth(notebook: str, done: int) -> float:
    """What the notebook gets when it is graded alone."""
    report = grader_with(random.Random(0), 0).grade_bytes(work(notebook, done), "hw.ipynb", "somebody")
    return float(sum(verdict.points for verdict in report.verdicts))


def zipped(files: Upload) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


PEOPLE = (
    Somebody(0, "Ada", "Lovelace", {"canvas": "11", "sis": "13", "login": "ada", "participant": "12", "github": "al"}, "ada@x.org"),
    Somebody(1, "Zoë", "Müller", {"canvas": "12", "sis": "11", "login": "zmue", "participant": "13", "github": "ada"}, "zoe@x.org"),
    Somebody(2, "Wei", "Zhang", {"canvas": "13", "sis": "12", "login": "wz", "participant": "11", "github": "zmue"}, "wei@x.org"),
    Somebody(3, "Not", "Here", {"canvas": "14", "sis": "14", "login": "no", "participant": "14", "github": "no"}, "no@x.org"),
)  # fmt: skip


def _case(first: list[Upload], gets: Points, other: Points = None, **more) -> Case:
    """The first person has the trouble; the other two hand in notebook 1 with two and three answers, and get the points."""
    uploads = {0: first, 1: [{"hw.ipynb": work(ONE, 2)}], 2: [{"hw.ipynb": work(ONE, 3)}]}
    must = {(1, ONE): worth(ONE, 2), (2, ONE): worth(ONE, 3), (0, ONE): gets, (0, OTHER): other}
    return Case(uploads, must, PEOPLE, **more)


def clean() -> Case:
    return _case([{"hw.ipynb": work(ONE, 4)}], worth(ONE, 4))


def handed_in_again() -> Case:
    """The later one is worse, and counts."""
    return _case([{"hw.ipynb": work(ONE, 6)}, {"hw-1.ipynb": work(ONE, 1)}], worth(ONE, 1))


def again_under_another_name() -> Case:
    return _case(
        [{"z.zip": zipped({"n.ipynb": work(ONE, 6)})}, {"a.zip": zipped({"n.ipynb": work(ONE, 1)})}], worth(ONE, 1)
    )


def untouched_again() -> Case:
    """An untouched copy handed in later is no answer, and takes none away."""
    return _case(
        [{"hw.ipynb": work(ONE, 4)}, {"hw-1.ipynb": untouched(ONE), "more.ipynb": work(ONE, 4)}], worth(ONE, 4)
    )


def versions() -> Case:
    both = {f"hw_v{n}.zip": zipped({"hw.ipynb": work(ONE, done)}) for n, done in ((9, 5), (10, 4))}
    return _case([both], worth(ONE, 4))


def versions_against_the_order() -> Case:
    files = {f"hw_v{n}.zip": zipped({"hw.ipynb": work(ONE, done)}) for n, done in ((10, 4), (9, 5))}
    return _case([files], "malformed", says=("nothing says which is the latest",))


def nothing_tells_the_latest() -> Case:
    files = {name: zipped({"hw.ipynb": work(ONE, done)}) for name, done in (("draft.zip", 5), ("mine.zip", 4))}
    return _case([files], "malformed", says=("nothing says which is the latest",))


def two_notebooks_in_two_zips() -> Case:
    files = {f"{n}.zip": zipped({"n.ipynb": work(name, 5)}) for n, name in enumerate((ONE, OTHER))}
    return _case([files], worth(ONE, 5), worth(OTHER, 5))


def two_notebooks_in_one_zip() -> Case:
    return _case(
        [{"all.zip": zipped({"a/n.ipynb": work(ONE, 5), "b/n.ipynb": work(OTHER, 6)})}], worth(ONE, 5), worth(OTHER, 6)
    )


def two_notebooks_loose() -> Case:
    return _case([{"a.ipynb": work(ONE, 5), "b.ipynb": work(OTHER, 6)}], worth(ONE, 5), worth(OTHER, 6))


def _bundle(solved: dict[str, bytes]) -> Upload:
    files = {f"course/notebooks/{name}.ipynb": solved.get(name, untouched(name)) for name in assignment_names()}
    return files | {f"course/utils/part{n}.py": b"x = 1\n" for n in range(30)}


def whole_bundle_with_one_solved() -> Case:
    return _case([{"course.zip": zipped(_bundle({ONE: work(ONE, 5)}))}], worth(ONE, 5))


def whole_bundle_unpacked() -> Case:
    return _case([_bundle({ONE: work(ONE, 5)})], worth(ONE, 5))


def only_one_is_asked_for() -> Case:
    case = two_notebooks_in_two_zips()
    return replace(case, options=("--notebook", ONE), must=case.must | {(0, OTHER): None}, columns=(ONE,))


def zip_in_zip() -> Case:
    return _case([{"all.zip": zipped({"mine.zip": zipped({"n.ipynb": work(ONE, 5)})})}], worth(ONE, 5))


def zip_and_the_same_notebook() -> Case:
    return _case([{"hw.zip": zipped({"hw.ipynb": work(ONE, 5)}), "hw.ipynb": work(ONE, 5)}], worth(ONE, 5))


def rar() -> Case:
    return _case([{"hw.rar": b"Rar!\x1a\x07\x01\x00" + bytes(200)}], "malformed", says=("a RAR archive",))


def pdf() -> Case:
    return _case([{"hw.pdf": b"%PDF-1.7\n" + bytes(200)}], "malformed", says=("a PDF",))


def seven_zip() -> Case:
    return _case([{"hw.7z": b"7z\xbc\xaf\x27\x1c" + bytes(200)}], "malformed", says=("a 7z archive",))


def damaged_zip() -> Case:
    return _case([{"hw.zip": zipped({"hw.ipynb": work(ONE, 5)})[:3000]}], "malformed", says=("damaged",))


def nothing_inside() -> Case:
    return _case([{}], "malformed", says=("No file was handed in",))


def untouched_only() -> Case:
    return _case([{"hw.ipynb": untouched(ONE)}], 0.0)


def called_like_another_hand_in() -> Case:
    """A file named as a platform would name somebody else's."""
    name = "zhangwei_13_999_Wei Zhang_11_assignsubmission_file_hw.ipynb"
    return _case([{name: work(ONE, 5)}], worth(ONE, 5))


def names_as_a_mac_writes_them() -> Case:
    case = _case([{"U\u0308bung.ipynb": work(ONE, 5)}], worth(ONE, 5))
    decomposed = tuple(
        replace(p, first=p.first.replace("ë", "e\u0308"), last=p.last.replace("ü", "u\u0308")) for p in PEOPLE
    )
    return replace(case, people=decomposed)


def two_of_one_name() -> Case:
    case = clean()
    return replace(case, people=(PEOPLE[0], replace(PEOPLE[1], first="Wei", last="Zhang"), *PEOPLE[2:]))


TROUBLES: dict[str, Callable[[], Case]] = {
    made.__name__: made
    for made in (
        clean, handed_in_again, again_under_another_name, untouched_again, versions, versions_against_the_order, nothing_tells_the_latest,
        two_notebooks_in_two_zips, two_notebooks_in_one_zip, two_notebooks_loose, whole_bundle_with_one_solved,
        whole_bundle_unpacked, only_one_is_asked_for, zip_in_zip, zip_and_the_same_notebook, rar, pdf, seven_zip,
        damaged_zip, nothing_inside, untouched_only, called_like_another_hand_in, names_as_a_mac_writes_them, two_of_one_name,
    )
}  # fmt: skip
# What cannot be had on a platform: files without folders, one file only, or uploads whose order it always knows.
_NOT_ON = {
    "canvas": ("nothing_tells_the_latest", "whole_bundle_unpacked"),
    "blackboard": ("whole_bundle_unpacked",),
    "google": (
        "versions", "nothing_tells_the_latest", "two_notebooks_in_two_zips", "two_notebooks_loose", "whole_bundle_unpacked",
        "only_one_is_asked_for", "zip_and_the_same_notebook", "rar", "pdf", "seven_zip", "nothing_inside",
        "called_like_another_hand_in", "again_under_another_name", "untouched_again", "names_as_a_mac_writes_them",
    ),
    "mail": ("whole_bundle_unpacked",),
}  # fmt: skip


def applies(platform: str, trouble: str) -> bool:
    if trouble == "versions_against_the_order":
        return platform == "canvas"  # the only one that numbers the files of one upload
    return trouble not in _NOT_ON.get(platform, ())
