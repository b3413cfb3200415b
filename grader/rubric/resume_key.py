"""What a score depends on: one list of files. A change in one of them means grading again, a change anywhere else does not.

The same list makes the key by which results are kept (`grader.classes.batch`), the rubric's digest that stands in every
`results.json`, and what `tools.gradescope_bundle` packs of an assignment, so that a bundle and this machine agree on the key.
Beside files a score depends on the hand-in, the library versions, the course's secret, the isolation tier that was asked
for and the seconds of the quality run: `grader.classes.batch.key_of` adds these.
"""

import hashlib
import json
from pathlib import Path

from utils.assignments import Assignment, parse_assignment
from utils.assignments.places import PROJECT, Place

# What runs or judges an answer, what an answer may import, and what words a result. Modules, or folders of them.
ENGINE = (
    "grader/__init__.py",
    "grader/authoring",
    "grader/classes/batch.py",
    "grader/probe_kit",
    "grader/records.py",
    "grader/report/__init__.py",
    "grader/report/results.py",
    "grader/rubric",
    "grader/sandbox",
    "grader/stages",
    "utils/__init__.py",
    "utils/assignments",
    "utils/datasets",
    "utils/exercise",
    "utils/notebook",
    "utils/plotting",
    "utils/training",
)

# What finds hand-ins, shows results, or belongs to the student's own machine. A test holds every module to one of the two.
NO_PART = (
    "grader/__main__.py",
    "grader/classes",
    "grader/cli.py",
    "grader/conftest.py",
    "grader/doctor.py",
    "grader/gradescope.py",
    "grader/marking",
    "grader/platforms",
    "grader/report",
    "grader/similarity",
    "grader/test_submission.py",
    "utils/export",
    "utils/submission",
)

# Of an assignment: modules but for those below, and what is read beside them. A slip counts when it is in the references,
# a line of `notebook.py` or `about.toml` when it is in the manifest; by its figures a picture that was given is told from a student's.
PARTS = ("manifest.json", "**/*.py", "references/*", "weights/*", "figures/*.png")
STAFF_ONLY = (
    "notebook.py",
    "slips.py",
    "right.py",
    "attacks.py",
    "bench.py",
    "evidence.py",
    "evidence_models.py",
    "make_weights.py",
    "make_judge.py",
)


def engine_files(project: Path = PROJECT) -> list[Path]:
    """The modules of the project that can move a score."""
    return sorted({module for part in ENGINE for module in _modules(project / part)})


def assignment_files(place: Place) -> list[Path]:
    """The files of an assignment that can move a score; its bundled data is one of its parts, wherever it lies."""
    data = _assignment(place).about.data
    bundled = [place.course.data(file) for file in data.files] if data and data.bundled else []
    found = {path for part in PARTS for path in place.path.glob(part) if path.is_file()}
    return sorted(path for path in found if path.name not in STAFF_ONLY and "__pycache__" not in path.parts) + bundled


def digest(place: Place, project: Path = PROJECT) -> str:
    """A digest of all of it, the same wherever the files lie.

    Args:
        place: The assignment's folder.
        project: Where `grader` and `utils` lie.

    Returns:
        16 hexadecimal digits.
    """
    whole = hashlib.sha256(_told_apart(place.path.parent).encode())
    for root, files in ((project, engine_files(project)), (place.course.root, assignment_files(place))):
        for path in files:
            name = path.relative_to(root).as_posix().encode()
            whole.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def _told_apart(assignments: Path) -> str:
    """By what a hand-in is recognised as this assignment's and no other's: the tasks of all, not their points or rules."""
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(assignments.glob("*/manifest.json")))
    return repr(
        [(one.notebook, [(task.id, task.defines) for task in one.tasks]) for one in map(parse_assignment, found)]
    )


def _assignment(place: Place) -> Assignment:
    return parse_assignment(json.loads(place.manifest.read_text(encoding="utf-8")))


def _modules(path: Path) -> list[Path]:
    return [path] if path.suffix == ".py" else [p for p in path.rglob("*.py") if "__pycache__" not in p.parts]
